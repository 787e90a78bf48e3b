"""
Who is cut off and says yes, and who does not.
"""

import pytest

from chaos.guarantees import acks_stop_within, of_client, of_kind
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

CUT = fault(2, 9, healing=8)
BEFORE = op("a", "add", 0, at=1)
TIMED_OUT = op("a", "add", 1, at=3, took=1, outcome="info")


def test_no_acknowledgement_after_the_bound_holds() -> None:
    within = op("a", "add", 2, at=2.3)
    verdict = acks_stop_within(0.5)(history([BEFORE, within, TIMED_OUT, op("a", "add", 3, at=9.5)], [CUT]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"acked_count": 1, "tried_count": 1, "last_ack_after_fault_s": pytest.approx(0.4)}


def test_an_acknowledgement_after_the_bound_is_violated() -> None:
    verdict = acks_stop_within(0.5)(history([BEFORE, op("a", "add", 2, at=2.3), op("a", "add", 3, at=4)], [CUT]))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures["acked_count"] == 2
    assert verdict.witness is not None
    assert verdict.witness.sentence == (
        "a was acknowledged 2 operations that it asked for while cut off, the last 2.100 s after the fault began"
    )


def test_what_was_answered_only_after_the_heal_was_not_acknowledged_in_the_fault() -> None:
    assert acks_stop_within(0)(history([op("a", "add", 2, at=4, took=5)], [CUT])).status is Status.HOLDS


def test_it_is_judged_for_one_client_and_one_kind_of_operation() -> None:
    mixed = history([TIMED_OUT, op("b", "add", 2, at=4), op("a", "read", 2, at=4)], [CUT])
    assert acks_stop_within(0)(mixed).status is Status.VIOLATED
    assert of_client(of_kind(acks_stop_within(0), "add"), "a")(mixed).status is Status.HOLDS


def test_nobody_who_asked_proves_nothing() -> None:
    assert acks_stop_within(0)(history([BEFORE], [CUT])).status is Status.UNKNOWN
    assert acks_stop_within(0)(history([BEFORE, TIMED_OUT])).status is Status.UNKNOWN


def test_requests_that_never_left_prove_nothing() -> None:
    unsent = op("a", "add", 1, at=3, outcome="fail", sent=False)
    verdict = acks_stop_within(0)(history([BEFORE, unsent], [CUT]))
    assert verdict.status is Status.UNKNOWN
    assert verdict.reason == "nothing that was asked for after the bound was sent: there was no connection"
    assert acks_stop_within(0)(history([BEFORE, unsent, TIMED_OUT], [CUT])).status is Status.HOLDS


def test_an_acknowledgement_within_the_error_of_the_clocks_does_not_count() -> None:
    close = history([op("a", "add", 2, at=2.6), TIMED_OUT], [CUT], clock_error_ns={"a": ns(0.2)})
    assert acks_stop_within(0.5)(close).status is Status.HOLDS


def test_guarantee_says_what_it_promises() -> None:
    guarantee = acks_stop_within(2.5)
    assert guarantee.name == "acks_stop_within(2.5s)"
    assert guarantee.promise == (
        "What is asked later than 2.5 s after the fault began is not acknowledged while it lasts."
    )
    assert (
        guarantee.source == "Gilbert and Lynch 2002: a minority that stays consistent must refuse; etcd: check quorum"
    )
    assert guarantee.silent_on == "what becomes of the acknowledged writes (acked_writes_survive)"


def test_every_verdict_is_told_in_full() -> None:
    name, within = "acks_stop_within(0.5s)", op("a", "add", 2, at=2.3)
    kept = acks_stop_within(0.5)(history([within, TIMED_OUT], [CUT]))
    measures = {"acked_count": 1, "tried_count": 1, "last_ack_after_fault_s": 0.4}
    reason = "1 operations were asked for after the bound, and none was acknowledged"
    assert told(kept) == (name, "holds", reason, measures)
    idle = acks_stop_within(0.5)(history([within], [CUT]))
    reason = "nobody asked for anything while the fault lasted, after the bound"
    assert told(idle) == (name, "unknown", reason, {**measures, "tried_count": 0})
    late = acks_stop_within(0.5)(history([within, op("a", "add", 3, at=4)], [CUT]))
    sentence = "a was acknowledged 2 operations that it asked for while cut off, the last 2.100 s after the fault began"
    measures = {"acked_count": 2, "tried_count": 1, "last_ack_after_fault_s": 2.1}
    assert told(late) == (name, "violated", sentence, measures)
    assert proof(late) == ("acknowledged in isolation", sentence, [1])


def test_fault_that_nobody_healed_proves_nothing() -> None:
    for faults in ([], [fault(2, None)]):
        verdict = acks_stop_within(0.5)(history([TIMED_OUT, op("a", "add", 3, at=4)], faults))
        assert told(verdict) == ("acks_stop_within(0.5s)", "unknown", "no fault bit and healed", {})


def test_instants_at_the_bound_and_at_the_heal_are_allowed() -> None:
    """A nanosecond later is not."""
    for at, status in ((5, Status.HOLDS), (5 + 1e-9, Status.VIOLATED)):
        assert (
            acks_stop_within(3)(history([op("a", "add", 3, at=at), op("b", "add", 3, 6, None)], [CUT])).status is status
        )
    for at, status in ((7.9, Status.HOLDS), (7.9 - 1e-9, Status.VIOLATED)):
        assert acks_stop_within(3)(history([op("a", "add", 3, at=at)], [CUT])).status is status
    for at, tried in ((2, 0), (2 + 1e-9, 1), (8 - 1e-9, 1), (8, 0)):
        assert acks_stop_within(0)(history([op("a", "add", 3, at=at)], [CUT])).measures["tried_count"] == tried
    assert acks_stop_within(3)(history([op("a", "add", 3, at=5 + 1e-9, took=None)], [CUT])).measures["tried_count"] == 1


def test_an_answer_that_may_have_come_after_the_heal_does_not_count() -> None:
    """Whether it asked too early or was answered too late by a clock that may be off."""
    close = history([op("a", "add", 2, at=7.8), TIMED_OUT], [CUT], clock_error_ns={"a": ns(0.2)})
    assert acks_stop_within(0.5)(close).status is Status.HOLDS


def test_long_isolation_is_told_to_the_millisecond() -> None:
    """However long it lasted."""
    verdict = acks_stop_within(1)(history([op("a", "add", 2, at=700_000)], [fault(2, 800_000)]))
    assert verdict.reason.endswith("the last 699998.100 s after the fault began")
