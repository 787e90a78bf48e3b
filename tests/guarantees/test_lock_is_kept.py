"""
A lock that is gone before its time is found, as far as its holder looked.
"""

import pytest

from chaos.guarantees import lock_is_kept
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

ACQUIRE = op("a", "acquire", "lock", at=1, expires_ns=ns(61))


def look(at: float, result: object, f: str = "check", client: str = "a", **notes: int) -> Operation:
    return op(client, f, "lock", at, 0.1, result, "ok", **notes)


def test_lock_that_is_there_with_time_left_holds() -> None:
    verdict = lock_is_kept(history([ACQUIRE, look(5, True), look(9, 1)]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"lost_count": 0, "checked_count": 2}


def test_lock_that_is_gone_with_time_left_is_violated() -> None:
    for gone in (False, None, 0):
        verdict = lock_is_kept(history([ACQUIRE, look(5, True), look(9, gone)]))
        assert verdict.status is Status.VIOLATED
        assert verdict.measures == {"lost_count": 1, "checked_count": 2, "left_s": 51.9}
        assert verdict.witness is not None
        assert [one.f for one in verdict.witness.operations] == ["acquire", "check"]
        assert verdict.witness.sentence == "a found lock gone with 51.900 s of its time left"


def test_most_time_that_was_left_is_measured() -> None:
    other = op("b", "acquire", "lock", at=10, expires_ns=ns(20))
    verdict = lock_is_kept(history([ACQUIRE, look(5, False), other, look(19, False, client="b")]))
    assert (verdict.measures["lost_count"], verdict.measures["left_s"]) == (2, 55.9)


def test_lock_that_is_gone_after_its_time_is_as_promised() -> None:
    assert lock_is_kept(history([ACQUIRE, look(5, True), look(61, False)])).status is Status.HOLDS


def test_renewal_moves_the_promise_and_can_find_it_broken() -> None:
    renewed = look(50, True, "renew", expires_ns=ns(110))
    gone = look(70, False, expires_ns=ns(110))
    assert lock_is_kept(history([ACQUIRE, renewed, gone])).status is Status.VIOLATED
    assert lock_is_kept(history([ACQUIRE, look(50, False, "renew")])).status is Status.VIOLATED


def test_released_lock_may_be_gone() -> None:
    release = op("a", "release", "lock", at=6, result=1)
    assert lock_is_kept(history([ACQUIRE, look(5, True), release, look(9, False)])).status is Status.HOLDS


def test_margin_within_the_error_of_the_clock_is_no_loss() -> None:
    operations = [ACQUIRE, look(5, True), look(60, False)]
    assert lock_is_kept(history(operations)).status is Status.VIOLATED
    assert lock_is_kept(history(operations, clock_error_ns={"a": ns(1)})).status is Status.HOLDS


def test_too_little_evidence_is_unknown() -> None:
    bare = op("a", "acquire", "lock", at=1)
    assert lock_is_kept(history([ACQUIRE])).status is Status.UNKNOWN
    assert lock_is_kept(history([bare, look(5, True), look(6, False)])).status is Status.UNKNOWN
    assert lock_is_kept(history([ACQUIRE, look(5, True, client="b")])).status is Status.UNKNOWN
    assert lock_is_kept(history([ACQUIRE, look(5, False, client="b")])).status is Status.UNKNOWN
    assert lock_is_kept(history([ACQUIRE, look(5, True)], [fault(8, 9)])).status is Status.UNKNOWN


NAME = "lock_is_kept"


def test_every_verdict_is_told_in_full() -> None:
    kept = lock_is_kept(history([ACQUIRE, look(5, True), look(9, 1)]))
    counts = {"lost_count": 0, "checked_count": 2}
    assert told(kept) == (NAME, "holds", "2 looks at a lock with time left, and it was there", counts)
    lost = lock_is_kept(history([ACQUIRE, look(5, True), look(9, False)]))
    sentence = "a found lock gone with 51.900 s of its time left"
    assert told(lost) == (NAME, "violated", sentence, {"lost_count": 1, "checked_count": 2, "left_s": 51.9})
    assert proof(lost) == ("lock lost early", sentence, [0, 2])
    unseen = lock_is_kept(history([ACQUIRE]))
    missing = "nobody looked at a lock that it held with time left (needs expires_ns)"
    assert told(unseen) == (NAME, "unknown", missing, {"lost_count": 0, "checked_count": 0})
    idle = op("c", "get", at=8)
    unmet = lock_is_kept(history([ACQUIRE, look(5, True), idle], [fault(8, 9)]))
    counts = {"lost_count": 0, "checked_count": 1}
    assert told(unmet) == (NAME, "unknown", "no operation was under way during isolate", counts)


def test_first_loss_is_shown() -> None:
    other = op("b", "acquire", "lock", at=10, expires_ns=ns(20))
    verdict = lock_is_kept(history([ACQUIRE, look(5, False), other, look(19, False, client="b")]))
    assert proof(verdict) == ("lock lost early", "a found lock gone with 55.900 s of its time left", [0, 1])


def test_last_nanosecond_counts() -> None:
    early = op("a", "check", "lock", at=60.9 - 1e-9, result=False)
    assert lock_is_kept(history([ACQUIRE, early])).measures["left_s"] == 1e-9
    confirmed = op("a", "check", "lock", at=60.9 - 1e-9, result=True)
    assert lock_is_kept(history([ACQUIRE, confirmed])).status is Status.HOLDS
    late = op("a", "check", "lock", at=60.9, result=True)
    assert lock_is_kept(history([ACQUIRE, late])).status is Status.UNKNOWN


@pytest.mark.parametrize("f", ["check", "renew", "acquire"])
def test_whoever_asked_anything_of_a_lock_met_the_fault(f: str) -> None:
    attempt = op("c", f, "lock", at=8, took=None)
    assert lock_is_kept(history([ACQUIRE, look(5, True), attempt], [fault(8.5, 9)])).status is Status.HOLDS


@pytest.mark.parametrize(("f", "looks"), [("check", 1), ("renew", 1), ("get", 0)])
def test_checks_and_renewals_are_looks(f: str, looks: int) -> None:
    acquire = op("a", "acquire", "lock", at=1, result=7, expires_ns=ns(61))
    verdict = lock_is_kept(history([acquire, look(5, True, f)]))
    assert verdict.measures["checked_count"] == looks


def test_each_look_counts_for_the_stay_in_which_it_was() -> None:
    again = op("a", "acquire", "lock", at=20, expires_ns=ns(61))
    operations = [ACQUIRE, look(5, True), look(6, True), again, look(25, True)]
    assert lock_is_kept(history(operations)).measures["checked_count"] == 3
    late = op("a", "acquire", "lock", at=30)
    assert lock_is_kept(history([ACQUIRE, look(5, True), late, look(35, True)])).measures["checked_count"] == 1
