"""
Queues whose values are enqueued more than once: told apart by a guess, or found to have given out more than was put in.

Elements that look the same can stand in for each other. So the first of them to be enqueued is taken for the first to be
dequeued, and if that has an order, there is one. If it has none another guess may have one: then a search decides.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from typing import Any

from chaos.checkers.calls import NEVER, Call
from chaos.models import UNKNOWN
from chaos.verdict import Witness

Moment = Callable[[Call], int]
Heap = list[tuple[int, int]]
"""A time, and the place of a call."""


def _begin(call: Call) -> int:
    return call.begin


def _end(call: Call) -> int:
    return call.end


def told_apart(calls: Sequence[Call], initial: Sequence[Any]) -> Iterator[list[Call]]:
    """The same with unique values, numbered in order of time; what was there initially was enqueued before all else."""
    before = [_initially(place - len(initial), value, calls[0]) for place, value in enumerate(initial)] if calls else []
    known = before + list(calls)
    yield _Line(known).told_apart()
    for put_at in (_end, _begin):
        for out_at in (_begin, _end):
            yield _numbered(known, put_at, out_at)


def _initially(place: int, value: Any, like: Call) -> Call:
    return Call(2 * place, 2 * place + 1, "enqueue", value, None, replace(like.operation))


def _numbered(calls: Sequence[Call], put_at: Moment, out_at: Moment) -> list[Call]:
    puts, outs = Counter[Any](), Counter[Any]()
    found = dict[int, Call]()
    for place, call in sorted(enumerate(calls), key=lambda each: (put_at(each[1]), each[0])):
        if call.f == "enqueue":
            found[place] = call._replace(value=_next(puts, call.value))
    for place, call in sorted(enumerate(calls), key=lambda each: (out_at(each[1]), each[0])):
        if call.f == "drain" and call.result is not UNKNOWN:
            found[place] = call._replace(result=tuple(_next(outs, value) for value in call.result))
        elif call.f == "dequeue" and call.result not in (None, UNKNOWN):
            found[place] = call._replace(result=_next(outs, call.result))
        elif call.f != "enqueue":
            found[place] = call
    return [found[place] for place in range(len(calls))]


def _next(counts: Counter[Any], value: Any) -> tuple[Any, int]:
    counts[value] += 1
    return value, counts[value]


class _Line:
    """
    Elements in the order of real time, each dequeue as late as possible, and always an element that may be the first.

    Of two that look the same and may both be first, the one whose enqueue ended first holds up more of the others. If
    some other element must go first, a dequeue of it that is open goes before.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._waiting: Heap = []
        self._held_up = defaultdict[Any, Heap](list)
        self._ready = defaultdict[Any, Heap](list)
        self._open = defaultdict[Any, Heap](list)
        self._gone = set[int]()
        self._served = dict[int, tuple[Any, ...]]()
        self._spare = Counter[Any](call.value for call in calls if call.f == "enqueue")
        self._spare.subtract(value for call in calls for value in _given_out(call))

    def told_apart(self) -> list[Call]:
        """Elements are numbered by their enqueues; what nobody can have enqueued gets a number of its own."""
        begun = [(call.begin, place) for place, call in enumerate(self._calls)]
        ended = [(call.end, place) for place, call in enumerate(self._calls) if call.end != NEVER]
        for time, place in sorted(begun + ended):
            call = self._calls[place]
            if not time & 1:
                self._begin(call, place)
            elif call.f != "enqueue" and place not in self._served:
                values = (*call.result, None) if call.f == "drain" else (call.result,)
                served = [self._take(value, call, place) for value in values]
                self._served[place] = tuple(served[:-1] if call.f == "drain" else served)
        return [self._numbered(place) for place in range(len(self._calls))]

    def _begin(self, call: Call, place: int) -> None:
        if call.f == "enqueue":
            heappush(self._waiting, (call.end, place))
            heappush(self._held_up[call.value], (call.begin, place))
        elif call.f == "dequeue" and call.result is not None:
            heappush(self._open[call.result], (call.end, place))

    def _numbered(self, place: int) -> Call:
        call = self._calls[place]
        if call.f == "enqueue":
            return call._replace(value=(call.value, place))
        served = self._served.get(place)
        if served is None or call.result in (None, UNKNOWN):
            return call
        return call._replace(result=served if call.f == "drain" else served[0])

    def _take(self, value: Any, call: Call, place: int) -> Any:
        """The element that this dequeue gets."""
        if value is None:
            while (last := self._first(self._waiting)) is not None and self._calls[last].end < call.begin:
                if not self._passed(last):
                    break
            return None
        while (last := self._first(self._waiting)) is not None:
            mine = self._foremost(value, self._calls[last].end)
            if mine is not None or not self._passed(last):
                break
        else:
            return value, -1 - place
        if mine is None:
            mine = self._first(self._held_up[value])  # It overtakes; another guess may do better.
        if mine is None:
            return value, -1 - place
        self._gone.add(mine)
        return value, mine

    def _foremost(self, value: Any, before: int) -> int | None:
        """Of the elements that began before all others had ended, the one that ended first."""
        held_up, ready = self._held_up[value], self._ready[value]
        while held_up and held_up[0][0] < before:
            place = heappop(held_up)[1]
            heappush(ready, (self._calls[place].end, place))
        return self._first(ready)

    def _first(self, heap: Heap) -> int | None:
        while heap and heap[0][1] in self._gone:
            heappop(heap)
        return heap[0][1] if heap else None

    def _passed(self, blocking: int) -> bool:
        """Whether an open dequeue, or one that never returned and can be spared, takes what is in the way."""
        value = self._calls[blocking].value
        for wanted in (value, UNKNOWN):
            heap = self._open[wanted]
            while heap and heap[0][1] in self._served:
                heappop(heap)
            if heap and (wanted is not UNKNOWN or self._spare[value] > 0):
                self._served[heappop(heap)[1]] = ((value, blocking),)
                self._spare[value] -= wanted is UNKNOWN
                self._gone.add(blocking)
                return True
        return False


