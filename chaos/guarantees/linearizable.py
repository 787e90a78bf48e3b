"""
Linearizable: one order of all reads, writes and compare-and-sets of each register explains what every client was told.

Definition: ``chaos.checkers`` judges the ``read``, ``write`` and ``cas`` operations, key by key, as versioned registers:
their values are ``[key, ...]``, their results ``[version, value]``.
"""

from collections.abc import Sequence

from chaos.checkers import check
from chaos.errors import UsageError
from chaos.guarantees.doubt import judge_in_doubt
from chaos.guarantees.evidence import doubts_ns, missed_faults
from chaos.guarantees.guarantee import Guarantee
from chaos.history import History, Operation
from chaos.verdict import Status, Verdict, holds, unknown, violated

NAME = "linearizable"
KINDS = ("read", "write", "cas")
MODEL = "versioned-register"
BUDGET_S = 60.0


def _judge(history: History) -> Verdict:
    work = history.select(KINDS, where=_keyed)
    if not any(one.ok and one.f == "read" for one in work) or not any(one.ok and one.f != "read" for one in work):
        return unknown(NAME, "no read of a register, or no write of one, was acknowledged")
    try:
        found = judge_in_doubt(work, doubts_ns(history, work), _check)
    except UsageError as problem:
        return unknown(NAME, f"these are no versioned registers: {problem}")
    measures = {name: found.measures[name] for name in ("operations_count", "keys_count")}
    if found.witness is not None:
        return violated(NAME, found.witness, **measures)
    missing = found.reason if found.status is Status.UNKNOWN else missed_faults(history, work)
    return unknown(NAME, missing, **measures) if missing else holds(NAME, found.reason, **measures)


def _check(work: Sequence[Operation]) -> Verdict:
    return check(work, MODEL, by_key=True, budget_s=BUDGET_S)


def _keyed(operation: Operation) -> bool:
    return isinstance(operation.value, list | tuple) and len(operation.value) == 2


linearizable = Guarantee(
    name=NAME,
    promise="Every register behaves as if there were one copy of it, and each operation took effect at one instant.",
    check=_judge,
    source="Herlihy and Wing 1990; etcd documentation, KV API guarantees",
    silent_on="transactions over several keys; reads that were asked to be serializable are judged like all others",
    needs=("read", "write"),
)
