"""
Tokens at the lock rise, and at the resource never fall: both checked, against brute force on small random runs.
"""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chaos.guarantees import fenced_writes, monotonic_tokens
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, op
from tests.telling import proof, told


def write(value: int, token: int | None, at: float, number: int | None = None, took: float = 0.1) -> Operation:
    return op("a", "write", value, at=at, took=took, result=number, token=token)


def acquire(token: int | None, at: float, took: float = 0.1, client: str = "a") -> Operation:
    return op(client, "acquire", "lock", at=at, took=took, result=token)


def test_rising_and_equal_tokens_at_the_resource_hold() -> None:
    verdict = fenced_writes(history([write(1, 7, 1), write(2, 7, 2), write(3, 9, 3)]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"accepted_count": 3, "decrease_count": 0}


def test_older_token_accepted_after_a_newer_is_violated() -> None:
    verdict = fenced_writes(history([write(1, 7, 1), write(2, 9, 2), write(3, 8, 3)]))
    assert verdict.status is Status.VIOLATED
    assert verdict.witness is not None
    assert [one.value for one in verdict.witness.operations] == [2, 3]
    assert verdict.witness.sentence == "the resource accepted 3 of a with token 8 after 2 of a with token 9"


def test_stores_numbers_count_before_intervals() -> None:
    assert fenced_writes(history([write(1, 9, 1, 1), write(2, 8, 1, 2)])).status is Status.VIOLATED
    assert fenced_writes(history([write(1, 9, 1), write(2, 8, 1)])).status is Status.HOLDS
    assert fenced_writes(history([write(1, 9, 1, 2), write(2, 8, 3, 1)])).status is Status.HOLDS


def test_refused_older_token_holds() -> None:
    refused = op("a", "write", 3, at=3, outcome="fail", token=8)
    assert fenced_writes(history([write(1, 7, 1), write(2, 9, 2), refused])).status is Status.HOLDS


def test_fencing_is_unknown_on_too_little_evidence() -> None:
    assert fenced_writes(history([])).status is Status.UNKNOWN
    assert fenced_writes(history([write(1, None, 1), write(2, None, 2)])).status is Status.UNKNOWN
    assert fenced_writes(history([write(1, 7, 1), write(2, 7, 2)])).status is Status.UNKNOWN
    some = fenced_writes(history([write(1, 7, 1), write(2, 8, 2), write(3, None, 3)]))
    assert (some.status, some.reason) == (Status.UNKNOWN, "1 of 3 accepted writes carry no token")
    assert fenced_writes(history([write(1, 7, 1), write(2, 9, 2)], [fault(8, 9)])).status is Status.UNKNOWN


def test_each_token_above_all_before_holds() -> None:
    verdict = monotonic_tokens(history([acquire(1, 1), acquire(5, 2), acquire(6, 3)]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"token_count": 3, "disorder_count": 0}


def test_lower_or_repeated_token_is_violated() -> None:
    for second, anomaly in ((3, "token went back"), (5, "token given twice")):
        verdict = monotonic_tokens(history([acquire(5, 1), acquire(second, 2, client="b")]))
        assert verdict.status is Status.VIOLATED
        assert verdict.witness is not None
        assert verdict.witness.anomaly == anomaly
        assert [one.client for one in verdict.witness.operations] == ["a", "b"]


def test_acquisitions_that_overlap_may_have_tokens_either_way_round_but_not_the_same() -> None:
    assert monotonic_tokens(history([acquire(5, 1, 3), acquire(4, 2, 3)])).status is Status.HOLDS
    assert monotonic_tokens(history([acquire(5, 1, 3), acquire(5, 2, 3)])).status is Status.VIOLATED


def test_token_may_stand_in_the_notes() -> None:
    noted = [op("a", "acquire", "lock", at=at, result="uuid", token=9 - at) for at in (1, 2)]
    assert monotonic_tokens(history(noted)).status is Status.VIOLATED


def test_monotony_is_unknown_on_too_little_evidence() -> None:
    assert monotonic_tokens(history([acquire(1, 1)])).status is Status.UNKNOWN
    assert monotonic_tokens(history([acquire(None, 1), acquire(None, 2)])).status is Status.UNKNOWN
    assert monotonic_tokens(history([acquire(1, 1), acquire(2, 2), acquire(None, 3)])).status is Status.UNKNOWN
    assert monotonic_tokens(history([acquire(1, 1), acquire(2, 2)], [fault(8, 9)])).status is Status.UNKNOWN


DRAWN = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 12), st.integers(0, 3)), min_size=2, max_size=8)


@given(drawn=DRAWN)
def test_fencing_is_what_brute_force_says(drawn: list[tuple[int, int, int]]) -> None:
    broken = any(
        other_begin + other_took < begin and token < other_token
        for token, begin, _ in drawn
        for other_token, other_begin, other_took in drawn
    )
    verdict = fenced_writes(history(write(0, token, begin, took=took) for token, begin, took in drawn))
    enough = len({token for token, _, _ in drawn}) > 1
    assert verdict.status is (Status.VIOLATED if broken else Status.HOLDS if enough else Status.UNKNOWN)


