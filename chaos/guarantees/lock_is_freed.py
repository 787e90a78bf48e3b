"""
A lock is freed: when its holder stops, somebody else gets in (deadlock freedom, seen from the waiters).

Definition: a lock is *idle* while no client is inside and at least one asks for it: from the end of a stay, or from the
first ``acquire`` that was asked after it, to the completion of the next ``acquire`` (ok). A client that a fault hit while
it asked, and that never had an answer, asks no more. A stay ends when its release was answered; a stay without a release
ends when a fault harms its client, and else not at all; a stay during which another client gets in has ended when a
fault harmed its client, or at the latest then. Every idle stretch ends with an acquisition, within the bound if one is
given. ``wait_s`` is the longest.

A promise of progress is never broken by a finite history; without a bound, "violated" means that those who asked were
refused until the run ended, and the experiment has to see to it that this was long enough.
"""

from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass

from chaos.guarantees.evidence import (
    NEVER,
    bound_ns,
    clock_error_ns,
    end_ns,
    first_harm_ns,
    identity,
    last_stamp_ns,
    shown,
    worst_apart_ns,
)
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.holding import Hold, by_lock, find_holds, harmed_between, is_acquired
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "lock_is_freed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """
    A stretch in which somebody wanted in and nobody was.

    :param sure: False where, for all that clocks are off, it was asked for only before the lock was free.
    """

    asked: Operation
    before: Hold | None
    by: Operation | None
    from_ns: int
    until_ns: int
    sure: bool = True

    @property
    def lasted_ns(self) -> int:
        """How long nobody got in."""
        return self.until_ns - self.from_ns

    @property
    def lasted_s(self) -> float:
        """The same in seconds."""
        return self.lasted_ns / 1e9


def lock_is_freed_within(bound_s: float) -> Guarantee:
    """The same promise with a bound in seconds: the lock's lease, the recovery of its store, and some slack."""
    bound_ns(bound_s)
    return _guarantee(f"{NAME}_within({bound_s:g}s)", bound_s, f" within {bound_s:g} s")


def _guarantee(name: str, bound_s: float | None, within: str) -> Guarantee:
    return Guarantee(
        name=name,
        promise=f"When the holder of a lock stops, somebody else gets it{within}.",
        check=lambda history: _judge(history, name, bound_s),
        source="Redis documentation, distributed locks: liveness property A, deadlock free",
        silent_on="whether it was freed too early (mutual_exclusion, lock_is_kept), and fairness between waiters",
        needs=("acquire",),
    )


def _judge(history: History, name: str, bound_s: float | None) -> Verdict:
    idle = _idle_stretches(history)
    error = worst_apart_ns(history)  # A stretch lies between stamps of two clocks.
    bound = None if bound_s is None else bound_ns(bound_s)
    late = [one for one in idle if one.sure and (one.by is None if bound is None else one.lasted_ns - error > bound)]
    measures = {"wait_s": max((one.lasted_s for one in idle), default=None), "idle_count": len(idle)}
    if late:
        return violated(name, _witness(history, max(late, key=lambda one: one.lasted_ns)), **measures)
    missing = _too_little(history, idle)
    if bound is not None and any(one.lasted_ns + error > bound for one in idle):
        missing = missing or f"whether {measures['wait_s']:.3f} s is too long is within the error of the clocks"
    if missing:
        return unknown(name, missing, **measures)
    return holds(
        name, f"the lock was free {len(idle)} times while wanted, for {measures['wait_s']:.3f} s at most", **measures
    )


def _too_little(history: History, idle: list[Idle]) -> str | None:
    waiting = [one for one in idle if one.by is None]
    if waiting:
        return f"the run ended {waiting[0].lasted_s:.3f} s into a wait, before the bound"
    harm = first_harm_ns(history)
    tested = [one for one in idle if (harm is None or one.until_ns >= harm) and _by_another(one)]
    if tested:
        return None
    return "nobody took the lock over from another client" + ("" if harm is None else " after the fault")


def _by_another(idle: Idle) -> bool:
    previous = idle.before.client if idle.before else idle.asked.client
    return idle.by is not None and idle.by.client != previous


