"""
What can be chosen about a Kafka cluster: its brokers and controllers, its topics, its settings.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos.errors import UsageError
from chaos.history.records import empty

Setting = str | int | float | bool
"""The value of a line of ``server.properties``, or of a topic's own setting."""

REPLICATION_PORT = 19091
"""Brokers fetch from each other here."""
CLIENT_PORT = 19092
CONTROLLER_PORT = 19093
"""Controllers vote, and brokers fetch the cluster's metadata, here."""
MANAGEMENT_PORT = 19094
"""The observer asks a broker here, on the management plane."""
QUORUM_PORT = 19095
"""The observer asks a controller here, on the management plane."""

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")

FIRST_CONTROLLER_ID = 101
"""Of separate controllers; brokers, and nodes that are both, count from 1."""

TIGHT: Mapping[str, Setting] = {
    "broker.session.timeout.ms": 2000,
    "broker.heartbeat.interval.ms": 500,
    "controller.quorum.election.timeout.ms": 500,
    "controller.quorum.fetch.timeout.ms": 1000,
    "controller.quorum.election.backoff.max.ms": 300,
    "controller.quorum.request.timeout.ms": 1000,
    "controller.socket.timeout.ms": 3000,
    "socket.connection.setup.timeout.ms": 1000,
    "socket.connection.setup.timeout.max.ms": 1000,
    "replica.fetch.wait.max.ms": 200,
    "unclean.leader.election.interval.ms": 1000,
}
"""A lost broker is missed after 2 s instead of 9 s, a lost controller after 1 s instead of 2 s; what breaks is the same."""

SHORT_LAG: Mapping[str, Setting] = {"replica.lag.time.max.ms": 3000}
"""A follower that starves leaves the in-sync replicas after 3 s instead of 30 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """
    Which nodes there are.

    :param controllers: names of separate controllers; none means that every node is broker and controller in one.
    """

    name: str
    brokers: tuple[str, ...] = ("n1", "n2", "n3")
    controllers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind in ("brokers", "controllers"):
            names = getattr(self, kind)
            if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
                raise UsageError(f"topology {self.name}: {kind} is a tuple of names, not {names!r}")
        if not self.brokers:
            raise UsageError(f"topology {self.name}: a Kafka cluster needs at least one broker")
        if len(set(self.nodes)) != len(self.brokers) + len(self.controllers):
            raise UsageError(f"topology {self.name}: every node needs a name of its own, not {', '.join(self.nodes)}")

    @property
    def combined(self) -> bool:
        """Whether brokers are controllers too."""
        return not self.controllers

    @property
    def voters(self) -> tuple[str, ...]:
        """The nodes that elect the active controller."""
        return self.controllers or self.brokers

    @property
    def nodes(self) -> tuple[str, ...]:
        """All of them, brokers first."""
        return (*self.brokers, *self.controllers)

    @property
    def ids(self) -> dict[str, int]:
        """Each node's id."""
        brokers = {name: number for number, name in enumerate(self.brokers, 1)}
        return brokers | {name: number for number, name in enumerate(self.controllers, FIRST_CONTROLLER_ID)}

    def __str__(self) -> str:
        rest = ", broker and controller in one" if self.combined else f" + {len(self.controllers)}"
        return f"{self.name} ({len(self.brokers)}{rest})"


TOPOLOGIES: Mapping[str, Topology] = {
    "three": Topology(name="three", controllers=("q1",)),
    "quorum": Topology(name="quorum", controllers=("q1", "q2", "q3")),
    "combined": Topology(name="combined"),
    "five": Topology(name="five", brokers=("n1", "n2", "n3", "n4", "n5"), controllers=("q1", "q2", "q3")),
    "single": Topology(name="single", brokers=("n1",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """
    A topic that is made at the start.

    :param replication: how many brokers have each partition; None is three, or all where there are fewer.
    :param settings: the topic's own: ``{"min.insync.replicas": 2}``.
    """

    name: str = "acked"
    partitions: int = 1
    replication: int | None = None
    settings: Mapping[str, Setting] = field(default_factory=empty)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _TOPIC.fullmatch(self.name) or self.name in (".", ".."):
            raise UsageError(
                f"a topic's name is up to 249 letters, digits, dots, dashes and underscores, not {self.name!r}"
            )
        if type(self.partitions) is not int or self.partitions < 1:
            raise UsageError(f"topic {self.name}: it needs at least one partition, not {self.partitions!r}")
        if self.replication is not None and (type(self.replication) is not int or self.replication < 1):
            raise UsageError(f"topic {self.name}: it needs at least one replica, not {self.replication!r}")
        refuse_no_settings(f"topic {self.name}: settings", self.settings)

    def copies(self, topology: Topology) -> int:
        """How many brokers have each partition."""
        wanted = min(3, len(topology.brokers)) if self.replication is None else self.replication
        if wanted > len(topology.brokers):
            raise UsageError(
                f"topic {self.name}: {wanted} replicas cannot be placed on {len(topology.brokers)} brokers "
                f"({', '.join(topology.brokers)}); ask for fewer, or for a topology with more"
            )
        return wanted

    @property
    def first_log(self) -> str:
        """The log of its first partition, by name."""
        return log_name(self.name, 0)


def log_name(topic: str, partition: int) -> str:
    """A partition as histories and folders name it: ``acked-0``."""
    return f"{topic}-{partition}"


def refuse_no_settings(what: str, given: object) -> None:
    """Refuse what is no mapping of names to values, before a node is told of it."""
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise UsageError(f"{what} is a mapping of names to values, not {given!r}")
    for name, value in given.items():
        if not isinstance(value, str | int | float | bool) or "\n" in f"{name}{value}":
            raise UsageError(f"{what}: {name} is a number, a truth or one line of text, not {value!r}")


def find_topology(wanted: str | Topology) -> Topology:
    """The topology of that name, or the one given."""
    if isinstance(wanted, Topology):
        return wanted
    if not isinstance(wanted, str) or wanted not in TOPOLOGIES:
        raise UsageError(f"no Kafka topology is called {wanted!r}; there are {', '.join(TOPOLOGIES)}")
    return TOPOLOGIES[wanted]
