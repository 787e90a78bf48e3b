"""
Queues with unique values, first in first out or without order: the absence of four bad patterns, in O(n log n); else by
search.

Sources: Henzinger, Sezgin, Vafeiadis, CONCUR 2013; Bouajjani et al., ICALP 2015. A value was dequeued that nobody had
enqueued; twice; after one enqueued later (if there is an order); or the queue was found empty while there was certainly something in it.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from chaos.checkers.budget import Budget
from chaos.checkers.calls import NEVER, Call
from chaos.checkers.drains import unrolled
from chaos.checkers.repeated import overdrawn, told_apart
from chaos.checkers.searched import judge as search
from chaos.history import Operation
from chaos.models import UNKNOWN, Model, bag, queue
from chaos.verdict import Status, Verdict, Witness, holds, violated

SHOWN: Final = 8
"""Values that a sentence names."""


class Life(NamedTuple):
    """A value's way through the queue; ``out`` is None if it was never taken."""

    value: Any
    put: Call
    out: Call | None

    @property
    def taken(self) -> int:
        """When its dequeue began."""
        return NEVER if self.out is None else self.out.begin

    @property
    def calls(self) -> list[Call]:
        """Both, or the one that there is."""
        return [self.put] if self.out is None else [self.put, self.out]


def judge_queue(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether one order of all enqueues and dequeues, first in first out, explains every result."""
    return _judge(calls, initial, budget, queue, ordered=True)


def judge_bag(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether one order of all enqueues and dequeues, of any element, explains every result."""
    return _judge(calls, initial, budget, bag, ordered=False)


def _judge(
    calls: Sequence[Call], initial: Any, budget: Budget, make: Callable[[Any], Model], *, ordered: bool
) -> Verdict:
    values = [call.value for call in calls if call.f == "enqueue"]
    if not initial and len(set(values)) == len(values):
        return _unique(calls, make(None).name, ordered=ordered)
    model, start = make(initial), tuple(initial or ())
    wrong = overdrawn(calls, start)
    if wrong is not None:
        return violated(model.name, wrong)
    for guess in told_apart(calls, start):
        verdict = _unique(guess, model.name, ordered=ordered)
        if verdict.status is Status.HOLDS:
            return verdict
    known, stepping = unrolled(calls, model, initial=start, ordered=ordered)
    return _distinct(search(known, stepping, budget))


def _unique(calls: Sequence[Call], name: str, *, ordered: bool) -> Verdict:
    puts = [call for call in calls if call.f == "enqueue"]
    taken = _taken(calls, {call.value: call for call in puts})
    wrong = _impossible(puts, taken) or (drained_in_disorder(calls) if ordered else None)
    if wrong is not None:
        return violated(name, wrong)
    outs = {call.result: call for call in taken if call.result is not None}
    lives = [Life(call.value, call, outs.get(call.value)) for call in puts]
    lives = _excused([life for life in lives if life.out is not None or life.put.end != NEVER], calls)
    empties = [each for each in taken if each.result is None]
    wrong = (overtaken(lives) if ordered else None) or _found_empty(empties, lives)
    return violated(name, wrong) if wrong is not None else holds(name, _accounted(puts, outs))


def _distinct(verdict: Verdict) -> Verdict:
    """A drain is shown once, however many of its dequeues belong to the proof."""
    if verdict.witness is None:
        return verdict
    shown = list[Operation]()
    for each in verdict.witness.operations:
        if each not in shown:
            shown.append(each)
    return replace(verdict, witness=replace(verdict.witness, operations=tuple(shown)))


def _taken(calls: Sequence[Call], source: Mapping[Any, Call]) -> list[Call]:
    """Dequeues that returned. What a drain found empty it found after all its values, so after their enqueues began."""
    found = []
    for call in calls:
        if call.f == "enqueue" or call.result is UNKNOWN:
            continue
        if call.f == "dequeue":
            found.append(call)
            continue
        found += [call._replace(f="dequeue", result=value) for value in call.result]
        begin = max([call.begin, *(source[value].begin for value in call.result if value in source)])
        found.append(call._replace(f="dequeue", result=None, begin=begin))
    return found


def _excused(lives: list[Life], calls: Sequence[Call]) -> list[Life]:
    """
    What nobody got may have been taken by dequeues that never returned: the first enqueued by the first called.

    No other assignment explains more: swapping two only makes one value stay longer. A drain can have taken any number.
    """
    lost = sorted((life for life in lives if life.out is None), key=lambda life: life.put.end)
    takers: list[Call] = []
    for call in calls:
        if call.f != "enqueue" and call.result is UNKNOWN:
            takers += [call] * (len(lost) if call.f == "drain" else 1)
        if len(takers) >= len(lost):
            break
    found = [Life(life.value, life.put, taker) for life, taker in zip(lost, takers, strict=False)]
    return [life for life in lives if life.out is not None] + found + lost[len(found) :]


def _accounted(puts: Sequence[Call], outs: dict[Any, Call]) -> str:
    left = sum(call.end != NEVER and call.value not in outs for call in puts)
    recovered = sum(call.end == NEVER and call.value in outs for call in puts)
    return f"an order explains {len(puts)} enqueues: {len(outs)} dequeued ({recovered} of unsure enqueues), {left} left"


def _shown(anomaly: str, sentence: str, calls: Sequence[Call]) -> Witness:
    distinct = {id(call.operation): call for call in calls}
    ordered = sorted(distinct.values(), key=lambda call: call.begin)
    return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(call.operation for call in ordered))


