"""
Fresh reads: a read is at least as fresh as every write that was acknowledged before the read was asked.

Definition: the ``revision`` in the notes of a ``read`` (ok) is not lower than that of any ``write``, ``cas`` or ``add`` (ok)
that completed before the read was invoked; within a bound, than that of any that completed so long before.
``stale_for_s`` is how long the oldest write that a read should have seen had been acknowledged.
"""

from bisect import bisect_left, bisect_right
from itertools import accumulate

from chaos.guarantees.evidence import bound_ns, missed_faults
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.revisions import Revised, reads, writes
from chaos.history import History
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "fresh_reads"


def fresh_reads_within(bound_s: float) -> Guarantee:
    """Reads may be stale, but by no more than so many seconds."""
    bound_ns(bound_s)
    return _guarantee(f"fresh_reads_within({bound_s:g}s)", bound_s)


def _guarantee(name: str, bound_s: float) -> Guarantee:
    allowed = f" more than {bound_s:g} s" if bound_s else ""
    return Guarantee(
        name=name,
        promise=f"A read shows every write that was acknowledged{allowed} before the read was asked.",
        check=lambda history: _judge(history, name, bound_s),
        source="etcd documentation, KV API guarantees: linearizable and serializable reads; etcd-io/etcd#20418",
        silent_on="the values that were read (linearizable), and reads without a revision in their notes",
        needs=("read",),
    )


def _judge(history: History, name: str, bound_s: float) -> Verdict:
    looks, acked = reads(history), writes(history)
    if not looks or not acked:
        return unknown(name, "no read or no write was acknowledged with its revision")
    stale = _stale(looks, acked)
    worst = max(((read, write) for read, write, _ in stale), key=lambda pair: _stale_for_s(*pair), default=None)
    measures: dict[str, float | None] = {
        "read_count": len(looks),
        "stale_count": len(stale),
        "stale_share": len(stale) / len(looks),
        "stale_for_s": _stale_for_s(*worst) if worst else None,
        "behind_revisions_count": max((behind for _, _, behind in stale), default=None),
    }
    if worst and _stale_for_s(*worst) > bound_s:
        return violated(name, _witness(history, *worst, len(stale)), **measures)
    missing = missed_faults(history, history.select("read"))  # A read that was not answered met it as well.
    if missing:
        return unknown(name, missing, **measures)
    return holds(
        name, f"{len(looks)} reads, {len(stale)} of them stale" + (" within the bound" if stale else ""), **measures
    )


def _stale(looks: list[Revised], acked: list[Revised]) -> list[tuple[Revised, Revised, int]]:
    """Each read that is too old, with the first write that it should have seen, and by how many revisions it is behind."""
    ends = [write.end_ns for write in acked]
    newest = list(accumulate((write.revision for write in acked), max))
    found: list[tuple[Revised, Revised, int]] = []
    for read in looks:
        before = bisect_left(ends, read.begin_ns)
        if before and newest[before - 1] > read.revision:
            behind = newest[before - 1] - read.revision
            found.append((read, acked[bisect_right(newest, read.revision)], behind))
    return found


def _stale_for_s(read: Revised, write: Revised) -> float:
    return (read.begin_ns - write.end_ns) / 1e9


def _witness(history: History, read: Revised, write: Revised, count: int) -> Witness:
    where = f" at {read.operation.notes['address']}" if "address" in read.operation.notes else ""
    sentence = (
        f"{read.operation.client} read revision {read.revision}{where} at {history.seconds(read.begin_ns):.3f} s, "
        f"{_stale_for_s(read, write):.3f} s after {write.operation.client} was told of revision {write.revision}; "
        f"{count} reads were stale"
    )
    return Witness(anomaly="stale read", sentence=sentence, operations=(write.operation, read.operation))


fresh_reads = _guarantee(NAME, 0.0)
