"""
The search for any model: a just-in-time sweep over an antichain of configurations.

Operations are placed only when a return needs them (Lowe, Testing for linearizability, 2017); configurations that another
can stand in for are dropped. States and pairs of argument and result are numbered and transitions remembered, so the
model's step runs once per distinct pair.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from chaos.checkers.antichain import Configuration, Front, insert, thinned
from chaos.checkers.budget import ROOM, Budget, SpentError
from chaos.checkers.calls import NEVER, Call
from chaos.models import ILLEGAL, Kind, Model

Waiting = list[tuple[int, int]]
"""Open operations of one class: (end, bit), the first to return first."""


class Search:
    """
    One pass over the calls of one part.

    A thrifty pass does not try all that operations which never return could do. What it explains is explained; if it
    ``dropped`` something, what it cannot explain is not refuted.
    """

    def __init__(self, calls: Sequence[Call], model: Model, budget: Budget, *, thrifty: bool = False) -> None:
        self._thrifty, self.dropped = thrifty, False
        self._calls, self._model, self._budget = calls, model, budget
        self._states: list[Any] = [model.init]
        self._numbers: dict[Any, int] = {model.init: 0}
        self._arguments: list[tuple[str, Any, Any]] = []
        self._kinds: list[Kind] = []
        self._next: list[dict[int, int]] = []
        self._classes = self._classify()
        self._observers: list[tuple[int, int]] = []
        self._mutators: dict[int, Waiting] = {}
        self._owners: dict[int, int] = {}
        self._total = 0
        self._now = 0
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
        bits: dict[int, int] = {}
        free: list[int] = []
        width = 0
        for time, index in self._events():
            if time == self._calls[index].begin:
                if free:
                    bits[index] = free.pop()
                else:
                    bits[index] = 1 << width
                    width += 1
                self._open(index, bits[index])
                continue
            self._now = time
            front = self._settle(index, bits[index])
            self._close(index, bits[index])
            free.append(bits.pop(index))
            if not front:
                return index
            self._configurations = thinned(front)
        return None

    def _events(self) -> Iterator[tuple[int, int]]:
        found = []
        for index, call in enumerate(self._calls):
            if call.end != NEVER:
                found.append((call.end, index))
            elif self._kinds[self._classes[index]] is Kind.OBSERVER:
                continue
            found.append((call.begin, index))
        return iter(sorted(found))

    def _classify(self) -> list[int]:
        numbers: dict[tuple[str, Any, Any], int] = {}
        classes = []
        for call in self._calls:
            argument = (call.f, call.value, call.result)
            number = numbers.setdefault(argument, len(numbers))
            if number == len(self._arguments):
                self._arguments.append(argument)
                self._kinds.append(self._model.kind(*argument))
                self._next.append({})
            classes.append(number)
        return classes

    def _step(self, number: int, state: int) -> int:
        """The state after an operation of this class, or -1."""
        known = self._next[number].get(state)
        if known is not None:
            return known
        after = self._model.step(self._states[state], *self._arguments[number])
        if after is ILLEGAL:
            reached = -1
        else:
            reached = self._numbers.setdefault(after, len(self._states))
            if reached == len(self._states):
                self._states.append(after)
        self._next[number][state] = reached
        return reached

    def _open(self, index: int, bit: int) -> None:
        number, end = self._classes[index], self._calls[index].end
        kind = self._kinds[number]
        if kind is Kind.OBSERVER:
            self._observers.append((number, bit))
            return
        self._owners[bit] = index
        waiting = self._mutators.setdefault(number, [])
        waiting.append((end, bit))
        waiting.sort()
        if end != NEVER and kind is not Kind.GENERAL:
            self._total |= bit

    def _close(self, index: int, bit: int) -> None:
        number = self._classes[index]
        if self._kinds[number] is Kind.OBSERVER:
            self._observers.remove((number, bit))
            return
        self._mutators[number].remove((self._calls[index].end, bit))
        if not self._mutators[number]:
            del self._mutators[number]
        self._total &= ~bit

    def _settle(self, index: int, bit: int) -> Front:
        """The configurations after this return: kept where it may return at once, reached by more operations elsewhere."""
        number = self._classes[index]
        observing = self._kinds[number] is Kind.OBSERVER
        out: Front = {}
        queue: list[Configuration] = []
        for configuration in self._configurations:
            state, sat, used, link = configuration
            if sat & bit or (observing and self._step(number, state) >= 0):
                insert(out, (state, sat & ~bit, used & ~bit, link))
                if observing:
                    continue
            if not used & bit:
                queue.append(configuration)
        if queue:
            self._expand(queue, out, bit, observing)
        return out

    def _expand(self, queue: list[Configuration], out: Front, bit: int, observing: bool) -> None:
        """
        All that more operations lead to; thrifty: one that never returns only while nothing else helps.
        """
        seen: Front = {}
        for configuration in queue:
            seen.setdefault(configuration[0], []).append(configuration)
        if not self._thrifty:
            self._spread(queue, seen, out, bit, observing, None)
            return
        while queue:
            self._spread(queue, seen, out, bit, observing, False)
            crashed = any(waiting[-1][0] == NEVER for waiting in self._mutators.values())
            if out or not crashed:
                self.dropped = self.dropped or crashed
                return
            queue = self._spread(queue, seen, out, bit, observing, True)

    def _spread(
        self, queue: list[Configuration], seen: Front, out: Front, bit: int, observing: bool, crashed: bool | None
    ) -> list[Configuration]:
        """
        Place one operation more on each configuration of the queue, which grows by what is reached.

        ``crashed``: only operations that never return, and what is reached is a queue of its own; False: only the others.
        """
        reached = [] if crashed else queue
        for state, before, used, link in queue:
            sat = self._absorb(state, before)
            if observing and sat & bit:
                insert(out, (state, sat & ~bit, used, link))
                continue
            for number, waiting in self._mutators.items():
                chosen = next(((end, own) for end, own in waiting if not used & own), None)
                if chosen is None or (crashed is not None and (chosen[0] == NEVER) is not crashed):
                    continue
                after = self._step(number, state)
                if after < 0:
                    continue
                end, own = chosen
                placed = sat | self._total if self._kinds[number] is Kind.OVERWRITER else sat
                placed = placed if end == NEVER else placed | own
                configuration = (after, placed, used | own, (link, self._owners[own], self._now))
                if own == bit:
                    insert(out, (after, placed & ~bit, used & ~bit, configuration[3]))
                elif insert(seen, configuration):
                    reached.append(configuration)
            self._budget.spend(1)
            if len(reached) > ROOM:
                raise SpentError(f"more than {ROOM} configurations at once: the memory allowed is used up")
        return reached

    def _absorb(self, state: int, sat: int) -> int:
        """Observers that are legal here are placed here: it costs nothing."""
        for number, bit in self._observers:
            if not sat & bit and self._step(number, state) >= 0:
                sat |= bit
        return sat
