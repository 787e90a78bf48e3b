"""
What brokers promise without one order of everything: that nothing is lost, made up or given out twice, and in which order
one consumer gets what one producer sent.

Source: Jepsen's ``total-queue``, a question of how often each value was enqueued and dequeued, not of when. An attempt to
enqueue that failed still counts as an attempt, as there: delivering it is no violation, but counted.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from chaos.checkers.budget import Budget
from chaos.checkers.calls import Call
from chaos.checkers.checker import Judge
from chaos.checkers.queues import Life, drained_in_disorder, overtaken
from chaos.models import UNKNOWN
from chaos.verdict import Verdict, Witness, holds, unknown, violated

UNFINISHED = "a drain never returned, so what is missing may have been taken by it or be left in the queue"


class Deliveries:
    """How often each value was attempted, acknowledged and given out."""

    def __init__(self, calls: Sequence[Call], initial: Sequence[Any] = ()) -> None:
        self.puts = _by_value((call.value, call) for call in calls if call.f == "enqueue")
        self.outs = _by_value(pair for call in calls for pair in _given_out(call))
        self.attempts = Counter({value: len(found) for value, found in self.puts.items()}) + Counter(initial)
        self.acknowledged = Counter(initial)
        self.acknowledged.update(call.value for call in chain(*self.puts.values()) if call.operation.ok)
        self.delivered = Counter({value: len(found) for value, found in self.outs.items()})
        self.unexpected = Counter({each: n for each, n in self.delivered.items() if each not in self.attempts})
        self.duplicated = self.delivered - self.attempts - self.unexpected
        self.lost = self.acknowledged - self.delivered
        self.undrained = any(call.f == "drain" and call.result is UNKNOWN for call in calls)

    def shown(self, anomaly: str, value: Any, sentence: str) -> Witness:
        """All that was done with one value."""
        found = {id(call.operation): call for call in self.puts.get(value, []) + self.outs.get(value, [])}
        ordered = sorted(found.values(), key=lambda call: call.begin)
        return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(call.operation for call in ordered))

    def measures(self) -> dict[str, int]:
        """Those of Jepsen's total-queue."""
        fine = self.delivered & self.attempts
        return {
            "attempts_count": self.attempts.total(),
            "acknowledged_count": self.acknowledged.total(),
            "ok_count": fine.total(),
            "unexpected_count": self.unexpected.total(),
            "duplicated_count": self.duplicated.total(),
            "lost_count": self.lost.total(),
            "recovered_count": (fine - self.acknowledged).total(),
        }


def _by_value(pairs: Any) -> dict[Any, list[Call]]:
    found = defaultdict[Any, list[Call]](list)
    for value, call in pairs:
        found[value].append(call)
    return dict(found)


def _given_out(call: Call) -> list[tuple[Any, Call]]:
    if not call.operation.ok:
        return []
    values = call.result if call.f == "drain" else [call.result]  # Of an enqueue: nothing.
    return [(value, call) for value in values if value is not None]


Finder = Callable[[Deliveries], Witness | None]


def unexpected(found: Deliveries) -> Witness | None:
    """What nobody tried to enqueue."""
    for value in found.unexpected:
        client = found.outs[value][0].operation.client
        return found.shown("phantom element", value, f"{client} dequeued {value!r}, which nobody tried to enqueue")
    return None


def duplicated(found: Deliveries) -> Witness | None:
    """What was given out more often than anybody tried to enqueue it."""
    for value in found.duplicated:
        times = f"enqueued at most {found.attempts[value]} times and dequeued {found.delivered[value]} times"
        return found.shown("duplicate delivery", value, f"{value!r} was {times}{_more(found.duplicated)}")
    return None


def lost(found: Deliveries) -> Witness | None:
    """What was acknowledged and given out less often."""
    for value in found.lost:
        times, given = found.acknowledged[value], found.delivered[value]
        how = f"{times} times and dequeued {given} times" if times > 1 else "and never dequeued"
        return found.shown("lost element", value, f"{value!r} was enqueued {how}{_more(found.lost)}")
    return None


def _more(counted: Counter[Any]) -> str:
    others = len(counted) - 1
    return f" (and {others} more values)" if others else ""


def delivering(name: str, *finders: Finder) -> Judge:
    """The judge of a type that promises the absence of these."""

    def of(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
        found = Deliveries(calls, initial or ())
        measures = found.measures()
        for finder in finders:
            wrong = finder(found)
            if wrong is not None and finder is lost and found.undrained:
                return unknown(name, f"{UNFINISHED}: {wrong.sentence}", **measures)
            if wrong is not None:
                return violated(name, wrong, **measures)
        counted = f"{measures['acknowledged_count']} acknowledged, {measures['ok_count']} dequeued"
        seen = f"{measures['duplicated_count']} duplicates, {measures['recovered_count']} of unsure enqueues recovered"
        return holds(name, f"{counted}, {seen}", **measures)

    return of


PAIRWISE = "pairwise-queue"


def judge_pairwise(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """
    Whether each consumer gets in order what each producer enqueued one after the other.

    What was enqueued or given out more than once is left out: a redelivery may come late.
    """
    found = Deliveries(calls)
    pairs = defaultdict[tuple[str, str], list[Life]](list)
    for value, outs in found.outs.items():
        puts = found.puts.get(value, [])
        if len(outs) == len(puts) == 1:
            pairs[puts[0].operation.client, outs[0].operation.client].append(Life(value, puts[0], outs[0]))
    judged = sum(map(len, pairs.values()))
    for lives in pairs.values():
        wrong = overtaken(lives) or drained_in_disorder([life.put for life in lives] + _drains(lives))
        if wrong is not None:
            return violated(PAIRWISE, wrong, judged_count=judged)
    if not judged:
        return unknown(PAIRWISE, "no value was enqueued once and dequeued once")
    return holds(
        PAIRWISE, f"{judged} values reached their consumers in the order of their producers", judged_count=judged
    )


def _drains(lives: Sequence[Life]) -> list[Call]:
    """The drains that gave out some of these, with these values alone."""
    drains = {id(life.out): life.out for life in lives if life.out is not None and life.out.f == "drain"}
    values = {life.value for life in lives}
    return [each._replace(result=tuple(value for value in each.result if value in values)) for each in drains.values()]
