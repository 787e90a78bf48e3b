"""
A running Redis cluster: its nodes, who leads, whether all agree, and the addresses that clients need.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chaos.cluster import Node, Target, resolve
from chaos.errors import HarnessError, NoProgressError, UsageError
from chaos.history.records import Observation, Value
from chaos.providers.contract import Lab, ProcessRef, Spawn
from chaos.systems.redis.config import without_secrets
from chaos.systems.redis.console import (
    UNREACHABLE,
    Console,
    node_console,
    node_view,
    sentinel_console,
    sentinel_view,
    views,
)
from chaos.systems.redis.probe import RedisProbe
from chaos.systems.redis.ready import wait_answers
from chaos.systems.redis.settings import (
    REDIS_PORT,
    SENTINEL_PORT,
    SERVICE,
    SentinelSettings,
    Setting,
    Topology,
    masked,
)
from chaos.systems.redis.views import NodeView, disagreements, pairs
from chaos.wait import wait_until

READ_TIMEOUT_S = 10.0


@dataclass(slots=True, kw_only=True)
class RedisCluster:
    """
    One Redis cluster of a lab.

    :param version: as the server was installed: ``redis 7.0.15``.
    :param sentinel: the Sentinels' timing in force; None without Sentinels.
    :param spawns: how each server was started; the configuration is on its disk, as the server has rewritten it since.
    :param configs: per server, the configuration it was first started with.
    """

    lab: Lab
    topology: Topology
    version: str
    redis_settings: Mapping[str, Setting]
    sentinel: SentinelSettings | None
    password: str | None
    spawns: Mapping[str, Spawn]
    configs: Mapping[str, str]
    consoles: dict[str, Console] = field(default_factory=dict)

    service: str = SERVICE

    def __post_init__(self) -> None:
        for name in self.topology.nodes:
            self.consoles[name] = node_console(self.lab, name, password=self.password)
        for name in self.topology.sentinels:
            self.consoles[name] = sentinel_console(self.lab, name)

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def system(self) -> str:
        """In one line, as reports show it."""
        return f"{self.version}, {self.topology}"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The data nodes; the first was the master at the start."""
        return tuple(Node(name, self.spawns[name].name, REDIS_PORT) for name in self.topology.nodes)

    @property
    def sentinels(self) -> tuple[Node, ...]:
        """The Sentinels."""
        return tuple(Node(name, self.spawns[name].name, SENTINEL_PORT) for name in self.topology.sentinels)

    @property
    def servers(self) -> tuple[Node, ...]:
        """All that a fault may end and a heal start again."""
        return (*self.nodes, *self.sentinels)

    @property
    def settings(self) -> dict[str, Any]:
        """What was configured, secrets masked."""
        timing = self.sentinel
        return {
            "topology": str(self.topology),
            "version": self.version,
            "settings": masked(self.redis_settings),
            "sentinel": {}
            if timing is None
            else {
                "down_after_ms": timing.down_after_ms,
                "failover_timeout_ms": timing.failover_timeout_ms,
                "ping_ms": timing.periods.ping_ms,
                "info_ms": timing.periods.info_ms,
                "publish_ms": timing.periods.publish_ms,
                "quorum": self.topology.quorum(timing),
            },
            "configs": {name: without_secrets(text) for name, text in self.configs.items()},
        }

    def node(self, name: str) -> Node:
        """The node or Sentinel of that name."""
        for node in (*self.nodes, *self.sentinels):
            if node.name == name:
                return node
        raise UsageError(f"{self.system} has no {name!r}; there are {', '.join(self.spawns)}")

    def process(self, node: Node | str) -> ProcessRef:
        """The server process of a node or Sentinel."""
        server = self.node(str(node))
        return ProcessRef(party=server.name, name=server.process)

    # -- where clients go ---------------------------------------------------------------------------------------------

    def address(self, source: object, node: Node | str) -> str:
        """``host:port`` of a node's data port as that party must use it; the way passes through the mesh."""
        host, port = self.lab.reach(str(source), str(node), self.node(str(node)).port, "data")
        return f"{host}:{port}"

    def sentinel_addresses(self, source: object) -> list[str]:
        """The Sentinels' data addresses as that party must use them."""
        return [self.address(source, sentinel) for sentinel in self.sentinels]

    # -- who leads ----------------------------------------------------------------------------------------------------

    def leader(self) -> Node:
        """The master as the Sentinels see it now (the newest configuration wins); without Sentinels, by its own role."""
        named = self._named_masters()
        if named:
            return self.node(max(named, key=lambda name: named[name]))
        for name, view in self.node_views().items():
            if isinstance(view, NodeView) and view.role == "master":
                return self.node(name)
        raise HarnessError(f"{self.system}: nobody leads at this moment: {self.node_views()}")

    def replicas(self) -> tuple[Node, ...]:
        """All data nodes but the leader."""
        leader = self.leader()
        return tuple(node for node in self.nodes if node != leader)

    def wait_failover(self, old: Node | str, *, within_s: float) -> Node:
        """Wait until every Sentinel that answers names another master than ``old`` and that one says so itself."""
        if not self.topology.sentinels:
            raise UsageError(f"there is no failover to wait for: {self.system} has no Sentinels")

        def replaced() -> Node | None:
            named = self._named_masters()
            if len(named) != 1 or str(old) in named:
                return None
            (name,) = named
            view = self.node_views().get(name)
            return self.node(name) if isinstance(view, NodeView) and view.role == "master" else None

        return wait_until(
            replaced,
            within_s=within_s,
            wanted=f"a failover away from {old}",
            seen=lambda: f"Sentinels name {sorted(self._named_masters())}",
            error=NoProgressError,
        )

    def _named_masters(self) -> dict[str, tuple[int, int]]:
        """Each master that a Sentinel names, with its newest epoch and how many name it."""
        names = self.names()
        seen: list[tuple[str, int]] = []
        for name in self.topology.sentinels:
            try:
                host, port = self.consoles[name].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.service)
                epoch = pairs(self.consoles[name].ask("SENTINEL", "MASTER", self.service))["config-epoch"]
            except UNREACHABLE:
                continue
            if f"{host}:{port}" in names:
                seen.append((names[f"{host}:{port}"], int(epoch)))
        votes = Counter(name for name, _ in seen)
        return {name: (max(epoch for one, epoch in seen if one == name), votes[name]) for name in votes}

    # -- whether all agree --------------------------------------------------------------------------------------------

    def agreed(self, *, without: Target = ()) -> bool:
        """Whether every node's and Sentinel's own view is the same and complete; servers down on purpose are left out."""
        return not self.disagreement(without=without)

    def disagreement(self, *, without: Target = ()) -> tuple[str, ...]:
        """What is missing until all agree, one sentence each."""
        absent = set(resolve(without)) if without else set()
        present = {name: console for name, console in self.consoles.items() if name not in absent}
        nodes = {name: console for name, console in present.items() if name in self.topology.nodes}
        sentinels = {name: console for name, console in present.items() if name in self.topology.sentinels}
        names = {address: name for address, name in self.names().items() if name in present}
        return disagreements(views(nodes, node_view), views(sentinels, sentinel_view), names)

    def node_views(self) -> dict[str, NodeView | str]:
        """What each data node says of replication now, or why it says nothing."""
        return views({name: self.consoles[name] for name in self.topology.nodes}, node_view)

    def names(self) -> dict[str, str]:
        """The data address of each server, as the servers name each other, to the server's name."""
        return server_names(self.lab, self.topology)

    # -- reading, restarting, watching --------------------------------------------------------------------------------

    def final_read(self, key: str, node: Node | str | None = None) -> Value:
        """A key's content on the final master (or on that node), over the management plane: a sorted list for a
        set, a number for a counter, None when it is not there: ``... or []`` where all may be lost."""
        name = str(node or self.leader())
        console = node_console(self.lab, name, password=self.password, timeout_s=READ_TIMEOUT_S)
        try:
            return _read(console, key)
        finally:
            console.close()

    def ask(self, node: Node | str, *command: str | int) -> Value:
        """One command to a node or Sentinel over the management plane: for evidence, never as a client."""
        return self.consoles[str(node)].ask(*command)

    def restart(self, target: Target) -> None:
        """Start ended servers again on the data and configuration that they left, and return when they answer."""
        names = resolve(target)
        for name in names:
            self.lab.spawn(self.node(name).name, self.spawns[name])
        for name in names:
            wait_answers(self.lab, self.consoles[name], self.process(name))

    def probe(self, sink: Callable[[Observation], None], *, every_s: float = 0.05) -> RedisProbe:
        """An observer of roles, links, offsets and Sentinel events; ``start()`` it."""
        return RedisProbe(
            lab=self.lab,
            nodes=self.topology.nodes,
            sentinels=self.topology.sentinels,
            names=self.names(),
            password=self.password,
            sink=sink,
            every_s=every_s,
        )

    def close(self) -> None:
        """Hang up all management connections."""
        for console in self.consoles.values():
            console.close()


def server_names(lab: Lab, topology: Topology) -> dict[str, str]:
    """The data address of each server to its name, as peers see it."""
    servers = dict.fromkeys(topology.nodes, REDIS_PORT) | dict.fromkeys(topology.sentinels, SENTINEL_PORT)
    names: dict[str, str] = {}
    for name, port in servers.items():
        peer = next((other for other in servers if other != name), name)
        host, number = lab.reach(peer, name, port, "data")
        names[f"{host}:{number}"] = name
    return names


def respawnable(spawn: Spawn) -> Spawn:
    """The same start on the files as they are by then: a server rewrites its configuration at every failover."""
    return replace(spawn, files={})


def _read(console: Console, key: str) -> Value:
    kind = console.ask("TYPE", key)
    readers: Mapping[str, Sequence[str | int]] = {
        "string": ("GET", key),
        "set": ("SMEMBERS", key),
        "list": ("LRANGE", key, 0, -1),
        "zset": ("ZRANGE", key, 0, -1),
        "hash": ("HGETALL", key),
    }
    if kind not in readers:
        return None
    found = console.ask(*readers[kind])
    if kind == "set":
        return sorted(found)
    return int(found) if kind == "string" and console.ask("OBJECT", "ENCODING", key) == "int" else found
