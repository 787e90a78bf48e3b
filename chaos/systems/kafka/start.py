"""
From nothing to a Kafka cluster in which every replica is in sync and an acks=all record was acknowledged and read.

All nodes start side by side, without a tool's own Java machine: what ``kafka-storage format`` writes is rendered here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from chaos.errors import ServerError, UsageError
from chaos.history.records import empty
from chaos.providers.contract import Lab, PartySpec, Port, ProcessRef, Role, Spawn
from chaos.providers.placing import place_missing, refuse_taken
from chaos.servers import Installed
from chaos.servers.kafka import CHECKPOINT as FORMATTED
from chaos.servers.kafka import CLUSTER_ID
from chaos.systems.kafka import config, requests
from chaos.systems.kafka.cluster import PROCESS, KafkaCluster
from chaos.systems.kafka.console import NoAnswerError
from chaos.systems.kafka.ready import READY_TOPIC, Readiness
from chaos.systems.kafka.settings import (
    CLIENT_PORT,
    CONTROLLER_PORT,
    MANAGEMENT_PORT,
    QUORUM_PORT,
    REPLICATION_PORT,
    Setting,
    Topic,
    Topology,
    find_topology,
    refuse_no_settings,
)
from chaos.wait import monotonic_ns

# An ApiVersions request, version 0: what every listener answers, brokers and controllers alike.
_PING = b"\x00\x00\x00\x0e\x00\x12\x00\x00\x00\x00\x00\x01\x00\x04ping"
BROKER_PORTS = (  # The first is what an app finds in its environment.
    Port(number=CLIENT_PORT, name="client", plane="data", ping=_PING),
    Port(number=REPLICATION_PORT, name="replication", plane="data", ping=_PING),
    Port(number=MANAGEMENT_PORT, name="management", plane="management", ping=_PING),
)
CONTROLLER_PORTS = (
    Port(number=CONTROLLER_PORT, name="controller", plane="data", ping=_PING),
    Port(number=QUORUM_PORT, name="quorum", plane="management", ping=_PING),
)


LISTENERS_OWN = "listener.name."
"""Such lines are about one listener, and go by names of their own."""


class MakeKafka(Protocol):
    """The ``make_kafka`` fixture: ``start_kafka`` in the test's own lab."""

    def __call__(
        self,
        *,
        topology: str | Topology = ...,
        settings: Mapping[str, Setting] = ...,
        topics: Sequence[Topic] = ...,
        properties: str | Path | None = ...,
        java_options: str = ...,
        version: str | None = ...,
        role: Role = ...,
    ) -> KafkaCluster:
        """Start a cluster and return when it is really ready."""
        ...


def start_kafka(
    lab: Lab,
    *,
    topology: str | Topology = "three",
    settings: Mapping[str, Setting] = empty(),
    topics: Sequence[Topic] = (Topic(),),
    properties: str | Path | None = None,
    java_options: str = "",
    version: str | None = None,
    role: Role = Role.NODE,
    others: Sequence[PartySpec] = (),
) -> KafkaCluster:
    """
    Start a Kafka cluster and return when it is really ready.

    :param topology: ``three`` (brokers, and a controller), ``quorum`` (three and three), ``combined``, ``five``, ``single``,
        or one of your own.
    :param settings: lines of ``server.properties`` for every node: ``{"replica.lag.time.max.ms": 3000}``. ``TIGHT`` has short
        timeouts. They win over ``properties``, and those over the lab's own small sizes.
    :param topics: made at the start; the first one is what questions are about by default.
    :param properties: a ``server.properties`` of your own, as text or as a path; what only the lab can decide (listeners,
        ids, folders) is left out of it.
    :param java_options: for every node's Java machine, after the lab's own (a heap of 64 to 256 MiB).
    :param version: ``4``, ``4.4.0``; None is the Kafka that is installed.
    :param role: ``Role.RESOURCE`` makes a cluster that no fault may touch.
    :param others: parties to be made in the same batch (clients), which is faster than one after the other.
    """
    shape = find_topology(topology)
    refuse_no_settings("settings", settings)
    config.refuse_owned(settings)
    overlay = _overlay(properties)
    chosen = _checked(topics, shape)
    refuse_taken(lab, shape.nodes, example='Topology(name="second", brokers=("m1", "m2", "m3"), controllers=("p1",))')
    installed = lab.software("kafka", version)
    _place(lab, shape, installed, role, others)
    cluster = KafkaCluster(
        lab=lab,
        topology=shape,
        version=f"Kafka {installed.label}",
        kafka_settings={**overlay, **settings},
        topics=chosen,
        spawns=_spawns(lab, shape, installed, settings, overlay, java_options),
    )
    try:
        _bring_up(cluster, installed, settings)
    except NoAnswerError as problem:
        cluster.close()
        raise ServerError(f"{cluster.system} did not start: {problem}") from problem
    except BaseException:
        cluster.close()
        raise
    return cluster


def _overlay(properties: str | Path | None) -> dict[str, str]:
    if properties is None:
        return {}
    if isinstance(properties, Path):
        try:
            properties = properties.read_text(encoding="utf-8")
        except OSError as problem:
            raise UsageError(f"the properties cannot be read: {problem}") from problem
    if not isinstance(properties, str):
        raise UsageError(f"properties is the text of a server.properties or a Path to one, not {properties!r}")
    if "=" not in properties and "\n" not in properties and Path(properties).suffix:
        raise UsageError(f"properties is text; for a file give a Path: Path({properties!r})")
    return config.parse_properties(properties)


