"""
No duplicates: what was sent once is there once, however often the client library tried.

Definition: no value is in the last acknowledged ``final-read`` more often than an ``add`` of it was invoked before the read
ended; one that failed for certain allows no copy beyond the first.
"""

from collections import Counter
from collections.abc import Hashable

from chaos.guarantees.evidence import final_reads, identity, invoked_before_end, missed_faults, read_too_early, shown
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.history import History, Operation, Outcome
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "no_duplicates"


def _judge(history: History) -> Verdict:
    reads = final_reads(history)
    if not reads or not isinstance(reads[-1].result, list):
        return unknown(NAME, "there is no acknowledged final read with a list of values")
    read = reads[-1]
    adds = invoked_before_end(history, history.select("add"), read)
    sent = _sent(adds)
    there = Counter(value for value in map(identity, read.result) if value in sent)
    if not there:
        return unknown(NAME, "the final read shows no value that was sent")
    surplus = {value: count - sent[value] for value, count in there.items() if count > sent[value]}
    measures = {
        "read_count": there.total(),
        "duplicate_count": sum(surplus.values()),
        "duplicated_count": len(surplus),
    }
    if surplus:
        return violated(NAME, _witness(read, adds, there, surplus), **measures)
    missing = read_too_early(history, read) or missed_faults(history, adds)
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"each of the {len(there)} values read is there as often as it was sent", **measures)


def _sent(adds: list[Operation]) -> Counter[Hashable]:
    """How often each value may be there: once, or as often as it was sent without failing for certain."""
    possible = Counter(identity(add.value) for add in adds if add.outcome is not Outcome.FAIL)
    return possible | Counter({identity(add.value): 1 for add in adds})


def _witness(read: Operation, adds: list[Operation], there: Counter[Hashable], surplus: dict[Hashable, int]) -> Witness:
    value = next(iter(surplus))
    by = tuple(add for add in adds if identity(add.value) == value)
    sentence = (
        f"{shown(by[0].value)} of {by[0].client} is {there[value]} times in the final read #{read.index} of {read.client}, "
        f"{surplus[value]} more than it was sent; {len(surplus)} of {len(there)} values have {sum(surplus.values())} "
        "copies too many"
    )
    return Witness(anomaly="duplicate", sentence=sentence, operations=(*by, read))


no_duplicates = Guarantee(
    name=NAME,
    promise="What was sent once is there once.",
    check=_judge,
    source="Kafka documentation, enable.idempotence; KIP-98: idempotent producer guarantees",
    silent_on="values that nobody sent (no_phantom_writes), values that are missing, and what consumers got twice in between",
    needs=("add", FINAL_READ),
    per_client=True,
)
