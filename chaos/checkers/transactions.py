"""
Transactions over lists: what each appended and read, and the order of versions that the reads reveal.

Source: Kingsbury and Alvaro, Elle, VLDB 2020: an append is unique, so one read of a list shows the order of all before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.checkers.calls import Call
from chaos.errors import UsageError
from chaos.history import Operation, Outcome
from chaos.models import UNKNOWN

Micro = tuple[str, Any, Any]
"""``("append", key, value)`` or ``("r", key, the list read)``; a read whose result is not known has None."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction as its client knows it."""

    place: int
    begin: int
    end: int
    operation: Operation
    micros: tuple[Micro, ...]

    @property
    def ok(self) -> bool:
        """Committed."""
        return self.operation.ok

    @property
    def failed(self) -> bool:
        """Aborted, for certain."""
        return self.operation.outcome is Outcome.FAIL

    def appends(self) -> Iterator[tuple[Any, Any]]:
        """Key and value of each append, in order."""
        return ((key, value) for f, key, value in self.micros if f == "append")

    def reads(self) -> Iterator[tuple[Any, tuple[Any, ...]]]:
        """Key and list of each read whose result is known."""
        return ((key, value) for f, key, value in self.micros if f == "r" and value is not None)


def transactions(calls: Sequence[Call]) -> list[Transaction]:
    """The calls as transactions; a value of another shape is an error with the operation."""
    return [
        Transaction(place, call.begin, call.end, call.operation, tuple(_micros(call)))
        for place, call in enumerate(calls)
    ]


def _micros(call: Call) -> Iterator[Micro]:
    known = call.operation.ok
    source = call.result if known and call.result not in (None, UNKNOWN) else call.value
    if not isinstance(source, tuple):
        raise UsageError(f"{call.operation}: a transaction is a list of [f, key, value]")
    for micro in source:
        if not isinstance(micro, tuple) or len(micro) != 3 or micro[0] not in ("append", "r"):
            raise UsageError(
                f"{call.operation}: the model knows [append, key, value] and [r, key, list], not {micro!r}"
            )
        f, key, value = micro
        if f == "append":
            yield (f, key, value)
        elif not known:
            yield (f, key, None)
        elif value is not None and not isinstance(value, tuple):
            raise UsageError(f"{call.operation}: a read returns a list, not {value!r}")
        else:
            yield (f, key, value or ())


@dataclass(slots=True)
class Versions:
    """
    What is known of each key: the longest list read, who appended and who read what.

    ``readers`` are by key and the end of what they read: its last element, boxed, or nothing.
    """

    orders: dict[Any, tuple[Any, ...]] = field(default_factory=dict)
    writers: dict[tuple[Any, Any], Transaction] = field(default_factory=dict)
    readers: dict[tuple[Any, tuple[Any, ...]], list[Transaction]] = field(default_factory=dict)
    shorter: dict[Any, dict[tuple[Any, ...], Transaction]] = field(default_factory=dict)
    positions: dict[tuple[Any, Any], int] = field(default_factory=dict)

    def before(self, key: Any, value: Any) -> tuple[Any, ...]:
        """
        The element right before this append, boxed; nothing if it was the first.

        An append that nobody read comes after all that were.
        """
        order = self.orders.get(key, ())
        position = self.positions.get((key, value), len(order))
        return order[position - 1 : position]  # Nothing from -1 to 0.

    def revealing(self, key: Any, value: Any) -> Transaction:
        """A transaction whose read of this key shows where this append stands: the shortest, or the longest if none does."""
        reads = sorted(self.shorter[key].items(), key=lambda pair: len(pair[0]))
        return next((reader for read, reader in reads if value in read), reads[-1][1])


def versions(all_: Sequence[Transaction]) -> Versions:
    """Collect them; of reads that contradict each other the longest counts."""
    found = Versions()
    for each in all_:
        own = set[tuple[Any, Any]]()
        for key, value in each.appends():
            other = found.writers.setdefault((key, value), each)
            if other is not each or (key, value) in own:
                raise UsageError(f"{each.operation}: {value!r} is appended to {key!r} twice; appends must be unique")
            own.add((key, value))
        for key, value in each.reads():
            found.shorter.setdefault(key, {}).setdefault(value, each)
            found.readers.setdefault((key, value[-1:]), []).append(each)
    for key, reads in found.shorter.items():
        found.orders[key] = tuple(dict.fromkeys(sorted(reads, key=len)[-1]))
    for key, order in found.orders.items():
        for position, value in enumerate(order):
            found.positions[(key, value)] = position
    return found
