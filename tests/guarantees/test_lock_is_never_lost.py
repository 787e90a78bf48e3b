"""
A holder that renews and finds its lock gone, whoever is to blame.
"""

import pytest

from chaos.guarantees import lock_is_never_lost
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, op

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
