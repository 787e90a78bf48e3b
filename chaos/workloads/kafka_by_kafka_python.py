"""
kafka-python as a producer and a consumer: explicit acks, idempotence, retries and timeouts, since its defaults changed with 3.0.
"""

import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition, errors

from chaos.errors import UsageError
from chaos.workloads.kafka_clients import (
    BACKOFF_MS,
    BLOCK_MS,
    BOOTSTRAP_MS,
    DELIVERY_MS,
    METADATA_AGE_MS,
    MOST_BACKOFF_MS,
    REQUEST_MS,
    a_place,
    text,
)
from chaos.workloads.outcomes import OutcomeTable, Refused, Rule

ALL = -1
GRACE_S = 5.0
"""Beyond the library's own delivery timeout, which ends every record."""
NETWORK_THREAD = "-network-thread"
"""What the library's own thread is called at its end."""
INNERMOST = 4

_REFUSALS = (
    errors.NotEnoughReplicasError,
    errors.InvalidRecordError,
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.InvalidTopicError,
    errors.TopicAuthorizationFailedError,
    errors.UnsupportedVersionError,
)
_NOT_HERE = (
    errors.NotLeaderForPartitionError,
    errors.UnknownTopicOrPartitionError,
    errors.LeaderNotAvailableError,
    errors.ReplicaNotAvailableError,
    errors.FencedLeaderEpochError,
    errors.UnknownLeaderEpochError,
)
"""Without a disk that fails: a broker that says so of an append (KafkaStorageError) may have written it, and find it later."""


def kafka_python_outcomes(*, acks: int, retries: float) -> OutcomeTable:
    """
    What kafka-python's exceptions say of a record that was handed over.

    With acks=all a broker that stops leading while it waits for its followers says "not the leader" of a record that it
    has appended (DelayedProduce in Kafka's source): that record may survive.
    """
    refusals = () if retries else _REFUSALS if acks == ALL else (*_REFUSALS, *_NOT_HERE)
    return (*(Rule(kind, "fail") for kind in refusals), Rule(errors.KafkaError, "info"))


