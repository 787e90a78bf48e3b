"""
The fewest operations that prove a violation.

Leaving an operation out is only a proof if the others stay impossible *whatever it did*. So an observer left out is gone,
and a mutator left out may happen at any time after its call, any number of times, or never. What cannot be left out in
this sense is the witness: it is a violation by itself, and no other operation of the history can excuse it.
"""

from collections.abc import Callable, Sequence

from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import NEVER, Call

CONFIGURATIONS = 5_000
"""What one try may cost; a try that costs more is taken as failed."""
LONGEST_S = 2.0

Fails = Callable[[Sequence[Call], frozenset[int], Budget], bool]
"""Whether no order explains these calls; those of these indices may happen any number of times."""

Observes = Callable[[Call], bool]


def shrunk(
    calls: Sequence[Call], until: int, observes: Observes, fails: Fails, budget: Budget, *, reusable: bool = False
) -> list[Call]:
    """
    The calls that cannot be left out, of those that were known at the time ``until``.

    :param reusable: ``fails`` lets left out mutators happen any number of times, so one of each sort stands for all.
    """
    shrinking = _Shrinking(_known(calls, until, observes), observes, fails, budget, reusable)
    size = len(shrinking.kept)
    while size and not shrinking.over:
        size = min(size, max(1, len(shrinking.kept) // 2))
        shrinking.sweep(size)
        size //= 2
    originals = {id(call.operation): call for call in calls}
    return [originals[id(call.operation)] for call in shrinking.kept]


def _known(calls: Sequence[Call], until: int, observes: Observes) -> list[Call]:
    found = []
    for call in calls:
        if call.begin < until:
            if call.end <= until:
                found.append(call)
            elif not observes(call):
                found.append(call._replace(end=NEVER))
    return found


class _Shrinking:
    """What is kept of some calls; ``soft`` holds the earliest call of each sort of mutator left out."""

    __slots__ = ("_allowed", "_budget", "_fails", "_observes", "_reusable", "_soft", "kept")

    def __init__(self, calls: list[Call], observes: Observes, fails: Fails, budget: Budget, reusable: bool) -> None:
        self.kept = calls
        self._observes, self._fails, self._budget = observes, fails, budget
        self._allowed = min(budget.allowed_s, budget.spent_s + LONGEST_S) if budget.shrink else 0.0
        self._reusable = reusable
        self._soft: dict[object, Call] = {}

    @property
    def over(self) -> bool:
        """Whether the time for making it smaller is used up."""
        return self._budget.spent_s >= self._allowed

    def sweep(self, size: int) -> None:
        """Try to leave out each run of this many calls, the oldest first."""
        place = 0
        while place < len(self.kept) and not self.over:
            left_out = self.kept[place : place + size]
            kept, soft = self.kept[:place] + self.kept[place + size :], self._softened(left_out)
            if kept and self._still_fails(kept, soft):
                self.kept, self._soft = kept, soft
            else:
                place += size

    def _softened(self, left_out: Sequence[Call]) -> dict[object, Call]:
        soft = dict(self._soft)
        for call in left_out:
            sort = (call.f, call.value, call.result) if self._reusable else id(call.operation)
            if not self._observes(call) and (sort not in soft or call.begin < soft[sort].begin):
                soft[sort] = call
        return soft

    def _still_fails(self, kept: list[Call], soft: dict[object, Call]) -> bool:
        tried = [(call, False) for call in kept] + [(call._replace(end=NEVER), True) for call in soft.values()]
        tried.sort(key=lambda each: each[0].begin)
        side = self._budget.part(CONFIGURATIONS)
        again = frozenset(place for place, (_, softened) in enumerate(tried) if softened)
        try:
            return self._fails([call for call, _ in tried], again, side)
        except SpentError:
            return False
