"""
Increments that are gone and increments applied twice are found; those of unknown fate excuse neither.
"""

import pytest

from chaos.guarantees import counts_match
from chaos.history import Fault, History, Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told


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


def counted(sent: int, acked: int, applied: int, excess: int = 0, missing: int = 0) -> dict[str, float]:
    return {
        "sent_count": sent,
        "acked_count": acked,
        "applied_count": applied,
        "excess_count": excess,
        "missing_count": missing,
    }


def test_every_verdict_is_told_in_full() -> None:
    right = counts_match(after(2, "ok", "info", "ok", "fail"))
    assert told(right) == ("counts_match", "holds", "2 applied, 2 acknowledged, 3 possible", counted(4, 2, 2))
    many = counts_match(after(5, "ok", "info", "ok", "fail"))
    sentence = "5 increments were applied and only 3 asked for: 2 too many"
    assert told(many) == ("counts_match", "violated", sentence, counted(4, 2, 5, excess=2))
    assert proof(many) == ("applied twice", sentence, [4])
    few = counts_match(after(1, "ok", "info", "ok", "fail"))
    sentence = "2 increments were acknowledged and only 1 applied: 1 are gone"
    assert told(few) == ("counts_match", "violated", sentence, counted(4, 2, 1, missing=1))
    assert proof(few) == ("lost increment", sentence, [4])


READ_OF_ONE = op("o", "final-read", at=9, result=1)


@pytest.mark.parametrize(
    ("operations", "faults", "reason", "measures"),
    [
        ([op("c", "incr")], (), "there is no acknowledged final read with a number", {}),
        (
            [op("c", "incr", outcome="info"), READ_OF_ONE],
            (),
            "no increment was acknowledged before the final read",
            {},
        ),
        (
            [op("c", "incr"), READ_OF_ONE],
            (fault(0, 11, healing=10),),
            "the final read came 1.000 s before the last fault healed",
            counted(1, 1, 1),
        ),
        (
            [op("c", "incr"), op("c", "get", at=4), READ_OF_ONE],
            (fault(4, 5),),
            "no operation was under way during isolate",
            counted(1, 1, 1),
        ),
    ],
)
def test_what_is_missing_is_told_in_full(
    operations: list[Operation], faults: tuple[Fault, ...], reason: str, measures: dict[str, float]
) -> None:
    verdict = counts_match(history(operations, faults))
    assert told(verdict) == ("counts_match", "unknown", reason, measures)


DOUBT = "whether the increments nearest to the final read came before it is within the error of the clocks"


NEAR = [
    op("c", "incr", at=1),
    op("c", "incr", at=8.85),  # Ends 50 ms before the read begins.
    op("c", "incr", at=9.15, outcome="info"),  # Begins 50 ms after the read ended.
]


def near(total: int, **errors: int) -> History:
    return history([*NEAR, op("o", "final-read", at=9, result=total)], clock_error_ns=errors)


@pytest.mark.parametrize(("total", "missing", "excess"), [(1, 1, 0), (3, 0, 1)])
def test_errors_of_both_clocks_add_up(total: int, missing: int, excess: int) -> None:
    measures = counted(3, 2, total, excess, missing)
    for errors in ({"c": ns(0.03), "o": ns(0.03)}, {"o": ns(0.06)}, {"c": ns(0.06)}):
        assert told(counts_match(near(total, **errors))) == ("counts_match", "unknown", DOUBT, measures)
    for errors in ({"c": ns(0.03)}, {"o": ns(0.03)}, {"c": ns(0.049)}):
        assert counts_match(near(total, **errors)).status is Status.VIOLATED


def test_right_total_is_a_proof_only_when_the_clocks_are_better_than_what_it_rests_on() -> None:
    assert counts_match(near(2, c=ns(0.06))).status is Status.HOLDS
    assert counts_match(history([*NEAR[::2], op("o", "final-read", at=9, result=1)])).status is Status.HOLDS
    early = [*NEAR[:2], op("o", "final-read", at=8.9, took=0.04, result=1)]
    assert counts_match(history(early, clock_error_ns={"c": ns(0.04)})).status is Status.HOLDS
    assert counts_match(history(early, clock_error_ns={"c": ns(0.05)})).status is Status.UNKNOWN


def test_error_as_large_as_the_distance_excuses_what_may_have_been_asked() -> None:
    assert counts_match(near(3, c=ns(0.05))).status is Status.UNKNOWN
    assert counts_match(near(1, c=ns(0.05))).status is Status.VIOLATED


def test_increments_that_touch_the_final_read_count_at_its_edges() -> None:
    """Acknowledged as it began: certainly before it. Asked as it ended: possibly."""
    before = op("c", "incr", at=8, took=1)
    assert counts_match(history([before, op("o", "final-read", at=9, result=0)])).status is Status.VIOLATED
    after_it = op("c", "incr", at=10, took=1)
    read = op("o", "final-read", at=9, took=1, result=2)
    assert counts_match(history([before, read, after_it])).status is Status.HOLDS
    beyond = op("c", "incr", at=10 + 1e-9, took=1)
    assert counts_match(history([before, read, beyond])).status is Status.VIOLATED
