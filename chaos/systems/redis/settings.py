"""
What can be chosen about a Redis cluster: its shape, its redis.conf settings, its Sentinels' timing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chaos.errors import UsageError
from chaos.history.records import empty

Setting = str | int | float | bool | tuple[str, ...] | list[str]
"""A redis.conf value; several ones (``save``, ``rename-command``) become a line each."""

REDIS_PORT = 6379
SENTINEL_PORT = 26379
SERVICE = "m"
"""The name under which the Sentinels watch the master."""

UNSAFE: Mapping[str, Setting] = {"min-replicas-to-write": 0}
"""The server's default: a master that lost all its replicas goes on acknowledging."""

HARDENED: Mapping[str, Setting] = {"min-replicas-to-write": 1, "min-replicas-max-lag": 2}
"""A master stops acknowledging once no replica has answered for 2 s: what it may lose is bounded, not nothing."""

SECRETS = frozenset(
    {
        *("requirepass", "masterauth", "masteruser", "primaryauth", "primaryuser", "user"),
        *("auth-pass", "auth-user", "sentinel-pass", "tls-key-file-pass", "tls-client-key-file-pass"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """How often a Sentinel pings, asks INFO and says hello. The INFO period decides how long a healed stray master acks."""

    ping_ms: int = 1000
    info_ms: int = 10000
    publish_ms: int = 2000


DEFAULT = Periods()
"""The server's own."""

TUNED = Periods(ping_ms=400, info_ms=1000, publish_ms=500)
"""Short enough for a ten-second experiment; five pings stay above a second, else a failover finds no good replica."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelSettings:
    """
    The Sentinels' timing. A failover begins about ``down_after_ms`` plus one ping period after a master is gone.

    :param periods: ``TUNED`` or ``DEFAULT``; the server can be tuned from Redis 7.0 on, older ones keep their own.
    :param down_after_ms: None is 1000 with tuned periods and 2000 with the server's own.
    :param options: other ``sentinel <option> <master> <value>`` directives.
    """

    down_after_ms: int | None = None
    failover_timeout_ms: int = 5000
    periods: Periods = TUNED
    parallel_syncs: int = 1
    quorum: int | None = None
    options: Mapping[str, Setting] = field(default_factory=empty)

    def in_force(self, *, tunable: bool) -> "SentinelSettings":
        """These settings as this server can have them: every open choice made, or refused."""
        periods = self.periods if tunable else DEFAULT
        down_after_ms = self.down_after_ms or (1000 if periods != DEFAULT else 2000)
        if not tunable and self.periods != DEFAULT:
            down_after_ms = max(down_after_ms, 2 * periods.ping_ms)
        if down_after_ms < 2 * periods.ping_ms:
            raise UsageError(
                f"down_after_ms={down_after_ms} must be at least twice the ping period ({periods.ping_ms} ms): "
                "a Sentinel whose next ping is not due yet would call a healthy master down"
            )
        return replace(self, down_after_ms=down_after_ms, periods=periods)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """
    Which servers there are. The first node starts as the master, the others as its replicas.

    :param sentinels: the Sentinels' names; none means that nobody replaces a lost master.
    """

    name: str
    nodes: tuple[str, ...] = ("n1",)
    sentinels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = (*self.nodes, *self.sentinels)
        if not self.nodes:
            raise UsageError(f"topology {self.name}: a Redis cluster needs at least one node")
        if len(set(names)) != len(names):
            raise UsageError(f"topology {self.name}: every server needs a name of its own, not {', '.join(names)}")

    def quorum(self, settings: SentinelSettings) -> int:
        """How many Sentinels must call the master down before a failover."""
        return settings.quorum or len(self.sentinels) // 2 + 1

    def __str__(self) -> str:
        shape = f"1+{len(self.nodes) - 1}" if len(self.nodes) > 1 else "1"
        return f"{self.name} ({shape}{f', {len(self.sentinels)} Sentinels' if self.sentinels else ''})"


TOPOLOGIES: Mapping[str, Topology] = {
    "standalone": Topology(name="standalone"),
    "replication": Topology(name="replication", nodes=("n1", "n2", "n3")),
    "sentinel": Topology(name="sentinel", nodes=("n1", "n2", "n3"), sentinels=("s1", "s2", "s3")),
}


def find_topology(wanted: str | Topology) -> Topology:
    """The topology of that name, or the one given."""
    if isinstance(wanted, Topology):
        return wanted
    if wanted not in TOPOLOGIES:
        raise UsageError(f"no Redis topology is called {wanted!r}; there are {', '.join(TOPOLOGIES)}")
    return TOPOLOGIES[wanted]


def run_id(name: str) -> str:
    """A Sentinel's identity, known before it starts, so that the others can be told of it."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def masked(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Settings as a report may show them."""
    return {name: "***" if name.lower() in SECRETS else value for name, value in settings.items()}
