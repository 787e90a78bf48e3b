"""
Items by kind and time, so that a poll costs a few bisections and not a walk over the whole run.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

Pattern = tuple[str | None, ...]
"""One entry for each part of a key; None matches everything."""


class TimeIndex(Generic[T]):
    """Items under a key of words, each bucket in order of time."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, ...], tuple[list[int], list[T]]] = {}

    def add(self, key: tuple[str, ...], at_ns: int, item: T) -> None:
        """File an item; nearly always it is the newest of its bucket."""
        stamps, items = self._buckets.setdefault(key, ([], []))
        place = len(stamps) if not stamps or at_ns >= stamps[-1] else bisect_right(stamps, at_ns)
        stamps.insert(place, at_ns)
        items.insert(place, item)

    def count(self, pattern: Pattern, since_ns: int, where: Callable[[T], bool] | None = None) -> int:
        """How many items match; only ``where`` makes this look at items."""
        if where is not None:
            return sum(1 for item in self.items(pattern, since_ns) if where(item))
        return sum(len(stamps) - bisect_left(stamps, since_ns) for stamps, _ in self._matching(pattern))

    def items(self, pattern: Pattern, since_ns: int) -> Iterator[T]:
        """The matching items, bucket by bucket."""
        for stamps, items in self._matching(pattern):
            for place in range(bisect_left(stamps, since_ns), len(items)):
                yield items[place]

    def last(self, pattern: Pattern, since_ns: int, where: Callable[[T], bool] | None = None) -> T | None:
        """The newest matching item; the search runs backwards and stops at the first find of each bucket."""
        newest: tuple[int, T] | None = None
        for stamps, items in self._matching(pattern):
            for place in range(len(items) - 1, -1, -1):
                if stamps[place] < since_ns or (newest is not None and stamps[place] <= newest[0]):
                    break
                if where is None or where(items[place]):
                    newest = (stamps[place], items[place])
                    break
        return None if newest is None else newest[1]

    def _matching(self, pattern: Pattern) -> Iterator[tuple[list[int], list[T]]]:
        for key, bucket in self._buckets.items():
            if all(wanted is None or wanted == word for wanted, word in zip(pattern, key, strict=True)):
                yield bucket
