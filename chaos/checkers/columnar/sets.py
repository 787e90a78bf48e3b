"""
Sets that only grow, read as a whole now and then: the reads must be a chain, and show what was there.

Taken from the smallest to the largest, each read is after every add that it or a smaller one shows; an add that ended
before that must be in it.
"""

from typing import Any, Final

from chaos.checkers.columnar.finding import Finding, Holds
from chaos.checkers.columnar.numbers import FAR, numpy, places, unique
from chaos.history.columns import NONE, OUTCOMES, Columns

KINDS: Final = {"add": 0, "read": 1}
MOST_SEEN: Final = 50_000_000
"""Reads times elements: beyond that another rule is faster."""
_OK = OUTCOMES["ok"]


def find(columns: Columns, initial: int | None) -> Finding:
    """Whether a set, empty at first, explains the history, if no element was added twice."""
    np = numpy()
    adds = np.flatnonzero((columns.kind == KINDS["add"]) & (columns.outcome != OUTCOMES["fail"]))
    reads = np.flatnonzero((columns.kind == KINDS["read"]) & (columns.outcome == _OK))
    added = columns.value[adds]
    if initial is not None or len(reads) != len(columns.lists) or len(reads) * len(adds) > MOST_SEEN:
        return None
    if not len(reads) or bool((added == NONE).any()) or not unique(added):
        return None  # Of a set that nobody read there is nothing to certify.
    adds = adds[np.argsort(added)]
    shown = sorted(((columns.lists[int(row)], int(row)) for row in reads), key=lambda each: len(each[0]))
    if _chain(columns, adds, shown):
        return Holds(f"the {len(reads)} reads show {len(shown[-1][0]) if shown else 0} elements in one order")
    return None


def _chain(columns: Columns, adds: Any, shown: list[tuple[Any, int]]) -> bool:
    np = numpy()
    elements = columns.value[adds]
    ended = np.where(columns.outcome[adds] == _OK, columns.completed[adds], FAR)
    before, point = np.zeros(len(adds), dtype=bool), -FAR
    for read, row in shown:
        if len(read) > len(elements):
            return False
        at, known = places(elements, read)
        seen = np.zeros(len(adds), dtype=bool)
        seen[at] = known
        if not known.all() or int(seen.sum()) != len(read) or bool((before & ~seen).any()):
            return False
        point = max(point, int(columns.invoked[row]), int(columns.invoked[adds[at]].max()) if len(at) else -FAR)
        if columns.completed[row] < point or bool((ended[~seen] < point).any()):
            return False
        before = seen
    return True
