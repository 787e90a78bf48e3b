"""
From the mutators that a search placed to a whole linearization, and its replay: a "holds" that proves itself.
"""

from bisect import bisect_right
from collections.abc import Sequence

from chaos.checkers.antichain import Link
from chaos.checkers.calls import NEVER, Call
from chaos.models import ILLEGAL, Kind, Model, State


def linearization(calls: Sequence[Call], model: Model, link: Link) -> list[Call] | None:
    """
    An order of all completed operations that the model allows, or None if the replay refuses it.

    The visible mutators are as the search placed them. Observers go into the first state after their call that fits;
    mutators whose effect nobody saw go right before the next overwriter.
    """
    visible = _visible(link)
    states: list[State] = [model.init]
    for index, _ in visible:
        states.append(_after(model, states[-1], calls[index]))
    stamps = [0, *(time for _, time in visible)]
    before: list[list[int]] = [[] for _ in states]
    within: list[list[int]] = [[] for _ in states]
    placed = {index for index, _ in visible}
    for index, call in enumerate(calls):
        if index in placed or call.end == NEVER:
            continue
        slot = bisect_right(stamps, call.begin) - 1
        if model.kind(call.f, call.value, call.result) is Kind.OBSERVER:
            slots, fitting = within, (each for each in range(slot, len(states)) if _legal(model, states[each], call))
        else:
            later = range(slot + 1, len(states))
            slots, fitting = before, (each for each in later if _overwrites(model, calls[visible[each - 1][0]]))
        fit = next(fitting, None)
        if fit is None:
            return None
        slots[fit].append(index)
    order = list(within[0])
    for number, (index, _) in enumerate(visible, 1):
        order += [*before[number], index, *within[number]]
    found = [calls[index] for index in order]
    return found if replays(found, calls, model) else None


def _visible(link: Link) -> list[tuple[int, int]]:
    found = []
    while link is not None:
        link, index, time = link
        found.append((index, time))
    return found[::-1]


def _after(model: Model, state: State, call: Call) -> State:
    return model.step(state, call.f, call.value, call.result)


def _legal(model: Model, state: State, call: Call) -> bool:
    return _after(model, state, call) is not ILLEGAL


def _overwrites(model: Model, call: Call) -> bool:
    return model.kind(call.f, call.value, call.result) is Kind.OVERWRITER


def replays(order: Sequence[Call], calls: Sequence[Call], model: Model) -> bool:
    """Whether this order is a proof: all completed calls once, none before one that ended earlier, every step legal."""
    needed = {id(call) for call in calls if call.end != NEVER}
    if len({id(call) for call in order}) != len(order) or not needed <= {id(call) for call in order}:
        return False
    state, latest = model.init, -1
    for call in order:
        state = _after(model, state, call)
        if state is ILLEGAL or call.end < latest:
            return False
        latest = max(latest, call.begin)
    return True
