"""
A lease that ends before its last confirmed renewal said, and one that does not.
"""

import pytest

from chaos.guarantees import lease_kept
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

ACQUIRE = op("a", "acquire", "lock", at=1, result=7, lease="2a", expires_ns=ns(6))


def renew(at: float, result: object = True, lease: str = "2a") -> Operation:
    return op("a", "renew", "lock", at=at, result=result, lease=lease, expires_ns=ns(at + 5))


def check(at: float, result: object, client: str = "a", lease: str = "2a") -> Operation:
    return op(client, "check", "lock", at=at, result=result, lease=lease)


GOOD = [ACQUIRE, renew(3), check(4, True), renew(7), check(11, True)]


def test_a_lease_that_is_there_as_long_as_promised_holds() -> None:
    verdict = lease_kept(history(GOOD))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"lost_count": 0, "kept_count": 4}


def test_a_lease_that_is_gone_after_a_confirmed_renewal_is_violated() -> None:
    for gone in (check(8, False), renew(8, False), check(8, 0, client="observer")):
        verdict = lease_kept(history([ACQUIRE, renew(3), renew(7), gone]))
        assert verdict.status is Status.VIOLATED
        assert verdict.measures["lost_count"] == 1
        assert verdict.measures["left_s"] == pytest.approx(3.9)
        assert verdict.measures["since_renewal_s"] == pytest.approx(1.0)
        assert verdict.witness is not None
        assert [one.f for one in verdict.witness.operations] == ["renew", gone.f]
        assert "found lease 2a gone 1.000 s after its last confirmed renew, with 3.900 s" in verdict.witness.sentence


def test_a_lease_that_nobody_renewed_ends_as_promised() -> None:
    assert lease_kept(history([ACQUIRE, check(5, True), check(6.5, False)])).status is Status.HOLDS


def test_a_renewal_that_was_not_confirmed_promises_nothing() -> None:
    unsure = op("a", "renew", "lock", at=5, took=None, lease="2a", expires_ns=ns(10))
    assert lease_kept(history([ACQUIRE, check(4, True), unsure, check(7, False)])).status is Status.HOLDS


def test_a_released_lease_may_be_gone() -> None:
    release = op("a", "release", "lock", at=4, result=1, lease="2a")
    assert lease_kept(history([ACQUIRE, check(2, True), release, check(5, False)])).status is Status.HOLDS


def test_another_lease_of_the_same_lock_is_another_matter() -> None:
    second = op("b", "acquire", "lock", at=7, result=9, lease="3b", expires_ns=ns(12))
    assert lease_kept(history([ACQUIRE, check(2, True), second, check(8, False)])).status is Status.HOLDS


def test_a_margin_within_the_error_of_the_clocks_is_no_loss() -> None:
    operations = [*GOOD[:3], check(7.5, False)]
    assert lease_kept(history(operations)).status is Status.VIOLATED
    assert lease_kept(history(operations, clock_error_ns={"a": ns(0.4)})).status is Status.HOLDS


def test_without_a_look_or_a_met_fault_nothing_is_known() -> None:
    assert lease_kept(history([ACQUIRE])).status is Status.UNKNOWN
    assert lease_kept(history(GOOD, [fault(20, 21)])).status is Status.UNKNOWN


def test_every_verdict_is_told_in_full() -> None:
    reason, counts = "4 looks at a lease with time left, and it was there", {"lost_count": 0, "kept_count": 4}
    assert told(lease_kept(history(GOOD))) == ("lease_kept", "holds", reason, counts)
    missed = lease_kept(history(GOOD, [fault(20, 21)]))
    assert told(missed) == ("lease_kept", "unknown", "no operation was under way during isolate", counts)
    alone = lease_kept(history([ACQUIRE]))
    counts = {"lost_count": 0, "kept_count": 0}
    assert told(alone) == ("lease_kept", "unknown", "nobody looked at a lease with time left", counts)
    gone = [ACQUIRE, renew(3), check(7.5, False), check(5, False, client="b")]
    sentence = "b found lease 2a gone 2.000 s after its last confirmed renew, with 2.900 s of its time left"
    measures = {"lost_count": 1, "kept_count": 1, "left_s": 2.9, "since_renewal_s": 2.0}
    verdict = lease_kept(history(gone))
    assert told(verdict) == ("lease_kept", "violated", sentence, measures)
    assert proof(verdict) == ("lease ended early", sentence, [1, 2])


