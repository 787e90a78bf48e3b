"""
Losses up to a moment after the fault are allowed, none at all is allowed, and a later one is not.
"""

import pytest

from chaos.guarantees import loss_ends_within, of_client
from chaos.history import History
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told


def losing(*lost: int) -> History:
    """c1 adds 0 to 9, one each second; a fault bites at 2; at the end these are gone."""
    adds = [op("c1", "add", value, at=value) for value in range(10)]
    read = op("observer", "final-read", at=20, result=[value for value in range(10) if value not in lost])
    return history([*adds, read], [fault(2, 5)])


def test_loss_up_to_the_bound_holds() -> None:
    verdict = loss_ends_within(2)(losing(1, 2, 3))
    assert verdict.status is Status.HOLDS
    assert (verdict.measures["bound_s"], verdict.measures["lost_count"]) == (2, 0)
    assert loss_ends_within(2)(losing()).status is Status.HOLDS


def test_loss_after_the_bound_is_violated() -> None:
    verdict = loss_ends_within(2)(losing(2, 3, 4))
    assert (verdict.guarantee, verdict.status) == ("loss_ends_within(2s)", Status.VIOLATED)
    assert verdict.measures["last_lost_after_fault_s"] == pytest.approx(2.1)


def test_too_little_evidence_is_unknown() -> None:
    recorded = losing()
    assert loss_ends_within(2)(history(recorded.operations)).status is Status.UNKNOWN
    assert loss_ends_within(9)(recorded).status is Status.UNKNOWN


def test_it_can_be_kept_to_one_client() -> None:
    assert of_client(loss_ends_within(2), "c1")(losing(4)).status is Status.VIOLATED
    assert of_client(loss_ends_within(2), "c2")(losing(4)).status is Status.UNKNOWN


def test_loss_nearer_to_the_bound_than_the_clocks_error_is_unknown() -> None:
    operations = [op("c1", "add", 1, at=2.1), op("c1", "add", 2, at=6), op("observer", "final-read", at=9, result=[2])]
    for bound_s, status in (
        (0.1, Status.VIOLATED),
        (0.19, Status.UNKNOWN),
        (0.22, Status.UNKNOWN),
        (0.3, Status.HOLDS),
    ):
        recorded = history(operations, [fault(2, 6.05)], clock_error_ns={"c1": ns(0.05)})
        assert loss_ends_within(bound_s)(recorded).status is status


def test_guarantee_says_what_it_promises() -> None:
    guarantee = loss_ends_within(2.5)
    assert guarantee.name == "loss_ends_within(2.5s)"
    assert guarantee.promise == "What is acknowledged later than 2.5 s after the fault began survives."
    assert guarantee.source == "redis.conf min-replicas-max-lag; Redis Sentinel documentation, Example 2"
    assert guarantee.silent_on == "what was acknowledged before that moment"
    assert guarantee.needs == ("add", "final-read")


def test_every_verdict_is_told_in_full() -> None:
    counts = {"acked_count": 6, "lost_count": 0, "lost_share": 0, "info_count": 0, "info_survived_count": 0}
    name, reason = "loss_ends_within(2s)", "all 6 acknowledged writes are in the final read"
    assert told(loss_ends_within(2)(losing(1, 3))) == (name, "holds", reason, {**counts, "bound_s": 2})
    late = loss_ends_within(2)(losing(1, 4))
    sentence = "write 4 was acknowledged at 4.100 s and is not in the final read; 1 of 6 acknowledged writes are gone"
    assert told(late)[:3] == (name, "violated", sentence)
    assert proof(late) == ("lost write", sentence, [4])
    calm = loss_ends_within(2)(history(losing().operations))
    assert told(calm) == (name, "unknown", "there was no fault, so there is no moment to count from", {})


def test_loss_within_the_clocks_error_is_told_in_full() -> None:
    operations = [op("c1", "add", 1, at=2.1), op("c1", "add", 2, at=6), op("observer", "final-read", at=9, result=[2])]
    reason = "whether the last lost write came within the bound is within the error of the clocks"
    for bound_s, name in ((0.19, "loss_ends_within(0.19s)"), (0.24, "loss_ends_within(0.24s)")):
        recorded = history(operations, [fault(2, 6.05)], clock_error_ns={"c1": ns(0.05)})
        assert told(loss_ends_within(bound_s)(recorded)) == (name, "unknown", reason, {})
    assert loss_ends_within(0.26)(recorded).status is Status.HOLDS


def test_write_acknowledged_at_the_bound_may_be_lost() -> None:
    operations = [op("c1", "add", 1, at=2.1), op("c1", "add", 2, at=6), op("observer", "final-read", at=9, result=[2])]
    recorded = history(operations, [fault(2, 6.05)])
    assert loss_ends_within(0.2)(recorded).status is Status.HOLDS
    assert loss_ends_within(0.2 - 1e-9)(recorded).status is Status.VIOLATED
