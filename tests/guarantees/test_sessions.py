"""
What one client may rely on: its own writes, and that its reads do not go back.
"""

from chaos.guarantees import monotonic_reads, of_client, read_your_writes
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, op
from tests.telling import proof, told


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


def test_every_verdict_is_told_in_full() -> None:
    ryw, mono = "read_your_writes", "monotonic_reads"
    counts = {"read_count": 3, "broken_count": 0}
    words = "{} times a client {}, and it was never older"
    own, earlier = "read what it had written itself", "read after an earlier read"
    assert told(read_your_writes(history(GOOD))) == (ryw, "holds", words.format(3, own), counts)
    assert told(monotonic_reads(history(GOOD))) == (mono, "holds", words.format(2, earlier), counts)
    missed = "no operation was under way during isolate"
    for guarantee, name in ((read_your_writes, ryw), (monotonic_reads, mono)):
        assert told(guarantee(history(GOOD, [fault(20, 21)]))) == (name, "unknown", missed, counts)
    alone = history([read(1, 5)])
    counts = {"read_count": 1, "broken_count": 0}
    assert told(read_your_writes(alone)) == (ryw, "unknown", f"no client {own}", counts)
    assert told(monotonic_reads(alone)) == (mono, "unknown", f"no client {earlier}", counts)
    back = monotonic_reads(history([*GOOD, read(6, 7), read(7, 5)]))
    sentence = "a read after an earlier read: revision 7 after revision 8"
    counts = {"read_count": 5, "broken_count": 2, "back_revisions_count": 3}
    assert told(back) == (mono, "violated", sentence, counts)
    assert proof(back) == ("monotonic reads", sentence, [4, 5])


def test_a_server_that_was_noted_is_named() -> None:
    """It is where to look."""
    stale = op("a", "read", ["r", None], at=9, result=[1, "x"], revision=4, address="n3:2379")
    verdict = read_your_writes(history([write(1, 5), stale]))
    assert verdict.reason == "a read what it had written itself: revision 4 at n3:2379 after revision 5"


def test_the_newest_of_what_a_client_was_told_counts() -> None:
    """Not the last; of two as new the first; and all of several that ended before one read."""
    broken = monotonic_reads(history([read(1, 9), read(1.2, 9), read(2, 5), read(3, 8)]))
    assert proof(broken)[2] == [0, 2]
    assert broken.measures["broken_count"] == 2
    both = read_your_writes(history([write(1, 5), write(2, 9), read(3, 7)]))
    assert proof(both)[2] == [1, 2]


def test_a_read_that_was_asked_when_the_answer_came_need_not_know_it() -> None:
    """A nanosecond later it must."""
    assert read_your_writes(history([write(1, 5), read(1.1, 4), read(2, 5)])).status is Status.HOLDS
    assert read_your_writes(history([write(1, 5), read(1.1 + 1e-9, 4)])).status is Status.VIOLATED
    began = op("a", "write", ["r", [None, "x"]], at=0, took=0, result=[1, "x"], revision=5)
    assert read_your_writes(history([began, read(1e-9, 4)])).status is Status.VIOLATED


def test_what_met_the_fault_is_a_read_or_a_write() -> None:
    """Also one that was not answered; another kind says nothing."""
    for unanswered, status in (("read", Status.HOLDS), ("write", Status.HOLDS), ("acquire", Status.UNKNOWN)):
        line = op("a", unanswered, ["r", None], at=20, took=None)
        assert monotonic_reads(history([*GOOD, line], [fault(20, 21)])).status is status
