"""
Registers whose writes all write another value: zones of Gibbons and Korach, sorted and compared as columns.

All operations of one value are a cluster. It cannot be current for good before its first operation has ended (``ends``),
and must still be current when its last one begins (``begins``). Two clusters that each have an operation wholly before
one of the other's have no order; if no two do, there is an order.

Source: Gibbons, Korach: Testing Shared Memories, SIAM J. Comput. 1997.
"""

from typing import Any, Final

from chaos.checkers.columnar.finding import Finding, Holds, suspects
from chaos.checkers.columnar.numbers import FAR, numpy, places, unique
from chaos.history.columns import NONE, OUTCOMES, Columns

KINDS: Final = {"write": 0, "read": 1}
_OK = OUTCOMES["ok"]


def find(columns: Columns, initial: int | None) -> Finding:
    """Whether a register explains the history, if no value was written twice."""
    np = numpy()
    happened = columns.outcome != OUTCOMES["fail"]
    writes = np.flatnonzero((columns.kind == KINDS["write"]) & happened)
    reads = np.flatnonzero((columns.kind == KINDS["read"]) & (columns.outcome == _OK))
    first = NONE if initial is None else initial
    written = columns.value[writes]
    if columns.lists or bool((written == NONE).any()) or bool((written == first).any()) or not unique(written):
        return None
    order = np.argsort(written)
    writes = writes[order]
    read = columns.result[reads]
    cluster, known = places(columns.value[writes], read)
    cluster = np.where(read == first, len(writes), cluster)  # The last cluster is that of the initial value.
    unwritten = np.flatnonzero(~known & (read != first))
    if len(unwritten):
        return suspects(reads[unwritten[0]])
    early = np.flatnonzero((read != first) & (columns.completed[reads] < _called(columns, writes)[cluster]))
    if len(early):
        return suspects(reads[early[0]], writes[cluster[early[0]]])
    return _zones(columns, writes, reads, cluster)


def _called(columns: Columns, writes: Any) -> Any:
    return numpy().append(columns.invoked[writes], -FAR)


def _zones(columns: Columns, writes: Any, reads: Any, cluster: Any) -> Finding:
    np = numpy()
    ended = np.where(columns.outcome[writes] == _OK, columns.completed[writes], FAR)
    ends, begins = np.append(ended, -FAR), _called(columns, writes)
    np.minimum.at(ends, cluster, columns.completed[reads])
    np.maximum.at(begins, cluster, columns.invoked[reads])
    pair = _conflict(ends, begins)
    if pair is None:
        return Holds(f"the {len(writes)} values can be put into one order")
    rows = [writes[one] for one in pair if one < len(writes)]
    for one in pair:
        mine = reads[cluster == one]
        if len(mine):
            rows += [mine[np.argmin(columns.completed[mine])], mine[np.argmax(columns.invoked[mine])]]
    return suspects(*rows)


def _conflict(ends: Any, begins: Any) -> tuple[int, int] | None:
    """Two clusters, each with an operation wholly before one of the other's."""
    np = numpy()
    forward = np.flatnonzero(ends < begins)
    forward = forward[np.argsort(ends[forward], kind="stable")]
    starts, stops = ends[forward], begins[forward]
    latest = np.maximum.accumulate(stops)
    overlapping = np.flatnonzero(starts[1:] < latest[:-1])
    if len(overlapping):
        second = overlapping[0] + 1
        return int(forward[np.argmax(stops[:second])]), int(forward[second])
    backward = np.flatnonzero(ends >= begins)
    around = np.searchsorted(starts, begins[backward], side="left") - 1
    inside = np.flatnonzero((around >= 0) & (ends[backward] < np.append(stops, -FAR)[around]))
    if len(inside):
        return int(forward[around[inside[0]]]), int(backward[inside[0]])
    return None
