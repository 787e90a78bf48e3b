"""
Which of two operations really came first: by the store's own numbering where there is one, else by their intervals.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chaos.guarantees.evidence import doubts_ns, end_ns, integer
from chaos.history import History, Operation


@dataclass(frozen=True, slots=True)
class Placed:
    """An operation with the stretch in which it took effect; it came before another if it ended before that began."""

    operation: Operation
    begin: int
    end: int


def by_interval(history: History, operations: Iterable[Operation]) -> list[Placed]:
    """Between invocation and completion, widened by what the client's clock may be off those of the others."""
    operations, placed = list(operations), []
    doubts = doubts_ns(history, operations)
    for operation in operations:
        error = doubts[operation.client]
        placed.append(Placed(operation, operation.invoked_ns - error, end_ns(operation) + error))
    return placed


def by_store(history: History, operations: Sequence[Operation]) -> list[Placed]:
    """By the number that the store gave each operation as its result; by interval when not every one has its own."""
    placed = [
        Placed(operation, number, number)
        for operation in operations
        if (number := integer(operation.result)) is not None
    ]
    return placed if len({one.begin for one in placed}) == len(operations) else by_interval(history, operations)


def settled_before(placed: Iterable[Placed]) -> Iterator[tuple[Placed, list[Placed]]]:
    """Each operation in order of its beginning, with those that have ended before it since the last one was given."""
    ordered = sorted(placed, key=lambda one: one.begin)
    ending = sorted(ordered, key=lambda one: one.end)
    done = 0
    for one in ordered:
        settled = []
        while ending[done].end < one.begin:
            settled.append(ending[done])
            done += 1
        yield one, settled
