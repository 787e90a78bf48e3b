"""
A client that takes away the next holder's lock is found; one whose late release does nothing is not blamed.
"""

import pytest

from chaos.guarantees import only_owner_releases
from chaos.history import History, Operation
from chaos.verdict import Status
from tests.history.build import fault, history, op
from tests.telling import proof, told


def acquire(client: str, at: float, outcome: str = "ok", took: float | None = 0.1) -> Operation:
    return op(client, "acquire", "lock", at=at, outcome=outcome, took=took)


def release(client: str, at: float, result: object = 1, outcome: str = "ok") -> Operation:
    return op(client, "release", "lock", at=at, result=result, outcome=outcome)


def taken_over(late: Operation) -> History:
    """a loses its lock to b, and then releases."""
    return history([acquire("a", 1), acquire("b", 6), late, release("b", 9)], [fault(2, 7, target="a")])


def test_late_release_that_deletes_the_next_holders_lock_is_violated() -> None:
    verdict = only_owner_releases(taken_over(release("a", 7)))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures == {"foreign_release_count": 1, "stolen_count": 1}
    assert verdict.witness is not None
    assert [(one.client, one.f) for one in verdict.witness.operations] == [("b", "acquire"), ("a", "release")]
    assert verdict.witness.sentence == "a released lock at 7.000 s, which b had acquired at 6.100 s"


@pytest.mark.parametrize(
    "late",
    [
        release("a", 7, 0),
        release("a", 7, False),
        release("a", 7, outcome="fail"),
        op("a", "release", "lock", at=7, result="OK", deleted=0),
    ],
)
def test_late_release_that_deletes_nothing_holds(late: Operation) -> None:
    verdict = only_owner_releases(taken_over(late))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"foreign_release_count": 1, "stolen_count": 0}


def test_release_of_the_own_lock_while_a_sleeper_believes_to_hold_it_is_right() -> None:
    """b acquires, sleeps past its lease; a acquires and releases its own; b wakes up and releases nothing."""
    operations = [acquire("b", 1), acquire("a", 6), release("a", 7), release("b", 9, 0)]
    assert only_owner_releases(history(operations)).status is Status.HOLDS


def test_release_without_any_acquisition_is_foreign() -> None:
    assert only_owner_releases(history([acquire("b", 1), release("a", 3)])).status is Status.VIOLATED


def test_release_after_an_acquisition_of_unknown_fate_may_be_of_the_own_lock() -> None:
    operations = [acquire("a", 1, "info", took=None), acquire("b", 6), release("a", 7)]
    assert only_owner_releases(history(operations)).status is Status.UNKNOWN


def test_acquisition_and_release_that_overlap_prove_nothing() -> None:
    operations = [acquire("a", 1), op("b", "acquire", "lock", at=6, took=2), release("a", 7)]
    assert only_owner_releases(history(operations)).status is Status.UNKNOWN


def test_promise_not_put_to_the_test_is_unknown() -> None:
    orderly = [acquire("a", 1), release("a", 2), acquire("b", 3), release("b", 4)]
    verdict = only_owner_releases(history(orderly))
    assert verdict.status is Status.UNKNOWN
    assert "after another client had taken it over" in verdict.reason
    unmet = history([acquire("a", 1), acquire("b", 6), release("a", 7, 0)], [fault(8, 9)])
    assert only_owner_releases(unmet).status is Status.UNKNOWN


@pytest.mark.parametrize("took", [0.1, None])
def test_late_release_whose_fate_nobody_knows_is_unknown(took: float | None) -> None:
    verdict = only_owner_releases(taken_over(op("a", "release", "lock", at=7, outcome="info", took=took)))
    assert (verdict.status, verdict.measures["foreign_release_count"]) == (Status.UNKNOWN, 1)
    assert "none was answered" in verdict.reason


def test_late_release_that_never_left_the_client_is_no_evidence() -> None:
    unsent = op("a", "release", "lock", at=7, outcome="fail", sent=False)
    assert only_owner_releases(taken_over(unsent)).status is Status.UNKNOWN


NAME = "only_owner_releases"


def test_every_verdict_is_told_in_full() -> None:
    stolen = only_owner_releases(taken_over(release("a", 7)))
    sentence = "a released lock at 7.000 s, which b had acquired at 6.100 s"
    assert told(stolen) == (NAME, "violated", sentence, {"foreign_release_count": 1, "stolen_count": 1})
    assert proof(stolen) == ("foreign release", sentence, [1, 2])
    kept = only_owner_releases(taken_over(release("a", 7, 0)))
    one = {"foreign_release_count": 1, "stolen_count": 0}
    assert told(kept) == (NAME, "holds", "1 releases came too late, and none took the lock away", one)
    unanswered = only_owner_releases(taken_over(op("a", "release", "lock", at=7, took=None)))
    nobody = "nobody knows what the releases that came too late did: none was answered"
    assert told(unanswered) == (NAME, "unknown", nobody, one)
    idle = op("c", "get", "lock", at=8)
    unmet = only_owner_releases(history([acquire("a", 1), acquire("b", 6), release("a", 7, 0), idle], [fault(8, 9)]))
    assert told(unmet) == (NAME, "unknown", "no operation was under way during isolate", one)
    orderly = only_owner_releases(history([acquire("a", 1), release("a", 2), acquire("b", 3), release("b", 4)]))
    none = {"foreign_release_count": 0, "stolen_count": 0}
    reason = "nobody released a lock after another client had taken it over"
    assert told(orderly) == (NAME, "unknown", reason, none)


@pytest.mark.parametrize("f", ["acquire", "release"])
def test_whoever_asked_for_the_lock_or_let_it_go_met_the_fault(f: str) -> None:
    attempt = op("b", f, "lock", at=8, outcome="fail")
    operations = [acquire("a", 1), acquire("b", 6), release("a", 7, 0), attempt]
    assert only_owner_releases(history(operations, [fault(8, 9)])).status is Status.HOLDS


def test_two_locks_are_two_matters() -> None:
    operations = [acquire("a", 1), op("b", "acquire", "other", at=2), release("a", 4)]
    assert only_owner_releases(history(operations)).status is Status.UNKNOWN


def test_other_operations_release_nothing() -> None:
    check = op("a", "check", "lock", at=7, result=True)
    assert only_owner_releases(history([acquire("a", 1), acquire("b", 6), check])).status is Status.UNKNOWN


def test_release_that_was_never_sent_does_not_end_the_search() -> None:
    unsent = op("a", "release", "lock", at=7, outcome="fail", sent=False)
    operations = [acquire("a", 1), acquire("b", 6), unsent, release("a", 8)]
    assert only_owner_releases(history(operations)).status is Status.VIOLATED


def test_next_acquisition_must_begin_after_the_own_one_had_ended() -> None:
    """In the same instant nobody knows which was first."""
    operations = [acquire("a", 1, took=5), acquire("b", 6), release("a", 7)]
    assert only_owner_releases(history(operations)).status is Status.UNKNOWN
    operations = [acquire("a", 1, took=5 - 1e-9), acquire("b", 6), release("a", 7)]
    assert only_owner_releases(history(operations)).status is Status.VIOLATED


def test_last_of_the_next_holders_is_named() -> None:
    operations = [acquire("a", 1), acquire("b", 6), acquire("c", 4, took=3), release("a", 8)]
    assert "which c had acquired at 7.000 s" in only_owner_releases(history(operations)).reason
    operations = [acquire("a", 1), acquire("c", 4), acquire("b", 6), release("a", 8)]
    assert "which b had acquired at 6.100 s" in only_owner_releases(history(operations)).reason
