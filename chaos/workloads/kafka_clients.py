"""
Three client libraries under one roof: a producer sends one record and waits for its offset, a consumer reads one log.

What an exception says of a record depends on what the library did before: with retries of its own, a last "refused" does not
mean that no earlier attempt was appended. So tables are made from the settings in force.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from chaos.errors import UsageError
from chaos.workloads.outcomes import OutcomeTable

REQUEST_MS, DELIVERY_MS, BLOCK_MS, BOOTSTRAP_MS = 1500, 1800, 1500, 3000
"""An operation ends within two seconds: the broker's answer, the whole delivery, the wait for metadata, the first connect."""
BACKOFF_MS, MOST_BACKOFF_MS, METADATA_AGE_MS = 50, 200, 1000

PRODUCERS: Mapping[str, str] = {
    "kafka-python": "chaos.workloads.kafka_by_kafka_python:open_producer",
    "confluent-kafka": "chaos.workloads.kafka_by_confluent:open_producer",
    "aiokafka": "chaos.workloads.kafka_by_aiokafka:open_producer",
}
"""Each client library and what opens a producer of it; named, so that only the chosen one is imported."""

CONSUMERS: Mapping[str, str] = {
    "kafka-python": "chaos.workloads.kafka_by_kafka_python:open_consumer",
    "confluent-kafka": "chaos.workloads.kafka_by_confluent:open_consumer",
    "aiokafka": "chaos.workloads.kafka_by_aiokafka:open_consumer",
}
"""The same for consumers."""


def text(value: bytes | None) -> str:
    """A record's value as histories have it; bytes that are no text stay distinguishable."""
    return (value or b"").decode(errors="backslashreplace")


def a_place(offset: int | None) -> int | None:
    """An offset that a library tells; below zero it is the library's word for not knowing."""
    return None if offset is None or offset < 0 else int(offset)


class Producer(Protocol):
    """One producer of one library."""

    @property
    def outcomes(self) -> OutcomeTable:
        """What its exceptions say, under the settings in force."""
        ...

    def send(self, topic: str, partition: int, value: str) -> int | None:
        """Send one record and return its offset; None where no answer was asked for. ``Refused`` when it never left."""
        ...

    def close(self) -> None:
        """End it, without waiting for what is on the way."""
        ...


class Consumer(Protocol):
    """One consumer of one log."""

    @property
    def outcomes(self) -> OutcomeTable:
        """What its exceptions say of a poll."""
        ...

    def poll(self, within_ms: int) -> list[tuple[int, str]]:
        """The next records, as (offset, value); none when there are none, or no broker, within that time."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def open_producer(
    library: str,
    bootstrap: Sequence[str],
    *,
    acks: int | str,
    idempotence: bool,
    retries: int,
    in_flight: int,
    library_defaults: bool,
    config: Mapping[str, Any],
) -> Producer:
    """
    A producer of that library.

    :param library_defaults: only the addresses and ``config`` are given to the library, as an application does that
        configured nothing else.
    :param config: the library's own names and values; they win.
    """
    if acks not in (0, 1, "all"):
        raise UsageError(f'acks is 0, 1 or "all", not {acks!r}')
    explicit = {"acks": acks, "idempotence": idempotence, "retries": retries, "in_flight": in_flight}
    producer: Producer = _opening(PRODUCERS, library)(bootstrap, None if library_defaults else explicit, config)
    return producer


def open_consumer(
    library: str, bootstrap: Sequence[str], topic: str, partition: int, *, reset: str, config: Mapping[str, Any]
) -> Consumer:
    """
    A consumer of one log by that library, from the log's beginning on, without a group's offsets.

    :param reset: where it goes when its position is not in the log any more: ``earliest`` or ``latest``.
    """
    if reset not in ("earliest", "latest"):
        raise UsageError(f"reset is earliest or latest, not {reset!r}")
    consumer: Consumer = _opening(CONSUMERS, library)(bootstrap, topic, partition, reset, config)
    return consumer


def _opening(table: Mapping[str, str], library: str) -> Callable[..., Any]:
    if library not in table:
        raise UsageError(f"no client library is called {library!r} here; there are {', '.join(table)}")
    module, _, name = table[library].partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except ImportError as problem:
        raise UsageError(f"{library} cannot be imported ({problem}); run: pip install {library}") from problem
    return found
