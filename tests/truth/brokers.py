"""
Brokers: random histories of deliveries, and their promises said once more, value by value.
"""

from collections.abc import Sequence
from itertools import permutations
from random import Random
from typing import Any

from chaos.history import Operation, Outcome
from tests.truth.pairwise import clients, done

OK, INFO, FAIL = Outcome.OK, Outcome.INFO, Outcome.FAIL


def orders(rng: Random) -> list[Operation]:
    """Each value given out once, but often in another order."""
    return deliveries(rng, width=10**6, first=0.3, once=1.0)


def deliveries(rng: Random, *, width: int = 0, first: float = 0.5, once: float = 0.75) -> list[Operation]:
    """Values that are mostly enqueued once, mostly given out once, some by a drain at the end."""
    found, waiting = list[Operation](), list[int]()
    width = width or rng.choice((3, 10**6))
    for index, client, begin, end in sorted(clients(rng, rng.randint(2, 12)), key=lambda line: line[3]):
        f = rng.choice(("enqueue", "enqueue", "enqueue", "dequeue", "dequeue", "drain"))
        outcome = rng.choice((OK,) * 8 + (INFO, FAIL))
        value: Any = None
        result: Any = None
        if f == "enqueue":
            value = rng.randrange(width)
            waiting += [value] * (rng.random() < 0.95 if outcome is OK else rng.random() < 0.4)
        elif f == "drain":
            result, waiting = rng.sample(waiting, len(waiting)) if rng.random() < 0.3 else waiting, []
        elif waiting:
            result = waiting[0 if rng.random() < first else -1]
            if rng.random() < once:
                waiting.remove(result)
        if f == "dequeue" and rng.random() < 0.02:
            result = 77
        found.append(
            Operation(
                index=index,
                client=client,
                f=f,
                value=value,
                invoked_ns=begin,
                completed_ns=end,
                outcome=outcome,
                result=result if outcome is OK else None,
            )
        )
    if rng.random() < 0.7:
        at = 2 + max(done(each) for each in found)
        drain = Operation(index=99, client="z", f="drain", invoked_ns=at, completed_ns=at, outcome=OK, result=waiting)
        found.append(drain)
    return sorted(found, key=lambda each: each.invoked_ns)


def _attempts(operations: Sequence[Operation]) -> list[Any]:
    return [each.value for each in operations if each.f == "enqueue"]


def _acknowledged(operations: Sequence[Operation]) -> list[Any]:
    return [each.value for each in operations if each.f == "enqueue" and each.ok]


def _given(operations: Sequence[Operation]) -> list[Any]:
    known = [each for each in operations if each.ok and each.f != "enqueue"]
    lists = [each.result if each.f == "drain" else [each.result] for each in known]
    return [value for values in lists for value in values if value is not None]


def all_arrived(operations: Sequence[Operation]) -> bool:
    """Each acknowledged value as often as it was acknowledged, unless a drain may have taken it."""
    put, out = _acknowledged(operations), _given(operations)
    unsure = any(each.f == "drain" and each.outcome is INFO for each in operations)
    return unsure or all(out.count(value) >= put.count(value) for value in put)


def none_made_up(operations: Sequence[Operation]) -> bool:
    """Only what somebody tried to enqueue."""
    return all(value in _attempts(operations) for value in _given(operations))


def none_doubled(operations: Sequence[Operation]) -> bool:
    """No value more often than somebody tried to enqueue it."""
    tried, out = _attempts(operations), _given(operations)
    return all(out.count(value) <= tried.count(value) for value in out if value in tried)


def in_pairs(operations: Sequence[Operation]) -> bool:
    """Each pair of values from one producer to one consumer."""
    taken = [each for each in operations if each.outcome is not FAIL]
    tried, out = _attempts(taken), _given(taken)
    puts = {each.value: each for each in taken if each.f == "enqueue" and tried.count(each.value) == 1}
    outs = {
        value: (each, place)
        for each in taken
        if each.ok and each.f != "enqueue"
        for place, value in enumerate(each.result if each.f == "drain" else [each.result])
        if out.count(value) == 1 and value in puts
    }
    for first, second in permutations(outs, 2):
        one, two = puts[first], puts[second]
        (early, place), (late, other) = outs[second], outs[first]
        if one.client != two.client or early.client != late.client or not one.ok or done(one) >= two.invoked_ns:
            continue
        if done(early) < late.invoked_ns or (early is late and place < other):
            return False
    return True


def redeliveries(rng: Random) -> list[Operation]:
    """Few elements that go round among few clients."""
    found, holders = list[Operation](), dict[int, str]()
    for index, client, begin, end in sorted(clients(rng, rng.randint(2, 9)), key=lambda line: line[3]):
        mine = [value for value, holder in holders.items() if holder == client]
        f = rng.choice(("dequeue", "dequeue", "nack", "nack", "ack", "disconnect") if mine else ("dequeue", "nack"))
        free = [value for value in range(3) if value not in holders] or [0]
        value = rng.choice(free if f == "dequeue" and rng.random() < 0.8 else mine or [0, 1])
        if f == "dequeue":
            holders[value] = client
        elif f == "nack" or f == "disconnect":
            holders = {each: who for each, who in holders.items() if who != client or (f == "nack" and each != value)}
        outcome = rng.choice((OK,) * 9 + (INFO,))
        found.append(
            Operation(
                index=index,
                client=client,
                f=f,
                value=value if f in ("ack", "nack") else None,
                invoked_ns=begin,
                completed_ns=end,
                outcome=outcome,
                result=value if f == "dequeue" and outcome is OK else None,
            )
        )
    return sorted(found, key=lambda each: each.invoked_ns)


Held = frozenset[tuple[int, str, bool]]
"""Element, client, and whether it was acknowledged; with ``GONE`` for an element, clients that may have no connection."""
GONE = -1


def given_out(state: Held, operation: Operation) -> list[Held]:
    """One step of a broker that gives each element to one client at a time."""
    me, value = operation.client, operation.value
    if operation.outcome is INFO or operation.f == "disconnect":
        left = frozenset(each for each in state if each[1] != me or each[2])
        return [left if operation.f == "disconnect" and operation.ok else left | {(GONE, me, True)}]
    if operation.f == "nack":
        return [state - {(value, me, False)}]
    if operation.f == "ack":
        return [state - {(value, me, False)} | {(value, me, True)} if (value, me, False) in state else state]
    if operation.result is None:
        return [state]
    taken = any(each[0] == operation.result for each in state)
    if taken:
        return []
    return [state | {(operation.result, me, False)}, *([state] if (GONE, me, True) in state else [])]
