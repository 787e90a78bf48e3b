"""
Kafka workloads as worker processes against a real broker: what they do there, and what they record of it.
"""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import aiokafka.errors
import confluent_kafka
import pytest
from kafka import errors

from chaos.cluster.making import making
from chaos.errors import HarnessError, UsageError
from chaos.history.records import Outcome
from chaos.providers.contract import Lab
from chaos.run import Launch
from chaos.systems.kafka import MakeKafka, start_kafka
from chaos.systems.kafka.clients import consumer, following, producer
from chaos.workloads.kafka_by_aiokafka import AIOKAFKA_OUTCOMES
from chaos.workloads.kafka_by_confluent import confluent_outcomes
from chaos.workloads.kafka_by_kafka_python import ALL, kafka_python_outcomes
from chaos.workloads.kafka_clients import a_place, open_consumer, open_producer
from chaos.workloads.outcomes import classify

PATIENCE_S = 30.0
LIBRARIES = ("kafka-python", "confluent-kafka", "aiokafka")
KafkaError = confluent_kafka.KafkaError


@pytest.fixture
def start(lab: Lab) -> Iterator[MakeKafka]:
    """Clusters that end with the test."""
    with making("start", start_kafka, lab) as make:
        yield make


# -- outcome tables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "acks_1", "acks_all"),
    [
        (errors.NotEnoughReplicasError(), "fail", "fail"),
        (errors.NotEnoughReplicasAfterAppendError(), "info", "info"),
        (errors.NotLeaderForPartitionError(), "fail", "info"),
        (errors.UnknownTopicOrPartitionError(), "fail", "info"),
        (errors.MessageSizeTooLargeError(), "fail", "fail"),
        (errors.RequestTimedOutError(), "info", "info"),
        (errors.KafkaTimeoutError("batch expired"), "info", "info"),
        (errors.KafkaConnectionError("gone"), "info", "info"),
        (errors.OutOfOrderSequenceNumberError(), "info", "info"),
        (errors.KafkaStorageError(), "info", "info"),
    ],
)
def test_what_kafka_pythons_errors_say_depends_on_who_had_to_acknowledge(
    problem: Exception, acks_1: str, acks_all: str
) -> None:
    assert classify(problem, kafka_python_outcomes(acks=1, retries=0)) is Outcome(acks_1)
    assert classify(problem, kafka_python_outcomes(acks=0, retries=0)) is Outcome(acks_1)
    assert classify(problem, kafka_python_outcomes(acks=ALL, retries=0)) is Outcome(acks_all)
    assert classify(problem, kafka_python_outcomes(acks=1, retries=3)) is Outcome.INFO


@pytest.mark.parametrize(
    ("code", "acks_1", "acks_all"),
    [
        (KafkaError.NOT_ENOUGH_REPLICAS, "fail", "info"),
        (KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND, "info", "info"),
        (KafkaError.NOT_LEADER_FOR_PARTITION, "fail", "info"),
        (KafkaError.MSG_SIZE_TOO_LARGE, "fail", "fail"),
        (KafkaError.KAFKA_STORAGE_ERROR, "info", "info"),
        (KafkaError.REQUEST_TIMED_OUT, "info", "info"),
        (KafkaError._PURGE_INFLIGHT, "info", "info"),
        (KafkaError._RETRY, "info", "info"),
        (KafkaError._MSG_TIMED_OUT, "info", "info"),
        (KafkaError._TRANSPORT, "info", "info"),
    ],
)
def test_what_librdkafkas_errors_say_depends_on_who_had_to_acknowledge(code: int, acks_1: str, acks_all: str) -> None:
    problem = confluent_kafka.KafkaException(KafkaError(code))
    assert classify(problem, confluent_outcomes(acks="1", retries=0)) is Outcome(acks_1)
    assert classify(problem, confluent_outcomes(acks="all", retries=0)) is Outcome(acks_all)
    assert classify(problem, confluent_outcomes(acks="-1", retries=0)) is Outcome(acks_all)
    assert classify(problem, confluent_outcomes(acks="1", retries=2)) is Outcome.INFO


def test_no_error_of_aiokafka_says_that_nothing_was_appended() -> None:
    for problem in (aiokafka.errors.NotEnoughReplicasError(), aiokafka.errors.KafkaTimeoutError()):
        assert classify(problem, AIOKAFKA_OUTCOMES) is Outcome.INFO


# -- what makes no sense ----------------------------------------------------------------------------------------------


