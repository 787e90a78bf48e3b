"""
Counters: exact and fast if all amounts are equal, exact by search if that is affordable, else within bounds.

Whether reads of a counter with arbitrary amounts are linearizable is a subset-sum problem. The bounds are Jepsen's: a
read lies between what had certainly been added when it began and what could have been added when it ended.
"""

import heapq
import math
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import NEVER, Call
from chaos.checkers.searched import judge as search
from chaos.checkers.searched import witness
from chaos.checkers.shrinking import shrunk
from chaos.models import counter
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "counter"
SEARCHED_CONFIGURATIONS = 100_000


def judge_counter(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether one order of all adds explains every read."""
    floats = [each for call in calls for each in (call.value, call.result) if type(each) is float]
    if type(initial) is float:
        floats.append(initial)
    inexact = next((each for each in floats if not _has_exact_sums(each)), None)
    if inexact is not None:
        return unknown(
            NAME, f"{inexact!r} has no exact sums: whoever adds such numbers is a little wrong, in any order"
        )
    if floats:
        calls = [call._replace(value=_exact(call.value), result=_exact(call.result)) for call in calls]
    start = _exact(initial or 0)
    adds = [call for call in calls if call.f == "add" and call.value]
    reads = [call for call in calls if call.f == "read" and call.end != NEVER]
    beyond = _beyond(adds, reads, start)
    if beyond is not None:
        return violated(NAME, beyond)
    relevant = sorted(adds + reads, key=lambda call: call.begin)
    if len({call.value for call in adds}) <= 1:
        return _judge_equal(relevant, start, budget)
    side = budget.part(SEARCHED_CONFIGURATIONS)
    bounded = f"all {len(reads)} reads lie within the bounds"
    try:
        return search(relevant, counter(start), side)
    except SpentError as spent:
        if budget.over or budget.spent + side.spent > budget.rung:
            raise SpentError(f"{spent}; {bounded}") from None
        return holds(NAME, f"{bounded}; an exact order was not found nor excluded")
    finally:
        budget.spent += side.spent


FINEST = 1 << 20
"""Floating numbers that are no multiple of one part of so many come from sums that were rounded."""


def _exact(value: Any) -> Any:
    """A number whose sums are exact: halves, but no thirds, have one among floating numbers."""
    if type(value) is not float:
        return value
    return int(value) if value.is_integer() else Fraction(value)


def _has_exact_sums(value: float) -> bool:
    return math.isfinite(value) and Fraction(value).denominator <= FINEST


class _Sums:
    """How much the adds before a moment raised and lowered, by their begin or by their end."""

    def __init__(self, stamped: list[tuple[int, Any]]) -> None:
        stamped.sort()
        self._stamps = [stamp for stamp, _ in stamped]
        self._up = [0, *accumulate(max(amount, 0) for _, amount in stamped)]
        self._down = [0, *accumulate(min(amount, 0) for _, amount in stamped)]

    def before(self, moment: int) -> tuple[Any, Any]:
        """Raised and lowered."""
        place = bisect_left(self._stamps, moment)
        return self._up[place], self._down[place]


def _beyond(adds: Sequence[Call], reads: Sequence[Call], start: Any) -> Witness | None:
    """A read below or above everything that could have been."""
    ended = _Sums([(call.end, call.value) for call in adds])
    begun = _Sums([(call.begin, call.value) for call in adds])
    for read in reads:
        (up_done, down_done), (up, down) = ended.before(read.begin), begun.before(read.end)
        low, high = start + up_done + down, start + up + down_done
        if read.result < low:
            forced = sorted((call for call in adds if call.end < read.begin), key=lambda call: -call.value)
            return _out_of_bounds("lost increment", read, low, high, _fewest(forced, read.result - start - down))
        if read.result > high:
            forced = sorted((call for call in adds if call.end < read.begin), key=lambda call: call.value)
            return _out_of_bounds("phantom increment", read, low, high, _fewest(forced, start + up - read.result))
    return None


def _fewest(forced: Sequence[Call], bound: Any) -> list[Call]:
    """The largest certain adds that together exceed the bound."""
    found, total = list[Call](), 0
    for call in forced:
        if total > bound:
            break
        found.append(call)
        total += abs(call.value)
    return found


def _out_of_bounds(anomaly: str, read: Call, low: Any, high: Any, needed: list[Call]) -> Witness:
    sentence = f"{read.operation.client} read {read.operation.result}, where only {low} to {high} was possible"
    shown = sorted([*needed, read], key=lambda call: call.begin)
    return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(call.operation for call in shown))


def _judge_equal(calls: Sequence[Call], start: Any, budget: Budget) -> Verdict:
    wrong = _first_wrong(calls, start)
    if wrong is None:
        return holds(NAME, f"an order exists that explains all {len(calls)} operations")

    def fails(tried: Sequence[Call], soft: frozenset[int], side: Budget) -> bool:
        return _first_wrong(tried, start) is not None

    kept = shrunk(calls, calls[wrong].end, lambda call: call.f == "read", fails, budget)
    return violated(NAME, witness("stale read", calls[wrong], kept))


def _first_wrong(calls: Sequence[Call], start: Any) -> int | None:
    """
    Count as late as possible: an add at its return, or earlier if a read needs it, the next to return first.

    Source: greedy of checkers.md 3.4; exact because equal adds can stand in for each other.
    """
    amount = next((call.value for call in calls if call.f == "add"), 1)
    stamps = sorted(
        [(call.begin, place) for place, call in enumerate(calls)]
        + [(call.end, place) for place, call in enumerate(calls) if call.end != NEVER]
    )
    count, waiting, counted = 0, list[tuple[int, int]](), set[int]()
    for time, place in stamps:
        call, needed = calls[place], 0
        if call.f == "read":
            steps, odd = divmod(call.result - start, amount)
            if not time & 1:
                if odd or count > steps:
                    return place
            else:
                needed = steps - count  # Below zero: it was right for a moment of the read's interval.
                if needed > len(waiting):
                    return place
        elif not time & 1:
            heapq.heappush(waiting, (call.end, place))
        else:
            needed = int(place not in counted)
        for _ in range(needed):
            counted.add(heapq.heappop(waiting)[1])
            count += 1
    return None
