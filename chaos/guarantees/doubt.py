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
    verdict, doubtful = judge(operations), {client: error for client, error in error_ns.items() if error}
    errors = [doubtful[operation.client] for operation in operations if operation.client in doubtful]
    if verdict.status is not Status.VIOLATED or not errors:
        return verdict
    stretched = judge([_stretched(operation, doubtful) for operation in operations])
    if stretched.status is Status.VIOLATED:
        return _as_written(stretched, operations)
    doubt = f"what contradicts it lies within what clocks may be off, {max(errors) / 1e6:.3f} ms ({verdict.reason})"
    return replace(unknown(verdict.guarantee, doubt), measures=verdict.measures)


def _stretched(operation: Operation, error_ns: Mapping[str, int]) -> Operation:
    if operation.client not in error_ns:
        return operation
    end, error = operation.completed_ns, error_ns[operation.client]
    return replace(
        operation,
        invoked_ns=operation.invoked_ns - error,
        completed_ns=None if end is None else end + error,
        result=_sooner(operation.result, error),
        notes=_sooner(operation.notes, error),
    )


def _sooner(said: Any, error_ns: int) -> Any:
    """With the ends of leases where they lie at the earliest: a hold that is shorter excludes fewer others."""
    if not isinstance(said, Mapping):
        return said
    instants = {name: said[name] - error_ns for name in INSTANTS if type(said.get(name)) is int}
    return {**said, **instants}


def _as_written(verdict: Verdict, operations: Sequence[Operation]) -> Verdict:
    """With the witness' operations as they were, not as they were stretched."""
    assert verdict.witness is not None
    written = {operation.index: operation for operation in operations}
    shown = tuple(written[operation.index] for operation in verdict.witness.operations)
    return replace(verdict, witness=replace(verdict.witness, operations=shown))
