"""
Client plans for a Kafka cluster: producers and consumers that know some or all of its brokers at first.
"""

from importlib.util import find_spec
from typing import Any

from chaos.errors import MissingSoftwareError
from chaos.systems.kafka.cluster import KafkaCluster
from chaos.workloads import WORKLOADS
from chaos.workloads.kafka_clients import PRODUCERS
from chaos.workloads.plan import ClientPlan


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
    if interpreter is None:
        _refuse_missing(arguments.get("library", "kafka-python"))
    bootstrap = [cluster.address(client, str(node)) for node in brokers or cluster.nodes]
    return ClientPlan(
        name=client,
        workload=WORKLOADS.get(workload, workload),
        arguments={"bootstrap": bootstrap, "topic": cluster.topics[0].name, **arguments},
        hold=hold,
        interpreter=interpreter,
    )


def _refuse_missing(library: str) -> None:
    """Before any worker starts; an unknown name is the workload's to refuse."""
    module = library.replace("-", "_") if library in PRODUCERS and library != "kafka-python" else None
    if module and find_spec(module) is None:
        raise MissingSoftwareError(f"the client library {library}", "pip install 'middleware-chaos[kafka-clients]'")
