"""
A running Kafka cluster: its brokers and controllers, who leads, whether all agree, and the addresses that clients need.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.cluster import Node, Target, resolve
from chaos.errors import NoProgressError, UsageError
from chaos.history.records import Observation, Value
from chaos.providers.contract import Lab, ProcessRef, Spawn
from chaos.systems.kafka import requests
from chaos.systems.kafka.console import Console, NoAnswerError
from chaos.systems.kafka.lines import Lines
from chaos.systems.kafka.logs import ReplicaLog, read_replica
from chaos.systems.kafka.probe import KafkaProbe
from chaos.systems.kafka.ready import alive
from chaos.systems.kafka.settings import (
    CLIENT_PORT,
    CONTROLLER_PORT,
    Setting,
    Topic,
    Topology,
    log_name,
)
from chaos.systems.kafka.views import UncleanElection, Views, parse_unclean, replaced
from chaos.wait import monotonic_ns, wait_until

PROCESS = "kafka"
ANSWER_WITHIN_S = 30.0
PROBE_TIMEOUT_S = 0.5


@dataclass(slots=True, kw_only=True)
class KafkaCluster:
    """
    One Kafka cluster of a lab.

    :param version: as the server was installed: ``Kafka 4.4.0``.
    :param topics: those made at the start; the first partition of the first is the log that questions are about by default.
    :param spawns: how each node was started; its data is on its disk.
    """

    lab: Lab
    topology: Topology
    version: str
    kafka_settings: Mapping[str, Setting]
    topics: tuple[Topic, ...]
    spawns: dict[str, Spawn]
    took_s: dict[str, float] = field(default_factory=dict)
    """How long each step of its start took."""
    lines: Lines = field(init=False)
    """The observer's own, to every node."""
    _sink: Callable[[Observation], None] | None = None

    def __post_init__(self) -> None:
        self.lines = Lines(self.lab, self.topology)

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def system(self) -> str:
        """In one line, as reports show it."""
        return f"{self.version}, {self.topology}"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The brokers."""
        return tuple(Node(name, PROCESS, CLIENT_PORT) for name in self.topology.brokers)

    @property
    def controllers(self) -> tuple[Node, ...]:
        """The nodes that elect the active controller; the brokers themselves where nodes are combined."""
        if self.topology.combined:
            return self.nodes
        return tuple(Node(name, PROCESS, CONTROLLER_PORT) for name in self.topology.controllers)

    @property
    def servers(self) -> tuple[Node, ...]:
        """All that a fault may end and a heal start again: brokers and separate controllers."""
        return (*self.nodes, *(() if self.topology.combined else self.controllers))

    @property
    def settings(self) -> dict[str, Any]:
        """What was configured."""
        return {
            "topology": str(self.topology),
            "version": self.version,
            "settings": dict(self.kafka_settings),
            "topics": {topic.name: self._topic_settings(topic) for topic in self.topics},
        }

    def _topic_settings(self, topic: Topic) -> dict[str, Any]:
        return {"partitions": topic.partitions, "replication": topic.copies(self.topology), **topic.settings}

    @property
    def log(self) -> str:
        """The log that questions are about when they do not name one."""
        return self.topics[0].first_log

    def node(self, name: str) -> Node:
        """The broker or controller of that name."""
        for node in (*self.nodes, *self.controllers):
            if node.name == name:
                return node
        raise UsageError(f"{self.system} has no {name!r}; there are {', '.join(self.topology.nodes)}")

    def process(self, node: Node | str) -> ProcessRef:
        """The server process of a node."""
        server = self.node(str(node))
        return ProcessRef(party=server.name, name=server.process)

    def address(self, source: object, node: Node | str) -> str:
        """``host:port`` of a broker's client port as that party must use it; the way passes through the mesh."""
        host, port = self.lab.reach(str(source), str(node), CLIENT_PORT, "data")
        return f"{host}:{port}"

    # -- who leads ----------------------------------------------------------------------------------------------------

    def leader(self, log: str | None = None) -> Node:
        """The broker that leads a log in the newest epoch that any broker knows of."""
        return self.node(self.lines.leader(log or self.log))

    def replicas(self, log: str | None = None) -> tuple[Node, ...]:
        """The brokers that have the log, without its leader."""
        view = self.lines.newest(log or self.log)
        return tuple(self.node(name) for name in (view.replicas if view else ()) if view and name != view.leader)

    def in_sync(self, log: str | None = None) -> tuple[str, ...]:
        """The in-sync replicas, by the newest view there is."""
        view = self.lines.newest(log or self.log)
        return view.isr if view else ()

    def leaderless(self, log: str | None = None) -> bool:
        """Whether nobody leads the log, by the newest view there is."""
        view = self.lines.newest(log or self.log)
        return view is not None and view.leader is None

    def controller(self) -> Node:
        """The active controller."""
        return self.node(self.lines.active().party)

    def unclean_elections(self, controller: Node | str) -> tuple[UncleanElection, ...]:
        """Those that a controller's own log tells of, in order."""
        return parse_unclean(self.lab.log(self.process(controller)).decode(errors="replace"), self.lines.names)

    def wait_failover(self, old: Node | str, *, within_s: float, log: str | None = None) -> Node:
        """Wait until another broker than ``old`` leads the log, and says so itself."""
        wanted = log or self.log
        name = wait_until(
            lambda: replaced(self.broker_views(wanted), wanted, str(old)),
            within_s=within_s,
            wanted=f"a leader of {wanted} instead of {old}",
            seen=lambda: self.broker_views(wanted),
            error=NoProgressError,
        )
        return self.node(name)

    def wait_controller(self, *, within_s: float, instead_of: Node | str | None = None) -> Node:
        """Wait until there is an active controller, and another one than that."""

        def found() -> Console | None:
            console = self.lines.active_or_none()
            return console if console and console.party != str(instead_of) else None

        console = wait_until(
            found, within_s=within_s, wanted=f"an active controller instead of {instead_of}", error=NoProgressError
        )
        return self.node(console.party)

    def broker_views(self, log: str | None = None) -> Views:
        """What each broker says now, or why it says nothing."""
        return self.lines.views([requests.parted(log or self.log)[0]])

    # -- whether all agree --------------------------------------------------------------------------------------------

    def agreed(self, *, without: Target = ()) -> bool:
        """Whether every broker sees every log alike, led and with all replicas in sync, under one controller."""
        return not self.disagreement(without=without)

    def disagreement(self, *, without: Target = ()) -> tuple[str, ...]:
        """What is missing until all agree, one sentence each; nodes down on purpose are left out."""
        return self.lines.missing(self.topics, set(resolve(without)) if without else set())

    # -- topics -------------------------------------------------------------------------------------------------------

    def create_topic(self, topic: Topic) -> None:
        """Make one more topic, and return when all its replicas are in sync."""
        copies = topic.copies(self.topology)
        self.lines.create_topic(topic, copies)
        self.topics = (*self.topics, topic)
        wait_until(
            self.agreed,
            within_s=ANSWER_WITHIN_S,
            wanted=f"all replicas of {topic.name} to be in sync",
            seen=self.disagreement,
            error=NoProgressError,
        )

    def alter_topic(self, settings: Mapping[str, Setting], topic: str | None = None) -> None:
        """Change a topic's own settings, as an operator in need would; asked of the active controller, past every fault."""
        name = topic or self.topics[0].name
        self.lines.administer(
            lambda controller: requests.alter_topic(controller, name, settings), f"topic {name} to be altered"
        )

    # -- reading ------------------------------------------------------------------------------------------------------

    def final_read(self, topic: str | None = None) -> Value:
        """
        All values of a topic, partition after partition in the order of the log, as its leaders show them to consumers.

        Inside a run every replica's own log is written into the history beside it.
        """
        wanted = next((one for one in self.topics if one.name == (topic or self.topics[0].name)), None)
        if wanted is None:
            raise UsageError(
                f"no topic {topic!r} was made here; there are {', '.join(one.name for one in self.topics)}"
            )
        logs = [log_name(wanted.name, number) for number in range(wanted.partitions)]
        values: list[Value] = [value for log in logs for _, value in self.lines.consumed(log) if value is not None]
        if self._sink is not None:
            for log in logs:
                self.note_replica_logs(log)
        return values

    def replica_log(self, node: Node | str, log: str | None = None) -> ReplicaLog:
        """What a broker's replica has on its disk, whether the broker runs or not."""
        return read_replica(log or self.log, lambda path: self.lab.get(str(node), path))

    def note_replica_logs(self, log: str | None = None) -> dict[str, ReplicaLog]:
        """Read every broker's replica and write it into the history of the run that is watching."""
        if self._sink is None:
            raise UsageError("note_replica_logs() writes into a run's history: call it inside the run's block")
        found = {name: self.replica_log(name, log) for name in self.topology.brokers}
        for name, replica in found.items():
            self._sink(Observation(at_ns=monotonic_ns(), party=name, kind="replica-log", value=replica.observed()))
        return found

    # -- restarting, watching -----------------------------------------------------------------------------------------

    def restart(self, target: Target) -> None:
        """Start ended nodes again on the data that they left, and return when they answer."""
        names = resolve(target)
        for name in names:
            self.lab.spawn(self.node(name).name, self.spawns[name])
        for name in names:
            self._wait_answer(name)

    def _wait_answer(self, name: str) -> None:
        look = alive(self.lab, [self.process(name)])

        def answers() -> bool:
            look()
            if name in self.lines.brokers:
                requests.view(self.lines.brokers[name], (), self.lines.names)
            if name in self.lines.quorum:
                requests.quorum(self.lines.quorum[name])
            return True

        wait_until(
            answers,
            within_s=ANSWER_WITHIN_S,
            wanted=f"{name} to answer again",
            error=NoProgressError,
            forgive=(NoAnswerError,),
        )

    def probe(self, sink: Callable[[Observation], None], *, every_s: float = 0.1) -> KafkaProbe:
        """An observer of roles, epochs, in-sync replicas, offsets and controllers; ``start()`` it."""
        self._sink = sink
        return KafkaProbe(
            lines=Lines(self.lab, self.topology, timeout_s=PROBE_TIMEOUT_S),
            log=self.log,
            unclean=lambda party: [one.observed() for one in self.unclean_elections(party)],
            sink=sink,
            every_s=every_s,
        )

    def close(self) -> None:
        """Hang up all management connections."""
        self.lines.close()