def _impossible(puts: Sequence[Call], taken: Sequence[Call]) -> Witness | None:
    """A value from nowhere, from the future, or twice."""
    source = {call.value: call for call in puts}
    seen: dict[Any, Call] = {}
    for out in taken:
        value = out.result
        if value is None:
            continue
        put = source.get(value)
        if put is None:
            return _shown("phantom element", f"{out.operation.client} dequeued {value!r}, which nobody enqueued", [out])
        if out.end < put.begin:
            sentence = f"{out.operation.client} dequeued {value!r} before its enqueue by {put.operation.client} began"
            return _shown("dequeue from the future", sentence, [out, put])
        if value in seen:
            other = seen[value].operation.client
            sentence = f"{value!r} was enqueued once and dequeued by {other} and by {out.operation.client}"
            return _shown("duplicate delivery", sentence, [put, seen[value], out])
        seen[value] = out
    return None


def drained_in_disorder(calls: Sequence[Call]) -> Witness | None:
    """Within one drain, values come in the order of their enqueues."""
    source = {call.value: call for call in calls if call.f == "enqueue"}
    for drain in calls:
        if drain.f != "drain" or drain.result is UNKNOWN:
            continue
        latest: Call | None = None
        for value in drain.result:
            put = source.get(value)
            if put is not None and latest is not None and put.end < latest.begin:
                sentence = (
                    f"{drain.operation.client} drained {latest.value!r} before {value!r}, which was enqueued first"
                )
                return _shown("out of order", sentence, [put, latest, drain])
            if put is not None and (latest is None or put.begin > latest.begin):
                latest = put
    return None


def overtaken(lives: Sequence[Life]) -> Witness | None:
    """A value dequeued although one that was certainly enqueued before it was dequeued certainly later, or never."""
    earlier = sorted(lives, key=lambda life: life.put.end)
    place, latest = 0, None
    for life in sorted(lives, key=lambda life: life.put.begin):
        while earlier[place].put.end < life.put.begin:
            if latest is None or earlier[place].taken > latest.taken:
                latest = earlier[place]
            place += 1
        if latest is not None and life.out is not None and life.out.end < latest.taken:
            how = "was never dequeued" if latest.out is None else "was dequeued later"
            sentence = f"{latest.value!r} was enqueued before {life.value!r} and {how}"
            return _shown("lost element" if latest.out is None else "out of order", sentence, latest.calls + life.calls)
    return None


def _found_empty(empties: Sequence[Call], lives: Sequence[Life]) -> Witness | None:
    """An empty answer although at every moment of its interval something certainly was in the queue."""
    regions: list[tuple[int, int, list[Life]]] = []
    for life in sorted((life for life in lives if life.put.end < life.taken), key=lambda life: life.put.end):
        if regions and life.put.end < regions[-1][1]:
            begin, end, members = regions[-1]
            members.append(life)
            regions[-1] = (begin, max(end, life.taken), members)
        else:
            regions.append((life.put.end, life.taken, [life]))
    starts = [begin for begin, _, _ in regions]
    for empty in empties:
        place = bisect_left(starts, empty.begin) - 1
        if place >= 0 and regions[place][1] > empty.end:
            return _not_empty(empty, regions[place][2])
    return None


def _not_empty(empty: Call, members: Sequence[Life]) -> Witness:
    """The fewest values that cover the whole interval: always the one that stays longest."""
    chosen, reached, place = list[Life](), empty.begin, 0
    best = members[0]
    while reached < empty.end:
        while place < len(members) and members[place].put.end < reached:
            best = max(best, members[place], key=lambda life: life.taken)
            place += 1
        chosen.append(best)
        reached = best.taken
    values = ", ".join(repr(life.value) for life in chosen[:SHOWN])
    values += f" or one of {len(chosen) - SHOWN} more" if len(chosen) > SHOWN else ""
    missing = len(chosen) == 1 and chosen[0].out is None
    sentence = f"{empty.operation.client} found the queue empty while {values} was in it" + (
        ", which was never dequeued" if missing else ""
    )
    shown = [call for life in chosen for call in life.calls] + [empty]
    return _shown("lost element" if missing else "empty although filled", sentence, shown)
