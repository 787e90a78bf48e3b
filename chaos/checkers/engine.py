"""
The search for any model: a just-in-time sweep over an antichain of configurations.

Operations are placed only when a return needs them (Lowe, Testing for linearizability, 2017); configurations that another
can stand in for are dropped. States and pairs of argument and result are numbered and transitions remembered, so the
model's step runs once per distinct pair. A model with foresight also drops states that no coming observer could explain.
"""

from bisect import insort
from collections.abc import Sequence

from chaos.checkers.antichain import Configuration, Front, insert, thinned
from chaos.checkers.budget import EVERY, Budget, SpentError
from chaos.checkers.calls import NEVER, Call
from chaos.checkers.foreseeing import Outlook, Waiting, Watched
from chaos.checkers.numbering import Numbered
from chaos.models import Kind, Model

Move = tuple[int, Waiting, dict[int, int], bool, list[Watched]]
"""A class of mutators: number, the open ones, known transitions, whether it overwrites, and whom it could make impossible."""


class Search:
    """
    One pass over the calls of one part.

    A thrifty pass does not try all that operations which never return could do. What it explains is explained; if it
    ``dropped`` something, what it cannot explain is not refuted.
    """

    def __init__(self, calls: Sequence[Call], model: Model, budget: Budget, *, thrifty: bool = False) -> None:
        self._thrifty, self.dropped = thrifty, False
        self._calls, self._budget = calls, budget
        self._numbered = Numbered(calls, model)
        self._kinds, self._classes = self._numbered.kinds, self._numbered.classes
        self._observers: list[tuple[int, int, int]] = []
        self._mutators: dict[int, Waiting] = {}
        self._total = self._now = 0
        self._configurations: list[Configuration] = [(0, 0, 0, None)]

    @classmethod
    def decide(cls, calls: Sequence[Call], model: Model, budget: Budget) -> tuple["Search", int | None]:
        """Thrifty first, then all there is: the search that decided, and the call that no order explains, or None."""
        thrifty = cls(calls, model, budget, thrifty=True)
        death = thrifty.run()
        if death is None or not thrifty.dropped:
            return thrifty, death
        whole = cls(calls, model, budget)
        return whole, whole.run()

    @property
    def configuration(self) -> Configuration:
        """One that reached the end."""
        return self._configurations[0]

    def run(self) -> int | None:
        """The call whose return no order explains, or None: there is one."""
        try:
            return self._swept()
        except SpentError as spent:
            explained = sum(call.end < self._now for call in self._calls)
            raise spent.after(explained, sum(call.end != NEVER for call in self._calls)) from None

    def _swept(self) -> int | None:
        bits = [0] * len(self._calls)
        free: list[int] = []
        width = 0
        for time, index in self._numbered.events(self._calls):
            if time & 1:
                self._now = time
                bit = bits[index]
                free.append(bit)
                if not self._unmoved(index, bit):
                    front = self._settle(index, bit)
                    if not front:
                        return index
                    self._configurations = thinned(front)
                self._close(index, bit)
                continue
            if free:
                bit = free.pop()
            else:
                bit = 1 << width
                width += 1
            bits[index] = bit
            self._open(index, bit)
        return None

    def _open(self, index: int, bit: int) -> None:
        number, end = self._classes[index], self._calls[index].end
        kind = self._kinds[number]
        if kind is Kind.OBSERVER:
            self._observers.append((number, bit, end))
            return
        waiting = self._mutators.get(number)
        if waiting is None:
            self._mutators[number] = [(end, index, bit)]
        else:
            insort(waiting, (end, index, bit))
        if end != NEVER and kind is not Kind.GENERAL:
            self._total |= bit

    def _close(self, index: int, bit: int) -> None:
        number, end = self._classes[index], self._calls[index].end
        if self._kinds[number] is Kind.OBSERVER:
            self._observers.remove((number, bit, end))
            return
        waiting = self._mutators[number]
        waiting.remove((end, index, bit))
        if not waiting:
            del self._mutators[number]
        self._total &= ~bit

    def _unmoved(self, index: int, bit: int) -> bool:
        """Whether there is one configuration only, and this operation may return in it as it is."""
        if len(self._configurations) > 1:
            return False
        state, sat, used, link = self._configurations[0]
        number = self._classes[index]
        observing = self._kinds[number] is Kind.OBSERVER
        if sat & bit and (observing or used & bit):
            self._configurations = [(state, sat & ~bit, used & ~bit, link)]
            return True
        return observing and self._numbered.legal(number, state)

    def _settle(self, index: int, bit: int) -> Front:
        """The configurations after this return: kept where it may return at once, reached by more operations elsewhere."""
        number = self._classes[index]
        observing = self._kinds[number] is Kind.OBSERVER
        out: Front = {}
        queue: list[Configuration] = []
        for configuration in self._configurations:
            state, sat, used, link = configuration
            if sat & bit or (observing and self._numbered.legal(number, state)):
                insert(out, (state, sat & ~bit, used & ~bit, link))
                if observing:
                    continue
            if not used & bit:
                queue.append(configuration)
        if queue:
            if len(self._mutators) == 1 and not observing:
                self._place(queue, out, index, bit)
            else:
                self._expand(queue, out, bit, number)
        return out

    def _place(self, queue: list[Configuration], out: Front, index: int, bit: int) -> None:
        """What this mutator leads to where all that are open do the same: none of them helps another."""
        following, number = self._numbered.following, self._classes[index]
        steps, overwrites, clear = following[number], self._kinds[number] is Kind.OVERWRITER, ~bit
        for state, before, used, link in queue:
            sat = self._absorb(state, before) if self._observers else before
            after = steps.get(state)
            if after is None:
                after = self._numbered.step(number, state)
            if after >= 0:
                placed = sat | self._total if overwrites else sat
                insert(out, (after, placed & clear, used & clear, (link, index, self._now)))
        self._budget.spend(len(queue))

    def _expand(self, queue: list[Configuration], out: Front, bit: int, number: int) -> None:
        """
        All that more operations lead to; thrifty: one that never returns only while nothing else helps.
        """
        seen: Front = {}
        for configuration in queue:
            seen.setdefault(configuration[0], []).append(configuration)
        moves = self._moves(number)
        if not (self._thrifty and any(move[1][-1][0] == NEVER for move in moves)):
            self._spread(queue, seen, out, bit, moves, None)
            return
        while queue:
            self._spread(queue, seen, out, bit, moves, False)
            if out:
                self.dropped = True
                return
            queue = self._spread(queue, seen, out, bit, moves, True)

    def _moves(self, number: int) -> list[Move]:
        """What could be placed before an operation of this class."""
        outlook, following, kinds = self._numbered.outlook, self._numbered.following, self._kinds
        if outlook is None:
            return [
                (each, waiting, following[each], kinds[each] is Kind.OVERWRITER, [])
                for each, waiting in self._mutators.items()
            ]
        return [
            (each, self._mutators[each], following[each], kinds[each] is Kind.OVERWRITER, self._watched(each, outlook))
            for each in outlook.together(outlook.about[number], self._mutators)
        ]

    def _spread(
        self,
        queue: list[Configuration],
        seen: Front,
        out: Front,
        bit: int,
        moves: Sequence[Move],
        crashed: bool | None,
    ) -> list[Configuration]:
        """
        Place one operation more on each configuration of the queue, which grows by what is reached.

        ``crashed``: only operations that never return, and what is reached is a queue of its own; False: only the others.
        """
        reached, now, total, clear = [] if crashed else queue, self._now, self._total, ~bit
        look = len(queue) + EVERY
        for state, before, used, link in queue:
            sat = self._absorb(state, before) if self._observers else before
            if sat & bit and not before & bit:
                insert(out, (state, sat & clear, used, link))
                continue
            for number, waiting, following, overwrites, watched in moves:
                for chosen in waiting:
                    if not used & chosen[2]:
                        break
                else:
                    continue
                end, index, own = chosen
                if crashed is not None and (end == NEVER) is not crashed:
                    continue
                after = following.get(state)
                if after is None:
                    after = self._numbered.step(number, state)
                if after < 0 or (watched and self._hopeless(watched, after, sat, used | own)):
                    continue
                placed = sat | total if overwrites else sat
                if own == bit:
                    insert(out, (after, placed & clear, used & clear, (link, index, now)))
                    continue
                configuration = (after, placed if end == NEVER else placed | own, used | own, (link, index, now))
                if insert(seen, configuration):
                    reached.append(configuration)
            self._budget.spend(1)
            if len(reached) > look:
                look = self._budget.room(len(reached))
        return reached

    def _absorb(self, state: int, sat: int) -> int:
        """Observers that are legal here are placed here: it costs nothing."""
        following = self._numbered.following
        for number, bit, _ in self._observers:
            if not sat & bit:
                reached = following[number].get(state)
                if (self._numbered.step(number, state) if reached is None else reached) >= 0:
                    sat |= bit
        return sat

    def _watched(self, number: int, outlook: Outlook) -> list[Watched]:
        return outlook.watched(outlook.about[number], self._now, self._observers, self._mutators)

    def _hopeless(self, watched: list[Watched], state: int, sat: int, used: int) -> bool:
        """Whether an observer that has not been placed cannot be reached from here, nor be rescued."""
        outlook = self._numbered.outlook
        assert outlook is not None
        return any(
            not sat & own and not rescuers & ~used and not outlook.leads(self._numbered.states[state], state, observer)
            for observer, own, rescuers in watched
        )
