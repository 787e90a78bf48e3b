"""
What each consumer was shown of a log, and what the log holds in the end: for the promises about polls.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from chaos.guarantees.evidence import identity, integer
from chaos.guarantees.replica_logs import last_of_each, snapshots
from chaos.history import History, Operation

Record = tuple[int, Hashable]
"""An offset and the value there."""


@dataclass(slots=True)
class Shown:
    """What one consumer was shown of one log. Not frozen: filled while its polls are walked once."""

    polls: dict[Record, list[Operation]] = field(default_factory=lambda: defaultdict(list))
    position: int = 0
    """Where it would have read on after its last poll that showed something."""

    @property
    def first(self) -> int:
        """The lowest offset that it was shown."""
        return min(offset for offset, _ in self.polls)


def consumers(history: History) -> dict[tuple[str, str], Shown]:
    """By client and log, for each that was shown anything."""
    found: dict[tuple[str, str], Shown] = defaultdict(Shown)
    for poll in history.select("poll"):
        log = poll.notes.get("log")
        if not poll.ok or not isinstance(log, str):
            continue
        for offset, value in _records(poll):
            shown = found[poll.client, log]
            shown.polls[offset, value].append(poll)
            shown.position = offset + 1
    return dict(found)


def final_logs(history: History) -> dict[str, list[Record]]:
    """Per log what is in it in the end, by the longest of its replicas' last snapshots."""
    longest = sorted(last_of_each(snapshots(history)), key=lambda one: one.end)
    return {one.log: list(one.records()) for one in longest}


def _records(poll: Operation) -> Iterator[Record]:
    for pair in poll.result if isinstance(poll.result, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and (offset := integer(pair[0])) is not None:
            yield offset, identity(pair[1])