@given(drawn=DRAWN)
def test_monotony_is_what_brute_force_says(drawn: list[tuple[int, int, int]]) -> None:
    tokens = [token for token, _, _ in drawn]
    broken = len(set(tokens)) < len(tokens) or any(
        other_begin + other_took < begin and token <= other_token
        for token, begin, _ in drawn
        for other_token, other_begin, other_took in drawn
    )
    verdict = monotonic_tokens(history(acquire(token, begin, took) for token, begin, took in drawn))
    assert verdict.status is (Status.VIOLATED if broken else Status.HOLDS)


def test_tokens_below_zero_are_compared_like_any_others() -> None:
    acquired = [op("a", "acquire", "lock", at=1, result=-3), op("b", "acquire", "lock", at=2, result=-5)]
    assert monotonic_tokens(history(acquired)).status is Status.VIOLATED


def fenced(value: int, at: float, token: int, **notes: Any) -> Operation:
    return op("a", "write", value, at=at, token=token, **notes)


def test_fencing_is_told_in_full() -> None:
    counts = {"accepted_count": 2, "decrease_count": 0}
    kept = fenced_writes(history([write(1, 7, 1), write(2, 9, 2)]))
    assert told(kept) == ("fenced_writes", "holds", "2 accepted writes, tokens never decrease", counts)
    broken = fenced_writes(history([write(1, 9, 1), write(2, 8, 2)]))
    sentence = "the resource accepted 2 of a with token 8 after 1 of a with token 9"
    assert told(broken) == ("fenced_writes", "violated", sentence, {**counts, "decrease_count": 1})
    assert proof(broken) == ("token went back", sentence, [0, 1])
    same = fenced_writes(history([write(1, 7, 1), write(2, 7, 2)]))
    few = "the resource accepted writes of fewer than two tokens"
    assert told(same) == ("fenced_writes", "unknown", few, counts)
    idle = op("c", "get", at=8, token=1)
    unmet = fenced_writes(history([write(1, 7, 1), write(2, 9, 2), idle], [fault(8, 9)]))
    assert told(unmet) == ("fenced_writes", "unknown", "no operation was under way during isolate", counts)


def test_two_fenced_resources_are_two_matters() -> None:
    x, y = fenced(1, 1, 9, resource="x"), fenced(2, 2, 8, resource="y")
    assert fenced_writes(history([x, y])).status is Status.HOLDS
    assert fenced_writes(history([x, fenced(2, 2, 8, resource="x")])).status is Status.VIOLATED


def test_highest_token_so_far_is_shown_by_its_first_write() -> None:
    verdict = fenced_writes(history([write(1, 9, 1), write(2, 9, 2), write(3, 4, 3), write(4, 8, 4)]))
    sentence = "the resource accepted 4 of a with token 8 after 1 of a with token 9"
    assert proof(verdict) == ("token went back", sentence, [0, 3])
    assert verdict.measures["decrease_count"] == 2


def test_monotony_is_told_in_full() -> None:
    counts = {"token_count": 2, "disorder_count": 0}
    kept = monotonic_tokens(history([acquire(1, 1), acquire(5, 2)]))
    assert told(kept) == ("monotonic_tokens", "holds", "2 tokens, each higher than those before", counts)
    back = monotonic_tokens(history([acquire(5, 1), acquire(4, 2, client="b")]))
    sentence = "a was given token 5, and b after it token 4"
    assert told(back) == ("monotonic_tokens", "violated", sentence, {**counts, "disorder_count": 1})
    assert proof(back) == ("token went back", sentence, [0, 1])
    twice = monotonic_tokens(history([acquire(5, 1), acquire(5, 2, client="b")]))
    sentence = "a was given token 5, and b after it token 5"
    assert told(twice) == ("monotonic_tokens", "violated", sentence, {**counts, "disorder_count": 1})
    assert proof(twice) == ("token given twice", sentence, [0, 1])
    single = monotonic_tokens(history([acquire(1, 1)]))
    assert told(single) == ("monotonic_tokens", "unknown", "no lock gave out two tokens", {})
    bare = monotonic_tokens(history([acquire(1, 1), acquire(2, 2), acquire(None, 3)]))
    missing = "1 of 3 acquisitions came without a token"
    assert told(bare) == ("monotonic_tokens", "unknown", missing, counts)
    idle = op("c", "get", at=8)
    unmet = monotonic_tokens(history([acquire(1, 1), acquire(2, 2), idle], [fault(8, 9)]))
    assert told(unmet) == ("monotonic_tokens", "unknown", "no operation was under way during isolate", counts)


def test_tokens_of_two_locks_are_not_compared() -> None:
    x = [op("a", "acquire", "x", at=at, result=token) for at, token in ((1, 5), (2, 6))]
    y = [op("a", "acquire", "y", at=at, result=token) for at, token in ((3, 4), (4, 6))]
    assert monotonic_tokens(history([*x, *y])).status is Status.HOLDS


def test_highest_token_is_remembered_beyond_the_last_one() -> None:
    verdict = monotonic_tokens(history([acquire(9, 1), acquire(5, 2), acquire(7, 3)]))
    assert verdict.measures["disorder_count"] == 2
