"""
First-in first-out queues whose values are all different: four bad patterns, looked for in sorted columns.

1. A value comes out that was never put in, or before it was. 2. A value comes out twice. 3. Of two values, the one that
went in wholly before the other comes out wholly after it, or never. 4. A dequeue finds nothing while at each moment of
it some value was certainly inside.

Source: Henzinger, Sezgin, Vafeiadis: Aspect-Oriented Linearizability Proofs, CONCUR 2013; Bouajjani et al., ICALP 2015.
"""

from dataclasses import dataclass
from typing import Any, Final

from chaos.checkers.columnar.finding import Finding, Holds, Suspects, suspects
from chaos.checkers.columnar.numbers import FAR, numpy, places, unique
from chaos.history.columns import NONE, OUTCOMES, Columns

KINDS: Final = {"enqueue": 0, "dequeue": 1}
_OK = OUTCOMES["ok"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Values:
    """One entry a value that was put in: the rows, and the stamps that count; a value that stayed has row -1."""

    put: Any
    put_begins: Any
    put_ends: Any
    got: Any
    got_begins: Any
    got_ends: Any


def find(columns: Columns, initial: int | None) -> Finding:
    """Whether a queue, empty at first, explains the history, if no value was put in twice."""
    np = numpy()
    puts = np.flatnonzero((columns.kind == KINDS["enqueue"]) & (columns.outcome != OUTCOMES["fail"]))
    gets = np.flatnonzero((columns.kind == KINDS["dequeue"]) & (columns.outcome == _OK))
    crashed = bool(((columns.kind == KINDS["dequeue"]) & (columns.outcome == OUTCOMES["info"])).any())
    put = columns.value[puts]
    if initial is not None or columns.lists or bool((put == NONE).any()) or not unique(put):
        return None
    empty = gets[columns.result[gets] == NONE]
    gets = gets[columns.result[gets] != NONE]
    found = _find(columns, puts[np.argsort(put)], gets, empty)
    # A dequeue that crashed may have taken what is missing. That none of them took anything is one way it may have been.
    return None if crashed and isinstance(found, Suspects) else found


def _find(columns: Columns, puts: Any, gets: Any, empty: Any) -> Finding:
    np = numpy()
    at, known = places(columns.value[puts], columns.result[gets])
    if not known.all():
        return suspects(gets[np.flatnonzero(~known)[0]])
    early = np.flatnonzero(columns.completed[gets] < columns.invoked[puts[at]] if len(puts) else at)
    if len(early):
        return suspects(gets[early[0]], puts[at[early[0]]])
    if not unique(at):
        order = np.argsort(at, kind="stable")
        twice = np.flatnonzero(at[order][1:] == at[order][:-1])[0]
        return suspects(puts[at[order[twice]]], gets[order[twice]], gets[order[twice + 1]])
    values = _values(columns, puts, gets, at)
    return _order(values) or _emptiness(columns, values, empty) or Holds(f"{len(gets)} values left in their order")


def _values(columns: Columns, puts: Any, gets: Any, at: Any) -> _Values:
    np = numpy()
    got = np.full(len(puts), -1)
    got[at] = gets
    left = got >= 0
    kept = left | (columns.outcome[puts] == _OK)  # What crashed and was never seen need not have happened.
    puts, got, left = puts[kept], got[kept], left[kept]
    return _Values(
        put=puts,
        put_begins=columns.invoked[puts],
        put_ends=np.where(columns.outcome[puts] == _OK, columns.completed[puts], FAR),
        got=got,
        got_begins=np.where(left, columns.invoked[got], FAR),
        got_ends=np.where(left, columns.completed[got], FAR),
    )


def _order(values: _Values) -> Suspects | None:
    np = numpy()
    if not len(values.put):
        return None
    order = np.argsort(values.put_ends, kind="stable")
    latest = np.maximum.accumulate(values.got_begins[order])
    before = np.searchsorted(values.put_ends[order], values.put_begins, side="left")
    wrong = np.flatnonzero((before > 0) & (values.got_ends < latest[before - 1]))
    if not len(wrong):
        return None
    second = wrong[0]
    first = order[np.argmax(values.got_begins[order][: before[second]])]
    return _rows(values, [first, second])


def _emptiness(columns: Columns, values: _Values, empty: Any) -> Suspects | None:
    """Stretches during which some value is certainly inside; two that only touch leave a moment between them."""
    np = numpy()
    inside = np.flatnonzero(values.put_ends < values.got_begins)
    if not len(inside) or not len(empty):
        return None
    order = inside[np.argsort(values.put_ends[inside], kind="stable")]
    starts, stops = values.put_ends[order], np.maximum.accumulate(values.got_begins[order])
    opening = np.append(True, starts[1:] >= stops[:-1])
    heads = np.flatnonzero(opening)
    ends = stops[np.append(heads[1:], len(stops)) - 1]
    around = np.searchsorted(starts[heads], columns.invoked[empty], side="left") - 1
    wrong = np.flatnonzero((around >= 0) & (columns.completed[empty] < ends[around]))
    if not len(wrong):
        return None
    row = empty[wrong[0]]
    near = (values.put_ends <= columns.completed[row]) & (values.got_begins >= columns.invoked[row])
    return _rows(values, np.flatnonzero(near), row)


def _rows(values: _Values, chosen: Any, *more: Any) -> Suspects:
    got = values.got[chosen]
    return suspects(*values.put[chosen], *got[got >= 0], *more)
