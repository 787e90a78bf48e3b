"""
No phantom writes: what is there at the end was written by somebody, and as often as that.

Definition: every value in an acknowledged ``final-read`` was the value of an ``add`` that was invoked before the read
ended and did not complete ``fail``; no value is there more often than it was so invoked.
"""

from collections import Counter
from collections.abc import Hashable

from chaos.guarantees.evidence import final_reads, identity, invoked_before_end, missed_faults, shown
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.history import History, Operation, Outcome
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "no_phantom_writes"


def _judge(history: History) -> Verdict:
    reads = [read for read in final_reads(history) if isinstance(read.result, list)]
    if not any(read.result for read in reads):
        return unknown(NAME, "no final read showed a value")
    adds = history.select("add")
    before = {read.index: invoked_before_end(history, adds, read) for read in reads}
    phantoms = [(read, value, n) for read in reads for value, n in _phantoms(read, before[read.index])]
    measures = {
        "read_count": sum(len(read.result) for read in reads),
        "phantom_count": sum(excess for _, _, excess in phantoms),
    }
    if phantoms:
        read, value, _ = phantoms[0]
        return violated(NAME, _witness(read, value, before[read.index]), **measures)
    missing = missed_faults(history, adds)
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"all {measures['read_count']} values read were written", **measures)


def _phantoms(read: Operation, adds: list[Operation]) -> list[tuple[Hashable, int]]:
    possible = Counter(identity(add.value) for add in adds if add.outcome is not Outcome.FAIL)
    there = Counter(identity(value) for value in read.result)
    return [(value, n - possible[value]) for value, n in there.items() if n > possible[value]]


def _witness(read: Operation, value: Hashable, adds: list[Operation]) -> Witness:
    written = tuple(add for add in adds if identity(add.value) == value)
    name = shown(value[0]) if isinstance(value, tuple) else shown(value)
    by = f"the final read #{read.index} of {read.client}"
    if any(add.outcome is not Outcome.FAIL for add in written):
        return Witness(anomaly="duplicate", sentence=f"{name} is more often in {by} than written", operations=written)
    if written:
        sentence = f"write {name} failed for certain and is in {by} all the same"
        return Witness(anomaly="failed write took effect", sentence=sentence, operations=written[:1])
    return Witness(anomaly="phantom write", sentence=f"{name} is in {by} and nobody had written it")


no_phantom_writes = Guarantee(
    name=NAME,
    promise="What is there at the end was written by somebody, once.",
    check=_judge,
    source="Jepsen's set workload: unexpected elements and duplicates",
    silent_on="values that are missing, and writes whose outcome nobody knows: those may be there or not",
    needs=("add", FINAL_READ),
)
