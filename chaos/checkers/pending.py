"""
The operations that are open at one moment of a sweep, by what they could do.
"""

from chaos.checkers.calls import NEVER
from chaos.checkers.moves import CAS, FAILED, READ, WRITE, Move

Waiting = list[tuple[int, int]]
"""Open operations that do the same: (end, bit). The first to return is always placed first."""


def first(waiting: Waiting, used: int) -> int:
    """The bit of the first that can still be placed, or 0."""
    for _, bit in waiting:
        if not used & bit:
            return bit
    return 0


class Pending:
    """
    Tables of open operations. ``enter`` and ``leave`` undo each other, so a sweep can walk backwards too.

    Masks: ``reads`` by value, ``failed`` and ``refused`` (by the value a failed cas expected), ``completed`` writes that
    will return. ``writes`` and ``swaps`` hold those that return; ``crashed_*`` those that never do.
    """

    __slots__ = (
        "completed",
        "crashed",
        "crashed_swaps",
        "crashed_writes",
        "failed",
        "reads",
        "refused",
        "sources",
        "swaps",
        "writes",
    )

    def __init__(self) -> None:
        self.reads: dict[int, int] = {}
        self.failed = 0
        self.refused: dict[int, int] = {}
        self.writes: dict[int, Waiting] = {}
        self.swaps: dict[int, dict[int, Waiting]] = {}
        self.completed = 0
        self.crashed = 0
        self.crashed_writes: dict[int, int] = {}
        self.crashed_swaps: dict[int, dict[int, int]] = {}
        self.sources: dict[int, dict[int, int]] = {}
        """Crashed cas again, by the value they lead to."""

    def legal(self, state: int) -> int:
        """The open observers that could return in this state."""
        return self.reads.get(state, 0) | (self.failed & ~self.refused.get(state, 0))

    def enter(self, move: Move) -> None:
        """An operation is called (or, backwards, has not returned yet)."""
        kind, value, new, bit, end, _ = move
        if kind == READ:
            self.reads[value] = self.reads.get(value, 0) | bit
        elif kind == FAILED:
            self.failed |= bit
            self.refused[value] = self.refused.get(value, 0) | bit
        elif end == NEVER:
            self._enter_crashed(kind, value, new, bit)
        else:
            if kind == WRITE:
                self.completed |= bit
                waiting = self.writes.setdefault(value, [])
            else:
                waiting = self.swaps.setdefault(value, {}).setdefault(new, [])
            waiting.append((end, bit))
            if len(waiting) > 1:
                waiting.sort()

    def leave(self, move: Move) -> None:
        """An operation returns (or, backwards, is not called yet)."""
        kind, value, new, bit, end, _ = move
        if kind == READ:
            self.reads[value] &= ~bit
            if not self.reads[value]:
                del self.reads[value]
        elif kind == FAILED:
            self.failed &= ~bit
            self.refused[value] &= ~bit
        elif end == NEVER:
            self._leave_crashed(kind, value, new, bit)
        elif kind == WRITE:
            self.completed &= ~bit
            waiting = self.writes[value]
            waiting.remove((end, bit))
            if not waiting:
                del self.writes[value]
        else:
            targets = self.swaps[value]
            targets[new].remove((end, bit))
            if not targets[new]:
                del targets[new]
                if not targets:
                    del self.swaps[value]

    def _enter_crashed(self, kind: int, value: int, new: int, bit: int) -> None:
        self.crashed |= bit
        if kind == WRITE:
            self.crashed_writes[value] = self.crashed_writes.get(value, 0) | bit
            return
        targets, sources = self.crashed_swaps.setdefault(value, {}), self.sources.setdefault(new, {})
        targets[new] = targets.get(new, 0) | bit
        sources[value] = sources.get(value, 0) | bit

    def _leave_crashed(self, kind: int, value: int, new: int, bit: int) -> None:
        self.crashed &= ~bit
        if kind == CAS:
            _drop(self.crashed_swaps[value], new, bit)
            if not self.crashed_swaps[value]:
                del self.crashed_swaps[value]
            _drop(self.sources[new], value, bit)
        else:
            _drop(self.crashed_writes, value, bit)

    def useful(self) -> set[int]:
        """Values that a crashed operation may be needed for: read, expected, or on the way there by crashed cas."""
        found = set(self.swaps)
        found.update(self.reads)
        reached, ways = set(self.swaps), list(found)
        while ways:
            for source in self.sources.get(ways.pop(), ()):
                if source not in reached:
                    reached.add(source)
                    ways.append(source)
        return reached


def _drop(masks: dict[int, int], key: int, bit: int) -> None:
    masks[key] &= ~bit
    if not masks[key]:
        del masks[key]
