"""
What a search may cost. Spent is no verdict: it becomes ``unknown``, with the reason.
"""

import time

ROOM = 400_000
"""Configurations that may be alive in one step: about 100 MB."""
EVERY = 100
"""Configurations between two looks at the clock: where many are alive, each is compared with all of them."""


class SpentError(Exception):
    """The search ended before it could decide; the message says what ran out, and how far it had got."""

    def after(self, explained: int, of: int) -> "SpentError":
        """The same with how far the search had got."""
        return SpentError(f"{self}; an order exists for the first {explained:,} of {of:,} operations to return")


class Budget:
    """Seconds and configurations for one analysis; ``rung`` bounds the part being searched now, ``shrink`` asks for a witness."""

    __slots__ = ("_asked_s", "_began", "_look", "allowed_s", "rung", "shrink", "spent")

    def __init__(self, allowed_s: float, *, shrink: bool = True) -> None:
        self.shrink = shrink
        self.allowed_s = self._asked_s = allowed_s
        self.spent = 0
        self.rung: float = float("inf")
        self._began = time.monotonic()
        self._look = EVERY

    @property
    def spent_s(self) -> float:
        """Seconds since the analysis began."""
        return time.monotonic() - self._began

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return self.spent_s >= self.allowed_s

    def part(self, configurations: float) -> "Budget":
        """A budget of its own for a side question, within the time that is left."""
        side = Budget(max(0.0, self.allowed_s - self.spent_s))
        side._asked_s = self._asked_s
        side.climb(min(configurations, self.rung - self.spent))
        return side

    def climb(self, configurations: float) -> None:
        """Allow the next part this many configurations."""
        self.rung = self.spent + configurations

    def spend(self, configurations: int) -> None:
        """Count what was looked at; raise when the rung or the time is used up."""
        self.spent += configurations
        if self.spent > self.rung:
            raise SpentError("the configurations allowed for one key are used up")
        if self.spent >= self._look:
            self._look = self.spent + EVERY
            self.look()

    def look(self) -> None:
        """Look at the clock; raise when the time is used up."""
        if self.over:
            raise SpentError(f"the budget of {self._asked_s:g} s is used up")

    def room(self, alive: int) -> int:
        """Raise when too many configurations are alive, or the time is used up; say when to ask again."""
        self.look()
        if alive > ROOM:
            raise SpentError(f"more than {ROOM} configurations at once: the memory allowed is used up")
        return alive + EVERY
