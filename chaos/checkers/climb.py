"""
The sweep for histories in which many operations crashed: greedy first, and exact only around the places that need it.

The set of crashed operations already used explodes when all are tried. So few configurations are kept; where that ends in
a return nobody can explain, the sweep goes back a little and tries again with more, up to all of them. "Linearizable" is
right because every configuration kept can be reached; "not" because nothing was dropped, or because a relaxation that
allows more than the real thing (crashed operations that can be used again and again) fails too.
"""

from dataclasses import replace

from chaos.checkers.antichain import Configuration, Link
from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.moves import WRITE, Plan
from chaos.checkers.sweep import UNBOUNDED, Sweep

STEP = 8
"""Events between two snapshots, and beyond a death before the sweep is greedy again."""
ALL = 1 << 60
GREEDY = (1, 0)
LADDER: tuple[tuple[int, int, int], ...] = (
    (32, 2, 1),
    (128, 4, 2),
    (512, 8, 3),
    (4096, 32, 5),
    (ALL, 128, 8),
    (ALL, 0, UNBOUNDED),
)
"""Rungs: events to go back, width, slack."""
REFUTER_CONFIGURATIONS: tuple[int, ...] = (20_000, 40_000, 80_000)
REFUTER_BEYOND = 64
FEW = 0
"""Crashed operations that can be used once with which the exact sweep costs no more than a greedy one."""

Snapshot = tuple[int, list[Configuration], bool]


class Climb:
    """One search; ``run`` says which event cannot be explained, or None."""

    __slots__ = ("_attempt", "_budget", "_died", "_plan", "_refuted", "_snapshots", "sweep")

    def __init__(self, plan: Plan, budget: Budget) -> None:
        self._plan, self._budget = plan, budget
        self.sweep = Sweep(plan, budget)
        self._snapshots: list[Snapshot] = []
        self._died, self._attempt, self._refuted = -1, 0, 0

    def run(self) -> int | None:
        """The place of the event that no order explains, or None: there is one."""
        sweep, size = self.sweep, len(self._plan.events)
        if (self._plan.crashed & self._plan.counted).bit_count() <= FEW:
            return None if sweep.advance(size) else sweep.place
        sweep.width, sweep.slack = GREEDY
        while sweep.place < size:
            if sweep.place > self._died + STEP:
                sweep.width, sweep.slack = GREEDY
            if not sweep.pending.crashed:
                self._snapshots.clear()
            self._snapshots.append((sweep.place, sweep.configurations, sweep.dropped))
            if not sweep.advance(min(sweep.place + STEP, size)):
                proof = self._proof()
                if proof is not None:
                    return proof
        return None

    @property
    def explained(self) -> int:
        """How many returns the sweep has passed."""
        return sum(time & 1 for time, _ in self._plan.events[: self.sweep.place])

    @property
    def link(self) -> Link:
        """What a configuration at the end has placed, by index of the call."""
        wanted: list[tuple[int, int]] = []
        link = self.sweep.configurations[0][3]
        while link is not None:
            link, bit, time = link
            wanted.append((time, bit))
        owners: dict[int, int] = {}
        found: Link = None
        for time, move in self._plan.events:
            owners.setdefault(move[3], move[5])
            while wanted and wanted[-1][0] == time:
                found = (found, owners[wanted.pop()[1]], time)
            if time & 1:
                del owners[move[3]]
        return found

    def _proof(self) -> int | None:
        """After a death: the place that proves it. If there is none, the sweep is back at a snapshot, with more width."""
        sweep = self.sweep
        if not sweep.dropped:
            return sweep.place
        if sweep.place > self._died:
            self._died, self._attempt = sweep.place, 0
        else:
            self._attempt += 1
        if self._attempt >= 2 and self._refuted < len(REFUTER_CONFIGURATIONS):
            refuted = self._refute()
            if refuted is not None:
                return refuted
        window, width, slack = LADDER[min(self._attempt, len(LADDER) - 1)]
        snapshots = self._snapshots
        while len(snapshots) > 1 and snapshots[-1][0] > self._died - window:
            snapshots.pop()
        place, configurations, dropped = snapshots.pop()
        sweep.rewind(place, configurations, dropped)
        sweep.width, sweep.slack = width, slack
        return None

    def _refute(self) -> int | None:
        """Where a sweep that may use crashed operations again fails as well: all, then those in question less and less."""
        counted = self._counted(self._refuted)
        allowed = REFUTER_CONFIGURATIONS[self._refuted]
        self._refuted += 1
        relaxed = Sweep(replace(self._plan, counted=counted), self._budget.part(allowed))
        try:
            failed = not relaxed.advance(min(self._died + REFUTER_BEYOND, len(self._plan.events)))
        except SpentError:
            failed = False
        self._budget.spend(relaxed.spent)
        return relaxed.place if failed else None

    def _counted(self, refuter: int) -> int:
        """First none; then those that set the wanted value; then all crashed cas too."""
        if refuter == 0:
            return 0
        wanted, counted = self._plan.events[self._died][1][1], 0
        for _, (kind, value, new, bit, _, _) in self._plan.events:
            if bit & self._plan.crashed and (
                (value if kind == WRITE else new) == wanted or (refuter == 2 and kind != WRITE)
            ):
                counted |= bit
        return counted & self._plan.counted
