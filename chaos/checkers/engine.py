"""
The search for any model: a just-in-time sweep over an antichain of configurations.

Operations are placed only when a return needs them (Lowe, Testing for linearizability, 2017); configurations that another
can stand in for are dropped. States and pairs of argument and result are numbered and transitions remembered, so the
model's step runs once per distinct pair. A model with foresight also drops states that no coming observer could explain.
"""

from collections.abc import Sequence
from typing import Any

from chaos.checkers.antichain import Configuration, Front, insert, thinned
from chaos.checkers.budget import ROOM, Budget, SpentError
from chaos.checkers.calls import NEVER, Call
from chaos.checkers.foreseeing import Outlook, Waiting, Watched
from chaos.models import ILLEGAL, Argument, Kind, Model

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
        self._calls, self._model, self._budget = calls, model, budget
        self._arguments: list[Argument] = []
        self._kinds: list[Kind] = []
        self._next: list[dict[int, int]] = []
        self._classes = self._classify()
        self._outlook = self._foresee()
        start = model.init if self._alike is None else self._alike(model.init)
        self._states: list[Any] = [start]
        self._numbers: dict[Any, int] = {start: 0}
        self._observers: list[tuple[int, int, int]] = []
        self._mutators: dict[int, Waiting] = {}
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
        bits = [0] * len(self._calls)
        free: list[int] = []
        width = 0
        for time, index in self._events():
            if time & 1:
                self._now = time
                bit = bits[index]
                front = self._settle(index, bit)
                self._close(index, bit)
                free.append(bit)
                if not front:
                    return index
                self._configurations = thinned(front)
                continue
            if free:
                bit = free.pop()
            else:
                bit = 1 << width
                width += 1
            bits[index] = bit
            self._open(index, bit)
        return None

    def _events(self) -> list[tuple[int, int]]:
        """Calls at even times and returns at odd ones, in order."""
        found = []
        for index, call in enumerate(self._calls):
            if call.end != NEVER:
                found.append((call.end, index))
            elif self._kinds[self._classes[index]] is Kind.OBSERVER:
                continue
            found.append((call.begin, index))
        found.sort()
        return found

    def _classify(self) -> list[int]:
        numbers: dict[Argument, int] = {}
        classes = []
        kind = self._model.kind
        for _, _, f, value, result, _ in self._calls:
            argument = (f, value, result)
            number = numbers.get(argument)
            if number is None:
                number = numbers[argument] = len(numbers)
                self._arguments.append(argument)
                self._kinds.append(kind(f, value, result))
                self._next.append({})
            classes.append(number)
        return classes

    def _foresee(self) -> Outlook | None:
        self._alike = None
        foresight = self._model.foresight
        if foresight is None:
            return None
        outlook = Outlook(foresight, self._calls, self._classes, self._arguments)
        seen: dict[int, Argument] = {}
        for index, call in enumerate(self._calls):
            number = self._classes[index]
            observing = self._kinds[number] is Kind.OBSERVER
            if not observing or call.end != NEVER:
                outlook.enter(index, call.begin, observing=observing)
                if observing:
                    seen[number] = self._arguments[number]
        if foresight.alike is not None:
            self._alike = foresight.alike(list(seen.values()))
        return outlook

    def _step(self, number: int, state: int) -> int:
        """The state after an operation of this class, or -1; asked once, then remembered in ``_next``."""
        after = self._model.step(self._states[state], *self._arguments[number])
        if after is ILLEGAL:
            reached = -1
        else:
            if self._alike is not None:
                after = self._alike(after)
            reached = self._numbers.setdefault(after, len(self._states))
            if reached == len(self._states):
                self._states.append(after)
        self._next[number][state] = reached
        return reached

    def _legal(self, number: int, state: int) -> bool:
        reached = self._next[number].get(state)
        return (self._step(number, state) if reached is None else reached) >= 0

    def _open(self, index: int, bit: int) -> None:
        number, end = self._classes[index], self._calls[index].end
        kind = self._kinds[number]
        if kind is Kind.OBSERVER:
            self._observers.append((number, bit, end))
            return
        waiting = self._mutators.get(number)
        if waiting is None:
            self._mutators[number] = [(end, bit, index)]
        else:
            waiting.append((end, bit, index))
            waiting.sort()
        if end != NEVER and kind is not Kind.GENERAL:
            self._total |= bit

    def _close(self, index: int, bit: int) -> None:
        number, end = self._classes[index], self._calls[index].end
        if self._kinds[number] is Kind.OBSERVER:
            self._observers.remove((number, bit, end))
            return
        waiting = self._mutators[number]
        waiting.remove((end, bit, index))
        if not waiting:
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
            if sat & bit or (observing and self._legal(number, state)):
                insert(out, (state, sat & ~bit, used & ~bit, link))
                if observing:
                    continue
            if not used & bit:
                queue.append(configuration)
        if queue:
            self._expand(queue, out, bit, number)
        return out

    def _expand(self, queue: list[Configuration], out: Front, bit: int, number: int) -> None:
        """
        All that more operations lead to; thrifty: one that never returns only while nothing else helps.
        """
        seen: Front = {}
        for configuration in queue:
            seen.setdefault(configuration[0], []).append(configuration)
        moves = self._moves(number)
        if not self._thrifty or all(waiting[-1][0] != NEVER for _, waiting, *_ in moves):
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
        numbers, outlook = list(self._mutators), self._outlook
        if outlook is not None:
            numbers = outlook.together(outlook.about[number], numbers)
        return [
            (each, self._mutators[each], self._next[each], self._kinds[each] is Kind.OVERWRITER, self._watched(each))
            for each in numbers
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
        for state, before, used, link in queue:
            sat = self._absorb(state, before)
            if sat & bit and not before & bit:
                insert(out, (state, sat & clear, used, link))
                continue
            for number, waiting, following, overwrites, watched in moves:
                for chosen in waiting:
                    if not used & chosen[1]:
                        break
                else:
                    continue
                end, own, index = chosen
                if crashed is not None and (end == NEVER) is not crashed:
                    continue
                after = following.get(state)
                if after is None:
                    after = self._step(number, state)
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
            if len(reached) > ROOM:
                raise SpentError(f"more than {ROOM} configurations at once: the memory allowed is used up")
        return reached

    def _absorb(self, state: int, sat: int) -> int:
        """Observers that are legal here are placed here: it costs nothing."""
        for number, bit, _ in self._observers:
            if not sat & bit:
                reached = self._next[number].get(state)
                if (self._step(number, state) if reached is None else reached) >= 0:
                    sat |= bit
        return sat

    def _watched(self, number: int) -> list[Watched]:
        outlook = self._outlook
        if outlook is None:
            return []
        return outlook.watched(outlook.about[number], self._now, self._observers, self._mutators)

    def _hopeless(self, watched: list[Watched], state: int, sat: int, used: int) -> bool:
        """Whether an observer that has not been placed cannot be reached from here, nor be rescued."""
        outlook = self._outlook
        assert outlook is not None
        return any(
            not sat & own and not rescuers & ~used and not outlook.leads(self._states[state], state, observer)
            for observer, own, rescuers in watched
        )
