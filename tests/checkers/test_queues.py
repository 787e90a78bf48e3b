"""
Queues: each bad pattern with its sentence and its operations; what unfinished dequeues and drains excuse.
"""

from typing import Any

import pytest

from chaos.checkers.drains import unrolled
from chaos.history import Operation
from chaos.models import UNKNOWN, queue
from tests.checkers.judging import called, judge
from tests.history.build import op
from tests.telling import proof, told


def put(value: Any, at: float, took: float | None = 1, client: str = "a") -> Operation:
    return op(client, "enqueue", value, at, took)


def get(value: Any, at: float, took: float | None = 1, client: str = "b") -> Operation:
    return op(client, "dequeue", None, at, took, result=value)


def drain(at: float, *values: Any, took: float | None = 1, client: str = "d") -> Operation:
    return op(client, "drain", None, at, took, result=list(values))


def holds(*lines: Operation, initial: Any = None) -> bool:
    return judge("queue", *lines, initial=initial).status.value == "holds"


def test_queue_that_kept_its_order_is_told_in_full() -> None:
    """With what was left in it, and what came of enqueues that never returned."""
    reason = "an order explains 3 enqueues: 2 dequeued (1 of unsure enqueues), 1 left"
    verdict = judge("queue", put(1, 0, None), put(2, 0), put(3, 2), get(2, 4), get(1, 6))
    assert told(verdict) == ("queue", "holds", reason, {})
    reason = "an order explains 2 enqueues: 1 dequeued (0 of unsure enqueues), 0 left"
    assert judge("queue", put(1, 0), put(2, 2, None), get(1, 4)).reason == reason


@pytest.mark.parametrize(
    ("lines", "anomaly", "sentence", "shown"),
    [
        ([put(1, 0), get(9, 2)], "phantom element", "b dequeued 9, which nobody enqueued", [1]),
        (
            [get(1, 0), put(1, 2), put(2, 4)],
            "dequeue from the future",
            "b dequeued 1 before its enqueue by a began",
            [0, 1],
        ),
        (
            [put(1, 0), get(1, 2), get(1, 4, client="c")],
            "duplicate delivery",
            "1 was enqueued once and dequeued by b and by c",
            [0, 1, 2],
        ),
        (
            [put(1, 0), put(2, 2), drain(4, 2, 1)],
            "out of order",
            "d drained 2 before 1, which was enqueued first",
            [0, 1, 2],
        ),
        (
            [put(1, 0), put(2, 2), get(2, 4), get(1, 6)],
            "out of order",
            "1 was enqueued before 2 and was dequeued later",
            [0, 1, 2, 3],
        ),
        (
            [put(1, 0), put(2, 2), get(2, 4)],
            "lost element",
            "1 was enqueued before 2 and was never dequeued",
            [0, 1, 2],
        ),
        (
            [put("x", 0), get(None, 2)],
            "lost element",
            "b found the queue empty while 'x' was in it, which was never dequeued",
            [0, 1],
        ),
        (
            [put(1, 0), get(None, 2), get(1, 4)],
            "empty although filled",
            "b found the queue empty while 1 was in it",
            [0, 1, 2],
        ),
        (
            [put(1, 0), get(None, 2, 9), put(2, 3), get(1, 5), get(2, 13)],
            "empty although filled",
            "b found the queue empty while 1, 2 was in it",
            [0, 1, 2, 3, 4],
        ),
        (
            [put(1, 0), get(None, 2, 9), put(2, 3), get(1, 5)],
            "empty although filled",
            "b found the queue empty while 1, 2 was in it",
            [0, 1, 2, 3],
        ),
    ],
)
def test_each_bad_pattern_is_told_in_full(
    lines: list[Operation], anomaly: str, sentence: str, shown: list[int]
) -> None:
    """The operations in order of time."""
    verdict = judge("queue", *lines)
    assert told(verdict) == ("queue", "violated", sentence, {})
    assert proof(verdict) == (anomaly, sentence, shown)


def test_operations_that_touch_are_concurrent() -> None:
    """Enqueue and dequeue, two enqueues, two dequeues, an empty answer and either."""
    assert holds(get(1, 0), put(1, 1))
    assert holds(put(1, 0), put(2, 1), get(2, 4), get(1, 6))
    assert holds(put(1, 0), put(2, 2), get(2, 4), get(1, 5))
    assert holds(put(1, 0), get(None, 1), get(1, 4))
    assert holds(put(1, 0), get(None, 2, 2), get(1, 4))
    assert holds(put(1, 0), put(2, 1), drain(4, 2, 1))


def test_queue_may_have_been_empty_for_a_moment() -> None:
    """Between what left and what came at the same time."""
    assert holds(put(1, 0), get(None, 2, 9), put(2, 3, 3), get(1, 4, 3), get(2, 13))
    assert holds(put(1, 0), get(1, 3), get(None, 3.5, 0.2), put(2, 6), get(2, 8))
    assert not holds(put(1, 0), get(1, 2), put(2, 5), get(None, 7), get(2, 9))


def test_longest_of_several_elements_proves_that_the_queue_was_not_empty() -> None:
    """One is enough where it was there all the time."""
    lines = [put(1, 0), put(2, 2), put(3, 4), get(1, 6), get(None, 8), get(2, 10), get(3, 12)]
    sentence = "b found the queue empty while 3 was in it"
    assert proof(judge("queue", *lines)) == ("empty although filled", sentence, [2, 4, 6])


