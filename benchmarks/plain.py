"""
Three Redis and three Sentinels as a user of Testcontainers starts them: a container each, one after another, on one network.

No proxy, no sidecar, no fault can be done to them: this is what the providers' tables are compared with.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from docker import version
from docker.errors import APIError
from docker.types import EndpointConfig, IPAMConfig, IPAMPool
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from chaos.errors import ProviderError
from chaos.systems.redis.config import redis_conf, sentinel_conf
from chaos.systems.redis.console import UNREACHABLE, Console
from chaos.systems.redis.ready import wait_agreed_hastily, wait_replicated
from chaos.systems.redis.settings import REDIS_PORT, SENTINEL_PORT, SentinelSettings, find_topology
from chaos.wait import FAST_S, wait_until

SHAPE = find_topology("sentinel")
FOLDER = "/tmp"
PLACES = range(128, 240)
"""Third numbers of 198.18.0.0/15 that no lab takes for its networks."""
START_S = 10.0


class PlainContainers:
    """The six servers; ``start`` returns when they are as ready as those of ``start_redis``."""

    def __init__(self, image: str, *, labels: Mapping[str, str]) -> None:
        # Without a registry its image cannot be had; the labels are those that our own janitor removes.
        testcontainers_config.ryuk_disabled = True
        testcontainers_config.connection_mode_override = ConnectionMode.docker_host
        self._image, self._labels = image, dict(labels)
        self._timing = SentinelSettings().in_force(tunable=True)
        self._stack = ExitStack()
        self._consoles: dict[str, Console] = {}

    def start(self) -> None:
        """From nothing to servers that all agree, and a write that both replicas have acknowledged."""
        network, prefix = self._connected()
        places = {name: f"{prefix}.{number}" for number, name in enumerate((*SHAPE.nodes, *SHAPE.sentinels), start=2)}
        for name in SHAPE.nodes:
            self._run(network, name, places, self._redis(name, places))
        wait_replicated(self._consoles[SHAPE.nodes[0]], len(SHAPE.nodes) - 1)
        for name in SHAPE.sentinels:
            self._run(network, name, places, self._sentinel(name, places))
        names = {f"{place}:{_port(name)}": name for name, place in places.items()}
        nodes, sentinels = self._of(SHAPE.nodes), self._of(SHAPE.sentinels)
        wait_agreed_hastily(nodes, sentinels, names, periods=self._timing.periods)

    def close(self) -> None:
        """Remove the containers, then the network."""
        for console in self._consoles.values():
            console.close()
        self._stack.close()

    def _connected(self) -> tuple[Network, str]:
        for place in PLACES:
            prefix = f"198.18.{place}"
            pool = IPAMPool(subnet=f"{prefix}.0/24", gateway=f"{prefix}.254")
            options = {
                "ipam": IPAMConfig(pool_configs=[pool]),
                "labels": self._labels,
                "options": {"com.docker.network.bridge.host_binding_ipv4": "127.0.0.1"},
            }
            try:
                return self._stack.enter_context(Network(docker_network_kw=options)), prefix
            except APIError as problem:
                if "overlap" not in str(problem):
                    raise
        raise ProviderError("the container engine has no free network for the plain containers")

    def _run(self, network: Network, name: str, places: Mapping[str, str], argv_and_text: tuple[str, str]) -> None:
        mode, text = argv_and_text
        file = f"{FOLDER}/{name}.conf"
        endpoint = EndpointConfig(version.__version__, aliases=[name], ipv4_address=places[name])
        container = (
            DockerContainer(self._image)
            .with_network(network)
            .with_exposed_ports(_port(name))
            .with_copy_into_container(text.encode(), file)
            .with_command([file, *mode.split()])
            .with_kwargs(
                entrypoint=["redis-server"],
                labels=self._labels,
                networking_config={network.name: endpoint},
            )
        )
        self._stack.enter_context(container)
        address = f"127.0.0.1:{container.get_exposed_port(_port(name))}"
        self._consoles[name] = console = Console(name, address)
        wait_until(
            lambda: console.ask("PING") == "PONG",
            within_s=START_S,
            wanted=f"{name} answers",
            every_s=FAST_S,
            forgive=UNREACHABLE,
        )

    def _redis(self, name: str, places: Mapping[str, str]) -> tuple[str, str]:
        first = SHAPE.nodes[0]
        master = None if name == first else (places[first], REDIS_PORT)
        return "", redis_conf(folder=FOLDER, settings={}, master=master, debug_command=True)

    def _sentinel(self, name: str, places: Mapping[str, str]) -> tuple[str, str]:
        first, *replicas = SHAPE.nodes
        text = sentinel_conf(
            name=name,
            folder=FOLDER,
            settings=self._timing,
            quorum=SHAPE.quorum(self._timing),
            master=(places[first], REDIS_PORT),
            replicas=[(places[replica], REDIS_PORT) for replica in replicas],
            others={peer: (places[peer], SENTINEL_PORT) for peer in SHAPE.sentinels if peer != name},
        )
        return "--sentinel", text

    def _of(self, names: Sequence[str]) -> dict[str, Console]:
        return {name: self._consoles[name] for name in names}


def _port(name: str) -> int:
    return SENTINEL_PORT if name in SHAPE.sentinels else REDIS_PORT
