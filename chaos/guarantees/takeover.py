"""
Who led a log before the first fault, who was seen to lead next, and what that one had when it took over.

Snapshots and roles are seen, not known at once. So the next snapshot of the new leader, if nobody else led by then, corrects
the last one before: its records of the old leader's epochs (those seen before the fault, or in the old leader's own log)
were there when it took over, those of later epochs are its own.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from chaos.guarantees.leading import clusters, leader_before, leads
from chaos.guarantees.replica_logs import Snapshot, snapshots
from chaos.history import History, Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """
    The first change of leaders after the first fault began.

    :param at_ns: when the new one was first seen to lead.
    :param log: its last snapshot before that.
    :param old_log: that of the old one, if there is one.
    :param had: the values that the new one had when it took over.
    :param own: those that it appended itself by the time of its next snapshot.
    """

    at_ns: int
    old: str
    new: str
    log: Snapshot
    old_log: Snapshot | None
    had: frozenset[Hashable]
    own: frozenset[Hashable]


def takeover(history: History) -> Takeover | str:
    """The first one, or why it cannot be told."""
    begun = min((fault.begun_ns for fault in history.faults), default=None)
    if begun is None:
        return "there was no fault"
    seen = _cluster(history)
    old = leader_before(seen, begun)
    if old is None:
        return "nobody was seen to lead before the first fault"
    others = (one for one in seen if leads(one) and one.at_ns >= begun and one.party != old)
    new = min(others, key=lambda one: one.at_ns, default=None)
    if new is None:
        return f"nobody but {old} was seen to lead after the first fault began"
    taken = snapshots(history)
    before = [one for one in taken if one.at_ns < new.at_ns]
    log = _last(before, new.party)
    if log is None or log.at_ns < begun:
        return f"no snapshot shows the log of {new.party} between the first fault and its lead"
    of_log = [one for one in before if one.log == log.log]
    old_log, later = _last(of_log, old), _next(seen, taken, log, new)
    by_old = [one for one in of_log if one.at_ns <= begun or one.party == old]
    known = max((epoch for one in by_old for _, epoch in one.epochs), default=None)
    had, own = _corrected(known, log, later)
    return Takeover(at_ns=new.at_ns, old=old, new=new.party, log=log, old_log=old_log, had=had, own=own)


def _cluster(history: History) -> tuple[Observation, ...]:
    """What was seen of the cluster whose logs were read."""
    with_logs = (seen for seen in clusters(history) if any(one.kind == "replica-log" for one in seen))
    return next(with_logs, ())


def _last(taken: list[Snapshot], party: str) -> Snapshot | None:
    return next((one for one in reversed(taken) if one.party == party), None)


def _next(seen: tuple[Observation, ...], taken: list[Snapshot], log: Snapshot, new: Observation) -> Snapshot | None:
    """The new leader's first snapshot since it was seen to lead, if it still led."""
    deposed = min(
        (one.at_ns for one in seen if leads(one) and one.at_ns >= new.at_ns and one.party != new.party), default=None
    )
    own = (one for one in taken if one.party == new.party and one.log == log.log and one.at_ns >= new.at_ns)
    found = next(own, None)
    return None if found is None or (deposed is not None and deposed <= found.at_ns) else found


def _corrected(
    known: int | None, log: Snapshot, later: Snapshot | None
) -> tuple[frozenset[Hashable], frozenset[Hashable]]:
    """What the new leader had, and what it appended itself; ``known`` is the old leader's last epoch."""
    had = frozenset(value for _, value in log.records())
    if known is None:
        return had, frozenset()
    told = [(value, one.epoch(n)) for one in (log, later) if one is not None for n, value in one.records()]
    late = {value for value, epoch in told if epoch is not None and epoch <= known}
    return had | late, frozenset(value for value, epoch in told if epoch is not None and epoch > known)
