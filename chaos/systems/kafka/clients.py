"""
Client plans for a Kafka cluster: producers and consumers that know some or all of its brokers at first.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from chaos.errors import MissingSoftwareError, UsageError
from chaos.systems.kafka.cluster import KafkaCluster
from chaos.workloads import WORKLOADS
from chaos.workloads.kafka_clients import MODULES, refuse_acks, refuse_library, refuse_reset
from chaos.workloads.plan import ClientPlan

OWN = ("kafka-records", "kafka-reader")
"""Workloads whose arguments are known here."""


def producer(cluster: KafkaCluster, client: str, *, brokers: tuple[object, ...] = (), **arguments: Any) -> ClientPlan:
    """
    A client that sends unique records, and goes wherever the cluster's metadata sends it.

    :param brokers: whom it asks first; by default all.
    :param arguments: of the workload ``kafka-records``: ``acks``, ``library``, ``idempotence``, ...
    """
    return following(cluster, client, "kafka-records", brokers=brokers, **arguments)


def consumer(cluster: KafkaCluster, client: str, *, brokers: tuple[object, ...] = (), **arguments: Any) -> ClientPlan:
    """A client that reads one log from its beginning on; ``arguments`` are those of ``kafka-reader``."""
    return following(cluster, client, "kafka-reader", brokers=brokers, **arguments)


def following(
    cluster: KafkaCluster,
    client: str,
    workload: str,
    *,
    brokers: tuple[object, ...] = (),
    hold: tuple[str, ...] = (),
    interpreter: str | None = None,
    **arguments: Any,
) -> ClientPlan:
    """
    A client that is told some brokers at first, and follows the cluster's metadata from there.

    :param workload: a name from ``WORKLOADS`` or a ``module:function`` of your own; it gets ``bootstrap`` and ``topic``.
    """
    arguments = {"topic": cluster.topics[0].name, **arguments}
    if workload in OWN:
        _refuse_mistakes(cluster, arguments, here=interpreter is None)
    bootstrap = [cluster.address(client, str(node)) for node in brokers or cluster.nodes]
    return ClientPlan(
        name=client,
        workload=WORKLOADS.get(workload, workload),
        arguments={"bootstrap": bootstrap, **arguments},
        hold=hold,
        interpreter=interpreter,
    )


def _refuse_mistakes(cluster: KafkaCluster, arguments: Mapping[str, Any], *, here: bool) -> None:
    """What a worker would find out once everything stands; ``here`` says that it runs on the test run's own Python."""
    library, partition = arguments.get("library", "kafka-python"), arguments.get("partition", 0)
    refuse_library(library)
    refuse_acks(arguments.get("acks", "all"))
    refuse_reset(arguments.get("reset", "latest"))
    topic = next((one for one in cluster.topics if one.name == arguments["topic"]), None)
    if topic is not None and partition not in range(topic.partitions):
        raise UsageError(f"topic {topic.name} has no partition {partition!r}; it has {topic.partitions}, from 0 on")
    if here and find_spec(MODULES[library]) is None:
        raise MissingSoftwareError(f"the client library {library}", "pip install 'middleware-chaos[kafka-clients]'")
