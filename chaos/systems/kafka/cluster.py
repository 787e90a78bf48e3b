"""
A running Kafka cluster: its brokers and controllers, who leads, whether all agree, and the addresses that clients need.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.cluster import Node, Target, resolve
from chaos.errors import HarnessError, NoProgressError, UsageError
from chaos.history.records import Observation, Value
from chaos.providers.contract import Lab, ProcessRef, Spawn
from chaos.systems.kafka import requests
from chaos.systems.kafka.console import Console, NoAnswerError
from chaos.systems.kafka.logs import ReplicaLog, read_replica
from chaos.systems.kafka.probe import KafkaProbe
from chaos.systems.kafka.ready import alive, views
from chaos.systems.kafka.settings import (
    CLIENT_PORT,
    CONTROLLER_PORT,
    MANAGEMENT_PORT,
    QUORUM_PORT,
    Setting,
    Topic,
    Topology,
    log_name,
)
from chaos.systems.kafka.views import Views, disagreements, leader_of, newest, replaced
from chaos.wait import monotonic_ns, wait_until

PROCESS = "kafka"
ANSWER_WITHIN_S = 30.0
READ_TIMEOUT_S = 10.0
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
    brokers: dict[str, Console] = field(default_factory=dict)
    """The observer's line to each broker."""
    quorum: dict[str, Console] = field(default_factory=dict)
    """The observer's line to each controller."""
    _sink: Callable[[Observation], None] | None = None

    def __post_init__(self) -> None:
        self.brokers.update(self._consoles(self.topology.brokers, MANAGEMENT_PORT))
        self.quorum.update(self._consoles(self.topology.voters, QUORUM_PORT))

    def _consoles(self, names: Sequence[str], port: int, timeout_s: float = 1.0) -> dict[str, Console]:
        return {name: Console(self.lab, name, port, timeout_s=timeout_s) for name in names}

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
        return tuple(Node(name, PROCESS, CONTROLLER_PORT) for name in self.topology.voters)

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

    @property
    def names(self) -> dict[int, str]:
        """Each node's name by its id."""
        return {number: name for name, number in self.topology.ids.items()}

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
        wanted = log or self.log
        seen = self.broker_views(wanted)
        name = leader_of(seen, wanted)
        if name is None:
            raise HarnessError(f"{self.system}: nobody leads {wanted} at this moment: {seen}")
        return self.node(name)

    def replicas(self, log: str | None = None) -> tuple[Node, ...]:
        """The brokers that have the log, without its leader."""
        wanted = log or self.log
        view = newest(self.broker_views(wanted), wanted)
        return tuple(self.node(name) for name in (view.replicas if view else ()) if view and name != view.leader)

    def in_sync(self, log: str | None = None) -> tuple[str, ...]:
        """The in-sync replicas, by the newest view there is."""
        wanted = log or self.log
        view = newest(self.broker_views(wanted), wanted)
        return view.isr if view else ()

    def leaderless(self, log: str | None = None) -> bool:
        """Whether nobody leads the log, by the newest view there is."""
        wanted = log or self.log
        view = newest(self.broker_views(wanted), wanted)
        return view is not None and view.leader is None

    def controller(self) -> Node:
        """The active controller."""
        return self.node(self._active().party)

    def _active(self) -> Console:
        console = self._active_or_none()
        if console is None:
            raise HarnessError(f"{self.system}: no controller is active at this moment")
        return console

    def _active_or_none(self) -> Console | None:
        newest_epoch, active = -1, None
        for console in self.quorum.values():
            try:
                found = requests.quorum(console)
            except NoAnswerError:
                continue
            if found is not None and found[1] > newest_epoch:  # One that was paused still takes itself for it.
                newest_epoch, active = found[1], console
        return active

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
            console = self._active_or_none()
            return console if console and console.party != str(instead_of) else None

        console = wait_until(
            found, within_s=within_s, wanted=f"an active controller instead of {instead_of}", error=NoProgressError
        )
        return self.node(console.party)

    def broker_views(self, log: str | None = None) -> Views:
        """What each broker says now, or why it says nothing."""
        return views(self.brokers, (requests.parted(log or self.log)[0],), self.names)

    # -- whether all agree --------------------------------------------------------------------------------------------

    def agreed(self, *, without: Target = ()) -> bool:
        """Whether every broker sees every log alike, led and with all replicas in sync, under one controller."""
        return not self.disagreement(without=without)

    def disagreement(self, *, without: Target = ()) -> tuple[str, ...]:
        """What is missing until all agree, one sentence each; nodes down on purpose are left out."""
        absent = set(resolve(without)) if without else set()
        present = {name: console for name, console in self.brokers.items() if name not in absent}
        logs = [log_name(topic.name, number) for topic in self.topics for number in range(topic.partitions)]
        seen = views(present, [topic.name for topic in self.topics], self.names)
        idle = () if self._active_or_none() else ("no controller is active",)
        return (*disagreements(seen, logs, present), *idle)

    # -- topics -------------------------------------------------------------------------------------------------------

    def create_topic(self, topic: Topic) -> None:
        """Make one more topic, and return when all its replicas are in sync."""
        requests.create_topic(self._active(), topic, topic.copies(self.topology))
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
        requests.alter_topic(self._active(), topic or self.topics[0].name, settings)

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
        values = [value for log in logs for _, value in self.consumed(log)]
        if self._sink is not None:
            for log in logs:
                self.note_replica_logs(log)
        return values

    def consumed(self, log: str | None = None) -> list[tuple[int, str]]:
        """What consumers can read of a log, as (offset, value), from its leader over the management plane."""
        wanted = log or self.log
        found: list[tuple[int, str]] = []

        def all_read() -> bool:
            position = found[-1][0] + 1 if found else 0
            leader = self.brokers[str(self.leader(wanted))]
            more, end = requests.consume(leader, wanted, position)
            found.extend(more)
            # What only the leader has yet is shown to nobody; read now, it would be called lost.
            return (found[-1][0] + 1 if found else 0) >= end == requests.log_end(leader, wanted)

        wait_until(
            all_read,
            within_s=READ_TIMEOUT_S,
            wanted=f"all of {wanted} to be read",
            error=NoProgressError,
            forgive=(NoAnswerError,),
        )
        return found

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
            if name in self.brokers:
                requests.view(self.brokers[name], (), self.names)
            if name in self.quorum:
                requests.quorum(self.quorum[name])
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
            brokers=self._consoles(self.topology.brokers, MANAGEMENT_PORT, PROBE_TIMEOUT_S),
            controllers=self._consoles(self.topology.voters, QUORUM_PORT, PROBE_TIMEOUT_S),
            names=self.names,
            log=self.log,
            sink=sink,
            every_s=every_s,
        )

    def close(self) -> None:
        """Hang up all management connections."""
        for console in (*self.brokers.values(), *self.quorum.values()):
            console.close()
