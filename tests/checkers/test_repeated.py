"""
Values that are enqueued more than once: how they are told apart, and how seldom that is wrong.
"""

from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from chaos.checkers import CHECKERS
from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import calls, frozen
from chaos.checkers.repeated import overdrawn, told_apart
from chaos.history import Operation
from chaos.models import UNKNOWN
from chaos.verdict import Status
from tests.checkers.judging import called
from tests.history.build import op
from tests.truth.histories import correct
from tests.truth.kinds import TYPES


def put(value: Any, at: float, took: float | None = 1, client: str = "a") -> Operation:
    return op(client, "enqueue", value, at, took)


def get(value: Any, at: float, took: float | None = 1, client: str = "b") -> Operation:
    return op(client, "dequeue", None, at, took, result=value)


def drain(at: float, *values: Any, took: float | None = 1, client: str = "d") -> Operation:
    return op(client, "drain", None, at, took, result=list(values))


def guesses(*lines: Operation, initial: Sequence[Any] = ()) -> list[list[Any]]:
    """What each guess calls the values, in order of call."""
    return [
        [call.value if call.f == "enqueue" else call.result for call in guess]
        for guess in told_apart(called("queue", *lines), initial)
    ]


def first_guess(*lines: Operation, initial: Sequence[Any] = ()) -> list[Any]:
    return guesses(*lines, initial=initial)[0]


def test_the_first_guess_takes_the_element_whose_enqueue_ended_first() -> None:
    """Of those that may be the first in the queue."""
    assert first_guess(put(1, 0, 9), put(1, 1, 2), get(1, 4), get(1, 6)) == [(1, 0), (1, 1), (1, 1), (1, 0)]
    lines = [put(1, 0), put(2, 2), put(1, 4), get(1, 6), get(2, 8), get(1, 10)]
    assert first_guess(*lines)[3:] == [(1, 0), (2, 1), (1, 2)]
    touching = [put(2, 0), put(1, 1, 9), put(1, 3, 1), get(1, 11), get(2, 13), get(1, 15)]
    assert first_guess(*touching)[3:] == [(1, 1), (2, 0), (1, 2)]


def test_what_must_go_first_goes_to_a_dequeue_that_is_open() -> None:
    """Or to one that never returned, if there is an element to spare."""
    assert first_guess(put(1, 0), put(2, 2), get(2, 4, 9), get(1, 5))[2:] == [(2, 1), (1, 0)]
    served = [put(1, 0), put(2, 2), put(1, 4), put(2, 6), get(1, 8, 9), get(2, 9), get(2, 18), get(1, 17.5, 9)]
    assert first_guess(*served)[4:] == [(1, 0), (2, 1), (1, 2), (2, 3)]
    unsure = [put(1, 0), put(1, 2), put(2, 4), get(None, 6, None), get(2, 8), get(1, 9)]
    assert first_guess(*unsure)[3:] == [UNKNOWN, (2, 2), (1, 0)]
    spared = [put(1, 0), put(1, 2), put(2, 4), get(None, 6, None), get(None, 6, None, "c"), get(2, 8), get(None, 10)]
    assert first_guess(*spared)[3:] == [UNKNOWN, UNKNOWN, (2, 2), None]


def test_an_element_that_nobody_enqueued_has_a_number_of_its_own() -> None:
    """So that no enqueue explains it."""
    assert first_guess(put(1, 0), get(1, 2), get(1, 4), get(7, 6))[1:] == [(1, 0), (1, -3), (7, -4)]
    assert first_guess(put(5, 0), put(6, 2), get(7, 4), get(8, 6))[2:] == [(7, -3), (8, -4)]


def test_values_of_a_drain_are_taken_one_after_the_other() -> None:
    """And then it found nothing."""
    lines = [put(1, 0), put(1, 2), put(2, 4), drain(6, 1, 1, 2), get(None, 9)]
    assert first_guess(*lines)[3:] == [((1, 0), (1, 1), (2, 2)), None]


