"""
Who is cut off and says yes, and who does not.
"""

import pytest

from chaos.guarantees import acks_stop_within, of_client, of_kind
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op

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
