"""
What each consumer was shown of a log, where it read on by itself, and what the log holds in the end: for promises about polls.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from chaos.guarantees.evidence import (
    NEVER,
    clock_error_ns,
    end_ns,
    final_reads,
    harmed_ns,
    identity,
    integer,
    missed_faults,
    shown,
)
from chaos.guarantees.replica_logs import Snapshot, down, last_of_each, snapshots
from chaos.history import History, Operation, Outcome

Record = tuple[int, Hashable]
"""An offset and the value there."""

NULL: Final = identity(None)
"""No value: nobody can tell one such record from another."""


@dataclass(slots=True)
class Reading:
    """
    Polls of a consumer that never asked from elsewhere than where it had got to. Not frozen: filled while polls are walked once.

    :param start: the lowest offset that it asked from or was shown.
    :param shown: each record with the poll that showed it, in order.
    """

    start: int
    shown: list[tuple[Record, Operation]] = field(default_factory=list)


@dataclass(slots=True)
class Consumer:
    """
    One client's polls of one log. Not frozen: filled while they are walked once.

    """

    client: str
    log: str
    polls: list[Operation] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    _next: int | None = None
    _hidden: bool = False
    _unsure: int = 0

    def take(self, poll: Operation) -> None:
        """The next poll."""
        self.polls.append(poll)
        asked = _asked(poll)
        if asked is not None and asked != self._next:
            self.readings.append(Reading(asked))
            self._next = asked
        if poll.ok and isinstance(poll.result, list):
            for record in _records(poll.result):
                self._see(record, poll)
        elif poll.outcome is not Outcome.FAIL:
            self._hidden = True

    def _see(self, record: Record, poll: Operation) -> None:
        offset = record[0]
        if not self.readings:
            self.readings.append(Reading(offset))
        if self._hidden:
            self._unsure = max(self._unsure, offset)
        reading, self._hidden, self._next = self.readings[-1], False, offset + 1
        reading.start = min(reading.start, offset)
        reading.shown.append((record, poll))

    def unsure(self, offset: int) -> bool:
        """Whether a poll without a readable answer may have shown what is here: it went back, and the next read on behind it."""
        return self._hidden or offset < self._unsure

    def records(self) -> list[tuple[Record, Operation]]:
        """All that it was shown, in order."""
        return [one for reading in self.readings for one in reading.shown]


@dataclass(frozen=True, slots=True)
class FinalLog:
    """
    What is in a log in the end.

    :param values: by offset; ``NULL`` where there is nothing, or no value.
    :param differs: the lowest offset at which replicas have different values; what is there and behind is not known.
    """

    values: dict[int, Hashable]
    differs: int | None

    def has(self, record: Record) -> bool:
        """Whether this value is at this offset."""
        return self.values.get(record[0]) == record[1]


def consumers(history: History) -> list[Consumer]:
    """All that were shown anything."""
    found: dict[tuple[str, str], Consumer] = {}
    for poll in history.select("poll"):
        log = poll.notes.get("log")
        if isinstance(log, str):
            found.setdefault((poll.client, log), Consumer(poll.client, log)).take(poll)
    return [one for one in found.values() if one.records()]


def final_logs(history: History) -> dict[str, FinalLog]:
    """
    By name, from the last snapshots of replicas that answered when the final read began, or at the end.

    The log is that of the replica with the latest leader epoch, of those the longest; the others are behind, or differ.
    """
    reads = final_reads(history)
    gone = down(history, reads[-1].invoked_ns if reads else NEVER)
    there: dict[str, list[Snapshot]] = {}
    for one in last_of_each(snapshots(history)):
        if one.party not in gone:
            there.setdefault(one.log, []).append(one)
    return {log: _final(replicas) for log, replicas in there.items()}


def unproven(history: History, read: Iterable[Consumer]) -> str | None:
    """Why these consumers prove nothing about the faults: their polls met some fault not, or showed nothing since the last."""
    read = list(read)
    missing = missed_faults(history, (poll for one in read for poll in one.polls))
    if missing or not history.faults:
        return missing
    bit = max(map(harmed_ns, history.faults))
    for one in read:
        error = clock_error_ns(history, one.client)
        if any(end_ns(poll, poll.invoked_ns) - error >= bit for _, poll in one.records()):
            return None
    return "no consumer was shown a record after the last fault began"


def named(value: Hashable) -> str:
    """A record's value in a sentence."""
    return shown(value[0] if isinstance(value, tuple) else value)


def _final(replicas: list[Snapshot]) -> FinalLog:
    latest = max(replicas, key=lambda one: (one.epochs[-1][1] if one.epochs else -1, one.end))
    values = {latest.first + n: identity(value) for n, value in enumerate(latest.values)}
    others = (record for one in replicas for record in one.records())
    wrong = [offset for offset, value in others if values.get(offset, NULL) not in (NULL, value)]
    differs = min(wrong, default=None)
    known = {offset: value for offset, value in values.items() if differs is None or offset < differs}
    return FinalLog(known, differs)


def _asked(poll: Operation) -> int | None:
    """The offset that the consumer itself wanted to read from, if it said one."""
    pair = poll.value
    return integer(pair[1]) if isinstance(pair, list) and len(pair) == 2 else None


def _records(pairs: list[object]) -> Iterator[Record]:
    for pair in pairs:
        if isinstance(pair, list) and len(pair) == 2 and (offset := integer(pair[0])) is not None:
            yield offset, identity(pair[1])
