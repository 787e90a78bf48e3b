"""
Brokers: what was lost, made up or given out twice, each in its sentence; and who had an element meanwhile.
"""

from typing import Any

import pytest

from chaos.checkers import linearized
from chaos.checkers.budget import Budget
from chaos.checkers.deliveries import UNFINISHED, delivering, duplicated, lost, unexpected
from chaos.checkers.drains import unrolled
from chaos.history import Operation
from chaos.models import UNKNOWN, Kind, queue
from chaos.verdict import Verdict
from tests.checkers.judging import called, judge
from tests.history.build import history, op
from tests.telling import proof, told


def put(value: Any, at: float, took: float | None = 1, client: str = "a") -> Operation:
    return op(client, "enqueue", value, at, took)


def get(value: Any, at: float, took: float | None = 1, client: str = "b") -> Operation:
    return op(client, "dequeue", None, at, took, result=value)


def drain(at: float, *values: Any, took: float | None = 1, client: str = "d") -> Operation:
    return op(client, "drain", None, at, took, result=list(values))


def delivered(*lines: Operation, initial: Any = None) -> Verdict:
    """Judged anew, by all that can be wrong."""
    judge_all = delivering("any-queue", unexpected, duplicated, lost)
    return judge_all(called("total-queue", *lines), initial, Budget(60))


COUNTS = ("attempts", "acknowledged", "ok", "unexpected", "duplicated", "lost", "recovered")


def counts(*numbers: int) -> dict[str, int]:
    return {f"{name}_count": number for name, number in zip(COUNTS, numbers, strict=True)}


