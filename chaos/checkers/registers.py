"""
Registers, compare-and-set registers and what can be told as one: a mutex is a cas register that is free or held.
"""

from collections.abc import Collection, Sequence
from typing import Any

from chaos.checkers.budget import Budget
from chaos.checkers.calls import Call
from chaos.checkers.climb import Climb
from chaos.checkers.moves import plan
from chaos.checkers.placing import linearization
from chaos.models import register
from chaos.verdict import Verdict, Witness, holds, violated


def death(calls: Sequence[Call], initial: Any, budget: Budget, soft: Collection[int] = ()) -> int | None:
    """The call whose return no order explains, or None. ``soft`` calls may happen any number of times."""
    planned = plan(calls, initial, soft)
    place = Climb(planned, budget).run()
    return None if place is None else planned.events[place][1][5]


def explained(calls: Sequence[Call], initial: Any, budget: Budget) -> list[Call] | None:
    """A linearization, replayed, or None if there is none."""
    climb = Climb(plan(calls, initial), budget)
    return linearization(calls, register(initial), climb.link) if climb.run() is None else None


def judge_register(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether one order of all operations, each within its interval, explains every read and every cas."""
    last = death(calls, initial, budget)
    if last is None:
        return holds("register", f"an order exists that explains all {len(calls)} operations")
    known = tuple(call.operation for call in calls if call.begin < calls[last].end)
    return violated(
        "register",
        Witness(anomaly="not linearizable", sentence=f"no order explains {calls[last].operation}", operations=known),
    )


def judge_mutex(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Acquire turns free into held, release held into free; who holds it is not recorded."""
    turns = {"acquire": (False, True), "release": (True, False)}
    return judge_register([call._replace(f="cas", value=turns[call.f]) for call in calls], bool(initial), budget)