def opened(library: str = "kafka-python", **more: Any) -> object:
    plain = {"acks": "all", "idempotence": False, "retries": 0, "in_flight": 1, "library_defaults": False, "config": {}}
    return open_producer(library, ["127.0.0.1:1"], **{**plain, **more})


def test_unknown_libraries_acks_and_resets_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no client library is called 'java' here; there are kafka-python, confluent"):
        opened("java")
    with pytest.raises(UsageError, match='acks is 0, 1 or "all", not 2'):
        opened(acks=2)
    with pytest.raises(UsageError, match="aiokafka cannot be told not to retry"):
        opened("aiokafka")
    with pytest.raises(UsageError, match="reset is earliest or latest, not 'none'"):
        open_consumer("kafka-python", ["127.0.0.1:1"], "t", 0, reset="none", config={})
    monkeypatch.setitem(__import__("sys").modules, "aiokafka", None)
    monkeypatch.delitem(__import__("sys").modules, "chaos.workloads.kafka_by_aiokafka")
    with pytest.raises(UsageError, match=r"aiokafka cannot be imported \(.*\); run: pip install aiokafka"):
        opened("aiokafka", retries=1)


@pytest.mark.parametrize(
    ("library", "more", "answer"),
    [
        ("kafka-python", {"config": {"acks": "x"}}, "kafka-python does not take these settings: invalid literal .*'x'"),
        ("kafka-python", {"config": {"delivery_timeout_ms": "x"}}, "kafka-python does not take these settings: .*"),
        (
            "confluent-kafka",
            {"retries": -1},
            "confluent-kafka does not take these settings: .* -1 is outside allowed .*",
        ),
        ("confluent-kafka", {"idempotence": True}, "confluent-kafka does not take these settings: .*`retries` must .*"),
    ],
)
def test_values_that_a_library_does_not_take_are_told_in_one_line(library: str, more: Any, answer: str) -> None:
    with pytest.raises(UsageError) as refused:
        opened(library, **more)
    assert re.fullmatch(answer, str(refused.value))


def test_a_second_name_for_retries_decides_what_an_error_says() -> None:
    refused = confluent_kafka.KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
    plain: Any = opened("confluent-kafka")
    again: Any = opened("confluent-kafka", config={"message.send.max.retries": 5})
    assert classify(refused, plain.outcomes) is Outcome.FAIL
    assert classify(refused, again.outcomes) is Outcome.INFO


class Said:
    """A message of librdkafka, or an error in the place of one."""

    def __init__(self, offset: int, value: bytes | None = None, error: object = None) -> None:
        self.offset, self.value, self.error = (lambda: offset), (lambda: value), (lambda: error)


def test_records_that_came_with_an_error_were_shown_and_the_error_is_told_by_the_next_poll() -> None:
    consuming: Any = open_consumer("confluent-kafka", ["127.0.0.1:1"], "t", 0, reset="latest", config={})
    error = KafkaError(KafkaError._ALL_BROKERS_DOWN)
    batches = [[Said(0, b"a"), Said(-1001, error=error), Said(1, b"\xff")], [Said(2, b"c")]]
    consuming._consumer.close()
    consuming._consumer = SimpleNamespace(consume=lambda **_: batches.pop(0))
    assert consuming.poll(10) == [(0, "a"), (1, "\\xff")]
    with pytest.raises(confluent_kafka.KafkaException):
        consuming.poll(10)
    assert consuming.poll(10) == [(2, "c")]


def test_an_offset_that_the_library_does_not_know_is_none() -> None:
    assert [a_place(offset) for offset in (0, 7, -1, -1001, None)] == [0, 7, None, None, None]


# -- against a broker -------------------------------------------------------------------------------------------------


def retries(library: str) -> int:
    """As few as the library can be told."""
    return 1 if library == "aiokafka" else 0


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_sends_records_and_is_shown_them(start: MakeKafka, launch: Launch, library: str) -> None:
    cluster = start(topology="single")
    plans = [
        producer(cluster, "c1", library=library, retries=retries(library)),
        consumer(cluster, "c2", library=library),
    ]
    with launch(cluster, plans) as run:
        run.wait_oks("add", 20, within_s=PATIENCE_S)
        run.stop("c1")
        run.wait_for(
            lambda: _position(run.live.operations("poll", "c2")) == run.live.count("add", "c1"), within_s=PATIENCE_S
        )
        run.final_read(cluster.final_read)
    adds = run.history.select("add") if run.history else ()
    assert [add.result for add in adds] == list(range(len(adds)))
    assert all(add.notes == {"log": "acked-0"} for add in adds)
    shown = [tuple(pair) for poll in run.history.select("poll") for pair in poll.result] if run.history else []
    assert shown == [(number, f"c1:{number + 1}") for number in range(len(adds))]
    assert run.history is not None
    polls = [poll for poll in run.history.select("poll") if poll.result]
    assert polls[0].value == ["acked-0", 0]
    assert [poll.value[1] for poll in polls[1:]] == [poll.notes["position"] for poll in polls[:-1]]


