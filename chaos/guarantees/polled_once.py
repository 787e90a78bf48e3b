"""
Polled once: a consumer is shown each record once.

Definition: for each client and log, no pair of offset and value is in more than one place of its ``poll`` (ok) results, as long
as it reads on: where it asks from elsewhere than where its last poll ended, it moves by itself and may be shown all again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.polling import NULL, Consumer, Record, consumers, named, unproven
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "polled_once"


@dataclass(frozen=True, slots=True)
class Seen:
    """One record and all the polls that showed it to a consumer that read on."""

    consumer: Consumer
    record: Record
    polls: list[Operation]


def _judge(history: History) -> Verdict:
    read = consumers(history)
    seen = [one for consumer in read for one in _seen(consumer)]
    if not seen:
        return unknown(NAME, "no consumer was shown a record with a value")
    again = [one for one in seen if len(one.polls) > 1]
    measures = {"polled_count": len(seen), "repeated_count": len(again)}
    if again:
        return violated(NAME, _witness(history, again), **measures)
    if not any(_read_on(consumer) for consumer in read):
        return unknown(NAME, "no consumer was shown records by two polls without asking from elsewhere", **measures)
    missing = unproven(history, read)
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"each of {len(seen)} records was shown once", **measures)


def _seen(consumer: Consumer) -> Iterator[Seen]:
    for reading in consumer.readings:
        polls: dict[Record, list[Operation]] = {}
        for record, poll in reading.shown:
            if record[1] != NULL:
                polls.setdefault(record, []).append(poll)
        yield from (Seen(consumer, record, by) for record, by in polls.items())


def _read_on(consumer: Consumer) -> bool:
    """Whether two polls showed something, the second from where the first ended as far as the consumer knew."""
    return any(len({poll.index for _, poll in reading.shown}) > 1 for reading in consumer.readings)


def _witness(history: History, again: list[Seen]) -> Witness:
    first = again[0]
    offset, value = first.record
    times = " and ".join(f"{history.seconds(poll.invoked_ns):.3f} s" for poll in (first.polls[0], first.polls[-1]))
    sentence = (
        f"{first.consumer.client} was shown {named(value)} at offset {offset} of {first.consumer.log} {len(first.polls)} times, "
        f"by polls at {times}; so it was with {len(again)} records"
    )
    operations = {poll.index: poll for poll in (first.polls[0], first.polls[-1])}
    return Witness(anomaly="repeated records", sentence=sentence, operations=tuple(operations.values()))


polled_once = Guarantee(
    name=NAME,
    promise="A consumer is shown each record once.",
    check=_judge,
    source="Kafka documentation, Consumer Position; auto.offset.reset",
    silent_on="a record that was appended twice (no_duplicates), what a truncation put at an offset that was read before, what "
    "a consumer asked for again by itself, records without a value, and what polls without an answer showed",
    needs=("poll",),
    notes=("log",),
    per_client=True,
)