def _idle_stretches(history: History) -> list[Idle]:
    last = last_stamp_ns(history)
    stays = by_lock(find_holds(history))
    locks: dict[Hashable, list[Operation]] = {}
    for attempt in history.select("acquire", where=lambda attempt: not _was_cut_short(history, attempt)):
        locks.setdefault(identity(attempt.value), []).append(attempt)
    doubt = worst_apart_ns(history)
    return [one for lock, asked in locks.items() for one in _idle_of(asked, stays.get(lock, []), last, doubt)]


def _was_cut_short(history: History, attempt: Operation) -> bool:
    if attempt.completed_ns is not None:
        return False
    asked_ns = attempt.invoked_ns - clock_error_ns(history, attempt.client)
    return harmed_between(history, attempt.client, asked_ns, None) is not None


def _idle_of(asked: list[Operation], stays: list[Hold], last_ns: int, doubt_ns: int) -> list[Idle]:
    asked = sorted(asked, key=lambda attempt: attempt.invoked_ns)
    found: list[Idle | None] = []
    free_ns, before = 0, None
    for hold in stays:
        since_ns = free_ns
        if before and before.client != hold.client and hold.from_ns < free_ns:
            since_ns = min(hold.from_ns, before.harmed_ns or hold.from_ns)
        found.append(_idle(asked, before, hold.acquire, since_ns, hold.from_ns))
        if _freed_ns(hold) >= free_ns:
            free_ns, before = _freed_ns(hold), hold
    found.append(_unanswered(asked, before, free_ns, last_ns, doubt_ns))
    return [one for one in found if one is not None]


def _freed_ns(hold: Hold) -> int:
    if hold.ending is not None:
        # Until the release is answered a refusal is no wonder. A re-acquisition ends a stay and frees nothing.
        return hold.until_ns if is_acquired(hold.ending) else end_ns(hold.ending, hold.until_ns)
    return NEVER if hold.stopped_ns is None else hold.stopped_ns


def _idle(asked: list[Operation], before: Hold | None, by: Operation, free_ns: int, got_ns: int) -> Idle | None:
    """The stretch that this acquisition ended, from the first who was waiting or asked while the lock was free."""
    if got_ns < free_ns:
        return None
    first = bisect_left(asked, free_ns, key=lambda attempt: attempt.invoked_ns)
    candidates = [by, *asked[first : first + 1]]
    earliest = min(candidates, key=lambda attempt: attempt.invoked_ns)
    begin = max(free_ns, earliest.invoked_ns)
    return Idle(asked=earliest, before=before, by=by, from_ns=begin, until_ns=got_ns)


def _unanswered(asked: list[Operation], before: Hold | None, free_ns: int, last_ns: int, doubt_ns: int) -> Idle | None:
    """The wait that the end of the run cut off; an attempt that was refused before the lock was free is none."""
    waiting = [
        attempt
        for attempt in asked
        if not attempt.ok and (attempt.invoked_ns >= free_ns or (attempt.completed_ns is None and free_ns < NEVER))
    ]
    if not waiting:
        return None
    begin = max(free_ns, waiting[0].invoked_ns)
    until = max(end_ns(attempt, last_ns) for attempt in waiting)
    sure = any(attempt.completed_ns is None or attempt.invoked_ns >= free_ns + doubt_ns for attempt in waiting)
    return Idle(asked=waiting[0], before=before, by=None, from_ns=begin, until_ns=until, sure=sure)


def _witness(history: History, idle: Idle) -> Witness:
    after = f", which {idle.before.client} had" if idle.before else ""
    ended = f"{idle.by.client} got it" if idle.by else "the run ended"
    sentence = (
        f"{idle.asked.client} wanted {shown(idle.asked.value)}{after}; nobody was inside for {idle.lasted_s:.3f} s from "
        f"{history.seconds(idle.from_ns):.3f} s on, until {ended}"
    )
    operations = [idle.before.acquire if idle.before else None, idle.asked, idle.by]
    distinct = {one.index: one for one in operations if one is not None}
    return Witness(anomaly="lock not freed", sentence=sentence, operations=tuple(distinct.values()))


lock_is_freed = _guarantee(NAME, None, "")
