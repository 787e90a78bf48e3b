"""
Semaphores: permits are taken and given back as late as possible; exact if all operations are about equally many.

An operation takes effect at its return, or earlier if another's return needs it: then the one that must return first.
Equal operations can stand in for each other, so with equal numbers of permits this finds an order if there is one. With
different numbers an order that it finds is one, and sums that no order can have are none; between them a search decides.
"""

import heapq
from collections.abc import Callable, Sequence
from typing import Any

from chaos.checkers.budget import Budget
from chaos.checkers.calls import NEVER, Call
from chaos.checkers.searched import death, witness
from chaos.checkers.shrinking import shrunk
from chaos.models import semaphore
from chaos.models.locks import permits_of
from chaos.verdict import Verdict, holds, violated

NAME = "semaphore"
Pending = list[tuple[int, int]]
"""Open operations of one kind: (end, place), the first to return first."""


def judge_semaphore(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether one order of all acquires and releases never takes more permits than there are, nor gives back others."""
    capacity = permits_of(initial)
    stuck = _stuck(calls, capacity)
    if stuck is None:
        return holds(NAME, _EXPLAINED.format(len(calls)))
    if len({permits_of(call.value) for call in calls}) == 1:
        return _violated(calls, stuck, lambda tried, side: _stuck(tried, capacity), budget)
    beyond = _beyond(calls, capacity)
    if beyond is not None:
        return _violated(calls, beyond, lambda tried, side: _beyond(tried, capacity), budget)
    last = death(calls, semaphore(initial), budget)
    if last is None:
        return holds(NAME, _EXPLAINED.format(len(calls)))
    return _violated(calls, last, lambda tried, side: death(tried, semaphore(initial), side), budget)


_EXPLAINED = "an order exists that explains all {} operations"
Rule = Callable[[Sequence[Call], Budget], int | None]
"""The operation whose return is impossible."""


def _violated(calls: Sequence[Call], last: int, rule: Rule, budget: Budget) -> Verdict:
    def fails(tried: Sequence[Call], soft: frozenset[int], side: Budget) -> bool:
        return rule(tried, side) is not None

    anomaly = "too many permits" if calls[last].f == "acquire" else "release of a free permit"
    return violated(
        NAME, witness(anomaly, calls[last], shrunk(calls, calls[last].end, lambda call: False, fails, budget))
    )


def _stamps(calls: Sequence[Call]) -> list[tuple[int, int]]:
    begun = [(call.begin, place) for place, call in enumerate(calls)]
    return sorted(begun + [(call.end, place) for place, call in enumerate(calls) if call.end != NEVER])


def _stuck(calls: Sequence[Call], capacity: int) -> int | None:
    """The first operation whose return nothing makes possible, or None: there is an order."""
    lazy = _Lazy(calls, capacity)
    for time, place in _stamps(calls):
        if not time & 1:
            lazy.open(place)
        elif not lazy.close(place):
            return place
    return None


class _Lazy:
    """How many permits are taken if nothing happens before it must."""

    def __init__(self, calls: Sequence[Call], capacity: int) -> None:
        self._calls, self._capacity, self._taken = calls, capacity, 0
        self._pending: dict[str, Pending] = {"acquire": [], "release": []}
        self._done = set[int]()

    def open(self, place: int) -> None:
        """It may take effect from now on."""
        heapq.heappush(self._pending[self._calls[place].f], (self._calls[place].end, place))

    def close(self, place: int) -> bool:
        """It must have taken effect; whether that is possible."""
        call = self._calls[place]
        other = "release" if call.f == "acquire" else "acquire"
        while place not in self._done:
            if self._fits(place):
                self._take(place)
            elif not self._help(self._pending[other]):
                return False
        return True

    def _fits(self, place: int) -> bool:
        call = self._calls[place]
        amount = permits_of(call.value)
        return self._taken + amount <= self._capacity if call.f == "acquire" else amount <= self._taken

    def _take(self, place: int) -> None:
        call = self._calls[place]
        self._taken += permits_of(call.value) if call.f == "acquire" else -permits_of(call.value)
        self._done.add(place)

    def _help(self, pending: Pending) -> bool:
        """Let the first that fits take effect."""
        aside: Pending = []
        helped = False
        while pending and not helped:
            first = heapq.heappop(pending)
            if first[1] not in self._done:
                helped = self._fits(first[1])
                if helped:
                    self._take(first[1])
                else:
                    aside.append(first)
        for each in aside:
            heapq.heappush(pending, each)
        return helped


def _beyond(calls: Sequence[Call], capacity: int) -> int | None:
    """The first return by which more was certainly taken, or given back, than can be."""
    begun = {"acquire": 0, "release": 0}
    ended = {"acquire": 0, "release": 0}
    for time, place in _stamps(calls):
        call = calls[place]
        if not time & 1:
            begun[call.f] += permits_of(call.value)
            continue
        ended[call.f] += permits_of(call.value)
        if ended["acquire"] - begun["release"] > capacity or ended["release"] > begun["acquire"]:
            return place
    return None
