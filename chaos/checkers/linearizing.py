"""
On request, a "holds" with its proof: the order of operations, replayed against the model before it is returned.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from chaos.checkers.budget import Budget
from chaos.checkers.calls import Call, FailedCas, calls, frozen
from chaos.checkers.catalogue import CHECKERS
from chaos.checkers.engine import Search
from chaos.checkers.placing import linearization
from chaos.checkers.queues import expanded
from chaos.checkers.registers import explained, mutex_explained
from chaos.errors import UsageError
from chaos.history import Operation
from chaos.history.records import empty
from chaos.models import Model, counter, queue, semaphore, set_of, versioned_register

Order = Callable[[Sequence[Call], Any, Budget], list[Call] | None]


def _searched(make: Callable[[Any], Model], part: Sequence[Call], initial: Any, budget: Budget) -> list[Call] | None:
    model, known = make(initial), expanded(part)
    search, death = Search.decide(known, model, budget)
    return linearization(known, model, search.configuration[3]) if death is None else None


ORDERS: Mapping[str, Order] = {
    "register": explained,
    "cas-register": explained,
    "mutex": mutex_explained,
    "versioned-register": partial(_searched, versioned_register),
    "semaphore": partial(_searched, semaphore),
    "set": partial(_searched, set_of),
    "queue": partial(_searched, queue),
    "counter": partial(_searched, counter),
}
"""The types whose verdict is about one order of operations."""


def linearized(
    operations: Sequence[Operation],
    model: str,
    *,
    initial: object = None,
    by_key: bool = False,
    budget_s: float = 60.0,
    failed_cas: FailedCas = "dropped",
    names: Mapping[str, str] = empty(),
) -> dict[Any, list[Operation]] | None:
    """
    For each key (None: not split) the order that explains all results, or None if there is none.

    Raises ``SpentError`` when the budget ends first. A drain stands in the order once for each value that it returned.
    """
    if model not in ORDERS:
        raise UsageError(f"a verdict on {model!r} is not about one order of operations, only on {', '.join(ORDERS)}")
    budget, found = Budget(budget_s), dict[Any, list[Operation]]()
    parts = calls(operations, CHECKERS[model], names=names, failed_cas=failed_cas, by_key=by_key)
    for key, part in parts.items():
        order = ORDERS[model](part, frozen(initial), budget)
        if order is None:
            return None
        found[key] = [call.operation for call in order]
    return found