def test_the_most_time_that_was_left_is_measured_and_the_first_loss_shown() -> None:
    """They need not be the same."""
    second = op("b", "acquire", "other", at=2, result=9, lease="3b", expires_ns=ns(30))
    verdict = lease_kept(history([ACQUIRE, second, check(4, False), check(5, False, lease="3b")]))
    assert (verdict.measures["lost_count"], verdict.measures["left_s"]) == (2, 24.9)
    assert proof(verdict)[2] == [0, 2]
    assert verdict.measures["since_renewal_s"] == 3.0


def test_a_lease_is_over_at_the_end_of_its_time_and_not_before() -> None:
    """To the nanosecond, and told to the millisecond however long it was."""
    for at, status in ((5.9, Status.HOLDS), (5.9 - 1e-9, Status.VIOLATED)):
        assert lease_kept(history([ACQUIRE, check(2, True), check(at, False)])).status is status
    for at, kept in ((5.9, 0), (5.9 - 1e-9, 1)):
        assert lease_kept(history([ACQUIRE, check(at, True)])).measures["kept_count"] == kept
    long = op("a", "acquire", "lock", at=1, result=7, lease="2a", expires_ns=ns(2_000_000))
    assert lease_kept(history([long, check(800_000, False)])).reason == (
        "a found lease 2a gone 799999.000 s after its last confirmed acquire, with 1199999.900 s of its time left"
    )


def test_a_renewal_counts_for_looks_that_were_asked_when_its_answer_came() -> None:
    """Not for one that was under way; a renewal that was refused or says no time promises nothing."""
    for at, status in ((7.1, Status.VIOLATED), (7.1 - 1e-9, Status.HOLDS)):
        assert lease_kept(history([ACQUIRE, check(2, True), renew(7), check(at, False)])).status is status
    untimed = op("a", "renew", "lock", at=5, result=True, lease="2a")
    assert lease_kept(history([untimed, check(6, False)])).status is Status.UNKNOWN
    asked = op("a", "check", "lock", at=3, result=True, lease="2a", expires_ns=ns(30))
    assert lease_kept(history([ACQUIRE, asked, check(7, False)])).status is Status.HOLDS


def test_a_release_excuses_looks_that_were_answered_after_it_was_asked() -> None:
    """Whatever became of it; a look that was answered when it was asked is still judged."""
    for outcome in ("ok", "fail", "info"):
        release = op("a", "release", "lock", at=4, result=1, outcome=outcome, lease="2a")
        assert lease_kept(history([ACQUIRE, check(2, True), release, check(4, False)])).status is Status.HOLDS
        early = check(3.9, False, client="b")
        assert lease_kept(history([ACQUIRE, check(2, True), early, release])).status is Status.VIOLATED
    unanswered = op("b", "check", "lock", at=3, took=None, result=True, lease="2a")
    refused = op("b", "check", "lock", at=3, outcome="fail", lease="2a")
    assert lease_kept(history([ACQUIRE, unanswered, refused])).measures["kept_count"] == 0


def test_only_looks_at_leases_count_and_only_they_meet_the_fault() -> None:
    """Other operations may bear a lease in their notes."""
    write = op("a", "write", 5, at=4, result=0, lease="2a")
    assert lease_kept(history([ACQUIRE, check(2, True), write])).measures["kept_count"] == 1
    for f, status in (("renew", Status.HOLDS), ("check", Status.HOLDS), ("release", Status.UNKNOWN)):
        unanswered = op("b", f, "lock", at=20, took=None, lease="3b")
        assert lease_kept(history([*GOOD, unanswered], [fault(20, 21)])).status is status


def test_both_clocks_may_be_off() -> None:
    """Of the client that looked, and of the one that was promised the lease."""
    operations = [ACQUIRE, check(2, True), check(5.7, False, client="b")]
    assert lease_kept(history(operations)).status is Status.VIOLATED
    for errors in ({"a": ns(0.2)}, {"b": ns(0.2)}):
        assert lease_kept(history(operations, clock_error_ns=errors)).status is Status.HOLDS


@pytest.mark.parametrize(("error_s", "status"), [(0, Status.VIOLATED), (0.04, Status.VIOLATED), (0.1, Status.UNKNOWN)])
def test_promise_that_by_the_clocks_errors_came_after_the_look_is_none_yet(error_s: float, status: Status) -> None:
    """Another client looks 0.1 s after the promise was given."""
    operations = [
        op("a", "acquire", "l", 1, lease="7", expires_ns=ns(9)),
        op("b", "check", "l", 1.2, result=False, lease="7"),
    ]
    errors = {"a": ns(error_s), "b": ns(error_s)}
    assert lease_kept(history(operations, clock_error_ns=errors)).status is status