def _position(polls: tuple[Any, ...]) -> int:
    return max((poll.notes.get("position", 0) for poll in polls), default=0)


@pytest.mark.parametrize("library", LIBRARIES)
def test_without_acks_nobody_says_an_offset(start: MakeKafka, launch: Launch, library: str) -> None:
    cluster = start(topology="single")
    with launch(cluster, producer(cluster, "c1", library=library, acks=0, retries=retries(library))) as run:
        run.wait_oks("add", 5, within_s=PATIENCE_S)
        run.final_read(cluster.final_read)
    assert run.history is not None
    assert {add.result for add in run.history.select("add")} == {None}
    assert set(run.history.select("final-read")[-1].result) == {add.value for add in run.history.select("add")}


def test_a_record_that_no_broker_was_there_for_was_not_sent(start: MakeKafka, launch: Launch) -> None:
    cluster = start(topology="single")
    plan = producer(cluster, "c1", config={"bootstrap_servers": ["127.0.0.1:9"], "bootstrap_timeout_ms": 200})
    with launch(cluster, plan) as run:
        run.wait_for(lambda: run.live.count("add", "c1", "fail") >= 2, within_s=PATIENCE_S)
    assert run.history is not None
    first = run.history.select("add")[0]
    assert first.notes == {"log": "acked-0", "sent": False}
    assert str(first.error).startswith("not sent: ")


def test_a_producer_that_outlives_its_own_delivery_timeout_is_given_up_and_it_is_said_where_it_stands(
    start: MakeKafka, launch: Launch
) -> None:
    cluster = start(topology="single")
    with launch(cluster, following(cluster, "c1", "tests.workloads.worker_samples:stuck")) as run:
        run.wait_for(lambda: run.live.count("add", "c1", "info") == 1, within_s=PATIENCE_S)
        run.wait_oks("add", 5, within_s=PATIENCE_S)
    lost = next(add for add in run.history.select("add") if add.outcome is Outcome.INFO) if run.history else None
    assert lost is not None
    told = r"kafka-python did not end the record in 5\.3 s.*stands in wait \(.*some_turns \(worker_samples\.py"
    assert re.search(told, str(lost.error))


@pytest.mark.parametrize(
    ("library", "quick"), [("kafka-python", {"bootstrap_timeout_ms": 200}), ("aiokafka", {"request_timeout_ms": 200})]
)
def test_a_consumer_that_no_broker_was_there_for_asks_again(
    start: MakeKafka, launch: Launch, library: str, quick: dict[str, Any]
) -> None:
    """Of no broker its start is a poll that was not asked, and no end of the client."""
    cluster = start(topology="single")
    plan = consumer(cluster, "c2", library=library, config={"bootstrap_servers": ["127.0.0.1:9"], **quick})
    with launch(cluster, plan) as run:
        run.wait_for(lambda: run.live.count("poll", "c2", "fail") >= 2, within_s=PATIENCE_S)
    assert run.history is not None
    assert str(run.history.select("poll")[0].error).startswith("not asked: ")


@pytest.mark.parametrize(
    ("library", "answer"),
    [
        ("kafka-python", "KafkaProducer of kafka-python knows no no_such"),
        ("confluent-kafka", 'confluent-kafka does not take these settings: No such configuration property: "no_such"'),
        ("aiokafka", "aiokafka does not take these settings: .*'no_such'"),
    ],
)
def test_a_setting_that_the_library_does_not_know_is_the_workloads_mistake(
    start: MakeKafka, launch: Launch, library: str, answer: str
) -> None:
    cluster = start(topology="single")
    plan = producer(cluster, "c1", library=library, retries=retries(library), config={"no_such": 1})
    with (
        pytest.raises(HarnessError, match=f"c1: its workload broke: UsageError: {answer}"),
        launch(cluster, plan) as run,
    ):
        run.wait_oks("add", 1, within_s=5)


@pytest.mark.parametrize("library", LIBRARIES)
def test_idempotence_brings_the_retries_that_it_is_about(start: MakeKafka, launch: Launch, library: str) -> None:
    cluster = start(topology="single")
    with launch(cluster, producer(cluster, "c1", library=library, idempotence=True)) as run:
        run.wait_oks("add", 3, within_s=PATIENCE_S)
