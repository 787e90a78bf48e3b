"""
Sets: each anomaly with its sentence and its operations, and where two operations only touch.
"""

from typing import Any

import pytest

from chaos.history import Operation
from tests.checkers.judging import judge
from tests.history.build import op
from tests.telling import proof, told


def add(value: Any, at: float, took: float | None = 1, client: str = "a") -> Operation:
    return op(client, "add", value, at, took)


def remove(value: Any, at: float, took: float | None = 1, client: str = "a") -> Operation:
    return op(client, "remove", value, at, took)


def read(at: float, *values: Any, took: float | None = 1, client: str = "b") -> Operation:
    return op(client, "read", None, at, took, result=list(values))


def contains(value: Any, at: float, result: Any, took: float | None = 1, client: str = "b") -> Operation:
    return op(client, "contains", value, at, took, result=result)


def holds(*lines: Operation, initial: Any = None) -> bool:
    return judge("set", *lines, initial=initial).status.value == "holds"


def test_set_that_only_grew_is_told_in_full() -> None:
    """Unfinished reads say nothing."""
    verdict = judge("set", add(1, 0), add(2, 0, None), read(2, 1), read(4, 1, 2), read(6, took=None))
    assert told(verdict) == ("set", "holds", "an order exists that explains 2 reads of 2 elements", {})


@pytest.mark.parametrize(
    ("lines", "anomaly", "sentence", "shown"),
    [
        ([add(1, 0), add(2, 0), read(2, 2, 1, 1, 1)], "duplicate element", "b read 1 3 times in one set", [2]),
        ([add(1, 0), read(2, 1, 9)], "phantom element", "b read 9, which nobody added", [1]),
        ([add(1, 0), read(2)], "lost element", "a had added 1, and a later read did not have it", [0, 1]),
        (
            [add(1, 0), read(2), read(4, 1)],
            "stale read",
            "a had added 1, and a later read did not have it",
            [0, 1],
        ),
        (
            [read(0, 1), add(1, 2)],
            "read from the future",
            "#0 b read -> ok [1] ended before #1 a add 1 -> ok began, which must come first",
            [0, 1],
        ),
        (
            [add(1, 0, 9), read(1, 1), read(3)],
            "stale read",
            "#1 b read -> ok [1] ended before #2 b read -> ok [] began, which must come first",
            [1, 2],
        ),
        (
            [add(1, 0, 9), add(2, 0, 9), read(1, 1), read(1, 2, client="c")],
            "long fork",
            "b read 1 without 2, c read 2 without 1",
            [2, 3],
        ),
    ],
)
def test_each_anomaly_is_told_in_full(lines: list[Operation], anomaly: str, sentence: str, shown: list[int]) -> None:
    """The operations in order of time."""
    verdict = judge("set", *lines)
    assert told(verdict) == ("set", "violated", sentence, {})
    assert proof(verdict) == (anomaly, sentence, shown)


def test_element_from_the_beginning_that_is_not_read_is_lost() -> None:
    """Whether others are read or none."""
    verdict = judge("set", read(0), initial=[5])
    sentence = "b did not read 5, which was there from the beginning"
    assert proof(verdict) == ("lost element", sentence, [0])
    assert proof(judge("set", add(1, 0), read(2, 1), initial=[5])) == ("lost element", sentence, [1])
    assert holds(read(0, 5), initial=[5])
    assert holds(add(5, 0), read(2, 5), initial=[5])
    assert judge("set", initial=[5]).status.value == "holds"


def test_operations_that_touch_are_concurrent() -> None:
    """A read and an add, and two reads."""
    assert holds(add(1, 0), read(1))
    assert holds(read(0, 1), add(1, 1))
    assert holds(add(1, 0, 9), read(1, 1), read(2))


def test_first_add_to_begin_and_first_to_end_make_the_element() -> None:
    """Whoever's they are."""
    assert holds(add(1, 0, 9), add(1, 3), read(1, 1))
    assert not holds(add(1, 0, 9), add(1, 3), read(5))
    assert proof(judge("set", add(1, 0, 9), add(1, 3, client="c"), read(5)))[1:] == (
        "c had added 1, and a later read did not have it",
        [1, 2],
    )
    assert holds(add(1, 0, None), read(2), read(4, 1))


def test_smaller_reads_come_first_whatever_the_order_of_lines() -> None:
    """A later smaller read is stale, with the larger one as its proof."""
    lines = [add(1, 0, 20), add(2, 0, 20), read(2, 1, 2), read(4, 1, client="c"), read(6, 1, 2)]
    sentence = "#2 b read -> ok [1, 2] ended before #3 c read -> ok [1] began, which must come first"
    assert proof(judge("set", *lines)) == ("stale read", sentence, [2, 3])


def test_element_added_before_a_smaller_read_is_missed_by_it() -> None:
    """Though it was added after others that the read had."""
    lines = [add(1, 0), add(2, 2), read(4, 1), read(6, 1, 2)]
    sentence = "a had added 2, and a later read did not have it"
    assert proof(judge("set", *lines)) == ("stale read", sentence, [1, 2])
    assert proof(judge("set", *lines[:3])) == ("lost element", sentence, [1, 2])


