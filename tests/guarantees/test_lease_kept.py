"""
A lease that ends before its last confirmed renewal said, and one that does not.
"""

import pytest

from chaos.guarantees import lease_kept
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op

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
