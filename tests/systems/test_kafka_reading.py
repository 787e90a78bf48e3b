"""Logs that are no plain list of short texts: transactions, deleted beginnings, segments, bytes, and more than one fetch."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from chaos.cluster.making import making
from chaos.providers.contract import Lab, PartySpec, Role
from chaos.systems.kafka import KafkaCluster, MakeKafka, Topic, requests, start_kafka
from chaos.wait import wait_until

BIG = 900_000
MIB = 1 << 20


@pytest.fixture
def start(lab: Lab) -> Iterator[MakeKafka]:
    """Clusters that end with the test."""
    with making("start", start_kafka, lab) as make:
        yield make


def inside(lab: Lab, cluster: KafkaCluster, act: Callable[[str], Any]) -> None:
    """Do something with a client library, as a client of the cluster."""
    if "c1" not in lab.parties:
        lab.place([PartySpec(name="c1", role=Role.CLIENT)])
    with lab.inside("c1"):
        act(cluster.address("c1", cluster.nodes[0]))


def test_markers_of_transactions_and_records_without_a_value_are_nobodys_record(start: MakeKafka, lab: Lab) -> None:
    cluster = start(topology="single", topics=[Topic(name="a-1")])

    def transact(address: str) -> None:
        producer = KafkaProducer(bootstrap_servers=address, transactional_id="t", acks="all")
        producer.init_transactions()
        producer.begin_transaction()
        producer.send("a-1", value=b"in", key=b"k", headers=[("h", b"\xff")], partition=0)
        producer.send("a-1", value=None, key=b"k", partition=0)
        producer.send("a-1", value=b"", partition=0)
        producer.send("a-1", value=b"\xff", partition=0)
        producer.commit_transaction()
        producer.close()

    inside(lab, cluster, transact)
    # The marker is written after the commit was acknowledged.
    wait_until(lambda: cluster.replica_log("n1").end == 5, within_s=30, wanted="the transaction's marker")
    assert cluster.replica_log("n1").values == ("in", None, "", "\\xff", None)
    assert cluster.final_read() == ["in", "", "\\xff"]


def test_a_log_is_read_from_where_it_begins_over_all_its_segments_and_in_more_than_one_fetch(
    start: MakeKafka, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MOST_BYTES", 3 * MIB)
    topic = Topic(settings={"segment.bytes": 2 * MIB, "file.delete.delay.ms": 0})
    cluster = start(topology="single", topics=[topic])
    values = [f"{number}:".encode().ljust(BIG, b".") for number in range(20)]

    def fill(address: str) -> None:
        producer = KafkaProducer(bootstrap_servers=address, acks="all")
        for value in values:
            producer.send("acked", value=value, partition=0)
        producer.flush()
        producer.close()
        admin = KafkaAdminClient(bootstrap_servers=address)
        admin.delete_records({TopicPartition("acked", 0): 5})
        admin.close()

    inside(lab, cluster, fill)
    assert cluster.final_read() == [value.decode() for value in values[5:]]
    replica = cluster.replica_log("n1")
    assert replica.values[-15:] == tuple(value.decode() for value in values[5:])
    assert (replica.end, replica.first) == (20, 20 - len(replica.values))
