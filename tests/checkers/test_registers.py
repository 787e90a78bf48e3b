"""
Registers and mutexes: each anomaly with its sentence and its operations.
"""

from typing import Any

import pytest

from chaos.checkers import check
from chaos.history import Operation
from tests.checkers.judging import judge
from tests.history.build import history, op
from tests.telling import proof, told


def write(value: Any, at: float, took: float | None = 1, client: str = "a") -> Operation:
    return op(client, "write", value, at, took)


def read(value: Any, at: float, took: float | None = 1, client: str = "b") -> Operation:
    return op(client, "read", None, at, took, result=value)


def cas(old: Any, new: Any, at: float, took: float | None = 1, client: str = "c", outcome: str = "ok") -> Operation:
    return op(client, "cas", [old, new], at, took, outcome=outcome)


def holds(*lines: Operation, initial: Any = None) -> bool:
    return judge("cas-register", *lines, initial=initial).status.value == "holds"


def test_explained_register_is_told_in_full() -> None:
    """Whichever rule judged it."""
    explains = "an order exists that explains all {} operations"
    unique = judge("register", write(1, 0), read(1, 2), read(None, 4, None))
    assert told(unique) == ("register", "holds", explains.format(3), {})
    repeated = judge("register", write(1, 0), write(1, 2), read(1, 4))
    assert told(repeated) == ("register", "holds", explains.format(3), {})
    mutex = judge("mutex", op("a", "acquire", None, 0, 1), op("a", "release", None, 2, 1))
    assert told(mutex) == ("mutex", "holds", explains.format(2), {})


@pytest.mark.parametrize(
    ("lines", "anomaly", "sentence", "shown"),
    [
        ([write(1, 0), read(9, 2)], "phantom value", "b read 9, which nobody wrote", [1]),
        ([read(1, 0), write(1, 2)], "read from the future", "b read 1 before its write by a began", [0, 1]),
        (
            [write(1, 0), write(2, 2), read(1, 4)],
            "stale read",
            "1 was seen before and after 2 was the value",
            [0, 1, 2],
        ),
        (
            [write(1, 0), read(None, 2)],
            "stale read",
            "the initial value was seen before and after 1 was the value",
            [0, 1],
        ),
        (
            [write(1, 0), write(2, 0), read(1, 2), read(2, 4), read(1, 6)],
            "stale read",
            "1 was seen before and after 2 was the value",
            [0, 1, 3, 4],
        ),
        (
            [write(1, 0, 9), write(2, 3), read(1, 1), read(1, 6)],
            "stale read",
            "1 was seen before and after 2 was the value",
            [0, 1, 2, 3],
        ),
    ],
)
def test_each_anomaly_of_unique_writes_is_told_in_full(
    lines: list[Operation], anomaly: str, sentence: str, shown: list[int]
) -> None:
    """Of a value its write, the first operation to end and the last to begin are shown."""
    verdict = judge("register", *lines)
    assert told(verdict) == ("register", "violated", sentence, {})
    assert proof(verdict) == (anomaly, sentence, shown)


def test_unique_writes_that_touch_are_concurrent() -> None:
    """Zones that share an instant have an order."""
    assert judge("register", write(1, 0), write(2, 1), read(1, 2), read(2, 3)).status.value == "holds"
    assert judge("register", read(1, 0), write(1, 1)).status.value == "holds"
    assert judge("register", write(1, 0), read(None, 1)).status.value == "holds"


WHY = {
    "no longer": "the value it saw was no longer there",
    "not yet": "the value it saw was not there yet",
    "nobody": "nobody wrote the value it saw",
    "later": "the value it saw was written only later",
    "all the time": "the value it expected was there all the time",
}


@pytest.mark.parametrize(
    ("lines", "anomaly", "asked", "why", "given", "shown"),
    [
        (
            [write(1, 0), write(1, 2), write(2, 4), read(1, 6)],
            "stale read",
            "read -> 1 of b",
            "no longer",
            "write 1 of a; write 1 of a; write 2 of a",
            [0, 1, 2, 3],
        ),
        ([write(1, 0), write(1, 2), read(9, 6)], "phantom value", "read -> 9 of b", "nobody", "", [2]),
        ([read(9, 0), write(9, 2), write(9, 4)], "read from the future", "read -> 9 of b", "later", "", [0]),
        ([read(9, 0), write(9, 1), write(9, 4)], None, "", "", "", []),
        ([cas(1, 2, 0)], "phantom value", "cas [1, 2] of c", "nobody", "", [0]),
        ([write(1, 0), cas(0, 2, 2)], "impossible cas", "cas [0, 2] of c", "no longer", "write 1 of a", [0, 1]),
        (
            [write(1, 0), cas(1, 2, 2), read(1, 4)],
            "stale read",
            "read -> 1 of b",
            "no longer",
            "write 1 of a; cas [1, 2] of c",
            [0, 1, 2],
        ),
        ([cas(0, 1, 0), cas(0, 2, 2)], "impossible cas", "cas [0, 2] of c", "no longer", "cas [0, 1] of c", [0, 1]),
    ],
)
def test_each_anomaly_of_repeated_values_is_told_in_full(
    lines: list[Operation], anomaly: str | None, asked: str, why: str, given: str, shown: list[int]
) -> None:
    """By the operation that nobody can explain, and those that leave it no place."""
    verdict = judge("cas-register", *lines, initial=0)
    if anomaly is None:
        assert told(verdict)[1] == "holds"
        return
    sentence = f"no order explains {asked}: {WHY[why]}" + (f" (given: {given})" if given else "")
    assert told(verdict) == ("register", "violated", sentence, {})
    assert proof(verdict) == (anomaly, sentence, shown)


