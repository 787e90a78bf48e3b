"""
Drains: a client that dequeues one after the other until it finds nothing, recorded as one operation.

So a drain is as many dequeues as it returned values, and one that found nothing, in this order, within its interval. One
that never returned may have taken any number.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chaos.checkers.calls import Call
from chaos.models import ILLEGAL, UNKNOWN, Kind, Model, State

Turn = tuple[int, int]
"""The ``value`` of a dequeue that is part of a drain: which drain, and its place in it."""


def unrolled(
    calls: Sequence[Call], model: Model, *, initial: Sequence[Any] = (), ordered: bool = True
) -> tuple[list[Call], Model]:
    """
    Drains as the dequeues that they consist of, and the model that keeps those of one drain in their order.

    :param ordered: whether the values of one drain were taken in the order of its list. What found nothing came last.
    """
    if not any(call.f == "drain" for call in calls):
        return list(calls), model
    known = _expanded(calls, initial, ordered)
    return known, _in_turn(model) if any(_in_drain(call.f, call.value) for call in known) else model


def _in_drain(f: str, value: Any) -> bool:
    return f == "dequeue" and value is not None


def _expanded(calls: Sequence[Call], initial: Sequence[Any], ordered: bool) -> list[Call]:
    room = _room(calls, initial)
    found = list[Call]()
    for number, call in enumerate(calls):
        if call.f != "drain":
            found.append(call)
        elif call.result is UNKNOWN:
            found += [_part(call, None, UNKNOWN) for _ in range(room)]
            room = 0  # What a later one could have taken the first could as well.
        else:
            values = call.result
            found += [_part(call, (number, n if ordered else 0), each) for n, each in enumerate(values)]
            found.append(_part(call, (number, len(values)), None))
    return found


def _part(call: Call, turn: Turn | None, result: Any) -> Call:
    """With an operation of its own, for whoever tells calls apart by theirs; it equals the drain's."""
    return call._replace(f="dequeue", value=turn, result=result, operation=replace(call.operation))


def _room(calls: Sequence[Call], initial: Sequence[Any]) -> int:
    """How many elements a drain that never returned can have taken at most."""
    put = len(initial) + sum(call.f == "enqueue" for call in calls)
    drained = sum(len(call.result) for call in calls if call.f == "drain" and call.result is not UNKNOWN)
    taken = sum(call.f == "dequeue" and call.result not in (None, UNKNOWN) for call in calls)
    return max(0, put - drained - taken)


def _in_turn(model: Model) -> Model:
    """
    The same, with the dequeues of each drain in their order; the state also says how far each drain is.

    Whoever leaves one out may go on with the next: all that completed must be placed anyway.
    """

    def step(state: Any, f: str, value: Any, result: Any) -> State:
        inner, reached = state
        if _in_drain(f, value):
            number, place = value
            if place < dict(reached).get(number, 0):
                return ILLEGAL
            reached = frozenset([*(each for each in reached if each[0] != number), (number, place)])
        after = model.step(inner, f, value, result)
        return ILLEGAL if after is ILLEGAL else (after, reached)

    def kind(f: str, value: Any, result: Any) -> Kind:
        return Kind.GENERAL if _in_drain(f, value) else model.kind(f, value, result)

    return Model(name=model.name, init=(model.init, frozenset()), step=step, kind=kind)
