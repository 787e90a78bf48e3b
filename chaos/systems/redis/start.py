"""
From nothing to a Redis cluster in which every server agrees and a write is acknowledged by all replicas.

The order is what makes it fast: the master before its replicas (one that misses it dials again a second later), a write
acknowledged by all before the first Sentinel (its first INFO would miss replicas, the next comes 10 s later), Sentinels
seeded with all they would have to find out, and hasty pings until they agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chaos.errors import UsageError
from chaos.history.records import empty
from chaos.providers.contract import Lab, PartySpec, Port, Role, Spawn
from chaos.providers.placing import place_missing, refuse_taken
from chaos.servers import Installed
from chaos.systems.redis.cluster import RedisCluster, respawnable, server_names
from chaos.systems.redis.config import (
    LAB_DEFAULTS,
    USER_CONFIG,
    VALKEY_DEFAULTS,
    redis_conf,
    sentinel_conf,
)
from chaos.systems.redis.ready import (
    AGREE_UNTUNED_WITHIN_S,
    wait_agreed,
    wait_agreed_hastily,
    wait_answers,
    wait_replicated,
)
from chaos.systems.redis.settings import (
    REDIS_PORT,
    SENTINEL_PORT,
    SentinelSettings,
    Setting,
    Topology,
    find_topology,
)
from chaos.systems.redis.user_config import adopted, password_in

REDIS = Port(number=REDIS_PORT, name="redis", ping=b"PING\r\n")
SENTINEL = Port(number=SENTINEL_PORT, name="sentinel", ping=b"PING\r\n")


class MakeRedis(Protocol):
    """The ``make_redis`` fixture: ``start_redis`` in the test's own lab."""

    def __call__(
        self,
        *,
        topology: str | Topology = ...,
        settings: Mapping[str, Setting] = ...,
        version: str | None = ...,
        config: str | Path | None = ...,
        sentinel: SentinelSettings | None = ...,
        password: str | None = ...,
        role: Role = ...,
    ) -> RedisCluster:
        """Start a cluster and return when it is really ready."""
        ...


def start_redis(
    lab: Lab,
    *,
    topology: str | Topology = "sentinel",
    settings: Mapping[str, Setting] = empty(),
    version: str | None = None,
    config: str | Path | None = None,
    sentinel: SentinelSettings | None = None,
    password: str | None = None,
    role: Role = Role.NODE,
    others: Sequence[PartySpec] = (),
) -> RedisCluster:
    """
    Start a Redis cluster and return when it is really ready.

    :param settings: redis.conf settings of every data node: ``UNSAFE``, ``HARDENED`` or any others.
    :param version: ``7.0``, ``6.2``, ``valkey``, ``valkey 9.1``; None is the Redis that is installed.
    :param config: the user's own redis.conf, laid over the lab's defaults; ``settings`` win over it, and what the lab
        itself decides (where to listen and to write, whom to follow) is left out of it.
    :param password: every data node's; also taken from ``requirepass`` in ``settings`` or in the user's file.
    :param role: ``Role.RESOURCE`` makes a store that no fault may touch.
    :param others: parties to be made in the same batch (clients), which is faster than one after the other.
    """
    shape = find_topology(topology)
    refuse_taken(lab, (*shape.nodes, *shape.sentinels), example='Topology(name="second", nodes=("m1", "m2"))')
    installed = find_server(lab, version)
    user_config = None if config is None else _read_config(Path(config))
    chosen = {name: value for name, value in settings.items() if password or name.lower() != "requirepass"}
    asked = [str(settings[name]) for name in settings if name not in chosen]
    secret = password or next(iter(asked), None) or (password_in(user_config) if user_config else None)
    timing = (sentinel or SentinelSettings()).in_force(tunable=_is_modern(installed)) if shape.sentinels else None
    place_redis(lab, shape, installed, role=role, others=others)
    plan = _Plan(lab, shape, installed, chosen, timing, secret, user_config)
    cluster = plan.cluster()
    _bring_up(cluster, plan)
    return cluster


def find_server(lab: Lab, version: str | None) -> Installed:
    """The Redis or Valkey that a version names, as the lab's parties have it."""
    words = str(version or "redis").replace("-", " ").split()
    system = words.pop(0) if words and words[0] in ("redis", "valkey") else "redis"
    if len(words) > 1 or not str(version or "redis").strip(" -"):
        raise UsageError(f"a Redis version is written like 7.0 or valkey 9.1, not {version!r}")
    return lab.software(system, words[0] if words else None)


def redis_parties(topology: Topology, installed: Installed, *, role: Role = Role.NODE) -> list[PartySpec]:
    """The places that the servers of a topology need."""
    data = [PartySpec(name=name, role=role, ports=(REDIS,), image=installed.image) for name in topology.nodes]
    return data + [
        PartySpec(name=name, role=role, ports=(SENTINEL,), image=installed.image) for name in topology.sentinels
    ]


