"""
Counters: bounds with their sentence and the fewest adds that prove them; equal amounts exactly; many amounts by search.
"""

from typing import Any

import pytest

from chaos.checkers import counting
from chaos.history import Operation
from tests.checkers.judging import judge
from tests.history.build import op
from tests.telling import proof, told


def add(amount: Any, at: float, took: float | None = 1, client: str = "a") -> Operation:
    return op(client, "add", amount, at, took)


def read(at: float, result: Any, took: float | None = 1, client: str = "r") -> Operation:
    return op(client, "read", None, at, took, result=result)


def holds(*lines: Operation, initial: Any = None) -> bool:
    return judge("counter", *lines, initial=initial).status.value == "holds"


def test_explained_counter_is_told_in_full() -> None:
    """Adds of nothing and unfinished reads are left out."""
    verdict = judge("counter", add(0, 0), add(1, 0), add(1, 0, None), read(2, 1), read(4, 2), read(6, 0, None))
    assert told(verdict) == ("counter", "holds", "an order exists that explains all 4 operations", {})


def test_counter_begins_where_it_is_told() -> None:
    """With equal amounts and with many."""
    assert holds(read(0, 5), add(1, 2), read(4, 6), initial=5)
    assert not holds(read(0, 0), initial=5)
    assert holds(read(0, 10), add(1, 2), add(2, 2), read(4, 13), initial=10)
    assert not holds(read(0, 10), add(1, 2), add(2, 2), read(4, 3), initial=10)
    assert holds(read(0, 3)) is False


@pytest.mark.parametrize(
    ("lines", "initial", "anomaly", "sentence", "shown"),
    [
        (
            [add(2, 0), add(1, 0), add(2, 0), add(2, 0), add(-3, 0, 9), read(2, 10)],
            10,
            "lost increment",
            "r read 10, where only 14 to 17 was possible",
            [0, 2, 5],
        ),
        (
            [add(-2, 0), add(-1, 0), add(-2, 0), add(-2, 0), add(5, 0, 9), read(2, 12)],
            10,
            "phantom increment",
            "r read 12, where only 3 to 8 was possible",
            [0, 2, 5],
        ),
        ([add(4, 0), read(2, 3)], 0, "lost increment", "r read 3, where only 4 to 4 was possible", [0, 1]),
        ([add(4, 0, 9), read(2, 5)], 0, "phantom increment", "r read 5, where only 0 to 4 was possible", [1]),
        (
            [add(-2, 0), add(3, 0, 9), read(2, 2)],
            0,
            "phantom increment",
            "r read 2, where only -2 to 1 was possible",
            [0, 2],
        ),
        ([add(4, 3), read(0, 4)], 0, "phantom increment", "r read 4, where only 0 to 0 was possible", [0]),
    ],
)
def test_read_out_of_bounds_is_told_in_full(
    lines: list[Operation], initial: int, anomaly: str, sentence: str, shown: list[int]
) -> None:
    """With the largest adds that prove it and no others."""
    verdict = judge("counter", *lines, initial=initial)
    assert told(verdict) == ("counter", "violated", sentence, {})
    assert proof(verdict) == (anomaly, sentence, shown)


def test_add_that_touches_a_read_may_count_or_not() -> None:
    """On either side."""
    for result in (0, 1):
        assert holds(add(1, 0), read(1, result))
        assert holds(read(0, result), add(1, 1))


def test_equal_amounts_that_cannot_be_ordered_are_told_in_full() -> None:
    """Each read alone is within the bounds."""
    verdict = judge("counter", add(2, 0, 9), read(1, 2), read(3, 0))
    sentence = "no order explains #2 r read -> ok 0 (given: #1 r read -> ok 2)"
    assert told(verdict) == ("counter", "violated", sentence, {})
    assert proof(verdict) == ("stale read", sentence, [1, 2])


def test_amounts_come_whole() -> None:
    """Half of one is no explanation."""
    assert holds(add(2, 0, 9), read(1, 0), read(3, 2))
    assert not holds(add(2, 0, 9), read(1, 1))
    assert holds(add(-2, 0, 9), add(-2, 0, 9), read(1, -2), read(3, -4))


def test_adds_count_as_late_as_they_may() -> None:
    """Those that return first are taken first."""
    assert holds(add(1, 0, 20), add(1, 0, 2), read(0.5, 1), read(1, 1), read(5, 1), read(7, 2))
    assert holds(add(1, 0, None), add(1, 1), read(3, 1), read(5, 2))
    assert not holds(add(1, 0, None), add(1, 1), read(3, 2), read(5, 1))
    long = read(0.2, 1, took=9)
    assert holds(add(1, 0), long, add(1, 3), read(5, 2))
    assert not holds(add(1, 0), add(1, 3), read(5, 2), read(6.5, 1))


def test_many_amounts_are_searched() -> None:
    """And what no sum explains is a violation."""
    lines = [add(3, 0, 9), add(5, 0, 9, client="b")]
    assert holds(*lines, read(1, 5), read(3, 8))
    assert not holds(*lines, read(1, 4))
    assert proof(judge("counter", *lines, read(1, 5), read(3, 3)))[0] == "not linearizable"


def test_where_a_search_costs_too_much_the_bounds_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the verdict says so."""
    monkeypatch.setattr(counting, "SEARCHED_CONFIGURATIONS", 1)
    lines = [add(n, 0, 9) for n in range(1, 9)]
    reason = "all 2 reads lie within the bounds; an exact order was not found nor excluded"
    assert told(judge("counter", *lines, read(1, 10), read(3, 30))) == ("counter", "holds", reason, {})


def test_floating_amounts_are_judged_where_their_sums_are_exact() -> None:
    """Halves are; a tenth is not, and who adds tenths reads something else than three of them."""
    assert holds(add(1.0, 0), read(2, 1), add(1, 4), read(6, 2.0))
    assert holds(add(0.5, 0), add(0.5, 2), read(4, 1))
    assert not holds(add(0.5, 0), add(1, 2), read(4, 1))
    assert not holds(add(0.5, 0), read(2, 0.25))
    assert holds(add(1, 0), read(2, 2.5), initial=1.5)
    for inexact in ([add(0.1, 0), read(2, 0.1)], [add(1, 0), read(2, 1.1)], [add(float("inf"), 0)]):
        assert judge("counter", *inexact).status.value == "unknown"
    assert judge("counter", initial=0.1).reason == (
        "0.1 has no exact sums: whoever adds such numbers is a little wrong, in any order"
    )
