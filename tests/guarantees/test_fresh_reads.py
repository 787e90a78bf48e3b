"""
Reads that are older than what was acknowledged before them, by revision and never by value.
"""

import pytest

from chaos.errors import UsageError
from chaos.guarantees import fresh_reads, fresh_reads_within
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told


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


def test_guarantees_say_what_they_promise() -> None:
    within = fresh_reads_within(2.5)
    assert (fresh_reads.name, within.name) == ("fresh_reads", "fresh_reads_within(2.5s)")
    promise = "A read shows every write that was acknowledged{} before the read was asked."
    assert (fresh_reads.promise, within.promise) == (promise.format(""), promise.format(" more than 2.5 s"))
    assert fresh_reads_within(0).promise == fresh_reads.promise
    for guarantee in (fresh_reads, within):
        assert guarantee.source == (
            "etcd documentation, KV API guarantees: linearizable and serializable reads; etcd-io/etcd#20418"
        )
        assert guarantee.silent_on == (
            "the values that were read (linearizable), and reads without a revision in their notes"
        )
        assert guarantee.needs == ("read",)


def test_every_verdict_is_told_in_full() -> None:
    assert told(fresh_reads(history([]))) == (
        "fresh_reads",
        "unknown",
        "no read or no write was acknowledged with its revision",
        {},
    )
    measures = {"read_count": 2, "stale_count": 0, "stale_share": 0.0}
    assert told(fresh_reads(history(GOOD))) == ("fresh_reads", "holds", "2 reads, 0 of them stale", measures)
    missed = fresh_reads(history(GOOD, [fault(20, 21)]))
    assert told(missed) == ("fresh_reads", "unknown", "no operation was under way during isolate", measures)
    name, operations = "fresh_reads_within(2s)", [*GOOD, read(7, 6), read(8, 7)]
    stale = {"read_count": 4, "stale_count": 1, "stale_share": 0.25, "stale_for_s": 1.9, "behind_revisions_count": 1}
    kept = fresh_reads_within(2)(history(operations))
    assert told(kept) == (name, "holds", "4 reads, 1 of them stale within the bound", stale)
    broken = fresh_reads_within(1)(history([*operations, read(9, 6), read(9.5, 7)]))
    stale = {"read_count": 6, "stale_count": 2, "stale_share": 2 / 6, "stale_for_s": 3.9, "behind_revisions_count": 1}
    sentence = "b read revision 6 at n3:2379 at 9.000 s, 3.900 s after a was told of revision 7; 2 reads were stale"
    assert told(broken) == ("fresh_reads_within(1s)", "violated", sentence, stale)
    assert proof(broken) == ("stale read", sentence, [4, 7])


def test_of_stale_reads_the_one_that_is_stale_for_the_longest_is_shown() -> None:
    """Whatever order they come in, and however old the write: here the first read is stale for longer than the last."""
    lines = [write(1, 5), write(2, 6), read(5, 5), write(6, 7), write(7, 8), read(8, 7)]
    verdict = fresh_reads(history(lines))
    assert verdict.measures["stale_for_s"] == 2.9
    assert proof(verdict)[2] == [1, 2]


def test_a_read_is_as_stale_as_the_bound_allows() -> None:
    """To the nanosecond, and told to the millisecond however long it was."""
    operations = [*GOOD, read(7.1, 6)]
    assert fresh_reads_within(2)(history(operations)).status is Status.HOLDS
    assert fresh_reads_within(2 - 1e-9)(history(operations)).status is Status.VIOLATED
    old = fresh_reads(history([*GOOD, read(700_000, 6)]))
    assert "at 700000.000 s, 699994.900 s after" in old.reason


def test_a_server_that_nobody_noted_is_not_named() -> None:
    """Its answers count all the same."""
    unnamed = op("b", "read", ["r", None], at=9, result=[1, "x"], revision=6)
    assert fresh_reads(history([*GOOD, unnamed])).reason == (
        "b read revision 6 at 9.000 s, 3.900 s after a was told of revision 7; 1 reads were stale"
    )


def test_only_a_read_meets_the_fault() -> None:
    """A write that was under way says nothing of reads."""
    assert fresh_reads(history(GOOD, [fault(1.02, 1.05)])).status is Status.UNKNOWN
    assert fresh_reads(history(GOOD, [fault(2.02, 2.05)])).status is Status.HOLDS


def test_a_write_may_have_been_acknowledged_as_late_as_its_clock_allows() -> None:
    """The writer's clock counts as well as the reader's."""
    late = history([*GOOD, read(5.3, 6)], clock_error_ns={"a": ns(0.25)})
    assert fresh_reads(late).status is Status.HOLDS


def test_what_others_have_read_is_no_measure_of_freshness() -> None:
    """Only what was acknowledged to a writer is."""
    assert fresh_reads(history([write(1, 5), read(2, 9), read(3, 5)])).status is Status.HOLDS
