"""
Kafka's fixtures as a user meets them, and what is answered to input that makes no sense.
"""

import pytest

from tests.plugin.conftest import Stranger, answered

pytestmark = pytest.mark.usefixtures("labs")

TESTS = """
import pytest
from chaos.guarantees import acked_records_survive, gapless_polls, no_duplicates
from chaos.systems.kafka import Topic
from chaos.systems.kafka.clients import consumer, following, producer

pytest_plugins = ["fixtures.kafka"]


def test_is_right(kafka_cluster, launch):
    with launch(kafka_cluster, producer(kafka_cluster, "c1"), consumer(kafka_cluster, "c2")) as run:
        run.wait_oks("add", 5, within_s=20)
        run.wait_oks("poll", 2, within_s=20)
        run.wait_observation("isr", party="n1", within_s=10)
        run.final_read(kafka_cluster.final_read)
    run.expect(holds=[acked_records_survive, no_duplicates, gapless_polls])


def test_mistypes_an_option(make_kafka):
    make_kafka(broker=3)


def test_asks_for_a_version_that_is_not_offered(make_kafka):
    make_kafka(version="2.8")


def test_asks_for_kafka_where_it_is_not_installed(make_kafka, monkeypatch, tmp_path):
    monkeypatch.setenv("CHAOS_CACHE", str(tmp_path))
    make_kafka()


def test_asks_for_more_replicas_than_brokers(make_kafka):
    make_kafka(topics=[Topic(replication=4)])


def test_sets_what_the_lab_decides(make_kafka):
    make_kafka(settings={"log.dirs": "/tmp"})


def test_starts_a_broker_that_dies(make_kafka):
    make_kafka(topology="single", settings={"num.io.threads": 0})


def test_mistypes_a_librarys_setting(make_kafka, launch):
    cluster = make_kafka(topology="single")
    with launch(cluster, producer(cluster, "c1", config={"ack": 1})) as run:
        run.wait_oks("add", 1, within_s=5)
"""

ANSWERS = {
    "mistypes_an_option": "UsageError: make_kafka() has no option 'broker'; it has topology, settings, topics, properties",
    "asks_for_a_version_that_is_not_offered": "UsageError: kafka 2.8 is not offered (there is 4)",
    "asks_for_kafka_where_it_is_not_installed": "MissingSoftwareError: kafka is not installed; run: chaos install kafka",
    "asks_for_more_replicas_than_brokers": "UsageError: topic acked: 4 replicas cannot be placed on 3 brokers",
    "sets_what_the_lab_decides": "UsageError: log.dirs: decided by the lab, so it cannot be a setting",
    "starts_a_broker_that_dies": "ServerError: n1 ended at its start: ",
    "mistypes_a_librarys_setting": "HarnessError: c1: its workload broke: UsageError: KafkaProducer of kafka-python knows no ack",
}


def test_each_bad_input_is_answered_in_one_sentence(inner: Stranger, pytester: pytest.Pytester) -> None:
    """And what is right passes beside them."""
    answered(inner, pytester, TESTS, ANSWERS)
