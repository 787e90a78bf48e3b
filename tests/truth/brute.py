"""
The oracle: every order, and every subset of the operations that never returned.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from chaos.history import Operation, Outcome
from tests.truth.kinds import Type


class Step(NamedTuple):
    """What takes effect at one moment: an operation, or one dequeue of a drain; ``after`` holds the steps before it."""

    operation: Operation
    after: int = 0


def explains(kind: Type, operations: Sequence[Operation], *, mismatch: bool = False) -> bool:
    """Whether some order, each operation within its closed interval, is what one client alone could have seen."""
    if kind.keeps is not None:
        return kind.keeps(operations)
    relevant = [each for each in operations if each.outcome is not Outcome.FAIL or (mismatch and each.f == "cas")]
    steps = _steps(kind, relevant)
    needed = sum(1 << place for place, each in enumerate(steps) if each.operation.outcome is not Outcome.INFO)
    ends = [_end(each.operation) for each in steps]
    refused: set[tuple[int, Any]] = set()

    def search(done: int, state: Any) -> bool:
        if done & needed == needed:
            return True
        if (done, state) in refused:
            return False
        refused.add((done, state))
        open_until = min(end for place, end in enumerate(ends) if not done >> place & 1)
        for place, (each, after) in enumerate(steps):
            if done >> place & 1 or each.invoked_ns > open_until or after & ~done:
                continue
            if any(search(done | 1 << place, state) for state in states(kind, state, each)):
                return True
        return False

    return search(0, kind.initial)


def _steps(kind: Type, operations: Sequence[Operation]) -> list[Step]:
    """Each operation at one moment, but a drain as the dequeues that it consists of."""
    steps = list[Step]()
    for each in operations:
        if each.f != "drain":
            before = sum(1 << place for place, (other, _) in enumerate(steps) if _in_session(kind, other, each))
            steps.append(Step(each, before))
        elif each.outcome is Outcome.INFO:
            before = 0
            for _ in range(sum(other.f == "enqueue" for other in operations)):
                steps.append(Step(replace(each, f="dequeue"), before))
                before = 1 << len(steps) - 1
        else:
            before = 0
            for value in each.result:
                steps.append(Step(replace(each, f="dequeue", result=value), before if kind.ordered else 0))
                before |= 1 << len(steps) - 1
            steps.append(Step(replace(each, f="dequeue", result=None), before))
    return steps


def _in_session(kind: Type, before: Operation, after: Operation) -> bool:
    return kind.sessions and before.client == after.client and before.outcome is not Outcome.INFO


def _end(operation: Operation) -> float:
    never = operation.outcome is Outcome.INFO or operation.completed_ns is None
    return float("inf") if never else float(operation.completed_ns or 0)


def states(kind: Type, state: Any, operation: Operation) -> list[Any]:
    """Every state after it, none if its result is impossible."""
    if kind.branches is not None:
        return kind.branches(state, operation)
    after, result, accepted = kind.apply(state, operation.f, operation.value)
    if operation.outcome is Outcome.INFO:
        return [after]
    if operation.outcome is Outcome.FAIL:
        return [] if accepted else [state]
    return [after] if accepted and result == operation.result else []
