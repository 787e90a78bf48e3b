"""
aiokafka as a producer: it retries by itself until its request timeout, and without idempotence unless it is told otherwise.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, errors

from chaos.errors import UsageError
from chaos.workloads.kafka_producers import BACKOFF_MS, METADATA_AGE_MS, REQUEST_MS
from chaos.workloads.outcomes import OutcomeTable, Refused, Rule

AIOKAFKA_OUTCOMES: OutcomeTable = (Rule(errors.KafkaError, "info"),)
"""Its retries cannot be turned off, so no last error says that nothing was appended before."""


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
        offset = int(self._loop.run_until_complete(sent).offset)
        return None if offset < 0 else offset

    def close(self) -> None:
        """Nothing is waited for: the process ends."""

    async def _start(self) -> None:
        producer = AIOKafkaProducer(**self._settings)
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
