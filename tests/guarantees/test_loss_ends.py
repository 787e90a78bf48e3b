"""
Losses up to a moment after the fault are allowed, none at all is allowed, and a later one is not.
"""

import pytest

from chaos.guarantees import loss_ends_within, of_client
from chaos.history import History
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op


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
