"""
The order behind a "holds", of each type that has one.
"""

from typing import Any

import pytest

from chaos.checkers import linearized
from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.linearizing import ORDERS
from chaos.errors import UsageError
from chaos.history import Operation
from tests.history.build import history, op


def order(model: str, *lines: Operation, **options: Any) -> list[int] | None:
    found = linearized(history(lines).operations, model, **options)
    return None if found is None else [each.index for each in found[None]]


def test_register_is_ordered_so_that_each_read_sees_the_last_write() -> None:
    """From its initial value on."""
    lines = [op("a", "write", 1, 0, 9), op("b", "read", None, 1, 1, result=0), op("b", "read", None, 3, 1, result=1)]
    assert order("register", *lines, initial=0) == [1, 0, 2]
    assert order("cas-register", *lines, initial=0) == [1, 0, 2]
    assert order("register", *lines) is None


def test_mutex_is_ordered_so_that_one_holds_it_at_a_time() -> None:
    """Held at first, if so said."""
    lines = [op("a", "acquire", None, 0, 9), op("b", "release", None, 1, 1)]
    assert order("mutex", *lines, initial=True) == [1, 0]
    assert order("mutex", *lines) == [0, 1]
    assert order("mutex", lines[1]) is None


@pytest.mark.parametrize(
    ("model", "lines", "initial", "right"),
    [
        (
            "versioned-register",
            [
                op("a", "write", [None, 5], 0, 9, result=[2, 5]),
                op("b", "write", [None, 6], 0, 9, result=[1, 6]),
                op("c", "read", None, 1, 1, result=[0, 7]),
            ],
            7,
            [2, 1, 0],
        ),
        ("semaphore", [op("a", "acquire", 2, 0, 1), op("b", "acquire", 1, 2, 1)], 3, [0, 1]),
        (
            "set",
            [
                op("a", "add", 1, 0, 9),
                op("b", "read", None, 1, 1, result=[5]),
                op("b", "contains", 1, 3, 1, result=True),
            ],
            [5],
            [1, 0, 2],
        ),
        (
            "queue",
            [
                op("a", "enqueue", 2, 0, 2.5),
                op("b", "dequeue", None, 1, 1, result=1),
                op("c", "drain", None, 3, 1, result=[2]),
            ],
            [1],
            [0, 1, 2, 2],
        ),
        (
            "counter",
            [op("a", "add", 2, 0, 9), op("b", "read", None, 1, 1, result=3), op("b", "read", None, 3, 1, result=5)],
            3,
            [1, 0, 2],
        ),
    ],
)
def test_searched_types_are_ordered_from_their_initial_value(
    model: str, lines: list[Operation], initial: Any, right: list[int]
) -> None:
    """And have no order from another one. A drain stands there once for each value, and once for nothing."""
    assert order(model, *lines, initial=initial) == right
    assert order(model, *lines) is None


def test_unfinished_operation_stands_in_the_order_only_if_it_is_needed() -> None:
    """As it may never have happened."""
    push, none = op("a", "enqueue", 1, 0, None), op("b", "dequeue", None, 2, 1)
    assert order("queue", push, none) == [1]
    assert order("queue", push, none, op("b", "dequeue", None, 4, 1, result=1)) == [1, 0, 2]


def test_each_key_has_its_own_order() -> None:
    """If one has none, there is none."""
    lines = [
        op("a", "write", ["x", 1], 0, 1),
        op("a", "put", ["y", 2], 2, 1),
        op("b", "read", ["x", None], 4, 1, result=1),
    ]
    found = linearized(lines, "register", by_key=True, names={"put": "write"})
    assert found is not None
    assert {key: [each.f for each in part] for key, part in found.items()} == {"x": ["write", "read"], "y": ["put"]}
    wrong = op("b", "read", ["y", None], 4, 1, result=1)
    assert linearized([*lines, wrong], "register", by_key=True, names={"put": "write"}) is None


def test_failed_cas_stands_in_the_order_if_it_counts() -> None:
    """Where the value that it expected was not there."""
    lines = [op("a", "write", 1, 0, 9), op("b", "cas", [0, 5], 1, 1, outcome="fail")]
    assert order("cas-register", *lines, initial=0, failed_cas="mismatch") == [0, 1]
    assert order("cas-register", *lines, initial=0) == [0]
    assert order("cas-register", lines[1], initial=0, failed_cas="mismatch") is None


def test_search_that_costs_too_much_says_so() -> None:
    """No order is no proof that there is none."""
    lines = [op(f"c{n}", "acquire" if n % 2 else "release", 1 + n // 2, 0, 50) for n in range(16)]
    with pytest.raises(SpentError, match=r"the budget of 0.001 s is used up"):
        linearized(lines, "semaphore", initial=8, budget_s=0.001)


def test_type_whose_verdict_is_not_about_an_order_is_refused() -> None:
    """With those that have one."""
    with pytest.raises(UsageError) as refused:
        linearized([], "lease")
    only = ", ".join(ORDERS)
    assert str(refused.value) == f"a verdict on 'lease' is not about one order of operations, only on {only}"
    assert all(ORDERS[name]([], None, Budget(1)) == [] for name in ORDERS)
