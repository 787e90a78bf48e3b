"""
Waiters get in when the holder stops, and when they do not it is said for how long they stood outside.
"""

import pytest

from chaos.guarantees import lock_is_freed, lock_is_freed_within
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op

KILL = fault(3, None, target="a", name="kill")


def tries(client: str, *at: float, outcome: str = "fail") -> list[Operation]:
    return [op(client, "acquire", "lock", at=one, outcome=outcome) for one in at]


def got(client: str, at: float, took: float | None = 0.1) -> Operation:
    return op(client, "acquire", "lock", at=at, took=took)


def release(client: str, at: float, took: float = 0.1) -> Operation:
    return op(client, "release", "lock", at=at, took=took, result=1)


def test_lock_of_a_killed_holder_that_another_gets_holds() -> None:
    verdict = lock_is_freed(history([got("a", 1), *tries("b", 2, 4, 5), got("b", 6)], [KILL]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures["wait_s"] == pytest.approx(2.1)  # From the first attempt after the kill.


def test_lock_of_a_killed_holder_that_nobody_gets_is_violated() -> None:
    verdict = lock_is_freed(history([got("a", 1), *tries("b", 2, 4, 9)], [KILL]))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures["wait_s"] == pytest.approx(5.1)
    assert verdict.witness is not None
    assert [(one.client, one.invoked_ns) for one in verdict.witness.operations] == [
        ("a", 1_000_000_000),
        ("b", 4_000_000_000),
    ]
    assert "b wanted lock, which a had; nobody was inside for 5.100 s" in verdict.witness.sentence


def test_lock_taken_by_a_client_killed_in_the_middle_of_it_is_violated_when_nobody_gets_in() -> None:
    """SETNX done, EXPIRE never sent: nobody knows that the lock is taken. The dead wait for nothing."""
    verdict = lock_is_freed(history([got("a", 1, took=None), *tries("b", 4, 9)], [KILL]))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures["wait_s"] == pytest.approx(5.1)
    late = history([got("a", 1, took=None), *tries("b", 8, 9)], [KILL])
    assert lock_is_freed_within(2)(late).status is Status.UNKNOWN


def test_waiter_that_hangs_until_the_end_is_violated() -> None:
    waiter = op("b", "acquire", "lock", at=2, took=None)
    end = op("c", "get", at=20)
    verdict = lock_is_freed(history([got("a", 1), waiter, end], [KILL]))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures["wait_s"] == pytest.approx(17.1)


def test_waiter_refused_while_the_holder_is_inside_is_no_wait() -> None:
    operations = [got("a", 1), *tries("b", 2), release("a", 3), got("b", 3.5), *tries("a", 4), release("b", 5)]
    verdict = lock_is_freed(history(operations))
    assert verdict.status is Status.HOLDS
    assert verdict.measures["wait_s"] == pytest.approx(0.1)


def test_run_that_ends_inside_proves_nothing_against_the_holder() -> None:
    operations = [got("a", 1), release("a", 2), got("b", 3), *tries("a", 4, 5)]
    assert lock_is_freed(history(operations)).status is Status.HOLDS


def test_refusal_while_the_release_is_under_way_is_no_wait() -> None:
    operations = [got("a", 1), release("a", 2), got("b", 3), release("b", 5, took=1), *tries("a", 5.5)]
    assert lock_is_freed(history(operations)).status is Status.HOLDS


def test_lock_handed_on_while_the_old_holder_still_believes_is_freed() -> None:
    pause = fault(2, 8, target="a", name="pause")
    operations = [got("a", 1), *tries("b", 3), got("b", 5), release("a", 8.5), release("b", 9)]
    paused = lock_is_freed(history(operations, [pause]))
    assert paused.status is Status.HOLDS
    assert paused.measures["wait_s"] == pytest.approx(2.1)  # From the first attempt after the pause began.
    unharmed = lock_is_freed(history(operations))
    assert unharmed.status is Status.HOLDS
    assert unharmed.measures["wait_s"] == pytest.approx(0.1)  # The first acquisition's own time.


def test_holder_that_works_on_under_a_fault_is_not_called_stopped() -> None:
    nuisance = fault(2, 3, target="a -> n1", name="latency")
    operations = [got("a", 1), *tries("b", 3, 6, 9), release("a", 10), got("b", 11)]
    verdict = lock_is_freed_within(2)(history(operations, [nuisance]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures["wait_s"] == pytest.approx(0.1)


def test_fault_before_the_holder_came_in_did_not_stop_it() -> None:
    operations = [got("b", 0.5), release("b", 0.8), got("a", 1), *tries("b", 4, 9)]
    assert lock_is_freed(history(operations, [fault(0.2, 0.6, target="a")])).status is Status.HOLDS


def test_first_of_two_faults_stopped_the_holder() -> None:
    operations = [got("a", 1), *tries("b", 4, 5), got("b", 6)]
    verdict = lock_is_freed(history(operations, [KILL, fault(5.5, None, target="a")]))
    assert verdict.measures["wait_s"] == pytest.approx(2.1)


def test_longest_wait_is_the_witness() -> None:
    operations = [
        got("a", 1),
        release("a", 2),
        *tries("b", 3),
        got("b", 5),
        release("b", 6),
        *tries("a", 7),
        got("c", 11),
    ]
    verdict = lock_is_freed_within(1)(history(operations))
    assert verdict.witness is not None
    assert "nobody was inside for 4.100 s" in verdict.witness.sentence


def test_wait_as_long_as_the_bound_is_within_it() -> None:
    operations = [got("a", 1), release("a", 2), *tries("b", 4), got("b", 5)]
    verdict = lock_is_freed_within(1.1)(history(operations))
    assert (verdict.status, verdict.measures["wait_s"]) == (Status.HOLDS, 1.1)


def test_bound_separates_a_short_wait_from_a_long_one() -> None:
    recorded = history([got("a", 1), *tries("b", 4, 5), got("b", 6)], [KILL])
    assert lock_is_freed_within(3)(recorded).status is Status.HOLDS
    late = lock_is_freed_within(2)(recorded)
    assert (late.guarantee, late.status) == ("lock_is_freed_within(2s)", Status.VIOLATED)


def test_run_that_ends_before_the_bound_is_unknown() -> None:
    recorded = history([got("a", 1), *tries("b", 4, 5)], [KILL])
    assert lock_is_freed_within(5)(recorded).status is Status.UNKNOWN
    assert lock_is_freed_within(1)(recorded).status is Status.VIOLATED


def test_too_little_evidence_is_unknown() -> None:
    assert lock_is_freed(history([])).status is Status.UNKNOWN
    assert lock_is_freed(history([got("a", 1), release("a", 2), got("a", 3)])).status is Status.UNKNOWN
    handed_on_before = [got("a", 1), release("a", 1.5), got("b", 2), release("b", 2.5)]
    assert lock_is_freed(history(handed_on_before, [KILL])).status is Status.UNKNOWN


def test_two_locks_are_two_matters() -> None:
    other = op("b", "acquire", "other", at=4)
    operations = [got("a", 1), *tries("b", 5, 9), other, op("c", "acquire", "other", at=6, outcome="fail")]
    assert lock_is_freed(history(operations, [KILL])).status is Status.VIOLATED


def test_bound_of_nothing_is_broken_by_any_wait() -> None:
    recorded = history([got("a", 1), *tries("b", 4, 5), got("b", 6)], [KILL])
    assert lock_is_freed_within(0)(recorded).status is Status.VIOLATED


def test_wait_nearer_to_the_bound_than_the_clocks_error_is_unknown() -> None:
    recorded = history([got("a", 1), *tries("b", 4, 5), got("b", 6)], [KILL], clock_error_ns={"b": ns(0.2)})
    for bound_s, status in ((1.5, Status.VIOLATED), (2, Status.UNKNOWN), (2.2, Status.UNKNOWN), (3, Status.HOLDS)):
        assert lock_is_freed_within(bound_s)(recorded).status is status
