"""
What a search concludes from observers that are still to come: a state that cannot lead to one of them is given up at once.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from chaos.checkers.calls import Call
from chaos.models import Argument, Foresight, State

FARTHEST = 256
"""Operations to look ahead for one that rescues; if there are more, it is taken that one does."""

Waiting = list[tuple[int, int, int]]
"""Open operations of one class: (end, index, bit), the first to return first, in the order in which events are met."""

Watched = tuple[int, int, int]
"""Class of an observer, its bit if it is open (else 0), and the bits of open mutators that may rescue it."""


class Outlook:
    """
    The observers of one history, by the part of the state they look at, and who rescues them.

    Only those that are open and the next to be called are watched: the later ones matter when it is their turn.
    """

    __slots__ = (
        "_arguments",
        "_classes",
        "_ends",
        "_foresight",
        "_leads",
        "_mutators",
        "_observers",
        "_rescues",
        "about",
    )

    def __init__(
        self, foresight: Foresight, calls: Sequence[Call], classes: Sequence[int], arguments: Sequence[Argument]
    ) -> None:
        self._foresight, self._classes, self._arguments = foresight, classes, arguments
        self.about = [foresight.about(argument) for argument in arguments]
        self._ends = [call.end for call in calls]
        self._observers: dict[Hashable, tuple[list[int], list[int]]] = {}
        self._mutators: dict[Hashable, tuple[list[int], list[int]]] = {}
        self._leads: dict[tuple[int, int], bool] = {}
        self._rescues: dict[tuple[int, int], bool] = {}

    def enter(self, index: int, begin: int, *, observing: bool) -> None:
        """Say of each operation, in order of call, what it is."""
        coming = self._observers if observing else self._mutators
        begins, indexes = coming.setdefault(self.about[self._classes[index]], ([], []))
        begins.append(begin)
        indexes.append(index)

    def together(self, about: Hashable, mutators: Iterable[int]) -> list[int]:
        """
        The mutators whose order among operations about this part matters. All others can wait for a return about their own.
        """
        everywhere = list(mutators)
        if about is None or any(self.about[mutator] is None for mutator in everywhere):
            return everywhere
        return [mutator for mutator in everywhere if self.about[mutator] == about]

    def watched(
        self, about: Hashable, now: int, observers: Sequence[tuple[int, int, int]], mutators: Mapping[int, Waiting]
    ) -> list[Watched]:
        """The observers of this part of the state that nobody who is called later can rescue."""
        found = []
        for number, bit, end in self._near(about, now, observers):
            if not self._rescued_later(about, number, now, end):
                rescuers = 0
                for mutator, waiting in mutators.items():
                    if self.about[mutator] == about and self._rescued(mutator, number):
                        rescuers |= sum(own for _, _, own in waiting)
                found.append((number, bit, rescuers))
        return found

    def leads(self, state: State, state_number: int, observer: int) -> bool:
        """Whether this class of observers could become legal from here, if nobody rescues it."""
        key = (state_number, observer)
        known = self._leads.get(key)
        if known is None:
            known = self._leads[key] = self._foresight.leads(state, self._arguments[observer])
        return known

    def _near(
        self, about: Hashable, now: int, observers: Sequence[tuple[int, int, int]]
    ) -> Iterator[tuple[int, int, int]]:
        for observer in observers:
            if self.about[observer[0]] == about:
                yield observer
        begins, indexes = self._observers.get(about, ([], []))
        place = bisect_right(begins, now)
        if place < len(begins):
            index = indexes[place]
            yield self._classes[index], 0, self._ends[index]

    def _rescued_later(self, about: Hashable, observer: int, now: int, end: int) -> bool:
        begins, indexes = self._mutators[about]
        first, last = bisect_right(begins, now), bisect_right(begins, end)
        if last - first > FARTHEST:
            return True
        return any(self._rescued(self._classes[indexes[place]], observer) for place in range(first, last))

    def _rescued(self, mutator: int, observer: int) -> bool:
        key = (mutator, observer)
        known = self._rescues.get(key)
        if known is None:
            known = self._rescues[key] = self._foresight.rescues(self._arguments[mutator], self._arguments[observer])
        return known