def known_to(kind: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """These settings, all of which that class of the library must know."""
    if unknown := sorted(settings.keys() - kind.DEFAULT_CONFIG.keys()):
        raise UsageError(f"{kind.__name__} of kafka-python knows no {', '.join(unknown)}")
    return dict(settings)


@contextmanager
def explained() -> Iterator[None]:
    """What the library says of settings that it does not take, as the workload's own mistake."""
    try:
        yield
    except UsageError:
        raise
    except (
        errors.KafkaConfigurationError,
        errors.UnsupportedCodecError,
        AssertionError,
        TypeError,
        ValueError,
    ) as problem:
        raise UsageError(f"kafka-python does not take these settings: {problem}") from problem


class Producing:
    """One ``KafkaProducer``; made with the first record, so that a cluster that is not there yet refuses that record only."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = known_to(KafkaProducer, settings)
        self._producer: Any = None
        self._given_up: list[Any] = []
        known = {**KafkaProducer.DEFAULT_CONFIG, **self._settings}
        with explained():
            self._acks = ALL if known["acks"] == "all" else int(known["acks"])
            self.outcomes = kafka_python_outcomes(acks=self._acks, retries=known["retries"])
            self._within_s = known["delivery_timeout_ms"] / 1000 + GRACE_S

    def send(self, topic: str, partition: int, value: str) -> int | None:
        """Hand the record over, and wait for its offset."""
        try:
            self._producer = self._producer or self._made()
            future = self._producer.send(topic, value=value.encode(), partition=partition)
        except errors.KafkaError as problem:  # No broker, or no metadata: the record was not even queued.
            raise Refused(f"not sent: {problem}") from problem
        try:
            told = future.get(timeout=self._within_s)
        except errors.KafkaTimeoutError as problem:
            if not future.is_done:
                raise self._give_up() from problem
            raise
        return a_place(told.offset) if self._acks else None  # Without acks it would be 0, whatever the record's place.

    def _give_up(self) -> errors.KafkaError:
        """
        The library's thread outlived its own delivery timeout, and would keep every further record as well.

        The next record gets a producer of its own, as from an application's supervisor.
        """
        stands = where_threads_stand(NETWORK_THREAD)
        stuck, self._producer = self._producer, None
        self._given_up.append(stuck)  # Neither closed nor collected: both would wait for its thread.
        stuck._sender.force_close()  # Should that go on one day, it sends nothing more.
        return errors.KafkaTimeoutError(
            f"kafka-python did not end the record in {self._within_s:g} s, beyond its own delivery timeout, and is "
            f"given up; its network thread stands in {'; '.join(stands) or 'nothing: it has ended'}"
        )

    def _made(self) -> Any:
        with explained():
            return KafkaProducer(**self._settings)

    def close(self) -> None:
        """End it."""
        if self._producer is not None:
            self._producer.close(timeout=0)


def where_threads_stand(name: str) -> list[str]:
    """The innermost calls, innermost first, of every thread whose name has this in it."""
    frames = sys._current_frames()
    stacks = [
        traceback.extract_stack(frames[one.ident])[: -INNERMOST - 1 : -1]
        for one in threading.enumerate()
        if name in one.name and one.ident in frames
    ]
    return [" < ".join(f"{call.name} ({Path(call.filename).name}:{call.lineno})" for call in stack) for stack in stacks]


def open_producer(bootstrap: Sequence[str], explicit: Mapping[str, Any] | None, config: Mapping[str, Any]) -> Producing:
    """A producer with these settings, or with the library's own where ``explicit`` is None."""
    given: dict[str, Any] = {}
    if explicit is not None:
        given = {
            "acks": explicit["acks"],
            "enable_idempotence": explicit["idempotence"],
            "retries": explicit["retries"],
            "max_in_flight_requests_per_connection": explicit["in_flight"],
            "linger_ms": 0,
            "request_timeout_ms": REQUEST_MS,
            "delivery_timeout_ms": DELIVERY_MS,
            "max_block_ms": BLOCK_MS,
            "bootstrap_timeout_ms": BOOTSTRAP_MS,
            "reconnect_backoff_ms": BACKOFF_MS,
            "reconnect_backoff_max_ms": MOST_BACKOFF_MS,
            "metadata_max_age_ms": METADATA_AGE_MS,
        }
    return Producing({"bootstrap_servers": list(bootstrap), **given, **config})


class Consuming:
    """
    One ``KafkaConsumer`` of one log, without a group: it keeps its position itself.

    Told that the log was truncated below its position (KIP-320), it goes back to where the logs part, as the error says.
    """

    outcomes: OutcomeTable = (Rule(errors.LogTruncationError, "fail"), Rule(errors.KafkaError, "info"))

    def __init__(self, log: TopicPartition, settings: Mapping[str, Any]) -> None:
        self._log, self._settings = log, known_to(KafkaConsumer, settings)
        self._consumer: Any = None

    def poll(self, within_ms: int) -> list[tuple[int, str]]:
        """The next records; ``LogTruncationError`` once where the log was cut."""
        self._consumer = self._consumer or self._made()
        try:
            found = self._consumer.poll(timeout_ms=within_ms)
        except errors.LogTruncationError as problem:
            parted = problem.divergent_offsets.get(self._log)
            self._consumer.seek(self._log, parted.offset if parted else 0)
            raise
        return [(one.offset, text(one.value)) for records in found.values() for one in records]

    def close(self) -> None:
        """End it."""
        if self._consumer is not None:
            self._consumer.close(autocommit=False)

    def _made(self) -> Any:
        try:
            with explained():
                consumer = KafkaConsumer(**self._settings)
        except errors.KafkaError as problem:
            raise Refused(f"not asked: {problem}") from problem
        consumer.assign([self._log])
        consumer.seek(self._log, 0)
        return consumer


def open_consumer(
    bootstrap: Sequence[str], topic: str, partition: int, reset: str, config: Mapping[str, Any]
) -> Consuming:
    """A consumer of one log."""
    settings = {
        "bootstrap_servers": list(bootstrap),
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": reset,
        "request_timeout_ms": REQUEST_MS,
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "reconnect_backoff_ms": BACKOFF_MS,
        "reconnect_backoff_max_ms": MOST_BACKOFF_MS,
        "metadata_max_age_ms": METADATA_AGE_MS,
        "fetch_max_wait_ms": 100,
        **config,
    }
    return Consuming(TopicPartition(topic, partition), settings)
