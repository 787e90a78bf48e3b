"""
Counters that only go up by one: a sweep that counts an increment as late as it may.

Reads of k say when the count must have reached k (before the first of them ended) and when it must not yet have passed
it (before the last of them began). An increment counts when it ends, or earlier when a read needs it: then the one that
must end soonest, since what may wait longer may be needed later.
"""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Any, Final

from chaos.checkers.columnar.finding import Finding, Holds, Suspects
from chaos.checkers.columnar.numbers import FAR, numpy
from chaos.history.columns import NONE, OUTCOMES, Columns

KINDS: Final = {"add": 0, "read": 1}
PIECE: Final = 1 << 16
_OK = OUTCOMES["ok"]


def find(columns: Columns, initial: int | None) -> Finding:
    """Whether a counter explains the history, if every add adds one."""
    np = numpy()
    adds = np.flatnonzero((columns.kind == KINDS["add"]) & (columns.outcome != OUTCOMES["fail"]))
    reads = np.flatnonzero((columns.kind == KINDS["read"]) & (columns.outcome == _OK))
    read = columns.result[reads]
    if columns.lists or bool((columns.value[adds] != 1).any()) or bool((read == NONE).any()):
        return None
    counts = read - (initial or 0)
    wrong = np.flatnonzero((counts < 0) | (counts > len(adds)))
    if len(wrong):
        return _before(columns, int(columns.completed[reads[wrong[0]]]))
    failed_ns = _sweep(columns, adds, reads, counts)
    if failed_ns is None:
        return Holds(f"the {len(adds)} increments can be put in an order that explains all {len(reads)} reads")
    return _before(columns, failed_ns)


def _before(columns: Columns, at_ns: int) -> Suspects:
    """Later operations cannot mend what is wrong by now."""
    return Suspects(tuple(map(int, numpy().flatnonzero(columns.invoked <= at_ns))))


def _sweep(columns: Columns, adds: Any, reads: Any, counts: Any) -> int | None:
    """The moment by which everything was asked that leaves no order, or None."""
    np = numpy()
    not_before = np.full(len(adds) + 2, -FAR)
    np.maximum.at(not_before, counts + 1, columns.invoked[reads])
    at_last = np.full(len(adds) + 2, FAR)
    np.minimum.at(at_last, counts, columns.completed[reads])
    ended = np.where(columns.outcome[adds] == _OK, columns.completed[adds], FAR)
    order = np.argsort(ended, kind="stable")
    ended, begun = ended[order], columns.invoked[adds[order]]
    deadlines = np.flatnonzero(at_last[1:] < FAR) + 1
    returning = np.flatnonzero(ended < FAR)
    # An add is its place in the order of ends: n + i calls i, i ends i, a negative number wants a count.
    events = np.concatenate([np.arange(len(adds)) + len(adds), returning, -deadlines])
    stamps = np.concatenate([begun, ended[returning], at_last[deadlines]])
    late = np.concatenate([np.zeros(len(adds), "int8"), np.ones(len(returning) + len(deadlines), "int8")])
    order = np.lexsort((late, stamps))
    return _walk(events[order], stamps[order], np.maximum.accumulate(not_before).data, len(adds))


def _walk(events: Any, stamps: Any, not_before: Sequence[int], adds: int) -> int | None:
    waiting: list[int] = []
    count = 0
    for event, at_ns in _pairs(events, stamps):
        if event >= adds:
            heappush(waiting, event - adds)
            continue
        # An add that ends and still waits is the first of those that wait: all that ended before it were counted.
        wanted = -event if event < 0 else count + (waiting[:1] == [event])
        while count < wanted:
            count += 1
            if not waiting or at_ns < not_before[count]:
                return max(at_ns, not_before[count]) if waiting else at_ns
            heappop(waiting)
    return None


def _pairs(events: Any, stamps: Any) -> Iterator[tuple[int, int]]:
    """Piece by piece: as Python's numbers, all of them would take 200 MB."""
    for at in range(0, len(events), PIECE):
        yield from zip(events[at : at + PIECE].tolist(), stamps[at : at + PIECE].tolist(), strict=True)
