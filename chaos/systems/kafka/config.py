"""
A node's files. Pure functions: what a server is told can be read and tested without one.
"""

import base64
import hashlib
from collections.abc import Mapping

from chaos.errors import UsageError
from chaos.systems.kafka.settings import (
    CLIENT_PORT,
    CONTROLLER_PORT,
    MANAGEMENT_PORT,
    QUORUM_PORT,
    REPLICATION_PORT,
    Setting,
    Topology,
)

DATA = "data"
"""A node's data folder, below the party's own."""
PROPERTIES = "server.properties"
CHECKPOINT = f"{DATA}/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"
META = f"{DATA}/meta.properties"

Address = tuple[str, int]

LAB: Mapping[str, Setting] = {
    "num.network.threads": 2,
    "num.io.threads": 2,
    "background.threads": 2,
    "num.recovery.threads.per.data.dir": 1,
    "log.cleaner.dedupe.buffer.size": 8388608,
    "log.segment.bytes": 16777216,
    "log.index.size.max.bytes": 1048576,
    "auto.create.topics.enable": False,
    "auto.leader.rebalance.enable": False,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
}
"""Small and quiet: few threads, small files, one partition of each internal topic, no leader moved by itself."""

OWNED = frozenset(
    {
        *("process.roles", "node.id", "broker.id", "controller.quorum.voters", "controller.quorum.bootstrap.servers"),
        *("controller.listener.names", "listeners", "advertised.listeners", "listener.security.protocol.map"),
        *("inter.broker.listener.name", "log.dirs", "log.dir", "metadata.log.dir", "zookeeper.connect"),
    }
)
"""Lines that the lab writes itself."""


def server_properties(
    name: str,
    topology: Topology,
    *,
    folder: str,
    addresses: Mapping[str, Mapping[int, Address]],
    settings: Mapping[str, Setting],
    overlay: Mapping[str, str],
) -> str:
    """
    The node's ``server.properties``.

    :param addresses: each node's announced address of each of its ports.
    :param settings: win over the user's file, which wins over the lab's own small sizes.
    :param overlay: the lines of the user's own file.
    """
    refuse_owned(settings)
    copies = min(3, len(topology.brokers))
    internal: dict[str, Setting] = {
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": min(2, copies),
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": min(2, copies),
    }
    own = {key: value for key, value in overlay.items() if key not in OWNED}
    lines: dict[str, Setting] = {**LAB, **internal, **own, **settings, **_identity(name, topology, folder, addresses)}
    return "".join(f"{key}={text(value)}\n" for key, value in lines.items())


def refuse_owned(settings: Mapping[str, Setting]) -> None:
    """Refuse what only the lab can decide."""
    if taken := sorted(OWNED & set(settings)):
        raise UsageError(f"{', '.join(taken)}: decided by the lab, so it cannot be a setting")


def _identity(
    name: str, topology: Topology, folder: str, addresses: Mapping[str, Mapping[int, Address]]
) -> dict[str, Setting]:
    voter, broker = name in topology.voters, name in topology.brokers
    ports = listeners(name, topology)
    voters = (f"{topology.ids[one]}@{_at(addresses[one][CONTROLLER_PORT])}" for one in topology.voters)
    lines: dict[str, Setting] = {
        "process.roles": ",".join(("broker",) * broker + ("controller",) * voter),
        "node.id": topology.ids[name],
        "controller.quorum.voters": ",".join(voters),
        # A broker takes the first of them to talk to controllers.
        "controller.listener.names": "CONTROLLER,QUORUM" if voter else "CONTROLLER",
        "listeners": ",".join(f"{kind}://0.0.0.0:{port}" for kind, port in ports.items()),
        "advertised.listeners": ",".join(f"{kind}://{_at(addresses[name][port])}" for kind, port in ports.items()),
        "listener.security.protocol.map": ",".join(
            f"{kind}:PLAINTEXT" for kind in (*ports, *(() if voter else ("CONTROLLER",)))
        ),
        "log.dirs": f"{folder}/{DATA}",
    }
    return lines | ({"inter.broker.listener.name": "REPLICATION"} if broker else {})


def listeners(name: str, topology: Topology) -> dict[str, int]:
    """Each listener of a node and its port."""
    broker = {"REPLICATION": REPLICATION_PORT, "CLIENT": CLIENT_PORT, "MANAGEMENT": MANAGEMENT_PORT}
    voter = {"CONTROLLER": CONTROLLER_PORT, "QUORUM": QUORUM_PORT}
    return (broker if name in topology.brokers else {}) | (voter if name in topology.voters else {})


def meta_properties(node_id: int, cluster_id: str) -> str:
    """What ``kafka-storage format`` would write into a data folder, without a Java machine for each."""
    # Ids near zero are reserved, and rejected.
    directory = hashlib.md5(f"{cluster_id}/{node_id}".encode(), usedforsecurity=False).digest()
    name = base64.urlsafe_b64encode(directory).decode().rstrip("=")
    return f"version=1\ncluster.id={cluster_id}\nnode.id={node_id}\ndirectory.id={name}\n"


def parse_properties(said: str) -> dict[str, str]:
    """The lines of a ``server.properties``; comments and blanks are left out."""
    found: dict[str, str] = {}
    for number, line in enumerate(said.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#!":
            continue
        key, equals, value = stripped.partition("=")
        if stripped.endswith("\\"):
            raise UsageError(
                f"line {number} of the properties goes on in the next one, which is not read: {stripped!r}"
            )
        if not equals:
            raise UsageError(f"line {number} of the properties is not name=value: {stripped!r}")
        found[key.strip()] = value.strip()
    return found


def text(value: Setting) -> str:
    """A value as Kafka writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _at(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
