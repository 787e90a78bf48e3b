"""
Histories whose clients had clocks of their own: a violation is one only if it is there wherever the stamps may really lie.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chaos.history import Operation
from chaos.history.reader import INSTANTS
from chaos.verdict import Status, Verdict, unknown

Judge = Callable[[Sequence[Operation]], Verdict]


def judge_in_doubt(operations: Sequence[Operation], error_ns: Mapping[str, int], judge: Judge) -> Verdict:
    """
    The verdict on these operations, where each client's stamps may be off by its error.

    Stretched by it at both ends, operations allow more orders and never fewer: what no order explains then is violated for
    certain. What only the stamps as written contradict is unknown.
    """
    verdict = judge(operations)
    worst_ns = max((error_ns.get(operation.client, 0) for operation in operations), default=0)
    if verdict.status is not Status.VIOLATED or not worst_ns:
        return verdict
    stretched = judge([_stretched(operation, error_ns.get(operation.client, 0)) for operation in operations])
    if stretched.status is Status.VIOLATED:
        return _as_written(stretched, operations)
    doubt = f"what contradicts it lies within what clocks may be off, {worst_ns / 1e6:.3f} ms ({verdict.reason})"
    return replace(unknown(verdict.guarantee, doubt), measures=verdict.measures)


def _stretched(operation: Operation, error_ns: int) -> Operation:
    if not error_ns:
        return operation
    end = operation.completed_ns
    return replace(
        operation,
        invoked_ns=operation.invoked_ns - error_ns,
        completed_ns=None if end is None else end + error_ns,
        result=_sooner(operation.result, error_ns),
        notes=_sooner(operation.notes, error_ns),
    )


def _sooner(said: Any, error_ns: int) -> Any:
    """With the ends of leases where they lie at the earliest: a hold that is shorter excludes fewer others."""
    if not isinstance(said, Mapping):
        return said
    instants = {name: said[name] - error_ns for name in INSTANTS if type(said.get(name)) is int}
    return {**said, **instants} if instants else said


def _as_written(verdict: Verdict, operations: Sequence[Operation]) -> Verdict:
    """With the witness' operations as they were, not as they were stretched."""
    assert verdict.witness is not None
    written = {operation.index: operation for operation in operations}
    shown = tuple(written[operation.index] for operation in verdict.witness.operations)
    return replace(verdict, witness=replace(verdict.witness, operations=shown))