def test_unfinished_dequeue_takes_one_of_what_is_missing() -> None:
    """It must have begun in time, and be unfinished; an unfinished enqueue takes nothing."""
    missing = [put(1, 0), put(2, 2), get(2, 6)]
    assert holds(*missing, get(None, 4, None))
    assert holds(*missing, drain(4, took=None))
    assert not holds(*missing, get(None, 8, None))
    assert not holds(*missing, put(5, 4, None))
    two = [put(1, 0), put(2, 2), put(3, 4), get(3, 9)]
    assert not holds(*two, get(None, 6, None))
    assert holds(*two, get(None, 6, None), get(None, 6, None, client="c"))
    assert holds(*two, drain(6, took=None))


def test_first_enqueued_of_the_missing_goes_to_the_first_that_asked() -> None:
    """By when enqueues ended."""
    lines = [put(1, 0, 9), put(2, 1), get(None, 2, None), put(3, 11), get(3, 13)]
    sentence = "1 was enqueued before 3 and was dequeued later"
    late = judge("queue", *lines, get(None, 15, None, client="c"))
    assert proof(late) == ("out of order", sentence, [0, 3, 4, 5])
    assert holds(*lines, get(None, 12, None, client="c"))


def test_unsure_enqueue_that_was_taken_may_have_overtaken() -> None:
    """It happened, after it was asked."""
    lines = [put(2, 0), put(1, 2, None), get(1, 4), get(2, 6)]
    sentence = "2 was enqueued before 1 and was dequeued later"
    assert proof(judge("queue", *lines)) == ("out of order", sentence, [0, 1, 2, 3])


def test_deliveries_at_the_same_time_are_shown_in_their_order() -> None:
    """As they stand in the history."""
    twice = judge("queue", put(1, 0), get(1, 2), get(1, 2, client="c"))
    assert proof(twice) == ("duplicate delivery", "1 was enqueued once and dequeued by b and by c", [0, 1, 2])


def test_unfinished_enqueue_is_never_missed() -> None:
    """Nor does it take the place of one that is."""
    assert holds(put(1, 0, None), put(2, 2), get(2, 4), get(None, 6))
    assert holds(put(1, 0, None), put(2, 2), get(2, 4), get(1, 6))


def test_values_within_a_drain_keep_the_order_of_all_before_them() -> None:
    """Not only of their neighbours."""
    disorder = [put(1, 0), put(2, 2, 9), put(3, 4), drain(12, 3, 2, 1)]
    sentence = "d drained 3 before 1, which was enqueued first"
    assert proof(judge("queue", *disorder)) == ("out of order", sentence, [0, 2, 3])
    assert holds(put(1, 0), put(2, 2, 9), put(3, 4), drain(12, 1, 3, 2))


def test_finished_drain_leaves_nothing() -> None:
    """It is dequeues of each value and of nothing."""
    assert holds(put(1, 0), put(2, 2), drain(4, 1, 2), get(None, 6))
    assert proof(judge("queue", put(1, 0), put(2, 2), drain(4, 1)))[0] == "lost element"
    assert proof(judge("queue", put(1, 0), drain(2, 1), get(1, 4)))[0] == "duplicate delivery"


def test_repeated_values_are_searched_and_a_lost_drain_excuses_what_is_missing() -> None:
    """Which it may have taken in any number."""
    twice = [put(1, 0), put(1, 2), get(1, 4)]
    assert holds(*twice, get(1, 6), get(None, 8))
    assert judge("queue", *twice, get(None, 8)).status.value == "violated"
    assert holds(*twice, drain(5, took=None), get(None, 8))
    three = [put(1, 0), put(1, 2), put(2, 3.5), drain(5, took=None), get(None, 8)]
    assert holds(*three)
    assert not holds(*three[:3], get(None, 4.6, 0.2), *three[3:])
    taken = [put(1, 0), put(1, 2), put(2, 3.5), drain(5, 1, 1, 2), get(None, 8)]
    assert holds(*taken)
    again = judge("queue", put(1, 0), put(1, 2), drain(5, 1), get(None, 8))
    assert told(again)[1] == "violated"


def test_queue_may_be_filled_from_the_beginning() -> None:
    """In this order."""
    assert holds(get(1, 0), get(2, 2), initial=[1, 2])
    assert not holds(get(2, 0), get(1, 2), initial=[1, 2])
    assert not holds(get(1, 0), initial=[2, 1])


def test_drain_consists_of_dequeues() -> None:
    """One for each value, one that found nothing; one that never returned of as many as there can be left."""
    puts = [put(1, 0), put(2, 0), put(3, 0)]
    known, _ = unrolled(called("queue", *puts, drain(2, 1, 2), drain(4, took=None)), queue())
    assert [(call.f, call.result) for call in known[2:]] == [
        ("enqueue", None),
        ("dequeue", 1),
        ("dequeue", 2),
        ("dequeue", None),
        ("dequeue", UNKNOWN),
    ]
    assert [call.operation.f for call in known[2:]] == ["enqueue", "drain", "drain", "drain", "drain"]
    known, _ = unrolled(called("queue", *puts, drain(2, 1), drain(4, took=None)), queue(), initial=[7])
    assert [call.result for call in known].count(UNKNOWN) == 3
    taken = [put(1, 0), get(1, 2), get(None, 4), get(None, 6, took=None), drain(8, took=None)]
    known, _ = unrolled(called("queue", *taken), queue())
    assert [call.result for call in known].count(UNKNOWN) == 1
