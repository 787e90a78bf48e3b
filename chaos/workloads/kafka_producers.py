"""
Producers of three client libraries under one roof: each sends one record and waits for its offset.

What an exception says of a record depends on what the library did before: with retries of its own, a last "refused" does not
mean that no earlier attempt was appended. So tables are made from the settings in force.
"""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chaos.errors import UsageError
from chaos.workloads.outcomes import OutcomeTable

REQUEST_MS, DELIVERY_MS, BLOCK_MS, BOOTSTRAP_MS = 1500, 1800, 1500, 3000
"""An operation ends within two seconds: the broker's answer, the whole delivery, the wait for metadata, the first connect."""
BACKOFF_MS, MOST_BACKOFF_MS, METADATA_AGE_MS = 50, 200, 1000

LIBRARIES: Mapping[str, str] = {
    "kafka-python": "chaos.workloads.kafka_by_kafka_python:open_producer",
    "confluent-kafka": "chaos.workloads.kafka_by_confluent:open_producer",
    "aiokafka": "chaos.workloads.kafka_by_aiokafka:open_producer",
}
"""Each client library and what opens a producer of it; named, so that only the chosen one is imported."""


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
    if library not in LIBRARIES:
        raise UsageError(f"no client library is called {library!r}; there are {', '.join(LIBRARIES)}")
    if acks not in (0, 1, "all"):
        raise UsageError(f'acks is 0, 1 or "all", not {acks!r}')
    module, _, name = LIBRARIES[library].partition(":")
    try:
        opening = getattr(importlib.import_module(module), name)
    except ImportError as problem:
        raise UsageError(f"{library} cannot be imported ({problem}); run: pip install {library}") from problem
    explicit = {"acks": acks, "idempotence": idempotence, "retries": retries, "in_flight": in_flight}
    producer: Producer = opening(bootstrap, None if library_defaults else explicit, config)
    return producer
