"""
Any model, judged by the search of ``engine``: what the typed rules fall back to.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from chaos.checkers.budget import Budget
from chaos.checkers.calls import Call
from chaos.checkers.checker import Judge
from chaos.checkers.engine import Search
from chaos.models import Model
from chaos.verdict import Verdict, Witness, holds, violated

ANOMALY = "not linearizable"


def linearizable(calls: Sequence[Call], model: Model, budget: Budget, soft: Collection[int] = ()) -> int | None:
    """The call whose return no order explains, or None if there is an order."""
    return Search(calls, model, budget, soft).run()


def judge(calls: Sequence[Call], model: Model, budget: Budget) -> Verdict:
    """Whether one order of all operations, each within its interval, is one that the model allows."""
    death = linearizable(calls, model, budget)
    if death is None:
        return holds(model.name, f"an order exists that explains all {len(calls)} operations")
    last = calls[death]
    known = tuple(call.operation for call in calls if call.begin < last.end)
    return violated(
        model.name, Witness(anomaly=ANOMALY, sentence=f"no order explains {last.operation}", operations=known)
    )


def by_search(make: Callable[[Any], Model]) -> Judge:
    """The judge of a type that has a model and no better rule."""

    def of(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
        return judge(calls, make(initial), budget)

    return of
