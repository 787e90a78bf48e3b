"""
Producers whose acknowledgements can be checked against the log at the end, and consumers that record what they were shown.

Values are ``"<client>:<number>"``, so each is sent once, tells who sent it, and in which order.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from chaos.history.records import Value, empty
from chaos.workloads.kafka_clients import open_consumer, open_producer
from chaos.workloads.outcomes import Refused
from chaos.workloads.worker import Worker

PACE_S = 0.002
CALM_PACE_S = 0.02
"""The least pause after a record that was not acknowledged: a refusal costs nothing and would spin."""
POLL_MS = 200


def record_writer(
    worker: Worker,
    *,
    bootstrap: Sequence[str],
    topic: str = "acked",
    partition: int = 0,
    library: str = "kafka-python",
    acks: int | str = "all",
    idempotence: bool = False,
    retries: int | None = None,
    in_flight: int = 1,
    library_defaults: bool = False,
    config: Mapping[str, Any] = empty(),
    pace_s: float = PACE_S,
) -> None:
    """
    ``add`` unique records, one after the other, until asked to stop; the result is the record's offset.

    :param library: ``kafka-python``, ``confluent-kafka`` or ``aiokafka``.
    :param acks: 0, 1 or ``"all"``; with 0 nobody says an offset.
    :param retries: of the library's own; by default none, and with idempotence, which is about retries, a few.
    :param library_defaults: leave acks, idempotence, retries and timeouts to the library.
    :param config: settings by the library's own names; they win.
    """
    producer = open_producer(
        library,
        bootstrap,
        acks=acks,
        idempotence=idempotence,
        retries=retries,
        in_flight=in_flight,
        library_defaults=library_defaults,
        config=config,
    )
    log = f"{topic}-{partition}"
    for number in count(1):
        value, notes = f"{worker.client}:{number}", {"log": log}

        def send(value: str = value, notes: dict[str, Value] = notes) -> Value:
            try:
                return producer.send(topic, partition, value)
            except Refused:
                notes["sent"] = False
                raise

        done = worker.operation("add", value, send, producer.outcomes, notes)
        if not worker.keep_going(pace_s if done.ok else max(pace_s, CALM_PACE_S)):
            break
    producer.close()


def record_reader(
    worker: Worker,
    *,
    bootstrap: Sequence[str],
    topic: str = "acked",
    partition: int = 0,
    library: str = "kafka-python",
    reset: str = "earliest",
    poll_ms: int = POLL_MS,
    config: Mapping[str, Any] = empty(),
) -> None:
    """
    ``poll`` one log, each time from where the last poll ended; the result is what came, with offsets.

    :param library: ``kafka-python``, ``confluent-kafka`` or ``aiokafka``.
    :param reset: ``auto.offset.reset``: where the library goes when its position is not in the log any more.
    """
    consumer = open_consumer(library, bootstrap, topic, partition, reset=reset, config=config)
    log = f"{topic}-{partition}"
    position: int | None = 0
    while True:
        notes: dict[str, Value] = {"log": log}

        def poll(notes: dict[str, Value] = notes) -> Value:
            found = consumer.poll(poll_ms)
            if found:
                notes["position"] = found[-1][0] + 1
            return [list(record) for record in found]

        worker.operation("poll", [log, position], poll, consumer.outcomes, notes)
        position = notes.get("position", position)
        if not worker.keep_going(0.0):
            break
    consumer.close()
