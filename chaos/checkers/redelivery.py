"""
Redelivery: who was given an element keeps it until he gives it back or loses his connection; once acknowledged it is gone.

An element is a lock and its delivery an acquire, so the rule is that of locks: nobody holds it while another does. A hold
lasts from the return of its dequeue to the call of what ended it. A client with an operation that never returned may have
lost its connection at any time since, so nothing is said of what it held then or later.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from chaos.checkers.budget import Budget
from chaos.checkers.calls import NEVER, Call
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "redelivery-queue"


@dataclass(slots=True)
class Hold:
    """An element with one client, until it was given back."""

    delivery: Call
    acked: Call | None = None
    until: int = NEVER


def judge_redelivery(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether every element was given out again only after it was given back."""
    copies = Counter(call.value for call in calls if call.f == "enqueue")
    found = _holds(calls)
    again = sum(len(each) - 1 for each in found.values())
    for value, each in found.items():
        wrong = _twice(value, each) if copies[value] <= 1 else None
        if wrong is not None:
            return violated(NAME, wrong, redelivered_count=again)
    judged = sum(copies[value] <= 1 for value in found)
    if not judged:
        return unknown(NAME, "no element was given out of which there is only one")
    return holds(
        NAME, f"{judged} elements, given out {again} times again, each after it was given back", redelivered_count=again
    )


def _holds(calls: Sequence[Call]) -> dict[Any, list[Hold]]:
    """For each element who had it, by the begin of the dequeue."""
    found = defaultdict[Any, list[Hold]](list)
    held = defaultdict[str, dict[Any, Hold]](dict)
    lost = set[str]()
    for call in calls:
        mine = held[call.operation.client]
        if call.end == NEVER:
            lost.add(call.operation.client)
        if call.end == NEVER or call.f == "disconnect":
            _give_back(mine, list(mine), call)
        elif call.f == "nack":
            _give_back(mine, [call.value], call)
        elif call.f == "ack" and call.value in mine:
            mine[call.value].acked = call
        elif call.f == "dequeue" and call.result is not None:
            hold = Hold(call)
            found[call.result].append(hold)
            if call.operation.client in lost:
                hold.until = call.begin
            else:
                mine[call.result] = hold
    return found


def _give_back(mine: dict[Any, Hold], values: Iterable[Any], call: Call) -> None:
    for value in values:
        if value in mine and mine[value].acked is None:
            mine.pop(value).until = call.begin


def _twice(value: Any, found: Sequence[Hold]) -> Witness | None:
    """Two holds of one element that certainly overlap, or one that was certainly there while it was given out again."""
    certain = sorted((each for each in found if each.delivery.end < each.until), key=lambda each: each.delivery.end)
    for last, hold in pairwise(certain):
        if hold.delivery.end < last.until:
            return _overlap(value, last, hold)
    ends = [each.delivery.end for each in certain]
    for brief in (each for each in found if each.until <= each.delivery.end):
        place = bisect_left(ends, brief.until) - 1
        if place >= 0 and brief.delivery.end < certain[place].until:
            return _overlap(value, certain[place], brief)
    return None


def _overlap(value: Any, last: Hold, hold: Hold) -> Witness:
    one, two = last.delivery.operation, hold.delivery.operation
    acked = last.acked is not None and last.acked.end < hold.delivery.begin
    why = f"{one.client} had acknowledged it" if acked else f"{one.client} had it and did not give it back"
    shown = [last.delivery, *([last.acked] if acked and last.acked else []), hold.delivery]
    return Witness(
        anomaly="redelivery after ack" if acked else "redelivery without cause",
        sentence=f"{two.client} was given {value!r}, and {why}",
        operations=tuple(each.operation for each in sorted(shown, key=lambda each: each.begin)),
    )
