"""
The oracle: every order, and every subset of the operations that never returned.
"""

from collections.abc import Sequence
from typing import Any

from chaos.history import Operation, Outcome
from tests.truth.kinds import Type


def explains(kind: Type, operations: Sequence[Operation], *, mismatch: bool = False) -> bool:
    """Whether some order, each operation within its closed interval, is what one client alone could have seen."""
    if kind.keeps is not None:
        return kind.keeps(operations)
    relevant = [each for each in operations if each.outcome is not Outcome.FAIL or (mismatch and each.f == "cas")]
    needed = sum(1 << place for place, each in enumerate(relevant) if each.outcome is not Outcome.INFO)
    ends = [_end(each) for each in relevant]
    refused: set[tuple[int, Any]] = set()

    def search(done: int, state: Any) -> bool:
        if done & needed == needed:
            return True
        if (done, state) in refused:
            return False
        refused.add((done, state))
        open_until = min(end for place, end in enumerate(ends) if not done >> place & 1)
        for place, each in enumerate(relevant):
            if done >> place & 1 or each.invoked_ns > open_until:
                continue
            possible, after = _place(kind, state, each)
            if possible and search(done | 1 << place, after):
                return True
        return False

    return search(0, kind.initial)


def _end(operation: Operation) -> float:
    never = operation.outcome is Outcome.INFO or operation.completed_ns is None
    return float("inf") if never else float(operation.completed_ns or 0)


def _place(kind: Type, state: Any, operation: Operation) -> tuple[bool, Any]:
    after, result, accepted = kind.apply(state, operation.f, operation.value)
    if operation.outcome is Outcome.INFO:
        return True, after
    if operation.outcome is Outcome.FAIL:
        return not accepted, state
    return accepted and result == operation.result, after
