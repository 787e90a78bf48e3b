"""
What one client may rely on: its own writes, and that its reads do not go back.
"""

from chaos.guarantees import monotonic_reads, of_client, read_your_writes
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, op


def write(at: float, revision: int, client: str = "a") -> Operation:
    return op(client, "write", ["r", [None, "x"]], at=at, result=[1, "x"], revision=revision)


def read(at: float, revision: int, client: str = "a", took: float = 0.1) -> Operation:
    return op(client, "read", ["r", None], at=at, took=took, result=[1, "x"], revision=revision)


GOOD = [write(1, 5), read(2, 5), read(3, 7), write(4, 8), read(5, 8)]


def test_own_writes_and_earlier_reads_that_are_seen_hold() -> None:
    assert read_your_writes(history(GOOD)).status is Status.HOLDS
    verdict = monotonic_reads(history(GOOD))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"read_count": 3, "broken_count": 0}


def test_a_client_that_does_not_see_its_own_write_is_violated() -> None:
    verdict = read_your_writes(history([write(1, 5), read(2, 4)]))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures == {"read_count": 1, "broken_count": 1, "back_revisions_count": 1}
    assert verdict.witness is not None
    assert verdict.witness.sentence == "a read what it had written itself: revision 4 after revision 5"
    assert [one.f for one in verdict.witness.operations] == ["write", "read"]


def test_a_read_older_than_an_earlier_one_is_violated() -> None:
    verdict = monotonic_reads(history([*GOOD, read(6, 7)]))
    assert verdict.status is Status.VIOLATED
    assert verdict.witness is not None
    assert verdict.witness.anomaly == "monotonic reads"


def test_other_clients_reads_and_writes_are_no_matter_of_a_session() -> None:
    others = [write(1, 5, "b"), read(2, 5, "b")]
    assert monotonic_reads(history([*others, read(3, 4), read(4, 4)])).status is Status.HOLDS
    assert read_your_writes(history([*others, write(3, 6), read(4, 6)])).status is Status.HOLDS


def test_a_read_that_was_under_way_at_the_same_time_may_be_older() -> None:
    assert monotonic_reads(history([read(1, 5), read(2, 7, took=2), read(3, 6)])).status is Status.HOLDS


def test_a_client_without_anything_before_proves_nothing() -> None:
    assert monotonic_reads(history([read(1, 5), read(1, 5, "b")])).status is Status.UNKNOWN
    assert read_your_writes(history([write(1, 5), read(2, 4, "b")])).status is Status.UNKNOWN
    assert of_client(read_your_writes, "b")(history([*GOOD, write(1, 1, "b")])).status is Status.UNKNOWN
    assert monotonic_reads(history(GOOD, [fault(20, 21)])).status is Status.UNKNOWN
