"""
Any model, judged by the search of ``engine``: what the typed rules fall back to.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import NEVER, Call
from chaos.checkers.checker import Judge
from chaos.checkers.engine import Search
from chaos.checkers.shrinking import CONFIGURATIONS, shrunk
from chaos.models import Kind, Model
from chaos.verdict import Verdict, Witness, holds, violated


def death(calls: Sequence[Call], model: Model, budget: Budget) -> int | None:
    """The call whose return no order explains, or None if there is an order."""
    return Search.decide(calls, model, budget)[1]


def judge(calls: Sequence[Call], model: Model, budget: Budget, anomaly: str = "not linearizable") -> Verdict:
    """Whether one order of all operations, each within its interval, is one that the model allows."""
    last = death(calls, model, budget)
    if last is None:
        return holds(model.name, f"an order exists that explains all {len(calls)} operations")

    def observes(call: Call) -> bool:
        return model.kind(call.f, call.value, call.result) is Kind.OBSERVER

    def fails(tried: Sequence[Call], soft: frozenset[int], side: Budget) -> bool:
        return death(tried, model, side) is not None

    # With foresight a search gives up before the return that nobody can explain: what comes later is part of the proof.
    until = NEVER if model.foresight else calls[last].end
    kept = shrunk(calls, until, observes, fails, budget)
    blamed = _blamed(kept, model, budget) if model.foresight else calls[last]
    return violated(model.name, witness(anomaly, blamed, kept))


def _blamed(kept: Sequence[Call], model: Model, budget: Budget) -> Call:
    """The call whose return ends all orders; the last to return, if that costs too much to know."""
    try:
        last = death(kept, replace(model, foresight=None), budget.part(CONFIGURATIONS))
    except SpentError:
        last = None
    return max(kept, key=lambda call: (call.end != NEVER, call.end)) if last is None else kept[last]


def witness(anomaly: str, last: Call, kept: Sequence[Call]) -> Witness:
    """The operation that nobody can explain, and those that leave it no place."""
    given = "; ".join(str(call.operation) for call in kept if call is not last)
    sentence = f"no order explains {last.operation}" + (f" (given: {given})" if given and len(kept) < 8 else "")
    return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(call.operation for call in kept))


def by_search(make: Callable[[Any], Model]) -> Judge:
    """The judge of a type that has a model and no better rule."""

    def of(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
        return judge(calls, make(initial), budget)

    return of
