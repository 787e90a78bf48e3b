"""
Queues whose values are enqueued more than once: told apart by a guess, or found to have given out more than was put in.

Elements that look the same can stand in for each other. So the first of them to be enqueued is taken for the first to be
dequeued, and if that has an order, there is one. If it has none another guess may have one: then a search decides.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from chaos.checkers.calls import NEVER, Call
from chaos.models import UNKNOWN
from chaos.verdict import Witness

Moment = Callable[[Call], int]


def _begin(call: Call) -> int:
    return call.begin


def _end(call: Call) -> int:
    return call.end


def told_apart(calls: Sequence[Call], initial: Sequence[Any]) -> Iterator[list[Call]]:
    """The same with unique values, numbered in order of time; what was there initially was enqueued before all else."""
    before = [_initially(place - len(initial), value, calls[0]) for place, value in enumerate(initial)] if calls else []
    known = before + list(calls)
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


def overdrawn(calls: Sequence[Call], initial: Sequence[Any]) -> Witness | None:
    """More of one value dequeued by some moment than anybody had begun to enqueue by then."""
    puts, outs = defaultdict[Any, list[Call]](list), defaultdict[Any, list[Call]](list)
    for call in calls:
        if call.f == "enqueue":
            puts[call.value].append(call)
        elif call.end != NEVER:
            for value in call.result if call.f == "drain" else (call.result,):
                if value is not None:
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
