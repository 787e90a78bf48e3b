"""
A lock that is gone before its time is found, as far as its holder looked.
"""

from chaos.guarantees import lock_is_kept
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op

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
