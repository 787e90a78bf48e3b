"""
Increments that are gone and increments applied twice are found; those of unknown fate excuse neither.
"""

import pytest

from chaos.guarantees import counts_match
from chaos.history import History
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op


def after(total: object, *outcomes: str) -> History:
    increments = [op("c1", "incr", at=at, outcome=outcome) for at, outcome in enumerate(outcomes)]
    return history([*increments, op("observer", "final-read", at=99, result=total)])


@pytest.mark.parametrize("total", [2, 3])
def test_total_between_acknowledged_and_possible_holds(total: int) -> None:
    verdict = counts_match(after(total, "ok", "info", "ok", "fail"))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {
        "sent_count": 4,
        "acked_count": 2,
        "applied_count": total,
        "excess_count": 0,
        "missing_count": 0,
    }


def test_more_than_possible_is_violated() -> None:
    verdict = counts_match(after(5, "ok", "info", "ok", "fail"))
    assert verdict.status is Status.VIOLATED
    assert verdict.witness is not None
    assert verdict.witness.anomaly == "applied twice"
    assert verdict.reason == "5 increments were applied and only 3 asked for: 2 too many"
    assert verdict.measures["excess_count"] == 2


def test_less_than_acknowledged_is_violated() -> None:
    verdict = counts_match(after(1, "ok", "info", "ok", "fail"))
    assert verdict.status is Status.VIOLATED
    assert verdict.witness is not None
    assert verdict.witness.anomaly == "lost increment"
    assert verdict.reason == "2 increments were acknowledged and only 1 applied: 1 are gone"
    assert verdict.measures["missing_count"] == 1


def test_too_little_evidence_is_unknown() -> None:
    assert counts_match(after(None, "ok")).status is Status.UNKNOWN
    assert counts_match(after([1], "ok")).status is Status.UNKNOWN
    assert counts_match(after(0, "fail", "info")).status is Status.UNKNOWN
    assert counts_match(history([op("c1", "incr")])).status is Status.UNKNOWN
    read = op("o", "final-read", at=9, result=1)
    assert counts_match(history([op("c1", "incr"), read], [fault(4, 5)])).status is Status.UNKNOWN
    assert counts_match(history([op("c1", "incr"), read], [fault(0, 10)])).status is Status.UNKNOWN


@pytest.mark.parametrize(("error_ns", "status"), [(0, Status.VIOLATED), (ns(0.1), Status.UNKNOWN)])
def test_increment_nearer_to_the_read_than_the_clocks_error_is_unknown(error_ns: int, status: Status) -> None:
    operations = [op("c", "incr", 1, at=1), op("c", "incr", 2, at=8.85), op("o", "final-read", at=9, result=1)]
    assert counts_match(history(operations, clock_error_ns={"c": error_ns})).status is status
    assert counts_match(history([*operations[:2], op("o", "final-read", at=9, result=2)])).status is Status.HOLDS
