"""
Lanes of parties that neither asked anything nor had a role, such as the user's own program: when they ran, stood, ended.
"""

import re
from collections.abc import Iterator

from chaos.history.records import Fault, History, Observation
from chaos.providers.signals import signal_name
from chaos.report.axis import Axis
from chaos.report.lanes import RoleSpan, natural

EXIT = "exit"
"""Observations of this kind say how a process ended."""
PAUSE = "pause"
_NAMES = re.compile(r"[a-z0-9][a-z0-9-]*(, [a-z0-9][a-z0-9-]*)*")
Change = tuple[int, str]
"""Since when a party is in which state."""


def silent_parties(history: History) -> list[str]:
    """Those that a fault names or whose process ended, and of which nothing else is known, in natural order."""
    spoke = {operation.client for operation in history.operations}
    spoke |= {observation.party for observation in history.observations if observation.kind != EXIT}
    named = {name for fault in history.faults for name in _named(fault)}
    ended = {observation.party for observation in history.observations if observation.kind == EXIT}
    return sorted((named | ended) - spoke, key=natural)


def lives_of(history: History, axis: Axis) -> dict[str, list[RoleSpan]]:
    """Per such party, its states."""
    return {
        party: list(_spans(sorted(_changes(history, party, axis)), axis.end_ns)) for party in silent_parties(history)
    }


def _changes(history: History, party: str, axis: Axis) -> Iterator[Change]:
    yield axis.begin_ns, "running"
    ends = [seen for seen in history.observations if seen.kind == EXIT and seen.party == party]
    for seen in ends:
        yield seen.at_ns, _how(seen)
    for fault in history.faults:
        if party not in _named(fault):
            continue
        until = axis.end_ns if fault.healed_ns is None else fault.healed_ns
        if fault.name == PAUSE:
            yield fault.begun_ns, "paused"
        if fault.healed_ns and (fault.name == PAUSE or any(fault.begun_ns <= seen.at_ns <= until for seen in ends)):
            yield until, "running"


def _spans(changes: list[Change], end_ns: int) -> Iterator[RoleSpan]:
    for (begin_ns, text), (until_ns, _) in zip(changes, [*changes[1:], (end_ns, "")], strict=True):
        if until_ns > begin_ns:
            yield RoleSpan(begin_ns=begin_ns, end_ns=until_ns, text=text, leads=False)


def _how(seen: Observation) -> str:
    code = seen.value.get("code") if isinstance(seen.value, dict) else None
    if not isinstance(code, int):
        return "ended"
    return f"ended by {signal_name(-code)}" if code < 0 else f"ended, code {code}"


def _named(fault: Fault) -> list[str]:
    return fault.target.split(", ") if _NAMES.fullmatch(fault.target) else []
