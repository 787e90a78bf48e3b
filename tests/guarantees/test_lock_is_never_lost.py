"""
A holder that renews and finds its lock gone, whoever is to blame.
"""

import pytest

from chaos.guarantees import lock_is_never_lost
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

ACQUIRE = op("a", "acquire", "lock", at=1, result=7)


def renew(at: float, result: object = True, took: float | None = 0.1) -> Operation:
    return op("a", "renew", "lock", at=at, took=took, result=result)


CUT = fault(4, 6, target="{a} | {n1, n2, n3}", healing=6)


def test_a_lock_that_is_there_after_the_fault_holds() -> None:
    verdict = lock_is_never_lost(history([ACQUIRE, renew(3), renew(5, took=None), renew(7)], [CUT]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"lost_count": 0, "confirmed_count": 1}


def test_a_lock_that_is_gone_is_violated_also_when_its_time_was_over() -> None:
    verdict = lock_is_never_lost(history([ACQUIRE, renew(3), renew(5, took=None), renew(9, False)], [CUT]))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures["unrenewed_s"] == pytest.approx(6.1)
    assert verdict.witness is not None
    assert [one.invoked_ns // 10**9 for one in verdict.witness.operations] == [3, 9]


def test_a_lock_that_was_released_is_not_lost() -> None:
    release = op("a", "release", "lock", at=7, result=1)
    operations = [ACQUIRE, renew(3), renew(5, took=None), renew(6.5), release, renew(8, False)]
    assert lock_is_never_lost(history(operations, [CUT])).status is Status.HOLDS


def test_without_a_look_after_the_heal_or_during_the_fault_nothing_is_known() -> None:
    assert lock_is_never_lost(history([ACQUIRE, renew(3), renew(5, took=None)], [CUT])).status is Status.UNKNOWN
    assert lock_is_never_lost(history([ACQUIRE, renew(3), renew(7)], [CUT])).status is Status.UNKNOWN


def test_every_verdict_is_told_in_full() -> None:
    name, lines = "lock_is_never_lost", [ACQUIRE, renew(3), renew(5, took=None), renew(7)]
    kept = lock_is_never_lost(history(lines, [CUT]))
    reason = "1 looks after the last fault healed, and the lock was there"
    assert told(kept) == (name, "holds", reason, {"lost_count": 0, "confirmed_count": 1})
    early = lock_is_never_lost(history(lines[:3], [CUT]))
    reason = "nobody found its lock there after the last fault healed"
    assert told(early) == (name, "unknown", reason, {"lost_count": 0, "confirmed_count": 0})
    missed = lock_is_never_lost(history(lines, [CUT, fault(20, 21)]))
    assert told(missed)[:3] == (name, "unknown", reason)
    apart = lock_is_never_lost(history([ACQUIRE, renew(3), renew(7)], [CUT]))
    reason = "no operation was under way during isolate"
    assert told(apart) == (name, "unknown", reason, {"lost_count": 0, "confirmed_count": 1})
    lost = lock_is_never_lost(history([*lines[:3], renew(9, False)], [CUT]))
    sentence = "a found lock gone 6.100 s after it had asked for the last renewal that was confirmed"
    assert told(lost) == (name, "violated", sentence, {"lost_count": 1, "confirmed_count": 0, "unrenewed_s": 6.1})
    assert proof(lost) == ("lock lost", sentence, [1, 3])


def test_a_look_is_a_renewal_or_a_check_that_was_asked_when_the_fault_had_healed() -> None:
    """Of any client; without a fault any of them."""
    check = op("b", "check", "lock", at=6, result=True)
    met = [ACQUIRE, renew(5, took=None)]
    assert lock_is_never_lost(history([*met, check], [CUT])).status is Status.HOLDS
    assert (
        lock_is_never_lost(history([*met, op("b", "acquire", "other", at=8, result=7)], [CUT])).status is Status.UNKNOWN
    )
    assert lock_is_never_lost(history([op("b", "check", "lock", at=0, result=True)])).status is Status.HOLDS


def test_the_last_renewal_is_of_the_holder_and_of_this_lock() -> None:
    """And was asked before the loss was known."""
    others = [
        op("b", "renew", "lock", at=4, result=True),
        op("a", "renew", "other", at=4, result=True),
        op("a", "check", "lock", at=4, result=True),
        op("a", "renew", "lock", at=4.5, outcome="fail"),
    ]
    verdict = lock_is_never_lost(history([ACQUIRE, renew(3), *others, renew(9, False), renew(9.1)]))
    assert verdict.measures["unrenewed_s"] == 6.1
    assert proof(verdict)[2] == [1, 6]
    unrenewed = lock_is_never_lost(history([renew(0.5), ACQUIRE, op("a", "check", "lock", at=2, result=False)]))
    assert proof(unrenewed)[2] == [1, 2]


def test_a_long_time_without_renewal_is_told_to_the_millisecond() -> None:
    """However long."""
    verdict = lock_is_never_lost(history([ACQUIRE, renew(700_000, False)]))
    assert verdict.reason.startswith("a found lock gone 699999.100 s after")


def test_look_that_by_its_clock_may_have_come_before_the_heal_proves_nothing() -> None:
    """Its own clock's error, not another's."""
    lines = [ACQUIRE, renew(3), renew(4.1, took=None), renew(7)]
    for error_s, confirmed in ((0.9, 1), (1, 1), (1.1, 0)):
        verdict = lock_is_never_lost(history(lines, [CUT], clock_error_ns={"a": ns(error_s)}))
        assert verdict.status is (Status.HOLDS if confirmed else Status.UNKNOWN)
        assert verdict.measures["confirmed_count"] == confirmed
    assert lock_is_never_lost(history([ACQUIRE, renew(3)], clock_error_ns={"a": ns(9)})).status is Status.HOLDS