def _given_out(call: Call) -> Sequence[Any]:
    if call.result in (None, UNKNOWN):  # So it is of an enqueue.
        return ()
    return call.result if call.f == "drain" else (call.result,)


def overdrawn(calls: Sequence[Call], initial: Sequence[Any]) -> Witness | None:
    """More of one value dequeued by some moment than anybody had begun to enqueue by then."""
    puts, outs = defaultdict[Any, list[Call]](list), defaultdict[Any, list[Call]](list)
    for call in calls:
        if call.f == "enqueue":
            puts[call.value].append(call)
        for value in _given_out(call):
            outs[value].append(call)
    there = Counter(initial)
    for value, taken in outs.items():
        taken.sort(key=_end)
        begins = [put.begin for put in puts[value]]
        for number, out in enumerate(taken, 1):
            if number > there[value] + bisect_left(begins, out.end):
                return _too_many(value, puts[value], taken, taken[:number])
    return None


def _too_many(value: Any, puts: Sequence[Call], taken: Sequence[Call], shown: Sequence[Call]) -> Witness:
    begun = [put for put in puts if put.begin < shown[-1].end]
    client = shown[-1].operation.client
    if not puts:
        anomaly, how = "phantom element", "which nobody enqueued"
    elif len(taken) <= len(puts):
        anomaly, how = "dequeue from the future", "which was enqueued only later"
        begun = list(puts[: len(begun) + 1])
    else:
        anomaly, how = "duplicate delivery", f"the {len(shown)}. of them, when {len(begun)} enqueues had begun"
    operations = {id(call.operation): call for call in (*begun, *shown)}
    ordered = sorted(operations.values(), key=_begin)
    sentence = f"{client} dequeued {value!r}, {how}"
    return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(call.operation for call in ordered))
