"""
The sweep for registers and compare-and-set registers: just in time, over an antichain of configurations.

Sources: Lowe 2017, Testing for linearizability (just in time); checkers.md 3.5 and 3.6 (the antichain, eager observers,
hidden writes, levels of crashed operations), all of it compared with brute force by ``tests/truth/fuzz.py``.

Why it is sound. An observer that is legal now can be placed now: it changes nothing wherever it is legal. Steps between
two returns can wait until a return needs them. A write that is overwritten at once needs no branch. Of operations that
do the same, the first to return goes first. A crashed operation never has to be placed.
"""

from chaos.checkers.antichain import Configuration, Front, insert, thinned
from chaos.checkers.budget import EVERY, Budget, SpentError
from chaos.checkers.moves import CAS, FAILED, READ, WRITE, Move, Plan
from chaos.checkers.pending import Pending, first
from chaos.checkers.thinning import thinned_crashed

UNBOUNDED = -1
OBSERVERS = (READ, FAILED)


class Sweep:
    """
    A position in the events with all configurations that explain them so far.

    ``width`` bounds how many configurations with different crashed operations are kept (0: all), ``slack`` how many
    crashed operations more than needed are tried. Whatever that cuts off sets ``dropped``.
    """

    __slots__ = ("_budget", "_plan", "_time", "configurations", "dropped", "pending", "place", "slack", "width")

    def __init__(self, plan: Plan, budget: Budget) -> None:
        self._plan, self._budget = plan, budget
        self.pending = Pending()
        self.configurations: list[Configuration] = [(0, 0, 0, None)]
        self.place = 0
        self.width, self.slack = 0, UNBOUNDED
        self.dropped = False
        self._time = 0

    def advance(self, stop: int) -> bool:
        """Explain the events before ``stop``; False: the return at ``place`` cannot be explained."""
        pending, events, configurations = self.pending, self._plan.events, self.configurations
        for place in range(self.place, stop):
            time, move = events[place]
            if not time & 1:
                pending.enter(move)
                continue
            kind, value, _, bit, _, _ = move
            if len(configurations) == 1:
                state, sat, used, link = configurations[0]
                if sat & bit:
                    if kind in OBSERVERS or used & bit:
                        configurations = [(state, sat & ~bit, used & ~bit, link)]
                        pending.leave(move)
                        continue
                elif (kind == READ and state == value) or (kind == FAILED and state != value):
                    pending.leave(move)
                    continue
            self._time = time
            try:
                front = self._returned(configurations, move)
            except SpentError:
                self.place = place
                raise
            pending.leave(move)
            if not front:
                self.place, self.configurations = place, []
                return False
            configurations = thinned_crashed(front, self) if pending.crashed else thinned(front)
        self.place, self.configurations = stop, configurations
        return True

    def rewind(self, place: int, configurations: list[Configuration], dropped: bool) -> None:
        """Go back to where these configurations were taken, from a return that could not be explained."""
        for back in range(self.place, place - 1, -1):
            time, move = self._plan.events[back]
            if time & 1:
                self.pending.enter(move)
            else:
                self.pending.leave(move)
        self.place, self.configurations, self.dropped = place, configurations, dropped

    @property
    def spent(self) -> int:
        """Configurations looked at."""
        return self._budget.spent

    @property
    def plan(self) -> Plan:
        """What is swept."""
        return self._plan

    def _returned(self, configurations: list[Configuration], move: Move) -> Front:
        """The configurations after a return: those where it may return at once, and those reached by more operations."""
        kind, value, _, bit, _, _ = move
        clear = ~bit
        out: Front = {}
        queue: list[Configuration] = []
        for configuration in configurations:
            state, sat, used, link = configuration
            if sat & bit:
                out.setdefault(state, []).append((state, sat & clear, used & clear, link))
                if kind in OBSERVERS or used & bit:
                    continue
            elif (kind == READ and state == value) or (kind == FAILED and state != value):
                out.setdefault(state, []).append(configuration)
                continue
            queue.append(configuration)
        if queue:
            self._expand(queue, out, move)
        return out

    def _expand(self, queue: list[Configuration], out: Front, move: Move) -> None:
        """Level by level: one crashed operation more only while nothing else helps."""
        pending, level = self.pending, self.slack
        seen: Front = {}
        for configuration in queue:
            seen.setdefault(configuration[0], []).append(configuration)
        while queue:
            self._spread(queue, seen, out, move)
            if not pending.crashed:
                return
            if out:
                if not level:
                    self.dropped = True
                    return
                level -= 1
            queue = self._narrowed(self._crashes(queue, seen, out, move))

    def _spread(self, queue: list[Configuration], seen: Front, out: Front, move: Move) -> None:
        """All that operations which return can reach, fewest first; the queue grows while it is walked."""
        kind, value, new, bit, _, _ = move
        pending, time, look = self.pending, self._time, len(queue) + EVERY
        reads, failed, refused, swaps = pending.reads, pending.failed, pending.refused, pending.swaps
        completed, clear, legal = pending.completed, ~bit, pending.legal
        writes = [
            (target, waiting, legal(target), target in swaps)
            for target, waiting in pending.writes.items()
            if failed or target in reads or target in swaps
        ]
        for state, before, used, link in queue:
            sat = before | reads.get(state, 0)
            if failed:
                sat |= failed & ~refused.get(state, 0)
            if kind == WRITE:
                insert(out, (value, (sat | completed) & clear, used & clear, (link, bit, time)))
            elif kind == CAS and state == value:
                insert(out, (new, sat & clear, used & clear, (link, bit, time)))
            if state in swaps:
                for target, waiting in swaps[state].items():
                    own = first(waiting, used)
                    if own and own != bit:
                        self._reach((target, sat | own, used | own, (link, own, time)), queue, seen, out, move)
            for target, waiting, observers, expected in writes:
                if expected or observers & ~sat:
                    own = first(waiting, used)
                    if own and own != bit:
                        self._reach((target, sat | completed, used | own, (link, own, time)), queue, seen, out, move)
            if len(queue) > look:
                look = self._budget.room(len(queue))
        self._budget.spend(len(queue))

    def _reach(
        self, configuration: Configuration, queue: list[Configuration], seen: Front, out: Front, move: Move
    ) -> None:
        """A configuration that one operation more leads to: done, if the returning observer is legal there."""
        kind, value, _, bit, _, _ = move
        state, sat, used, link = configuration
        if (kind == READ and state == value) or (kind == FAILED and state != value):
            insert(out, (state, sat & ~bit, used, link))
        elif insert(seen, configuration):
            queue.append(configuration)

    def _crashes(self, queue: list[Configuration], seen: Front, out: Front, move: Move) -> list[Configuration]:
        """One crashed operation more, where it is good for something."""
        reached: list[Configuration] = []
        pending, bit, useful = self.pending, move[3], self.pending.useful()
        counted, time = self._plan.counted, self._time
        for state, before, used, link in queue:
            sat = before | pending.legal(state)
            leaving = pending.crashed_swaps.get(state)
            # A failed cas of this very state needs a way out of it and, for a way back in, the state itself.
            back = state if leaving and pending.refused.get(state, 0) & ~sat else None
            for target, mask in (leaving or {}).items():
                free = mask & ~used
                wanted = target in useful or pending.legal(target) & ~sat
                if free and wanted and not first(pending.swaps.get(state, {}).get(target, []), used):
                    own = free & -free
                    self._reach((target, sat, used | own & counted, (link, own, time)), reached, seen, out, move)
            after = sat | pending.completed
            for target, mask in pending.crashed_writes.items():
                free = mask & ~used
                wanted = target in useful or target == back or pending.legal(target) & ~sat
                if free and wanted and not first(pending.writes.get(target, []), used):
                    own = free & -free
                    self._reach((target, after, used | own & counted, (link, own, time)), reached, seen, out, move)
            for target, waiting in pending.writes.items():
                if (target in useful or target == back) and target not in pending.swaps:
                    own = 0 if pending.legal(target) & ~sat else first(waiting, used)
                    if own and own != bit:
                        self._reach((target, after, used | own, (link, own, time)), reached, seen, out, move)
        self._budget.spend(len(reached))
        return reached

    def _narrowed(self, queue: list[Configuration]) -> list[Configuration]:
        """The few that used the fewest crashed operations, for each state and live part."""
        if not self.width or len(queue) < 2:
            return queue
        queue.sort(key=self._cost)
        kept: list[Configuration] = []
        counts: dict[tuple[int, int, int], int] = {}
        for configuration in queue:
            state, sat, used, _ = configuration
            group = (state, sat, used & self._plan.live)
            counts[group] = counts.get(group, 0) + 1
            if counts[group] <= self.width:
                kept.append(configuration)
            else:
                self.dropped = True
        return kept

    def _cost(self, configuration: Configuration) -> int:
        _, sat, used, _ = configuration
        crashed, writes = used & self._plan.crashed, used & self._plan.crashed_writes
        return 4 * crashed.bit_count() + 2 * writes.bit_count() + used.bit_count() - sat.bit_count()