def place_redis(
    lab: Lab, topology: Topology, installed: Installed, *, role: Role = Role.NODE, others: Sequence[PartySpec] = ()
) -> None:
    """Make the servers' places, and those of others, in one batch; what exists already stays as it is."""
    place_missing(lab, (*redis_parties(topology, installed, role=role), *others))


@dataclass(slots=True)
class _Plan:
    """How each server of one cluster will be started."""

    lab: Lab
    topology: Topology
    installed: Installed
    settings: dict[str, Setting]
    timing: SentinelSettings | None
    password: str | None
    user_config: str | None

    def cluster(self) -> RedisCluster:
        spawns = self.spawns()
        return RedisCluster(
            lab=self.lab,
            topology=self.topology,
            version=f"{self.installed.name} {self.installed.label}",
            redis_settings=self.settings,
            sentinel=self.timing,
            password=self.password,
            spawns={name: respawnable(spawn) for name, spawn in spawns.items()},
            configs={name: spawn.files[_config_name(spawn)].decode() for name, spawn in spawns.items()},
        )

    def spawns(self) -> dict[str, Spawn]:
        found = {name: self._node(name) for name in self.topology.nodes}
        return found | {name: self._sentinel(name) for name in self.topology.sentinels}

    def _node(self, name: str) -> Spawn:
        folder, first = self.lab.folder(name), self.topology.nodes[0]
        text = redis_conf(
            folder=folder,
            settings=self.settings,
            master=None if name == first else self.lab.reach(name, first, REDIS_PORT, "data"),
            user_config=self.user_config is not None,
            password=self.password,
            debug_command=_is_modern(self.installed),
            defaults=VALKEY_DEFAULTS if self.installed.name == "valkey" else LAB_DEFAULTS,
        )
        files = {"redis.conf": text.encode()}
        if self.user_config is not None:
            files[USER_CONFIG] = adopted(self.user_config).encode(errors="surrogateescape")
        return Spawn(name="redis", argv=self.installed.argv(f"{folder}/redis.conf"), files=files)

    def _sentinel(self, name: str) -> Spawn:
        assert self.timing
        folder, (first, *replicas) = self.lab.folder(name), self.topology.nodes
        peers = [peer for peer in self.topology.sentinels if peer != name]
        text = sentinel_conf(
            name=name,
            folder=folder,
            settings=self.timing,
            quorum=self.topology.quorum(self.timing),
            master=self.lab.reach(name, first, REDIS_PORT, "data"),
            replicas=[self.lab.reach(name, replica, REDIS_PORT, "data") for replica in replicas],
            others={peer: self.lab.reach(name, peer, SENTINEL_PORT, "data") for peer in peers},
            password=self.password,
        )
        argv = self.installed.argv(f"{folder}/sentinel.conf", "--sentinel")
        return Spawn(name="sentinel", argv=argv, files={"sentinel.conf": text.encode()})


def _bring_up(cluster: RedisCluster, plan: _Plan) -> None:
    first, *replicas = cluster.topology.nodes
    spawns = plan.spawns()
    _start(cluster, spawns, [first])
    _start(cluster, spawns, replicas)
    wait_replicated(cluster.consoles[first], len(replicas))
    nodes = {name: cluster.consoles[name] for name in cluster.topology.nodes}
    names = server_names(cluster.lab, cluster.topology)
    if plan.timing is None:
        wait_agreed(nodes, {}, names)
        return
    _start(cluster, spawns, cluster.topology.sentinels)
    sentinels = {name: cluster.consoles[name] for name in cluster.topology.sentinels}
    if _is_modern(plan.installed):
        wait_agreed_hastily(nodes, sentinels, names, periods=plan.timing.periods)
    else:
        wait_agreed(nodes, sentinels, names, within_s=AGREE_UNTUNED_WITHIN_S)


def _start(cluster: RedisCluster, spawns: Mapping[str, Spawn], names: Sequence[str]) -> None:
    refs = {name: cluster.lab.spawn(name, spawns[name]) for name in names}
    for name, ref in refs.items():
        wait_answers(cluster.lab, cluster.consoles[name], ref)


def _is_modern(installed: Installed) -> bool:
    """Whether Sentinels can be tuned and DEBUG must be allowed: Redis 7.0 and every Valkey."""
    return installed.name == "valkey" or int(installed.version.split(".")[0]) >= 7


def _config_name(spawn: Spawn) -> str:
    return "sentinel.conf" if "sentinel.conf" in spawn.files else "redis.conf"


def _read_config(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="surrogateescape")  # A comment in another encoding harms nobody.
    except OSError as problem:
        raise UsageError(f"cannot read the Redis configuration {path}: {problem.strerror}") from problem