def test_birth_that_began_last_is_the_one_that_a_read_must_wait_for() -> None:
    """Of several new elements."""
    lines = [add(1, 0, 20), add(2, 5, 20), add(3, 3, 20), read(2, 1, 2, 3)]
    sentence = "#1 b read -> ok [1, 2, 3] ended before #3 a add 2 -> ok began, which must come first"
    assert proof(judge("set", *lines)) == ("read from the future", sentence, [1, 3])


def test_add_that_began_before_is_seen_by_reads_of_more_that_ended_early() -> None:
    """Reads of one set may be in any order; the last to begin bounds what comes after."""
    fine = [add(1, 0, 30), read(1, took=9), read(2, took=1), read(5, 1)]
    assert holds(*fine)
    late = [add(1, 0, 30), read(1, took=1), read(8, took=1), read(5, 1, took=2)]
    sentence = "#2 b read -> ok [1] ended before #3 b read -> ok [] began, which must come first"
    assert proof(judge("set", *late)) == ("stale read", sentence, [2, 3])


def test_set_read_element_by_element_is_told_in_full() -> None:
    """With or without removals."""
    lines = [add(1, 0), remove(1, 2), contains(1, 4, False), contains(2, 4, False)]
    assert told(judge("set", *lines)) == ("set", "holds", "an order exists for each of 2 elements", {})
    stale = judge("set", add(1, 0), remove(1, 2), contains(1, 4, True))
    sentence = (
        "no order explains what was seen of element 1: #0 a add 1 -> ok; #1 a remove 1 -> ok; "
        "#2 b contains 1 -> ok True"
    )
    assert told(stale) == ("set", "violated", sentence, {})
    assert proof(stale) == ("stale read", sentence, [0, 1, 2])
    absent = judge("set", add(1, 0), contains(1, 2, False))
    assert proof(absent)[0] == "stale read"


def test_full_reads_say_of_each_element_whether_it_was_there() -> None:
    """Of those too that only they name."""
    assert holds(add(1, 0), remove(1, 2), read(4))
    stale = proof(judge("set", add(1, 0), remove(1, 2), read(4, 1)))
    assert stale[1] == (
        "no order explains what was seen of element 1: #0 a add 1 -> ok; #1 a remove 1 -> ok; #2 b read -> ok [1]"
    )
    assert not holds(remove(1, 0), read(2, 9))
    assert holds(remove(1, 0), read(2, 9), initial=[9, 1])
    assert not holds(remove(1, 0), read(2, 9, 1), initial=[9, 1])


def test_elements_that_hold_alone_may_contradict_each_other() -> None:
    """Then the whole is searched."""
    lines = [add(1, 0, 9), remove(7, 0, 9), add(2, 0, 9), read(1, 1, client="c"), read(1, 2, client="d")]
    assert judge("set", *lines).status.value == "violated"
    assert holds(*lines[:-1])


@pytest.mark.parametrize(("answer", "there"), [(True, True), (1, True), (False, False), (0, False), (None, False)])
def test_contains_answers_yes_or_no(answer: Any, there: bool) -> None:
    """As a truth value or as a number."""
    assert holds(add(1, 0), contains(1, 2, answer)) is there


def test_first_of_adds_that_ended_together_is_the_one_that_was_missed() -> None:
    """As they stand in the history."""
    twice = judge("set", add(1, 0), add(1, 0, client="c"), read(5))
    assert proof(twice) == ("lost element", "a had added 1, and a later read did not have it", [0, 2])


def test_smallest_reads_that_fork_are_told() -> None:
    """Whatever larger ones there are."""
    adds = [add(n, 0, 9) for n in (1, 2, 3)]
    reads = [read(1, 1, 2), read(1, 3, client="c"), read(1, 1, client="d")]
    assert proof(judge("set", *adds, *reads)) == ("long fork", "c read 3 without 1, d read 1 without 3", [4, 5])


def test_element_missed_by_several_is_shown_with_one_of_them() -> None:
    """The first, and the add that it was not before."""
    lines = [add(2, 0), read(4, 1, took=3), read(4.5, 1, took=3, client="c"), add(1, 5)]
    sentence = "a had added 2, and a later read did not have it"
    assert proof(judge("set", *lines)) == ("lost element", sentence, [0, 1, 3])


@pytest.mark.parametrize("adds", [5, 6])
def test_many_operations_are_counted_and_not_listed(adds: int) -> None:
    """A sentence stays readable: up to seven are named."""
    lines = [*(add(1, 2 * n) for n in range(adds)), remove(1, 20), contains(1, 22, True)]
    named = "; ".join(f"#{n} a add 1 -> ok" for n in range(5)) + "; #5 a remove 1 -> ok; #6 b contains 1 -> ok True"
    sentence = f"no order explains what was seen of element 1: {named if adds == 5 else '8 operations'}"
    assert proof(judge("set", *lines)) == ("stale read", sentence, list(range(adds + 2)))


def test_null_may_be_an_element() -> None:
    """Reads are no additions of it."""
    assert holds(add(None, 0), remove(7, 0), read(2, None), read(4, None))
    assert not holds(add(None, 0), remove(7, 0), read(2, None), read(4))
