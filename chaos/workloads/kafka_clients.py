"""
Three client libraries under one roof: a producer sends one record and waits for its offset, a consumer reads one log.

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
IDEMPOTENT_RETRIES = 5
BACKOFF_MS, MOST_BACKOFF_MS, METADATA_AGE_MS = 50, 200, 1000

LIBRARIES: Mapping[str, str] = {
    "kafka-python": "chaos.workloads.kafka_by_kafka_python",
    "confluent-kafka": "chaos.workloads.kafka_by_confluent",
    "aiokafka": "chaos.workloads.kafka_by_aiokafka",
}
"""Each client library and the module that speaks for it; named, so that only the chosen one is imported."""

MODULES = {"kafka-python": "kafka", "confluent-kafka": "confluent_kafka", "aiokafka": "aiokafka"}
"""What each is imported as."""


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
    retries: int | None,
    in_flight: int,
    library_defaults: bool,
    config: Mapping[str, Any],
) -> Producer:
    """
    A producer of that library.

    :param retries: None is as few as the library needs: none, and with idempotence, which is about retries, some.
    :param library_defaults: only the addresses and ``config`` are given to the library, as an application does that
        configured nothing else.
    :param config: the library's own names and values; they win.
    """
    refuse_acks(acks)
    tries = (IDEMPOTENT_RETRIES if idempotence else 0) if retries is None else retries
    explicit = {"acks": acks, "idempotence": idempotence, "retries": tries, "in_flight": in_flight}
    producer: Producer = _speaker(library).open_producer(bootstrap, None if library_defaults else explicit, config)
    return producer


def open_consumer(
    library: str, bootstrap: Sequence[str], topic: str, partition: int, *, reset: str, config: Mapping[str, Any]
) -> Consumer:
    """
    A consumer of one log by that library, from the log's beginning on, without a group's offsets.

    :param reset: where it goes when its position is not in the log any more: ``earliest`` or ``latest``.
    """
    refuse_reset(reset)
    consumer: Consumer = _speaker(library).open_consumer(bootstrap, topic, partition, reset, config)
    return consumer


def refuse_acks(acks: object) -> None:
    """Refuse what is no number of acknowledgements."""
    if acks not in (0, 1, "all"):
        raise UsageError(f'acks is 0, 1 or "all", not {acks!r}')


def refuse_reset(reset: object) -> None:
    """Refuse what is no place to go."""
    if reset not in ("earliest", "latest"):
        raise UsageError(f"reset is earliest or latest, not {reset!r}")


def refuse_library(library: object) -> None:
    """Refuse a library that nobody speaks for here."""
    if library not in LIBRARIES:
        raise UsageError(f"no client library is called {library!r} here; there are {', '.join(LIBRARIES)}")


def _speaker(library: str) -> Any:
    refuse_library(library)
    try:
        return importlib.import_module(LIBRARIES[library])
    except ImportError as problem:
        raise UsageError(f"{library} cannot be imported ({problem}); run: pip install {library}") from problem
