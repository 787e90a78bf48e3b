"""
Initial values: what a type has no place for is refused, and decides nothing.
"""

from typing import Any

import pytest

from chaos.checkers import CHECKERS, check
from chaos.checkers.beginnings import check_initial
from chaos.errors import UsageError


@pytest.mark.parametrize(
    ("model", "right", "wrong"),
    [
        ("register", [0, "x", [1, 2], {"a": 1}, True], []),
        ("set", [[], [1], [True, False]], [5, "abc", {"a": 1}, True]),
        ("queue", [[], ["a"]], [5, "abc", False]),
        ("total-queue", [[1]], [1]),
        ("mutex", [True, False], [0, "false", []]),
        ("semaphore", [0, 7], [-1, "a", 1.5, True]),
        ("counter", [0, -5, 2.5], ["a", [], {}, True]),
        ("text", ["", "a"], [5, []]),
        ("list-append", [], [0, []]),
        ("lease", [], [5]),
    ],
)
def test_initial_value_must_be_one_of_the_type(model: str, right: list[Any], wrong: list[Any]) -> None:
    """Which the refusal names."""
    for value in (None, *right):
        check_initial(model, value)
    for value in wrong:
        with pytest.raises(UsageError, match="initial value"):
            check_initial(model, value)


def test_refusal_says_what_the_type_may_begin_with() -> None:
    """Before anything is judged."""
    with pytest.raises(UsageError) as refused:
        check([], "set", initial={"a": [1]})
    assert str(refused.value) == "the initial value of a set is a list of what is in it, not {'a': [1]}"
    with pytest.raises(UsageError) as refused:
        check([], "list-append", initial=5)
    assert str(refused.value) == "a list-append has no other initial value than its own"


def test_every_type_begins_as_it_likes() -> None:
    """Nothing said is always right."""
    for model in CHECKERS:
        check_initial(model, None)
