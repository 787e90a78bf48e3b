"""
aiokafka as a producer and a consumer: it retries by itself, without idempotence unless it is told otherwise.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition, errors

from chaos.errors import UsageError
from chaos.workloads.kafka_clients import BACKOFF_MS, METADATA_AGE_MS, REQUEST_MS, a_place, text
from chaos.workloads.outcomes import OutcomeTable, Refused, Rule

T = TypeVar("T")

AIOKAFKA_OUTCOMES: OutcomeTable = (Rule(errors.KafkaError, "info"),)
"""Its retries cannot be turned off, so no last error says that nothing was appended before."""


def made(kind: Callable[..., T], settings: Mapping[str, Any]) -> T:
    """A client with these settings, all of which the library must know."""
    try:
        return kind(**settings)
    except (
        AssertionError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as problem:  # Its words for them, a missing codec among them.
        raise UsageError(f"aiokafka does not take these settings: {problem}") from problem


class Producing:
    """One ``AIOKafkaProducer`` and a loop of its own, which runs while a record is on its way."""

    outcomes = AIOKAFKA_OUTCOMES

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = dict(settings)
        self._loop = asyncio.new_event_loop()
        self._producer: AIOKafkaProducer | None = None

    def send(self, topic: str, partition: int, value: str) -> int | None:
        """Hand the record over, and wait for its offset."""
        if self._producer is None:
            self._loop.run_until_complete(self._start())
        assert self._producer is not None
        sent = self._producer.send_and_wait(topic, value=value.encode(), partition=partition)
        told = self._loop.run_until_complete(sent)  # None where no answer was asked for.
        return None if told is None else a_place(told.offset)

    def close(self) -> None:
        """Nothing is waited for: the process ends."""

    async def _start(self) -> None:
        producer = made(AIOKafkaProducer, self._settings)
        try:
            await producer.start()
        except errors.KafkaError as problem:
            await producer.stop()
            raise Refused(f"not sent: {problem}") from problem
        self._producer = producer


def open_producer(bootstrap: Sequence[str], explicit: Mapping[str, Any] | None, config: Mapping[str, Any]) -> Producing:
    """A producer with these settings, or with the library's own where ``explicit`` is None."""
    given: dict[str, Any] = {}
    if explicit is not None:
        if not explicit["retries"]:
            raise UsageError("aiokafka cannot be told not to retry: give retries=1 or more, or library_defaults=True")
        given = {
            "acks": explicit["acks"],
            "enable_idempotence": explicit["idempotence"],
            "request_timeout_ms": REQUEST_MS,
            "retry_backoff_ms": BACKOFF_MS,
            "metadata_max_age_ms": METADATA_AGE_MS,
        }
    return Producing({"bootstrap_servers": list(bootstrap), **given, **config})


class Consuming:
    """One ``AIOKafkaConsumer`` of one log, without a group. It compares no leader epochs (KIP-320)."""

    outcomes: OutcomeTable = (Rule(errors.KafkaError, "info"),)

    def __init__(self, log: TopicPartition, settings: Mapping[str, Any]) -> None:
        self._log, self._settings = log, dict(settings)
        self._loop = asyncio.new_event_loop()
        self._consumer: AIOKafkaConsumer | None = None

    def poll(self, within_ms: int) -> list[tuple[int, str]]:
        """The next records."""
        if self._consumer is None:
            self._loop.run_until_complete(self._start())
        assert self._consumer is not None
        found = self._loop.run_until_complete(self._consumer.getmany(timeout_ms=within_ms))
        return [(one.offset, text(one.value)) for records in found.values() for one in records]

    def close(self) -> None:
        """Nothing is waited for: the process ends."""

    async def _start(self) -> None:
        consumer = made(AIOKafkaConsumer, self._settings)
        consumer.assign([self._log])
        try:
            await consumer.start()
        except errors.KafkaError as problem:
            await consumer.stop()
            raise Refused(f"not asked: {problem}") from problem
        consumer.seek(self._log, 0)
        self._consumer = consumer


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
        "retry_backoff_ms": BACKOFF_MS,
        "metadata_max_age_ms": METADATA_AGE_MS,
        "fetch_max_wait_ms": 100,
        **config,
    }
    return Consuming(TopicPartition(topic, partition), settings)
