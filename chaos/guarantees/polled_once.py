"""
Polled once: a consumer is shown each record once.

Definition: for each client and log, no pair of offset and value is in more than one place of its ``poll`` (ok) results.
"""

from chaos.guarantees.evidence import missed_faults, shown
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.polling import consumers
from chaos.history import History
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "polled_once"


def _judge(history: History) -> Verdict:
    read = consumers(history)
    if not read:
        return unknown(NAME, "no consumer was shown a record")
    again = {
        (client, log, record): polls
        for (client, log), one in read.items()
        for record, polls in one.polls.items()
        if len(polls) > 1
    }
    measures = {
        "polled_count": sum(len(one.polls) for one in read.values()),
        "repeated_count": len(again),
    }
    if again:
        (client, log, (offset, value)), polls = next(iter(again.items()))
        said = shown(value[0]) if isinstance(value, tuple) else shown(value)
        sentence = f"{client} was shown {said} at offset {offset} of {log} {len(polls)} times; so it was with {len(again)} records"
        witness = Witness(anomaly="repeated records", sentence=sentence, operations=(polls[0], polls[-1]))
        return violated(NAME, witness, **measures)
    missing = missed_faults(history, history.select("poll"))
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"each of {measures['polled_count']} records was shown once", **measures)


polled_once = Guarantee(
    name=NAME,
    promise="A consumer is shown each record once.",
    check=_judge,
    source="Kafka documentation, Consumer Position; auto.offset.reset",
    silent_on="a record that was appended twice (no_duplicates), and what a truncation put at an offset that was read before",
    needs=("poll",),
    notes=("log",),
    per_client=True,
)
