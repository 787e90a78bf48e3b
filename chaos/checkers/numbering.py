"""
States and operations as numbers, and the steps of a model remembered: each is asked for once.
"""

from collections.abc import Callable, Sequence
from typing import Any

from chaos.checkers.calls import NEVER, Call
from chaos.checkers.foreseeing import Outlook
from chaos.models import ILLEGAL, Argument, Kind, Model, State


class Numbered:
    """
    The calls of one part for one model. Calls with the same kind, value and result are of one class.

    ``following[class][state]`` is the number of the state after it, or -1 if it is not legal there; ``step`` fills it in.
    """

    __slots__ = ("_alike", "_model", "_numbers", "arguments", "classes", "following", "kinds", "outlook", "states")

    def __init__(self, calls: Sequence[Call], model: Model) -> None:
        self._model = model
        self.arguments: list[Argument] = []
        self.kinds: list[Kind] = []
        self.following: list[dict[int, int]] = []
        self.classes = self._classified(calls)
        self._alike: Callable[[State], State] | None = None
        self.outlook = self._foreseen(calls)
        start = model.init if self._alike is None else self._alike(model.init)
        self.states: list[Any] = [start]
        self._numbers: dict[Any, int] = {start: 0}

    def step(self, number: int, state: int) -> int:
        """The state after an operation of this class, or -1, for the first time."""
        after = self._model.step(self.states[state], *self.arguments[number])
        if after is ILLEGAL:
            reached = -1
        else:
            if self._alike is not None:
                after = self._alike(after)
            reached = self._numbers.setdefault(after, len(self.states))
            if reached == len(self.states):
                self.states.append(after)
        self.following[number][state] = reached
        return reached

    def legal(self, number: int, state: int) -> bool:
        """Whether an operation of this class can have its result in this state."""
        reached = self.following[number].get(state)
        return (self.step(number, state) if reached is None else reached) >= 0

    def events(self, calls: Sequence[Call]) -> list[tuple[int, int]]:
        """Calls at even times and returns at odd ones, in order; observers that never returned say nothing."""
        found = []
        for index, call in enumerate(calls):
            if call.end != NEVER:
                found.append((call.end, index))
            elif self.kinds[self.classes[index]] is Kind.OBSERVER:
                continue
            found.append((call.begin, index))
        found.sort()
        return found

    def _classified(self, calls: Sequence[Call]) -> list[int]:
        numbers: dict[Argument, int] = {}
        classes = []
        kind = self._model.kind
        for _, _, f, value, result, _ in calls:
            argument = (f, value, result)
            number = numbers.get(argument)
            if number is None:
                number = numbers[argument] = len(numbers)
                self.arguments.append(argument)
                self.kinds.append(kind(f, value, result))
                self.following.append({})
            classes.append(number)
        return classes

    def _foreseen(self, calls: Sequence[Call]) -> Outlook | None:
        foresight = self._model.foresight
        if foresight is None:
            return None
        outlook = Outlook(foresight, calls, self.classes, self.arguments)
        seen: dict[int, Argument] = {}
        for index, call in enumerate(calls):
            number = self.classes[index]
            observing = self.kinds[number] is Kind.OBSERVER
            if not observing or call.end != NEVER:
                outlook.enter(index, call.begin, observing=observing)
                if observing:
                    seen[number] = self.arguments[number]
        if foresight.alike is not None:
            self._alike = foresight.alike(list(seen.values()))
        return outlook
