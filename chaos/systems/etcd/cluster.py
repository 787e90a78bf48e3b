"""
A running etcd cluster: its members, who leads, whether all agree, and the addresses that clients need.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.cluster import Node, Target, resolve
from chaos.errors import HarnessError, NoProgressError, UsageError
from chaos.history.records import Observation, Value
from chaos.providers.contract import Lab, ProcessRef, Spawn
from chaos.systems.etcd.console import UNREACHABLE, Console, peer_console, views
from chaos.systems.etcd.probe import EtcdProbe
from chaos.systems.etcd.ready import wait_joins
from chaos.systems.etcd.settings import CLIENT_PORT, Setting, Topology, least_lease_s
from chaos.systems.etcd.views import MemberView, disagreements, leader_of, replaced
from chaos.wait import wait_until
from chaos.workloads.etcd_client import Answer, Etcd
from chaos.workloads.etcd_requests import Json

READ_TIMEOUT_S = 10.0


@dataclass(slots=True, kw_only=True)
class EtcdCluster:
    """
    One etcd cluster of a lab.

    :param version: as the server was installed: ``etcd 3.6.16``.
    :param spawns: how each member was started; its data is on its disk.
    """

    lab: Lab
    topology: Topology
    version: str
    etcd_settings: Mapping[str, Setting]
    spawns: dict[str, Spawn]
    consoles: dict[str, Console] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """Each member's id, in hexadecimal, to its name."""
    given_up: set[str] = field(default_factory=set)
    """Members that are no part of the cluster any more, whatever they say."""

    def __post_init__(self) -> None:
        for name in self.topology.nodes:
            self.consoles[name] = Console(self.lab, name)

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def system(self) -> str:
        """In one line, as reports show it."""
        return f"{self.version}, {self.topology}"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The members."""
        return tuple(Node(name, self.spawns[name].name, CLIENT_PORT) for name in self.topology.nodes)

    @property
    def settings(self) -> dict[str, Any]:
        """What was configured, and which id each member has in the notes of operations."""
        return {
            "topology": str(self.topology),
            "version": self.version,
            "settings": dict(self.etcd_settings),
            "members": {name: member for member, name in self.ids.items()},
            "commands": {name: " ".join(spawn.argv) for name, spawn in self.spawns.items()},
        }

    @property
    def least_lease_s(self) -> int:
        """The shortest lease that it gives."""
        return least_lease_s(self.etcd_settings)

    def node(self, name: str) -> Node:
        """The member of that name."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise UsageError(f"{self.system} has no {name!r}; there are {', '.join(self.spawns)}")

    def process(self, node: Node | str) -> ProcessRef:
        """The server process of a member."""
        server = self.node(str(node))
        return ProcessRef(party=server.name, name=server.process)

    def address(self, source: object, node: Node | str) -> str:
        """``host:port`` of a member's client port as that party must use it; the way passes through the mesh."""
        host, port = self.lab.reach(str(source), str(node), self.node(str(node)).port, "data")
        return f"{host}:{port}"

    # -- who leads ----------------------------------------------------------------------------------------------------

    def leader(self) -> Node:
        """The leader of the newest term that any member knows of."""
        views = self.member_views()
        name = leader_of(views, self.ids)
        if name is None:
            raise HarnessError(f"{self.system}: nobody leads at this moment: {views}")
        return self.node(name)

    def replicas(self) -> tuple[Node, ...]:
        """All members but the leader."""
        leader = self.leader()
        return tuple(node for node in self.nodes if node != leader)

    def wait_failover(self, old: Node | str, *, within_s: float) -> Node:
        """Wait until a majority follows another leader than ``old``, and that one says so itself."""
        majority = self.topology.majority
        name = wait_until(
            lambda: replaced(self.member_views(), self.ids, str(old), majority),
            within_s=within_s,
            wanted=f"a leader instead of {old}",
            seen=self.member_views,
            error=NoProgressError,
        )
        return self.node(name)

    def member_views(self) -> dict[str, MemberView | str]:
        """What each member says now, or why it says nothing."""
        return views(self.consoles)

    # -- whether all agree --------------------------------------------------------------------------------------------

    def agreed(self, *, without: Target = ()) -> bool:
        """Whether every member follows the same leader, without an alarm; members down on purpose are left out."""
        return not self.disagreement(without=without)

    def disagreement(self, *, without: Target = ()) -> tuple[str, ...]:
        """What is missing until all agree, one sentence each."""
        absent = self.given_up | (set(resolve(without)) if without else set())
        present = {name: console for name, console in self.consoles.items() if name not in absent}
        return disagreements(views(present), self.ids)

    # -- reading, restarting, watching --------------------------------------------------------------------------------

    def final_read(self, key: str, node: Node | str | None = None) -> Value:
        """
        All values below ``key/``, sorted, read linearizably over the management plane; an empty list when there are none.

        With ``node`` it is that member's own state, as old as it may be.
        """
        name = str(node or self.leader())
        found = self._patiently(name, lambda client: client.range(f"{key}/", prefix=True, serializable=bool(node)))
        return sorted(item.value for item in found.items)

    def _patiently(self, name: str, action: Callable[[Etcd], Answer]) -> Answer:
        console = Console(self.lab, name, timeout_s=READ_TIMEOUT_S)
        try:
            return wait_until(
                lambda: console.use(action),
                within_s=READ_TIMEOUT_S,
                wanted=f"an answer of {name}",
                error=NoProgressError,
                forgive=UNREACHABLE,
            )
        finally:
            console.close()

    def value(self, key: str) -> str | None:
        """A key's value, read linearizably over the management plane; None when it is not there."""
        found = self._patiently(str(self.leader()), lambda client: client.range(key))
        return found.items[0].value if found.items else None

    def ask(self, node: Node | str, path: str, body: Json | None = None) -> Json:
        """One request to a member over the management plane: for evidence, never as a client."""
        return self.consoles[str(node)].ask(path, body).body

    def restart(self, target: Target) -> None:
        """Start ended members again on the data that they left, and return when they answer their peers."""
        names = resolve(target)
        for name in names:
            self.lab.spawn(self.node(name).name, self.spawns[name])
        for name in names:
            peer = peer_console(self.lab, name)
            wait_joins(self.lab, peer, self.process(name))
            peer.close()

    def probe(self, sink: Callable[[Observation], None], *, every_s: float = 0.05) -> EtcdProbe:
        """An observer of roles, terms, indices, leases and syncs; ``start()`` it."""
        return EtcdProbe(lab=self.lab, nodes=self.topology.nodes, names=self.ids, sink=sink, every_s=every_s)

    def close(self) -> None:
        """Hang up all management connections."""
        for console in self.consoles.values():
            console.close()


def member_ids(console: Console) -> dict[str, str]:
    """Each member's id to its name, as this member knows them."""
    members = console.ask("cluster/member/list").body.get("members", ())
    return {f"{int(one['ID']):x}": str(one.get("name", "")) for one in members}
