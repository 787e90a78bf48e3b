"""
confluent-kafka (librdkafka) as a producer and a consumer: it retries, and is not idempotent, unless it is told otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from chaos.errors import UsageError
from chaos.wait import wait_until
from chaos.workloads.kafka_clients import (
    BACKOFF_MS,
    DELIVERY_MS,
    METADATA_AGE_MS,
    MOST_BACKOFF_MS,
    REQUEST_MS,
    a_place,
    text,
)
from chaos.workloads.outcomes import OutcomeTable, Refused, Rule, Uncertain

T = TypeVar("T")

GRACE_S = 5.0
DEFAULT_DELIVERY_MS = 300_000
MANY = 2147483647
"""librdkafka's own number of retries."""

ALIASES = {
    "message.send.max.retries": "retries",
    "request.required.acks": "acks",
    "delivery.timeout.ms": "message.timeout.ms",
    "max.in.flight": "max.in.flight.requests.per.connection",
}
"""Second names that librdkafka takes for what is set, or looked at, here: of two names for one setting the last would win."""

_REFUSALS = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    }
)
_NOT_HERE = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.NOT_ENOUGH_REPLICAS,
    }
)
"""Certain where one copy is enough. librdkafka sends a record again after "not the leader" without counting it as a retry,
so with acks=all even "not enough replicas" may come after an attempt that was appended."""


def confluent_outcomes(*, acks: str, retries: int) -> OutcomeTable:
    """What a delivery report's error says; see ``kafka_python_outcomes`` for why so little is certain."""
    codes = frozenset() if retries else _REFUSALS if acks in ("all", "-1") else _REFUSALS | _NOT_HERE
    return (
        Rule(KafkaException, "fail", lambda problem: problem.args[0].code() in codes),
        Rule(KafkaException, "info"),
    )


def made(kind: Callable[[dict[str, Any]], T], settings: Mapping[str, Any]) -> T:
    """A client with these settings, all of which the library must know."""
    try:
        return kind(dict(settings))
    except KafkaException as problem:
        raise UsageError(f"confluent-kafka does not take these settings: {problem.args[0].str().strip()}") from problem


class Producing:
    """One librdkafka producer."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._producer = made(Producer, settings)
        self.outcomes = confluent_outcomes(
            acks=str(settings.get("acks", "all")), retries=int(settings.get("retries", MANY))
        )
        self._within_s = int(settings.get("message.timeout.ms", DEFAULT_DELIVERY_MS)) / 1000 + GRACE_S

    def send(self, topic: str, partition: int, value: str) -> int | None:
        """Hand the record over, and wait for its delivery report."""
        reports: list[tuple[KafkaError | None, Message]] = []
        try:
            self._producer.produce(
                topic, value=value.encode(), partition=partition, on_delivery=lambda *report: reports.append(report)
            )
        except BufferError as problem:
            raise Refused(f"not sent: {problem}") from problem

        def reported() -> bool:
            self._producer.poll(0.05)
            return bool(reports)

        wait_until(reported, within_s=self._within_s, wanted="a delivery report", every_s=0.0, error=_Unreported)
        error, message = reports[0]
        if error is not None:
            raise KafkaException(error)
        return a_place(message.offset())

    def close(self) -> None:
        """Nothing is waited for."""
        self._producer.purge()


class _Unreported(Uncertain):
    """No delivery report within the delivery timeout."""


def open_producer(bootstrap: Sequence[str], explicit: Mapping[str, Any] | None, config: Mapping[str, Any]) -> Producing:
    """A producer with these settings, or with the library's own where ``explicit`` is None."""
    given: dict[str, Any] = {}
    if explicit is not None:
        given = {
            "acks": str(explicit["acks"]),
            "enable.idempotence": explicit["idempotence"],
            "retries": explicit["retries"],
            "max.in.flight.requests.per.connection": explicit["in_flight"],
            "linger.ms": 0,
            "request.timeout.ms": REQUEST_MS,
            "socket.timeout.ms": REQUEST_MS,
            "message.timeout.ms": DELIVERY_MS,
            "reconnect.backoff.ms": BACKOFF_MS,
            "reconnect.backoff.max.ms": MOST_BACKOFF_MS,
            "topic.metadata.refresh.interval.ms": METADATA_AGE_MS,
        }
    quiet = {"log_level": 0}
    chosen = {ALIASES.get(name, name): value for name, value in config.items()}
    return Producing({"bootstrap.servers": ",".join(bootstrap), **quiet, **given, **chosen})


class Consuming:
    """One librdkafka consumer of one log; it goes where ``auto.offset.reset`` says when the log was truncated."""

    outcomes: OutcomeTable = (Rule(KafkaException, "info"),)

    def __init__(self, log: TopicPartition, settings: Mapping[str, Any]) -> None:
        self._consumer = made(Consumer, settings)
        self._consumer.assign([log])
        self._owed: KafkaError | None = None

    def poll(self, within_ms: int) -> list[tuple[int, str]]:
        """The next records; an error that came among them is told by the next poll, for they have been shown."""
        found = [] if self._owed else self._consumer.consume(num_messages=500, timeout=within_ms / 1000)
        records = [(message.offset() or 0, text(message.value())) for message in found if message.error() is None]
        problems = [error for message in found if (error := message.error()) is not None]
        error = self._owed or (problems[0] if problems else None)
        self._owed = error if records else None
        if error is not None and not records:
            raise KafkaException(error)
        return records

    def close(self) -> None:
        """End it."""
        self._consumer.close()


def open_consumer(
    bootstrap: Sequence[str], topic: str, partition: int, reset: str, config: Mapping[str, Any]
) -> Consuming:
    """A consumer of one log."""
    settings = {
        "bootstrap.servers": ",".join(bootstrap),
        "group.id": f"{topic}-{partition}",  # Asked for by the library, and not used: the log is assigned.
        "enable.auto.commit": False,
        "auto.offset.reset": reset,
        "topic.metadata.refresh.interval.ms": METADATA_AGE_MS,
        "reconnect.backoff.ms": BACKOFF_MS,
        "reconnect.backoff.max.ms": MOST_BACKOFF_MS,
        "socket.timeout.ms": REQUEST_MS,
        "fetch.wait.max.ms": 100,
        "log_level": 0,
        **config,
    }
    return Consuming(TopicPartition(topic, partition, OFFSET_BEGINNING), settings)
