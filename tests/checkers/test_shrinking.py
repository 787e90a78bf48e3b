"""
The fewest operations that prove a violation: what is left out, and what it may still do.
"""

from collections.abc import Callable, Sequence

import pytest

from chaos.checkers.budget import Budget
from chaos.checkers.calls import NEVER, Call
from chaos.checkers.shrinking import CONFIGURATIONS, LONGEST_S, shrunk
from chaos.history import Operation
from tests.checkers.judging import called
from tests.history.build import op

S = 2 * 10**9


def add(value: int, at: float, took: float | None = 1) -> Operation:
    return op("a", "add", value, at, took)


def look(at: float, took: float | None = 1) -> Operation:
    return op("b", "read", None, at, took, result=0)


Tried = list[tuple[list[tuple[int | None, bool]], list[int]]]


def observes(call: Call) -> bool:
    return call.f == "read"


def told(calls: Sequence[Call], soft: frozenset[int]) -> tuple[list[tuple[int | None, bool]], list[int]]:
    """Values in order, whether each never returned; and which of them are soft."""
    return [(call.value, call.end == NEVER) for call in calls], sorted(soft)


def needing(*values: int) -> tuple[Callable[[Sequence[Call], frozenset[int], Budget], bool], Tried]:
    """Fails as long as these are there and not soft; and what it was asked."""
    asked: Tried = []

    def fails(calls: Sequence[Call], soft: frozenset[int], side: Budget) -> bool:
        asked.append(told(calls, soft))
        return set(values) <= {call.value for place, call in enumerate(calls) if place not in soft}

    return fails, asked


def left(lines: Sequence[Operation], *needed: int, until: float = 100, **options: bool) -> list[int | None]:
    fails, _ = needing(*needed)
    found = shrunk(called("counter", *lines), round(until * S), observes, fails, Budget(60), **options)
    return [call.value for call in found]


ADDS = [add(value, 2 * value) for value in range(9)]


@pytest.mark.parametrize("needed", [(0,), (8,), (4,), (0, 8), (3, 4, 5), (1, 3, 6, 7), tuple(range(9))])
def test_what_is_needed_is_left(needed: tuple[int, ...]) -> None:
    """In its order, and nothing else; with others that do the same or not."""
    assert left(ADDS, *needed) == list(needed)
    assert left(ADDS, *needed, reusable=True) == list(needed)


def test_halves_are_tried_first_and_then_smaller_runs() -> None:
    """So that a long history costs little."""
    fails, asked = needing(5)
    shrunk(called("counter", *[add(value, 2 * value) for value in range(64)]), 200 * S, observes, fails, Budget(60))
    assert len(asked) == 10
    assert [len(kept) - len(soft) for kept, soft in asked[:4]] == [32, 32, 16, 16]


def test_only_what_was_known_at_that_time_is_looked_at() -> None:
    """A mutator that was open then never returned; an observer that was open proves nothing; what came later is unknown."""
    lines = [add(1, 0), look(1, 5), add(2, 2, 4), look(2), add(3, 4), add(4, 5)]
    fails, _ = needing(1, 2, 3, 4)
    whole = Budget(60, shrink=False)
    found = shrunk(called("counter", *lines), 5 * S + 1, observes, fails, whole)
    assert found == [call for call in called("counter", *lines) if (call.f, call.end) != ("read", 6 * S + 1)]
    fails, asked = needing(1, 2, 3, 4)
    shrunk(called("counter", *lines), 5 * S + 1, observes, fails, Budget(60))
    for kept, _ in asked:
        assert {(2, True), (4, True)} & set(kept)
        assert not {(2, False), (4, False)} & set(kept)
    early = shrunk(called("counter", *lines), 5 * S, observes, fails, whole)
    assert [call.value for call in early] == [1, 2, None, 3]


def test_a_mutator_that_is_left_out_may_still_happen_after_its_call() -> None:
    """An observer is gone; what does the same stands for all of it only where it may happen again and again."""
    lines = [add(7, 0), add(7, 2), look(3), add(5, 4), add(9, 6), add(7, 8)]
    for reusable, soft in ((True, [(7, True), (5, True)]), (False, [(7, True), (7, True), (5, True), (7, True)])):
        fails, asked = needing(9)
        options = {"reusable": True} if reusable else {}
        found = shrunk(called("counter", *lines), 100 * S, observes, fails, Budget(60), **options)
        assert [call.value for call in found] == [9]
        alone = [each for each in asked if [one for one in each[0] if not one[1]] == [(9, False)]]
        kept, places = alone[-1]
        assert sorted(map(str, kept)) == sorted(map(str, [*soft, (9, False)]))
        assert [kept[place] for place in places] == [each for each in kept if each != (9, False)]


def test_the_earliest_of_each_sort_is_the_one_that_may_happen() -> None:
    """It could excuse most."""
    lines, begins = [add(7, 0), add(9, 2), add(7, 4), add(7, 6)], set[int]()

    def fails(calls: Sequence[Call], soft: frozenset[int], side: Budget) -> bool:
        begins.update(calls[place].begin for place in soft)
        return any(call.value == 9 and place not in soft for place, call in enumerate(calls))

    found = shrunk(called("counter", *lines), 100 * S, observes, fails, Budget(60), reusable=True)
    assert [call.value for call in found] == [9]
    assert begins == {0, 2 * S, 4 * S}


def test_a_try_that_costs_too_much_leaves_everything_as_it_was() -> None:
    """Each has so many configurations, of those that are left."""
    rungs = list[float]()

    def fails(calls: Sequence[Call], soft: frozenset[int], side: Budget) -> bool:
        rungs.append(side.rung)
        side.spend(CONFIGURATIONS + 1)
        return True

    part = called("counter", *ADDS)
    assert shrunk(part, 100 * S, observes, fails, Budget(60)) == part
    assert set(rungs) == {CONFIGURATIONS}


def test_nothing_is_left_out_when_nobody_asked_or_no_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds count from when the shrinking begins, and end with the budget."""
    part = called("counter", *ADDS)
    fails, asked = needing(4)
    assert shrunk(part, 100 * S, observes, fails, Budget(60, shrink=False)) == part
    now = [100.0]
    monkeypatch.setattr("chaos.checkers.budget.time.monotonic", lambda: now[0])

    def slow(calls: Sequence[Call], soft: frozenset[int], side: Budget) -> bool:
        now[0] += 0.9
        return fails(calls, soft, side)

    for allowed_s, spent_s, tries in ((60, 0.0, 3), (60, 50.0, 3), (10, 9.0, 2), (10, 10.0, 0)):
        budget = Budget(allowed_s)
        now[0] += spent_s
        asked.clear()
        shrunk(part, 100 * S, observes, slow, budget)
        assert len(asked) == tries
    assert LONGEST_S == 2


def test_a_history_is_never_shrunk_to_nothing() -> None:
    """Even if nothing at all is needed."""
    assert left(ADDS) == [8]
    assert left([]) == []


def test_errors_other_than_a_spent_budget_are_not_swallowed() -> None:
    """They are mistakes of ours."""

    def fails(calls: Sequence[Call], soft: frozenset[int], side: Budget) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        shrunk(called("counter", *ADDS), 100 * S, observes, fails, Budget(60))
