"""
Waiters get in when the holder stops, and when they do not it is said for how long they stood outside.
"""

import pytest

from chaos.guarantees import lock_is_freed, lock_is_freed_within
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

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


def test_bound_is_part_of_name_and_promise() -> None:
    promise = "When the holder of a lock stops, somebody else gets it"
    assert (lock_is_freed.name, lock_is_freed.promise) == ("lock_is_freed", f"{promise}.")
    within = lock_is_freed_within(2.5)
    assert (within.name, within.promise) == ("lock_is_freed_within(2.5s)", f"{promise} within 2.5 s.")
    assert within.needs == lock_is_freed.needs == ("acquire",)
    assert within.source == "Redis documentation, distributed locks: liveness property A, deadlock free"
    assert within.silent_on == (
        "whether it was freed too early (mutual_exclusion, lock_is_kept), and fairness between waiters"
    )


def test_lock_not_freed_is_told_in_full() -> None:
    end = lock_is_freed(history([got("a", 1), *tries("b", 2, 4, 9)], [KILL]))
    sentence = "b wanted lock, which a had; nobody was inside for 5.100 s from 4.000 s on, until the run ended"
    assert told(end) == ("lock_is_freed", "violated", sentence, {"wait_s": 5.1, "idle_count": 2})
    assert proof(end) == ("lock not freed", sentence, [0, 2])
    late = lock_is_freed_within(1)(history([got("a", 1), *tries("b", 2, 4), got("c", 6)], [KILL]))
    sentence = "b wanted lock, which a had; nobody was inside for 2.100 s from 4.000 s on, until c got it"
    assert told(late) == ("lock_is_freed_within(1s)", "violated", sentence, {"wait_s": 2.1, "idle_count": 2})
    assert proof(late) == ("lock not freed", sentence, [0, 2, 3])
    never = lock_is_freed(history(tries("b", 4, 9)))
    sentence = "b wanted lock; nobody was inside for 5.100 s from 4.000 s on, until the run ended"
    assert proof(never) == ("lock not freed", sentence, [0])


def test_freed_lock_is_told_in_full() -> None:
    verdict = lock_is_freed(history([got("a", 1), *tries("b", 2, 4, 5), got("b", 6)], [KILL]))
    reason = "the lock was free 2 times while wanted, for 2.100 s at most"
    assert told(verdict) == ("lock_is_freed", "holds", reason, {"wait_s": 2.1, "idle_count": 2})


def test_what_is_missing_is_told_in_full() -> None:
    alone = history([got("a", 1), release("a", 2), got("a", 3)])
    nobody, measures = "nobody took the lock over from another client", {"wait_s": 0.1, "idle_count": 2}
    assert told(lock_is_freed(alone)) == ("lock_is_freed", "unknown", nobody, measures)
    before = history([got("a", 1), release("a", 1.5), got("b", 2), release("b", 2.5)], [KILL])
    assert told(lock_is_freed(before)) == ("lock_is_freed", "unknown", f"{nobody} after the fault", measures)
    short = lock_is_freed_within(5)(history([got("a", 1), *tries("b", 4, 5)], [KILL]))
    reason, measures = "the run ended 1.100 s into a wait, before the bound", {"wait_s": 1.1, "idle_count": 2}
    assert told(short) == ("lock_is_freed_within(5s)", "unknown", reason, measures)


def test_wait_within_the_clocks_error_is_told_in_full() -> None:
    recorded = history([got("a", 1), *tries("b", 4, 5), got("b", 6)], [KILL], clock_error_ns={"b": ns(0.2)})
    reason = "whether 2.100 s is too long is within the error of the clocks"
    measures = {"wait_s": 2.1, "idle_count": 2}
    assert told(lock_is_freed_within(2)(recorded)) == ("lock_is_freed_within(2s)", "unknown", reason, measures)


def test_lock_taken_over_the_instant_the_fault_bit_was_freed_under_it() -> None:
    operations = [got("a", 1), release("a", 2), got("b", 2.9)]
    assert lock_is_freed(history(operations, [KILL])).status is Status.HOLDS


