"""
Who was inside a lock, and from when to when: intervals that the clients' own records prove.
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from chaos.guarantees.evidence import clock_error_ns, harmed_ns, identity
from chaos.history import History, Operation

LOCK_KINDS = ("acquire", "release", "renew", "check")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """
    One stay of one client inside a lock, as the client believed.

    It begins when the client learnt that it has the lock, and ends with ``ending``: its release as it was asked, or the
    renewal or check by which it learnt that the lock is gone. Without either, it ends at the client's last sign of life.
    """

    lock: Hashable
    client: str
    acquire: Operation
    ending: Operation | None
    from_ns: int
    until_ns: int
    harmed_ns: int | None
    """When a fault that names the client first bit during the stay; None if none did."""

    @property
    def stopped_ns(self) -> int | None:
        """When a client that neither released nor learnt of its loss was harmed; None if it ended otherwise or not."""
        return None if self.ending else self.harmed_ns


def find_holds(history: History) -> tuple[Hold, ...]:
    """All stays, in order of their beginning."""
    found: list[Hold] = []
    last_seen = _last_signs_of_life(history)
    for (client, lock), operations in _by_client_and_lock(history).items():
        ending: Operation | None = None
        for operation in reversed(operations):  # So that the ending of a stay is known when its beginning comes.
            if is_acquired(operation):
                found.append(_hold(history, client, lock, operation, ending, last_seen[client]))
            if _ends_a_stay(operation):
                ending = operation
    return tuple(sorted(found, key=lambda hold: hold.from_ns))


def is_acquired(operation: Operation) -> bool:
    """Whether the client knows that it got the lock."""
    return operation.f == "acquire" and operation.ok


def learnt_of_loss(operation: Operation) -> bool:
    """Whether a renewal or a check answered that the lock is not the client's any more."""
    return operation.f in ("renew", "check") and operation.ok and not operation.result


def _ends_a_stay(operation: Operation) -> bool:
    return operation.f == "release" or is_acquired(operation) or learnt_of_loss(operation)


def _by_client_and_lock(history: History) -> dict[tuple[str, Hashable], list[Operation]]:
    grouped: dict[tuple[str, Hashable], list[Operation]] = defaultdict(list)
    for operation in history.select(LOCK_KINDS):
        grouped[operation.client, identity(operation.value)].append(operation)
    for operations in grouped.values():
        operations.sort(key=lambda operation: operation.invoked_ns)
    return grouped


def _last_signs_of_life(history: History) -> dict[str, int]:
    seen: dict[str, int] = {}
    for operation in history:
        stamp = operation.invoked_ns if operation.completed_ns is None else operation.completed_ns
        seen[operation.client] = max(stamp, seen.get(operation.client, stamp))
    return seen


def _hold(
    history: History, client: str, lock: Hashable, acquire: Operation, ending: Operation | None, last_seen: int
) -> Hold:
    begun = acquire.invoked_ns if acquire.completed_ns is None else acquire.completed_ns
    error = clock_error_ns(history, client)  # Faults have the observer's clock.
    harmed = harmed_between(history, client, begun + error, _until(ending) - error if ending else None)
    return Hold(
        lock=lock,
        client=client,
        acquire=acquire,
        ending=ending,
        from_ns=begun,
        until_ns=_until(ending) if ending else max(last_seen, harmed or begun),
        harmed_ns=harmed,
    )


def _until(ending: Operation) -> int:
    if learnt_of_loss(ending) and ending.completed_ns is not None:
        return ending.completed_ns
    return ending.invoked_ns


def harmed_between(history: History, client: str, since_ns: int, until_ns: int | None) -> int | None:
    """When a fault that names the client first bit in that stretch; None if none did."""
    named = re.compile(rf"(?<![\w-]){re.escape(client)}(?!\w)")
    instants = (harmed_ns(fault) for fault in history.faults if named.search(fault.target))
    during = (at for at in instants if since_ns <= at and (until_ns is None or at <= until_ns))
    return min(during, default=None)


def by_lock(holds: Iterable[Hold]) -> dict[Hashable, list[Hold]]:
    """The stays of each lock, still in order."""
    grouped: dict[Hashable, list[Hold]] = defaultdict(list)
    for hold in holds:
        grouped[hold.lock].append(hold)
    return grouped


def overlapping(holds: Sequence[Hold]) -> Iterator[tuple[Hold, Hold]]:
    """Pairs of stays of two clients with an instant in common, in order of when the second came in."""
    inside: list[Hold] = []
    for hold in holds:
        if hold.until_ns <= hold.from_ns:
            continue
        inside = [other for other in inside if other.until_ns > hold.from_ns]
        yield from ((other, hold) for other in inside if other.client != hold.client)
        inside.append(hold)
