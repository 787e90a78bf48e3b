"""
What can be chosen about an etcd cluster: its members, its flags.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from chaos.errors import UsageError

Setting = str | int | float | bool
"""A flag's value; the flag is named without its dashes."""

CLIENT_PORT = 2379
PEER_PORT = 2380

FAST: Mapping[str, Setting] = {"heartbeat-interval": 50, "election-timeout": 500}
"""Half of the server's own times: a leader is missed within a second."""

SLOW: Mapping[str, Setting] = {"heartbeat-interval": 500, "election-timeout": 5000}
"""Five times the server's own, as for members that are far apart."""

HEARTBEAT_MS, ELECTION_MS = 100, 1000
"""The server's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Which members there are."""

    name: str
    nodes: tuple[str, ...] = ("n1", "n2", "n3")

    def __post_init__(self) -> None:
        if not self.nodes:
            raise UsageError(f"topology {self.name}: an etcd cluster needs at least one member")
        if len(set(self.nodes)) != len(self.nodes):
            raise UsageError(f"topology {self.name}: every member needs a name of its own, not {', '.join(self.nodes)}")

    @property
    def majority(self) -> int:
        """How many members must agree."""
        return len(self.nodes) // 2 + 1

    def __str__(self) -> str:
        return f"{self.name} ({len(self.nodes)})"


TOPOLOGIES: Mapping[str, Topology] = {
    "single": Topology(name="single", nodes=("n1",)),
    "three": Topology(name="three"),
    "five": Topology(name="five", nodes=("n1", "n2", "n3", "n4", "n5")),
}


def find_topology(wanted: str | Topology) -> Topology:
    """The topology of that name, or the one given."""
    if isinstance(wanted, Topology):
        return wanted
    if wanted not in TOPOLOGIES:
        raise UsageError(f"no etcd topology is called {wanted!r}; there are {', '.join(TOPOLOGIES)}")
    return TOPOLOGIES[wanted]


def milliseconds(settings: Mapping[str, Setting], name: str, default: int) -> int:
    """A flag that is a number of milliseconds, or its default."""
    try:
        return int(settings.get(name, default))
    except ValueError as problem:
        raise UsageError(f"{name} is a number of milliseconds, not {settings[name]!r}") from problem


def least_lease_s(settings: Mapping[str, Setting]) -> int:
    """The shortest lease that a server with these settings gives; it silently lengthens a shorter one."""
    heartbeat_ms = milliseconds(settings, "heartbeat-interval", HEARTBEAT_MS)
    ticks = milliseconds(settings, "election-timeout", ELECTION_MS) // heartbeat_ms
    return max(1, math.ceil(3 * ticks // 2 * heartbeat_ms / 1000))
