"""
Registers, compare-and-set registers and what can be told as one: a mutex is a cas register that is free or held.
"""

from collections.abc import Collection, Sequence
from typing import Any

from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import NEVER, Call
from chaos.checkers.climb import Climb
from chaos.checkers.explaining import mutex_witness, register_witness, with_sources
from chaos.checkers.moves import plan
from chaos.checkers.placing import linearization
from chaos.checkers.shrinking import shrunk
from chaos.checkers.unique import applies, judge_unique
from chaos.models import register
from chaos.models.registers import FAILED_CAS
from chaos.verdict import Verdict, holds, violated


def death(calls: Sequence[Call], initial: Any, budget: Budget, soft: Collection[int] = ()) -> int | None:
    """The call whose return no order explains, or None. ``soft`` calls may happen any number of times."""
    planned = plan(calls, initial, soft)
    climb = Climb(planned, budget)
    try:
        place = climb.run()
    except SpentError as spent:
        raise spent.after(climb.explained, sum(call.end != NEVER for call in calls)) from None
    return None if place is None else planned.events[place][1][5]


def explained(calls: Sequence[Call], initial: Any, budget: Budget) -> list[Call] | None:
    """A linearization, replayed, or None if there is none."""
    climb = Climb(plan(calls, initial), budget)
    return linearization(calls, register(initial), climb.link) if climb.run() is None else None


def mutex_explained(calls: Sequence[Call], initial: Any, budget: Budget) -> list[Call] | None:
    """The same for a mutex."""
    return explained(_turned(calls), bool(initial), budget)


def _turned(calls: Sequence[Call]) -> list[Call]:
    turns = {"acquire": (False, True), "release": (True, False)}
    return [call._replace(f="cas", value=turns[call.f]) for call in calls]


def judge_register(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether one order of all operations, each within its interval, explains every read and every cas."""
    if applies(calls, initial):
        return judge_unique(calls, initial)
    unborn = _unborn(calls, initial)
    if unborn is not None:
        return violated("register", register_witness([unborn], unborn, calls, initial))
    last = death(calls, initial, budget)
    if last is None:
        return holds("register", _explained(len(calls)))
    kept = _proof(calls, last, initial, budget)
    shown = with_sources(kept, calls, initial)
    return violated("register", register_witness(shown, calls[last], calls, initial))


def _unborn(calls: Sequence[Call], initial: Any) -> Call | None:
    """The first that saw a value which nobody had begun to write: impossible whatever else happened, and found without a search."""
    born = {initial: -1}
    for call in calls:  # In order of their beginnings.
        if call.f in ("write", "cas"):
            born.setdefault(call.value if call.f == "write" else call.value[1], call.begin)
    seen = ((call, call.result if call.f == "read" else call.value[0]) for call in calls if _sees(call))
    return next((call for call, value in seen if born.get(value, NEVER) > call.end), None)


def _sees(call: Call) -> bool:
    return call.end != NEVER and call.f in ("read", "cas")


def judge_mutex(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Acquire turns free into held, release held into free; who holds it is not recorded."""
    turned = _turned(calls)
    last = death(turned, bool(initial), budget)
    if last is None:
        return holds("mutex", _explained(len(calls)))
    kept = {id(call.operation) for call in _proof(turned, last, bool(initial), budget)}
    return violated("mutex", mutex_witness([call for call in calls if id(call.operation) in kept], calls[last]))


def _explained(count: int) -> str:
    return f"an order exists that explains all {count} operations"


def _observes(call: Call) -> bool:
    return call.f in ("read", FAILED_CAS)


def _proof(calls: Sequence[Call], last: int, initial: Any, budget: Budget) -> list[Call]:
    def fails(tried: Sequence[Call], soft: frozenset[int], side: Budget) -> bool:
        return death(tried, initial, side, soft) is not None

    return shrunk(calls, calls[last].end, _observes, fails, budget, reusable=True)
