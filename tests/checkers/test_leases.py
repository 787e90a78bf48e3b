"""
Leases: who was inside at the same time, and which tokens did not grow.
"""

from typing import Any

import pytest

from chaos.history import Operation
from tests.checkers.judging import judge
from tests.history.build import ns, op
from tests.telling import Told, proof, told


def acquire(
    client: str, at: float, took: float | None = 1, result: Any = None, until: float | None = None
) -> Operation:
    notes: dict[str, Any] = {} if until is None else {"expires_ns": ns(until)}
    return op(client, "acquire", None, at, took, result=result, **notes)


def release(client: str, at: float) -> Operation:
    return op(client, "release", None, at, 1)


def counts(acquired: int, overlaps: int = 0, regressions: int = 0) -> dict[str, float]:
    return {"acquired_count": acquired, "overlaps_count": overlaps, "regressions_count": regressions}


def test_leases_one_after_the_other_are_told_in_full() -> None:
    """Tokens are counted where there are some."""
    lines = [acquire("a", 0, result=1), release("a", 2), acquire("b", 4), release("b", 6), acquire("a", 8, result=2)]
    assert told(judge("lease", *lines)) == ("lease", "holds", "3 holds do not overlap, 2 tokens grow", counts(3))


def test_without_an_acquire_nothing_is_known() -> None:
    """A crashed one is none."""
    nothing: Told = ("lease", "unknown", "no acquire succeeded", {})
    assert told(judge("lease", acquire("a", 0, None), release("b", 2))) == nothing


def test_two_holders_are_told_in_full() -> None:
    """The one that came in is blamed."""
    verdict = judge("lease", acquire("a", 0), acquire("b", 2))
    sentence = "b acquired the lock while a held it"
    assert told(verdict) == ("lease", "violated", sentence, counts(2, overlaps=1))
    assert proof(verdict) == ("two holders", sentence, [0, 1])


def test_longest_holder_so_far_is_the_one_that_others_meet() -> None:
    """Not the last that came in."""
    lines = [acquire("a", 0, until=20), acquire("b", 2, until=4), acquire("c", 6, until=9), acquire("d", 30)]
    assert told(judge("lease", *lines))[3] == counts(4, overlaps=2)


def test_lease_that_was_over_when_it_was_given_is_no_hold() -> None:
    """The answer took longer than the lease."""
    verdict = judge("lease", acquire("a", 0, 5, until=3), acquire("b", 6), acquire("a", 2, until=2.5))
    assert told(verdict)[1] == "holds"


def test_lease_ends_when_its_client_asks_again() -> None:
    """It does not believe any more that it is inside."""
    assert told(judge("lease", acquire("a", 0), acquire("a", 2, None), acquire("b", 4)))[1] == "holds"


def test_lease_and_token_may_stand_in_the_result() -> None:
    """Or in the notes, where the result does not say."""
    first = op("a", "acquire", None, 0, 1, result={"token": 7, "expires_ns": ns(3)}, token=9, expires_ns=ns(99))
    verdict = judge("lease", first, op("b", "acquire", None, 4, 1, result={"id": 1}, token=8))
    assert told(verdict)[2] == "2 holds do not overlap, 2 tokens grow"


@pytest.mark.parametrize("token", [True, "7", 1.5, None])
def test_only_whole_numbers_are_tokens(token: Any) -> None:
    """True is none."""
    lines = [acquire("a", 0, result=token, until=2), op("b", "acquire", None, 4, 1, token=token)]
    assert told(judge("lease", *lines))[2] == "2 holds do not overlap, 0 tokens grow"


def test_token_that_went_back_is_told_in_full() -> None:
    """After the highest that had been given."""
    lines = [acquire("a", 0, result=9, until=2), acquire("b", 4, result=5, until=6), acquire("c", 8, result=7)]
    verdict = judge("lease", *lines)
    sentence = "b got the token 5 after token 9 of a"
    assert told(verdict) == ("lease", "violated", sentence, counts(3, regressions=2))
    assert proof(verdict) == ("token went back", sentence, [0, 1])


def test_token_given_twice_is_told_in_full() -> None:
    """One after the other, or at once."""
    sentence = "b got the token 5 too of a"
    for at in (4, 0.5):
        lines = [acquire("a", 0, result=5, until=2), op("b", "acquire", None, at, 4, result=5)]
        assert proof(judge("lease", *lines)) == ("token given twice", sentence, [0, 1])
        assert told(judge("lease", *lines))[2:] == (sentence, counts(2, regressions=1))


def test_acquire_that_took_long_does_not_hide_those_that_ended_before() -> None:
    """Tokens are compared in the order in which acquires ended."""
    lines = [
        acquire("a", 0, 9, result=9),
        acquire("b", 1, result=5, until=2.5),
        acquire("c", 3, result=4, until=5),
    ]
    assert proof(judge("lease", *lines)) == ("token went back", "c got the token 4 after token 5 of b", [1, 2])
