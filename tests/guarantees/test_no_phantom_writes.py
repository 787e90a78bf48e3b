"""
What nobody wrote, or wrote once and is there twice, is found.
"""

import pytest

from chaos.guarantees import no_phantom_writes
from chaos.history import History
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told


def after(result: object) -> History:
    operations = [
        op("c1", "add", 1, at=1),
        op("c1", "add", 2, at=2, outcome="info"),
        op("c1", "add", 3, at=3, outcome="fail"),
        op("c1", "add", 4, at=4, took=None),
        op("observer", "final-read", at=9, result=result),
        op("c1", "add", 5, at=10),
    ]
    return history(operations)


def test_written_and_perhaps_written_values_hold() -> None:
    verdict = no_phantom_writes(after([1, 2, 4]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"read_count": 3, "phantom_count": 0}


@pytest.mark.parametrize(
    ("result", "anomaly"),
    [
        ([1, 9], "phantom write"),
        ([1, 3], "failed write took effect"),
        ([1, 1], "duplicate"),
        ([1, "1"], "phantom write"),
        ([1, True], "phantom write"),
        ([5], "phantom write"),
        ([[1]], "phantom write"),
    ],
)
def test_value_that_was_not_written_so_is_violated(result: list[object], anomaly: str) -> None:
    verdict = no_phantom_writes(after(result))
    assert verdict.status is Status.VIOLATED
    assert verdict.witness is not None
    assert verdict.witness.anomaly == anomaly
    assert verdict.measures["phantom_count"] == 1


def test_value_asked_for_twice_may_be_there_twice() -> None:
    adds = [op("c1", "add", 1, at=1), op("c1", "add", 1, at=2)]
    assert no_phantom_writes(history([*adds, op("o", "final-read", at=9, result=[1, 1])])).status is Status.HOLDS


def test_phantom_in_an_earlier_final_read_is_violated_too() -> None:
    reads = [op("o", "final-read", at=8, result=[7]), op("o", "final-read", at=9, result=[1])]
    assert no_phantom_writes(history([op("c1", "add", 1), *reads])).status is Status.VIOLATED


def test_too_little_evidence_is_unknown() -> None:
    assert no_phantom_writes(after([])).status is Status.UNKNOWN
    assert no_phantom_writes(after(7)).status is Status.UNKNOWN
    faulty = history([op("c1", "add", 1), op("o", "final-read", at=9, result=[1])], [fault(4, 5)])
    assert no_phantom_writes(faulty).status is Status.UNKNOWN


NAME = "no_phantom_writes"


def test_values_all_written_are_told_in_full() -> None:
    measures = {"read_count": 3, "phantom_count": 0}
    assert told(no_phantom_writes(after([1, 2, 4]))) == (NAME, "holds", "all 3 values read were written", measures)


@pytest.mark.parametrize(
    ("result", "anomaly", "sentence", "shown", "excess"),
    [
        ([9], "phantom write", "9 is in the final read #4 of observer and nobody had written it", [], 1),
        (["x"], "phantom write", "x is in the final read #4 of observer and nobody had written it", [], 1),
        ([[1, "x"]], "phantom write", '[1, "x"] is in the final read #4 of observer and nobody had written it', [], 1),
        (
            [3],
            "failed write took effect",
            "write 3 failed for certain and is in the final read #4 of observer all the same",
            [2],
            1,
        ),
        ([1, 1, 1], "duplicate", "1 is more often in the final read #4 of observer than written", [0], 2),
    ],
)
def test_each_phantom_is_told_in_full(
    result: list[object], anomaly: str, sentence: str, shown: list[int], excess: int
) -> None:
    verdict = no_phantom_writes(after(result))
    measures = {"read_count": len(result), "phantom_count": excess}
    assert told(verdict) == (NAME, "violated", sentence, measures)
    assert proof(verdict) == (anomaly, sentence, shown)


def test_one_of_several_failed_writes_shows_it() -> None:
    adds = [op("c1", "add", 3, at=at, outcome="fail") for at in (1, 2)]
    verdict = no_phantom_writes(history([*adds, op("o", "final-read", at=9, result=[3])]))
    assert proof(verdict)[2] == [0]


def test_what_is_missing_is_told_in_full() -> None:
    none = "no final read showed a value"
    assert told(no_phantom_writes(after([]))) == (NAME, "unknown", none, {})
    idle = op("c", "get", at=4)
    faulty = history([op("c1", "add", 1), idle, op("o", "final-read", at=9, result=[1])], [fault(4, 5)])
    unmet = "no operation was under way during isolate"
    measures = {"read_count": 1, "phantom_count": 0}
    assert told(no_phantom_writes(faulty)) == (NAME, "unknown", unmet, measures)


def test_value_is_written_by_an_add_alone() -> None:
    """And by one that was asked before the read ended, or just then."""
    other = history([op("c1", "remove", 1, at=1), op("o", "final-read", at=9, result=[1])])
    assert no_phantom_writes(other).status is Status.VIOLATED
    just = history([op("o", "final-read", at=9, took=1, result=[1]), op("c1", "add", 1, at=10)])
    assert no_phantom_writes(just).status is Status.HOLDS


@pytest.mark.parametrize(("error_s", "status"), [(0, Status.VIOLATED), (0.8, Status.VIOLATED), (1, Status.HOLDS)])
def test_value_that_by_the_clocks_errors_may_have_been_written_before_is_no_phantom(
    error_s: float, status: Status
) -> None:
    """The read ended at 9.1, the write of 5 is stamped 10."""
    recorded = history(after([5]).operations, clock_error_ns={"c1": ns(error_s)})
    assert no_phantom_writes(recorded).status is status
