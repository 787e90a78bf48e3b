"""
Collections: set, first-in first-out queue, bag, counter.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from chaos.models.model import ILLEGAL, UNKNOWN, Kind, Model, State

TRUE = (True, ("bool", True))
"""What clients answer for yes: as it is, and frozen; a 1 equals the first."""


def _set_step(state: Any, f: str, value: Any, result: Any) -> State:
    if f == "add":
        return state | {value}  # type: ignore[no-any-return]
    if f == "remove":
        return state - {value}  # type: ignore[no-any-return]
    if f == "contains":
        return state if (value in state) is (result in TRUE) else ILLEGAL
    return state if len(result) == len(state) and state == frozenset(result) else ILLEGAL


def _set_kind(f: str, value: Any, result: Any) -> Kind:
    return Kind.TOTAL if f in ("add", "remove") else Kind.OBSERVER


def set_of(initial: Iterable[Any] | None = None) -> Model:
    """A set: add, remove, contains and read, which returns all elements, each once."""
    return Model(name="set", init=frozenset(initial or ()), step=_set_step, kind=_set_kind)


def _queue_step(state: Any, f: str, value: Any, result: Any) -> State:
    if f == "enqueue":
        return (*state, value)
    if f == "drain":
        return () if result is UNKNOWN or result == state else ILLEGAL
    if result is UNKNOWN:
        return state[1:]  # type: ignore[no-any-return]
    if result is None:
        return ILLEGAL if state else state
    return state[1:] if state and state[0] == result else ILLEGAL


def _queue_kind(f: str, value: Any, result: Any) -> Kind:
    if f == "enqueue":
        return Kind.TOTAL
    return Kind.OBSERVER if f == "dequeue" and result is None else Kind.GENERAL


def queue(initial: Iterable[Any] | None = None) -> Model:
    """First in, first out: enqueue, dequeue (None: it was empty), drain."""
    return Model(name="queue", init=tuple(initial or ()), step=_queue_step, kind=_queue_kind)


def _bag_step(state: Any, f: str, value: Any, result: Any) -> State:
    elements, owed = state
    counts = dict(elements)
    if f == "enqueue":
        counts[value] = counts.get(value, 0) + 1
    elif result is UNKNOWN:
        owed += bool(counts)
    elif result is None:
        return ILLEGAL if counts else state
    elif result in counts:
        counts[result] -= 1
        counts = {each: count for each, count in counts.items() if count}
    else:
        return ILLEGAL
    return _EMPTY_BAG if owed == sum(counts.values()) else (frozenset(counts.items()), owed)


_EMPTY_BAG: Any = (frozenset(), 0)


def bag(initial: Iterable[Any] | None = None) -> Model:
    """
    A queue without order: enqueue, dequeue of any element (None: it was empty).

    A dequeue that never returned took some element, nobody knows which: it is owed until the bag is found empty, and the
    dequeue can have waited until then.
    """
    counts = Counter(initial or ())
    return Model(name="unordered-queue", init=(frozenset(counts.items()), 0), step=_bag_step, kind=_queue_kind)


def _counter_step(state: Any, f: str, value: Any, result: Any) -> State:
    if f == "read":
        return state if state == result else ILLEGAL
    return state + value  # type: ignore[no-any-return]


def _counter_kind(f: str, value: Any, result: Any) -> Kind:
    return Kind.TOTAL if f == "add" else Kind.OBSERVER


def counter(initial: State = None) -> Model:
    """A number: add any amount, read."""
    return Model(name="counter", init=initial or 0, step=_counter_step, kind=_counter_kind)