def test_what_was_there_initially_comes_before_all_else() -> None:
    """In its order."""
    found = guesses(put(1, 0), put(2, 2), get(2, 4), get(1, 6), get(7, 8), initial=(7, 7, 1))
    assert found[0] == [(7, 0), (7, 1), (1, 2), (1, 3), (2, 4), (2, 4), (1, 2), (7, 0)]
    assert found[1] == [(7, 1), (7, 2), (1, 1), (1, 2), (2, 1), (2, 1), (1, 1), (7, 1)]
    assert found[2:] == found[1:2] * 3
    assert guesses(initial=(7,)) == [[]] * 5
    (first, second, *_) = next(iter(told_apart(called("queue", put(1, 0)), (7, 7))))
    assert (first.begin, first.end, second.begin, second.end) == (-4, -3, -2, -1)
    assert first.operation is not second.operation


def test_other_guesses_number_by_begins_and_ends() -> None:
    """Enqueues and what was given out, each in both orders; equal stamps in the order of the history."""
    lines = [put(1, 0, 9), put(1, 1, 2), put(2, 1, 2), put(2, 1, 2), get(1, 10, 9), get(1, 11, 2), drain(12, 2, 2)]
    _, *found = guesses(*lines)
    ends, begins = [(1, 2), (1, 1), (2, 1), (2, 2)], [(1, 1), (1, 2), (2, 1), (2, 2)]
    outs = [[(1, 1), (1, 2), ((2, 1), (2, 2))], [(1, 2), (1, 1), ((2, 1), (2, 2))]]
    assert found == [[*puts, *out] for puts in (ends, begins) for out in outs]
    unsure = [put(1, 0), put(1, 2), get(None, 3), get(None, 4, None), drain(4, took=None), drain(5, 1)]
    assert guesses(*unsure)[1] == [(1, 1), (1, 2), None, UNKNOWN, UNKNOWN, ((1, 1),)]


@pytest.mark.parametrize(
    ("name", "clients", "first", "any_"),
    [
        ("queue", 3, 197, 197),
        ("drained-queue", 8, 89, 98),
        ("unordered-queue", 3, 187, 194),
        ("drained-bag", 8, 100, 109),
    ],
)
def test_guesses_are_seldom_wrong(name: str, clients: int, first: int, any_: int) -> None:
    """Of two hundred correct histories, how many the first one explains, and how many need no search."""
    kind, explained, spared = TYPES[name], 0, 0
    judge = CHECKERS[str(kind.model)].judge
    for seed in range(200):
        lines = correct(kind, Random(seed), 6, 40, clients, crash=0.2)
        part = calls(lines, CHECKERS[str(kind.model)], names={}).get(None, [])
        apart = next(told_apart(part, frozen(kind.given) or ()))
        explained += judge(apart, None, Budget(60)).status is Status.HOLDS
        nothing = Budget(60)
        nothing.climb(0)
        with suppress(SpentError):
            spared += judge(part, frozen(kind.given), nothing).status is Status.HOLDS
    assert explained >= first
    assert spared >= any_


def test_more_than_was_put_in_is_told_in_full() -> None:
    """By the first that nobody can have enqueued, and what had been by then."""

    def found(*lines: Operation, initial: Sequence[Any] = ()) -> tuple[str, str, list[int]] | None:
        witness = overdrawn(called("queue", *lines), initial)
        return (
            None if witness is None else (witness.anomaly, witness.sentence, [one.index for one in witness.operations])
        )

    assert found(put(1, 0), get("x", 2)) == ("phantom element", "b dequeued 'x', which nobody enqueued", [1])
    early = [get(1, 0), put(1, 2), put(1, 4), put(1, 6), put(1, 8)]
    assert found(*early) == ("dequeue from the future", "b dequeued 1, which was enqueued only later", [0, 1])
    assert found(*early[:2]) == ("dequeue from the future", "b dequeued 1, which was enqueued only later", [0, 1])
    twice = [put(1, 0), put(1, 2), get(1, 4), drain(6, 1, 1), get(1, 8), put(1, 9.5)]
    sentence = "d dequeued 1, the 3. of them, when 2 enqueues had begun"
    assert found(*twice) == ("duplicate delivery", sentence, [0, 1, 2, 3])
    assert found(*twice[:3], get(1, 8)) is None
    assert found(get(1, 0), put(1, 1)) is None
    assert found(get(1, 0), get(1, 2), initial=(1, 1)) is None
    assert found(get(1, 0), get(1, 2), initial=(1,)) == (
        "phantom element",
        "b dequeued 1, which nobody enqueued",
        [0, 1],
    )
    late = [put(1, 0, 9), get(1, 1, 8), get(1, 2, 2, "c"), put(1, 5)]
    assert found(*late) is None