def test_other_operations_ask_for_no_lock() -> None:
    renewals = [op("b", "renew", "lock", at=at, result=False) for at in (4, 9)]
    operations = [got("a", 1), release("a", 2), got("b", 3), release("b", 3.5), *renewals]
    assert lock_is_freed(history(operations)).status is Status.HOLDS


def test_wait_may_begin_with_the_run() -> None:
    assert lock_is_freed(history([got("a", 0, took=0.5), release("a", 1), got("b", 2)])).measures["wait_s"] == 0.5


def test_client_that_acquires_again_waits_for_itself() -> None:
    """Its stay ended when it asked."""
    operations = [got("a", 1), got("a", 3, took=0.5), release("a", 5), got("b", 6)]
    assert lock_is_freed(history(operations)).measures["wait_s"] == 0.5


def test_release_that_was_never_answered_frees_the_lock_when_it_was_asked() -> None:
    unanswered = op("a", "release", "lock", at=3, took=None)
    verdict = lock_is_freed(history([got("a", 1), unanswered, got("b", 3.05, took=1)]))
    assert verdict.measures["wait_s"] == 1


def test_takeover_the_instant_a_harmed_holder_released_is_no_wait() -> None:
    """The stay was over: the harm during it explains nothing."""
    pause = fault(2, 4, target="a", name="pause")
    operations = [got("a", 1), *tries("b", 3), release("a", 5), got("b", 5)]
    assert lock_is_freed(history(operations, [pause])).measures["wait_s"] == 0.1
    operations = [got("a", 1), *tries("b", 3), release("a", 5), got("b", 5 - 1e-9)]
    assert lock_is_freed(history(operations, [pause])).measures["wait_s"] == pytest.approx(2.1)


def test_of_two_holders_that_left_together_the_later_is_named() -> None:
    operations = [got("a", 1), got("b", 2), release("a", 5), release("b", 5), *tries("c", 6), got("c", 9)]
    assert "c wanted lock, which b had" in lock_is_freed_within(1)(history(operations)).reason


def test_refusal_asked_the_instant_the_lock_was_free_is_a_wait() -> None:
    operations = [got("a", 1), release("a", 2), got("b", 3), release("b", 5, took=1), *tries("a", 6)]
    verdict = lock_is_freed(history(operations))
    assert (verdict.status, verdict.measures["wait_s"]) == (Status.VIOLATED, 0.1)


def test_refusals_while_a_holder_never_leaves_are_no_wait() -> None:
    waiting = op("a", "acquire", "lock", at=6, took=None)
    operations = [got("a", 1), release("a", 2), got("b", 3), waiting]
    assert lock_is_freed(history(operations)).status is Status.HOLDS


@pytest.mark.parametrize(("error_s", "status"), [(0.1, Status.VIOLATED), (0.3, Status.UNKNOWN)])
def test_refusal_that_by_the_clocks_errors_came_before_the_release_proves_no_lock_that_is_stuck(
    error_s: float, status: Status
) -> None:
    """It was asked for 0.4 s after the release was answered, and nobody asked again."""
    operations = [got("a", 1), release("a", 2), *tries("b", 2.5)]
    errors = {"a": ns(error_s), "b": ns(error_s)}
    assert lock_is_freed(history(operations, clock_error_ns=errors)).status is status
    waits = history([*operations, got("b", 9, took=None)], clock_error_ns=errors)
    assert lock_is_freed(waits).status is Status.VIOLATED, "an attempt that was never answered is still one"


def test_attempt_that_by_its_clock_may_have_been_cut_short_by_a_fault_is_no_wait() -> None:
    operations = [got("a", 1), release("a", 2), got("b", 3.1, took=None)]
    kill = fault(3, None, target="b", name="kill")
    assert lock_is_freed(history(operations, [kill])).status is Status.VIOLATED
    recorded = history(operations, [kill], clock_error_ns={"b": ns(0.2)})
    assert lock_is_freed(recorded).status is Status.UNKNOWN