def _checked(topics: Sequence[Topic], shape: Topology) -> tuple[Topic, ...]:
    if isinstance(topics, str | Topic) or not all(isinstance(topic, Topic) for topic in topics):
        raise UsageError(f"topics is a list of Topic(...), not {topics!r}")
    if not topics:
        raise UsageError("a Kafka cluster needs at least one topic: questions are about the first one")
    names = [topic.name for topic in topics]
    if len(set(names)) != len(names) or READY_TOPIC in names:
        raise UsageError(f"every topic needs a name of its own, and not {READY_TOPIC}: {', '.join(names)}")
    for topic in topics:
        topic.copies(shape)
    return tuple(topics)


def _place(lab: Lab, shape: Topology, installed: Installed, role: Role, others: Sequence[PartySpec]) -> None:
    nodes = [PartySpec(name=name, role=role, ports=_ports(name, shape), image=installed.image) for name in shape.nodes]
    place_missing(lab, (*nodes, *others))


def _ports(name: str, shape: Topology) -> tuple[Port, ...]:
    broker = BROKER_PORTS if name in shape.brokers else ()
    return (*broker, *(CONTROLLER_PORTS if name in shape.voters else ()))


def _spawns(
    lab: Lab,
    shape: Topology,
    installed: Installed,
    settings: Mapping[str, Setting],
    overlay: Mapping[str, str],
    java_options: str,
) -> dict[str, Spawn]:
    addresses = _addresses(lab, shape)

    def spawn(name: str) -> Spawn:
        said = config.server_properties(
            name, shape, folder=lab.folder(name), addresses=addresses, settings=settings, overlay=overlay
        )
        return Spawn(
            name=PROCESS,
            argv=installed.argv(f"{lab.folder(name)}/{config.PROPERTIES}"),
            env={"JAVA_OPTIONS": java_options} if java_options else {},
            files={config.PROPERTIES: said.encode()},
        )

    return {name: spawn(name) for name in shape.nodes}


def _addresses(lab: Lab, shape: Topology) -> dict[str, dict[int, tuple[str, int]]]:
    """
    Each node's announced address of each port: the data plane's, which peers and clients use.

    A management listener announces it too, since it must announce something; the observer never asks for it.
    """
    found: dict[str, dict[int, tuple[str, int]]] = {}
    for name in shape.nodes:
        peer = next((other for other in shape.nodes if other != name), name)
        ports = config.listeners(name, shape).values()
        host, _ = lab.reach(peer, name, CLIENT_PORT if name in shape.brokers else CONTROLLER_PORT, "data")
        found[name] = {
            port: (host, port) if port in (MANAGEMENT_PORT, QUORUM_PORT) else lab.reach(peer, name, port, "data")
            for port in ports
        }
    return found


def _bring_up(cluster: KafkaCluster, installed: Installed, settings: Mapping[str, Setting]) -> None:
    begun = monotonic_ns()

    def done(step: str) -> None:
        nonlocal begun
        cluster.took_s[step], begun = (monotonic_ns() - begun) / 1e9, monotonic_ns()

    refs = _start(cluster, installed)
    done("files and processes")
    ready = Readiness(
        cluster.lab,
        refs,
        brokers=cluster.lines.brokers,
        controllers=cluster.lines.quorum,
        names=cluster.lines.names,
    )
    ready.active_controller()
    done("an active controller")
    ready.all_registered()
    done("all brokers registered")
    _refuse_unknown(cluster, settings)
    _make_topics(cluster)
    ready.all_in_sync((*cluster.topics, _READY))
    done("all replicas in sync")
    ready.acknowledged()
    done("a record acknowledged and read")


def _refuse_unknown(cluster: KafkaCluster, settings: Mapping[str, Setting]) -> None:
    """Kafka takes every line and says nothing, so a slip of the pen would be an experiment without its setting."""
    named = [name for name in settings if not name.startswith(LISTENERS_OWN)]
    name, broker = next(iter(cluster.lines.brokers.items()))
    if named and (unknown := requests.unknown_settings(broker, cluster.topology.ids[name], named)):
        raise UsageError(
            f"{cluster.version} knows no {', '.join(unknown)}: a topic's own settings belong to Topic(settings=), "
            "those of a plug-in to properties="
        )


def _start(cluster: KafkaCluster, installed: Installed) -> list[ProcessRef]:
    lab, shape = cluster.lab, cluster.topology
    formatted = installed.beside(FORMATTED)
    refs = []
    for name in (*shape.controllers, *shape.brokers):
        lab.put(name, config.META, config.meta_properties(shape.ids[name], CLUSTER_ID).encode())
        if name in shape.voters:
            lab.put(name, config.CHECKPOINT, formatted)
        refs.append(lab.spawn(name, cluster.spawns[name]))
    return refs


_READY = Topic(name=READY_TOPIC)


def _make_topics(cluster: KafkaCluster) -> None:
    for topic in (*cluster.topics, _READY):
        cluster.lines.create_topic(topic, topic.copies(cluster.topology))
