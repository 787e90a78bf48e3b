"""
Reads that are older than what was acknowledged before them, by revision and never by value.
"""

import pytest

from chaos.errors import UsageError
from chaos.guarantees import fresh_reads, fresh_reads_within
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op


def write(at: float, revision: int, f: str = "write") -> Operation:
    return op("a", f, ["r", [None, "x"]], at=at, result=[1, "x"], revision=revision)


def read(at: float, revision: int, client: str = "b") -> Operation:
    return op(client, "read", ["r", None], at=at, result=[1, "x"], revision=revision, address="n3:2379")


GOOD = [write(1, 5), read(2, 5), write(3, 6, "cas"), read(4, 6), write(5, 7, "add")]


def test_reads_as_new_as_what_was_acknowledged_hold() -> None:
    verdict = fresh_reads(history(GOOD))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"read_count": 2, "stale_count": 0, "stale_share": 0.0}


def test_a_read_older_than_an_acknowledged_write_is_violated() -> None:
    verdict = fresh_reads(history([*GOOD, read(9, 5)]))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures["stale_for_s"] == pytest.approx(5.9)  # Since the first write that it should have seen.
    assert (verdict.measures["stale_count"], verdict.measures["behind_revisions_count"]) == (1, 2)
    assert verdict.witness is not None
    assert [one.f for one in verdict.witness.operations] == ["cas", "read"]
    assert verdict.witness.sentence == (
        "b read revision 5 at n3:2379 at 9.000 s, 5.900 s after a was told of revision 6; 1 reads were stale"
    )


def test_a_write_that_was_under_way_need_not_be_seen() -> None:
    assert fresh_reads(history([*GOOD, read(5.05, 6)])).status is Status.HOLDS


def test_a_write_without_an_answer_need_not_be_seen() -> None:
    unsure = op("a", "write", ["r", [None, "z"]], at=6, took=None, revision=9)
    assert fresh_reads(history([*GOOD, unsure, read(9, 7)])).status is Status.HOLDS


def test_within_a_bound_a_read_may_be_that_old() -> None:
    operations = [*GOOD, read(7, 6)]
    assert fresh_reads_within(2)(history(operations)).status is Status.HOLDS
    assert fresh_reads_within(1)(history(operations)).status is Status.VIOLATED
    with pytest.raises(UsageError, match="a bound is a number of seconds"):
        fresh_reads_within(-1)


def test_staleness_within_the_error_of_the_clocks_is_none() -> None:
    operations = [*GOOD, read(5.3, 6)]
    assert fresh_reads(history(operations)).status is Status.VIOLATED
    assert fresh_reads(history(operations, clock_error_ns={"b": ns(0.3)})).status is Status.HOLDS


def test_without_revisions_or_a_met_fault_nothing_is_known() -> None:
    assert (
        fresh_reads(history([write(1, 5), op("b", "read", ["r", None], at=2, result=[1, "x"])])).status
        is Status.UNKNOWN
    )
    assert fresh_reads(history(GOOD, [fault(20, 21)])).status is Status.UNKNOWN
    assert fresh_reads(history(GOOD, [fault(1.5, 2.05)])).status is Status.HOLDS