def test_what_was_delivered_is_told_in_full() -> None:
    """With what came of attempts that nobody acknowledged, and of what was there initially."""
    verdict = delivered(put(1, 0), put(2, 2, None), get(1, 4), get(2, 6), get(None, 8))
    reason = "1 acknowledged, 2 dequeued, 0 duplicates, 1 of unsure enqueues recovered"
    assert told(verdict) == ("any-queue", "holds", reason, counts(2, 1, 2, 0, 0, 0, 1))
    filled = delivered(put(1, 0), drain(2, 7, 1, 7), initial=(7, 7))
    reason = "3 acknowledged, 3 dequeued, 0 duplicates, 0 of unsure enqueues recovered"
    assert told(filled) == ("any-queue", "holds", reason, counts(3, 3, 3, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("lines", "anomaly", "sentence", "shown", "numbers"),
    [
        (
            [put(1, 0), get(9, 2), get(1, 4), get(8, 6), get(9, 8, client="c")],
            "phantom element",
            "b dequeued 9, which nobody tried to enqueue",
            [1, 4],
            (1, 1, 1, 3, 0, 0, 0),
        ),
        (
            [put(1, 0), put(1, 2), get(1, 4), get(1, 6), drain(8, 1)],
            "duplicate delivery",
            "1 was enqueued at most 2 times and dequeued 3 times",
            [0, 1, 2, 3, 4],
            (2, 2, 2, 0, 1, 0, 0),
        ),
        (
            [put("x", 0), put(2, 0), drain(4, "x", "x", 2, 2)],
            "duplicate delivery",
            "'x' was enqueued at most 1 times and dequeued 2 times (and 1 more values)",
            [0, 2],
            (2, 2, 2, 0, 2, 0, 0),
        ),
        ([put(1, 0)], "lost element", "1 was enqueued and never dequeued", [0], (1, 1, 0, 0, 0, 1, 0)),
        (
            [put(1, 0), put(1, 2), get(1, 4), put(2, 6), put(3, 8)],
            "lost element",
            "1 was enqueued 2 times and dequeued 1 times (and 2 more values)",
            [0, 1, 2],
            (4, 4, 1, 0, 0, 3, 0),
        ),
    ],
)
def test_each_anomaly_of_a_delivery_is_told_in_full(
    lines: list[Operation], anomaly: str, sentence: str, shown: list[int], numbers: tuple[int, ...]
) -> None:
    """With all that was done with the first such value, in order of time."""
    verdict = delivered(*lines)
    assert told(verdict) == ("any-queue", "violated", sentence, counts(*numbers))
    assert proof(verdict) == (anomaly, sentence, shown)


def test_what_an_unfinished_drain_may_have_taken_is_told_in_full() -> None:
    """It is unknown, and nothing else is."""
    lines = [put(1, 0), drain(2, took=None)]
    reason = f"{UNFINISHED}: 1 was enqueued and never dequeued"
    assert told(delivered(*lines)) == ("any-queue", "unknown", reason, counts(1, 1, 0, 0, 0, 1, 0))
    assert told(delivered(*lines, get(1, 4)))[1] == "holds"
    assert told(delivered(*lines, get(1, 4), get(1, 6)))[1] == "violated"


def test_pairs_of_producer_and_consumer_are_told_in_full() -> None:
    """By how many values they were judged."""
    name, lines = "pairwise-queue", [put(1, 0), put(2, 2), get(2, 4), get(1, 6)]
    reason = "2 values reached their consumers in the order of their producers"
    kept = judge(name, *lines[:2], drain(4, 1, 2))
    assert told(kept) == (name, "holds", reason, {"judged_count": 2})
    sentence = "1 was enqueued before 2 and was dequeued later"
    wrong = judge(name, *lines)
    assert told(wrong) == (name, "violated", sentence, {"judged_count": 2})
    assert proof(wrong) == ("out of order", sentence, [0, 1, 2, 3])
    twice = judge(name, put(1, 0), get(1, 2), get(1, 4))
    assert told(twice) == (name, "unknown", "no value was enqueued once and dequeued once", {})
    assert told(judge(name, get(9, 0)))[1] == "unknown"
    several = [put(1, 0), put(2, 2), put(3, 4), drain(6, 2, 1, took=9), drain(7, 3, took=9)]
    assert proof(judge(name, *several))[1] == "d drained 2 before 1, which was enqueued first"


def ack(f: str, at: float, client: str = "b", value: Any = 1) -> Operation:
    return op(client, f, value, at, 1)


def test_redelivery_is_told_in_full() -> None:
    """By how many elements, and how often they were given out again."""
    name = "redelivery-queue"
    lines = [get(1, 0), ack("nack", 2), get(1, 4, client="c"), ack("disconnect", 6, "c"), get(1, 8), get(2, 10)]
    reason = "2 elements, given out 2 times again, each after it was given back"
    assert told(judge(name, *lines)) == (name, "holds", reason, {"redelivered_count": 2})
    without = judge(name, get("x", 0), get("x", 4, client="c"))
    sentence = "c was given 'x', and b had it and did not give it back"
    assert told(without) == (name, "violated", sentence, {"redelivered_count": 1})
    assert proof(without) == ("redelivery without cause", sentence, [0, 1])
    acked = judge(name, get("x", 0), ack("ack", 2, value="x"), get("x", 4, client="c"))
    sentence = "c was given 'x', and b had acknowledged it"
    assert told(acked) == (name, "violated", sentence, {"redelivered_count": 1})
    assert proof(acked) == ("redelivery after ack", sentence, [0, 1, 2])
    late = judge(name, get("x", 0), get("x", 4, client="c"), ack("ack", 4, value="x"))
    assert proof(late)[::2] == ("redelivery without cause", [0, 1])
    once = judge(name, put(1, 0), get(1, 4))
    assert told(once)[2] == "1 elements, given out 0 times again, each after it was given back"
    assert told(judge(name, put(1, 0), get(1, 4), get(1, 6, client="c")))[1] == "violated"
    two = judge(name, put(1, 0), put(1, 2), get(1, 4))
    assert told(two) == (name, "unknown", "no element was given out of which there is only one", {})


def test_an_element_that_was_given_back_at_once_was_there_all_the_same() -> None:
    """While another certainly had it."""
    brief = [get("x", 4, 3, client="c"), ack("nack", 5, "c", "x")]
    verdict = judge("redelivery-queue", get("x", 0), *brief)
    sentence = "c was given 'x', and b had it and did not give it back"
    assert proof(verdict) == ("redelivery without cause", sentence, [0, 1])


def test_a_drain_is_numbered_and_keeps_its_order() -> None:
    """Unless it has none: then only what found nothing comes last."""
    lines = called("queue", put(1, 0), put(2, 0), drain(2, 1, 2), drain(4))
    known, model = unrolled(lines, queue())
    assert [call.value for call in known] == [1, 2, (2, 0), (2, 1), (2, 2), (3, 0)]
    assert len({id(call.operation) for call in known}) == 6
    assert known[2].operation == lines[2].operation
    loose, _ = unrolled(lines, queue(), ordered=False)
    assert [call.value for call in loose] == [1, 2, (2, 0), (2, 0), (2, 2), (3, 0)]
    assert model.name == "queue"
    kinds = [model.kind(call.f, call.value, call.result) for call in known]
    assert kinds == [Kind.TOTAL, Kind.TOTAL, Kind.GENERAL, Kind.GENERAL, Kind.GENERAL, Kind.GENERAL]
    assert model.kind("dequeue", None, None) is Kind.OBSERVER
    assert model.kind("dequeue", None, 5) is Kind.GENERAL


def test_a_drain_that_never_returned_may_have_taken_what_nobody_else_got() -> None:
    """In any order, so the model is the queue itself."""
    plain = queue()
    known, model = unrolled(called("queue", put(1, 0), put(2, 0), get(1, 2), drain(4, took=None)), plain)
    assert [call.result for call in known[2:]] == [1, UNKNOWN]
    assert model is plain
    alone, _ = unrolled(called("queue", drain(0)), plain)
    assert [(call.f, call.result) for call in alone] == [("dequeue", None)]


def test_values_of_an_unordered_drain_were_taken_in_any_order() -> None:
    """Here the second of its list before the first was there."""
    lines = history([put(1, 0), drain(4, 2, 1, took=9), get(None, 6), put(2, 8)]).operations
    assert linearized(lines, "unordered-queue") is not None
    assert linearized(lines, "queue") is None