def test_refusal_that_cannot_be_explained_is_told_in_full() -> None:
    """When a failed cas says that the value was not there."""
    lines = [write(1, 0), cas(1, 2, 2, outcome="fail")]
    verdict = judge("cas-register", *lines, initial=0, failed_cas="mismatch")
    sentence = "no order explains cas [1, 2] of c: the value it expected was there all the time (given: write 1 of a)"
    assert proof(verdict) == ("impossible refusal", sentence, [0, 1])
    alone = judge("cas-register", cas(0, 2, 2, outcome="fail"), initial=0, failed_cas="mismatch")
    sentence = "no order explains cas [0, 2] of c: the value it expected was there all the time"
    assert proof(alone) == ("impossible refusal", sentence, [0])
    assert holds(*lines, initial=0)


@pytest.mark.parametrize("others", [6, 7])
def test_long_proof_is_shown_and_not_listed(others: int) -> None:
    """A sentence stays readable: up to six operations are named."""
    seen = others % 2
    lines = [*(write(n % 2, 2 * n) for n in range(others)), read(seen, 20)]
    verdict = check(history(lines).operations, "register", shrink=False)
    listed = f" (given: {'; '.join(f'write {n % 2} of a' for n in range(others))})" if others == 6 else ""
    sentence = f"no order explains read -> {seen} of b: the value it saw was no longer there{listed}"
    assert proof(verdict) == ("stale read", sentence, list(range(others + 1)))


@pytest.mark.parametrize(
    ("lines", "anomaly", "sentence", "shown"),
    [
        (
            [op("a", "acquire", None, 0, 1), op("b", "acquire", None, 2, 1)],
            "double acquire",
            "no order explains acquire of b: it was held all the time (a, b acquired)",
            [0, 1],
        ),
        (
            [op("a", "release", None, 0, 1)],
            "release of a free lock",
            "no order explains release of a: nobody can have held it",
            [0],
        ),
        (
            [op("a", "acquire", None, 0, 1), op("a", "release", None, 2, 1), op("b", "release", None, 4, 1)],
            "release of a free lock",
            "no order explains release of b: nobody can have held it",
            [0, 1, 2],
        ),
    ],
)
def test_each_anomaly_of_a_mutex_is_told_in_full(
    lines: list[Operation], anomaly: str, sentence: str, shown: list[int]
) -> None:
    """By who acquired, or by the release."""
    verdict = judge("mutex", *lines)
    assert told(verdict) == ("mutex", "violated", sentence, {})
    assert proof(verdict) == (anomaly, sentence, shown)


def test_a_write_of_the_initial_value_is_a_repeated_value() -> None:
    """So it may be read again after another."""
    again = [read(1, 0), write(2, 2), write(1, 4), read(1, 6)]
    assert judge("register", *again, initial=1).status.value == "holds"
    assert judge("register", read(7, 0), write(1, 2), initial=7).status.value == "holds"
    assert judge("register", read(None, 0), write(1, 2), initial=7).status.value == "violated"


def test_a_mutex_that_was_held_at_first_is_judged_and_shown_so() -> None:
    """Its release is no violation, a second acquire is."""
    lines = [op("a", "release", None, 0, 1), op("a", "acquire", None, 2, 1), op("b", "acquire", None, 4, 1)]
    assert judge("mutex", *lines[:2], initial=True).status.value == "holds"
    verdict = judge("mutex", *lines, initial=True)
    assert proof(verdict)[0] == "double acquire"
    assert proof(verdict)[2] == [0, 1, 2]


def test_a_read_that_was_still_open_is_no_part_of_a_proof() -> None:
    """Whether the proof is made small or not."""
    lines = [write(1, 0), write(1, 2), write(2, 4), read(1, 6), read(2, 6.5, 9)]
    for shrink in (True, False):
        verdict = check(history(lines).operations, "cas-register", shrink=shrink)
        assert proof(verdict)[2] == [0, 1, 2, 3]
