"""
The loss ends in time: writes acknowledged later than a stated moment after the fault began are there when all is over.

A bound that may also hold with no loss at all, unlike ``bounded``, which wants the guarantee broken.
"""

from collections.abc import Callable
from dataclasses import replace

from chaos.guarantees.acked_writes_survive import acked_writes_survive
from chaos.guarantees.evidence import first_harm_ns
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.history import History, Operation
from chaos.verdict import Status, Verdict, unknown


def loss_ends_within(seconds: float) -> Guarantee:
    """
    Writes acknowledged later than so many seconds after the first fault took effect survive.

    :param seconds: how long the system may go on acknowledging what it will lose.
    """
    name = f"loss_ends_within({seconds:g}s)"

    def judge(history: History) -> Verdict:
        harm = first_harm_ns(history)
        if harm is None:
            return unknown(name, "there was no fault, so there is no moment to count from")
        limit = harm + round(seconds * 1e9)
        # What was acknowledged earlier may be lost or not: it is not asked about.
        verdict = acked_writes_survive(_without(history, lambda operation: _acked_before(operation, limit)))
        if verdict.status is Status.VIOLATED:
            return replace(verdict, guarantee=name)
        return replace(verdict, guarantee=name, measures={**verdict.measures, "bound_s": seconds})

    return Guarantee(
        name=name,
        promise=f"What is acknowledged later than {seconds:g} s after the fault began survives.",
        check=judge,
        source="redis.conf min-replicas-max-lag; Redis Sentinel documentation, Example 2",
        silent_on="what was acknowledged before that moment",
        needs=("add", FINAL_READ),
        per_client=True,
    )


def _acked_before(operation: Operation, limit_ns: int) -> bool:
    return operation.f == "add" and operation.ok and (operation.completed_ns or 0) <= limit_ns


def _without(history: History, drop: Callable[[Operation], bool]) -> History:
    return replace(history, operations=tuple(operation for operation in history if not drop(operation)))
