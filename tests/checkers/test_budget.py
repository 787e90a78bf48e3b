"""
What a search may cost, in configurations and in seconds.
"""

import pytest

from chaos.checkers.budget import EVERY, ROOM, Budget, SpentError


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("chaos.checkers.budget.time.monotonic", found)
    return found


def test_budget_shrinks_witnesses_unless_told_not_to(clock: Clock) -> None:
    """And has spent nothing yet."""
    fresh = Budget(5)
    assert (fresh.shrink, fresh.spent, fresh.spent_s, fresh.allowed_s, fresh.over) == (True, 0, 0, 5, False)
    assert not Budget(5, shrink=False).shrink


def test_budget_is_over_when_its_seconds_are(clock: Clock) -> None:
    """At the last of them."""
    budget = Budget(5)
    clock.now_s += 4.5
    assert (budget.spent_s, budget.over) == (4.5, False)
    clock.now_s += 0.5
    assert (budget.spent_s, budget.over) == (5, True)


def test_configurations_are_counted_from_where_the_rung_was_set(clock: Clock) -> None:
    """All that are allowed may be used."""
    budget = Budget(5)
    budget.spend(7)
    budget.climb(10)
    budget.spend(10)
    with pytest.raises(SpentError) as spent:
        budget.spend(1)
    assert str(spent.value) == "the configurations allowed for one key are used up"
    assert budget.spent == 18


def test_clock_is_looked_at_now_and_then(clock: Clock) -> None:
    """It costs more than a configuration."""
    budget = Budget(5)
    clock.now_s += 9
    budget.spend(EVERY - 1)
    with pytest.raises(SpentError) as spent:
        budget.spend(1)
    assert str(spent.value) == "the budget of 5 s is used up"
    clock.now_s -= 9
    budget.spend(EVERY)
    clock.now_s += 9
    budget.spend(EVERY - 1)
    with pytest.raises(SpentError):
        budget.spend(1)


def test_side_question_has_the_time_that_is_left(clock: Clock) -> None:
    """And its own configurations, within those that are left."""
    budget = Budget(5)
    clock.now_s += 3
    budget.climb(100)
    budget.spend(40)
    side = budget.part(50)
    assert (side.allowed_s, side.spent, side.rung) == (2, 0, 50)
    assert budget.part(70).rung == 60
    clock.now_s += 9
    assert budget.part(70).allowed_s == 0


def test_memory_is_bounded_too(clock: Clock) -> None:
    """As many may be alive as there is room for; then it is time to look again, and at the clock too."""
    budget = Budget(5)
    assert budget.room(7) == 7 + EVERY
    assert budget.room(ROOM) == ROOM + EVERY
    with pytest.raises(SpentError) as full:
        budget.room(ROOM + 1)
    assert str(full.value) == f"more than {ROOM} configurations at once: the memory allowed is used up"
    clock.now_s += 5
    with pytest.raises(SpentError) as late:
        budget.room(7)
    assert str(late.value) == "the budget of 5 s is used up"


def test_spent_budget_says_how_far_it_got() -> None:
    """With what ran out."""
    told = str(SpentError("no time").after(1234, 5678))
    assert told == "no time; an order exists for the first 1,234 of 5,678 operations to return"
