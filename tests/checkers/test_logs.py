"""
Append logs: each anomaly with its sentence and its operations, and the shapes in which logs are recorded.
"""

from typing import Any

import pytest

from chaos.errors import UsageError
from chaos.history import Operation
from tests.checkers.judging import judge
from tests.history.build import op
from tests.telling import proof, told

A = op("p", "send", ["k", "a"], 0, 1, result=["k", [0, "a"]])
B = op("p", "send", ["k", "b"], 2, 1, result=["k", [1, "b"]])
C = op("p", "send", ["k", "c"], 4, 1, result=["k", [2, "c"]])


def poll(at: float, *records: list[Any], client: str = "q", key: str = "k") -> Operation:
    return op(client, "poll", None, at, 1, result={key: list(records)})


def send(client: str, value: str, at: float, offset: int, took: float = 1, key: str = "k") -> Operation:
    return op(client, "send", [key, value], at, took, result=[key, [offset, value]])


def test_log_read_as_it_was_written_is_told_in_full() -> None:
    """One side alone proves nothing."""
    whole = judge("append-log", A, B, C, poll(6, [0, "a"], [1, "b"]), poll(8, [2, "c"]))
    reason = "3 acknowledged sends and 3 polled records agree on one log for each key"
    assert told(whole) == ("append-log", "holds", reason, {})
    reason = "1 acknowledged sends and 0 polled records prove nothing"
    assert told(judge("append-log", A)) == ("append-log", "unknown", reason, {})
    unsure = op("p", "send", ["k", "a"], 0, None)
    reason = "0 acknowledged sends and 1 polled records prove nothing"
    assert told(judge("append-log", unsure, poll(6, [0, "a"]))) == ("append-log", "unknown", reason, {})


@pytest.mark.parametrize(
    ("lines", "anomaly", "sentence", "shown"),
    [
        ([poll(6, [0, "a"], [1, "z"])], "phantom-record", "q polled 'z' of k, which nobody sent", [1]),
        (
            [op("p", "send", ["k", "d"], 2, 1, outcome="fail"), poll(6, [0, "a"], [1, "d"])],
            "G1a",
            "q polled 'd' of k, whose send failed",
            [1, 2],
        ),
        (
            [poll(2, [0, "a"], [1, "c"]), send("p", "c", 4, 1)],
            "future-read",
            "q polled 'c' of k before its send began",
            [1, 2],
        ),
        ([send("r", "b", 2, 0)], "inconsistent-offsets", "offset 0 of k held 'a' and 'b'", [0, 1]),
        ([poll(6, [3, "a"])], "duplicate", "'a' is at offset 0 and at offset 3 of k", [0, 1]),
        (
            [B, C, poll(6, [1, "b"]), poll(8, [2, "c"])],
            "lost-write",
            "'a' was acknowledged at offset 0 of k and polled by nobody, though offset 2 was",
            [0, 4],
        ),
        (
            [B, send("p", "d", 4, 1, key="m"), send("p", "e", 6, 0, key="m")],
            "nonmonotonic-send",
            "p sent 'd' to offset 1 of m, then 'e' to offset 0",
            [2, 3],
        ),
        (
            [B, poll(6, [1, "b"]), poll(8, [0, "a"])],
            "nonmonotonic-poll",
            "q polled offset 1 of k, then offset 0",
            [2, 3],
        ),
        (
            [B, C, poll(6, [0, "a"]), poll(8, [2, "c"]), poll(8, [1, "b"], client="r")],
            "poll-skip",
            "q polled offset 0 of k, then 2, not 1",
            [3, 4],
        ),
    ],
)
def test_each_anomaly_is_told_in_full(lines: list[Operation], anomaly: str, sentence: str, shown: list[int]) -> None:
    """Its name begins the reason."""
    verdict = judge("append-log", A, *lines)
    assert told(verdict) == ("append-log", "violated", f"{anomaly}: {sentence}", {"anomalies_count": 1})
    assert proof(verdict) == (anomaly, sentence, shown)


def test_several_anomalies_are_named_once_each() -> None:
    """Behind the first of them."""
    verdict = judge("append-log", A, B, C, poll(6, [0, "a"], [0, "x"], [2, "x"], [2, "c"]))
    reason = (
        "phantom-record: q polled 'x' of k, which nobody sent "
        "(also inconsistent-offsets, duplicate, lost-write, nonmonotonic-poll, poll-skip)"
    )
    assert verdict.reason == reason
    assert verdict.measures["anomalies_count"] == 9


def test_read_and_send_at_once_are_no_read_from_the_future() -> None:
    """They share an instant."""
    verdict = judge("append-log", send("p", "a", 2, 0), poll(1, [0, "a"]))
    assert told(verdict)[1] == "holds"


def test_records_without_an_offset_are_compared_by_value_alone() -> None:
    """Neither sends nor polls of them have an order."""
    bare = op("p", "send", ["k", "b"], 2, 1, result=["k", "b"])
    unknown = op("q", "poll", None, 6, 1, result={"k": [[None, "b"], [0, "a"], [None, "b"], [1, "c"]]})
    assert told(judge("append-log", A, bare, send("p", "c", 4, 1), unknown))[1] == "holds"
    verdict = judge("append-log", op("p", "send", ["k", "b"], 0, 1), send("p", "c", 4, 1), send("p", "d", 6, 0))
    assert proof(verdict)[0] == "nonmonotonic-send"


def test_one_operation_may_send_several_and_they_are_in_order() -> None:
    """Also without a stamp between them."""
    sent = [["send", "k", [1, "a"]], ["send", "k", [0, "b"]]]
    line = op("p", "txn", [["send", "k", "a"], ["send", "k", "b"]], 0, 1, result=sent)
    assert proof(judge("append-log", line)) == (
        "nonmonotonic-send",
        "p sent 'a' to offset 1 of k, then 'b' to offset 0",
        [0],
    )


def test_sends_of_one_client_at_once_have_no_order() -> None:
    """Nor do those of two clients, or to two keys; the same record may be acknowledged again."""
    assert (
        told(judge("append-log", send("p", "a", 0, 1, 5), send("p", "b", 1, 0), poll(9, [0, "b"], [1, "a"])))[1]
        == "holds"
    )
    assert (
        told(judge("append-log", send("p", "a", 0, 1), send("r", "b", 2, 0), poll(9, [0, "b"], [1, "a"])))[1] == "holds"
    )
    again = send("p", "a", 2, 0)
    assert told(judge("append-log", A, again, poll(9, [0, "a"])))[1] == "holds"
    touching = [send("p", "a", 0, 1, 2), send("p", "b", 2, 0), poll(9, [0, "b"], [1, "a"])]
    assert told(judge("append-log", *touching))[1] == "holds"


def test_different_record_at_the_same_offset_went_back_too() -> None:
    """Besides that the offset held two values."""
    verdict = judge("append-log", A, send("p", "b", 2, 0))
    assert verdict.reason == "inconsistent-offsets: offset 0 of k held 'a' and 'b' (also nonmonotonic-send)"


def test_write_is_lost_only_when_something_beyond_it_was_polled() -> None:
    """What nobody has reached yet may still come; of each key for itself."""
    assert told(judge("append-log", A, B, C, poll(6, [0, "a"])))[1] == "holds"
    other = op("p", "send", ["m", "x"], 5, 1, result=["m", [9, "x"]])
    assert told(judge("append-log", A, B, other, poll(6, [0, "a"]), poll(8, [9, "x"], key="m")))[1] == "holds"
    low = [send("p", "a", 0, -3), send("p", "b", 2, -2), poll(6, [-2, "b"])]
    assert proof(judge("append-log", *low))[0] == "lost-write"
    back = [A, B, C, poll(6, [0, "a"], [2, "c"]), poll(6, [0, "a"], client="r")]
    assert "lost-write" in judge("append-log", *back).reason


def test_witness_is_in_order_of_time() -> None:
    """Whichever of the two was found first, or named first."""
    later = op("r", "send", ["k", "b"], 9, 1, result=["k", [0, "b"]])
    assert proof(judge("append-log", poll(6, [0, "a"]), later, op("p", "send", ["k", "a"], 5, 4)))[2] == [1, 2]


def test_empty_poll_and_poll_of_nothing_say_nothing() -> None:
    """However a client puts it."""
    nothings: list[Any] = [{}, [], [["poll"]], [["poll", {}]], {"k": []}]
    for nothing in nothings:
        line = op("q", "poll", None, 6, 1, result=nothing)
        reason = "1 acknowledged sends and 0 polled records prove nothing"
        assert told(judge("append-log", A, line))[2] == reason
    assert told(judge("append-log", A, op("q", "txn", [], 6, 1, result=[]), poll(8, [0, "a"])))[1] == "holds"


def test_polls_may_come_as_pairs() -> None:
    """As EDN maps with keys that are no strings do."""
    pairs = op("q", "poll", None, 6, 1, result=[[7, [[0, "a"]]]])
    assert told(judge("append-log", op("p", "send", [7, "a"], 0, 1, result=[7, [0, "a"]]), pairs))[1] == "holds"


def test_acknowledged_value_that_is_a_pair_is_offset_and_value() -> None:
    """One that was only asked for is the value itself."""
    unsure = op("p", "send", ["k", [5, "a"]], 0, None)
    assert told(judge("append-log", A, unsure, poll(6, [0, "a"], [1, [5, "a"]])))[1] == "holds"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (op("q", "txn", 5, 0, 1), "a transaction is a list of [send, key, value] and [poll, records]"),
        (
            op("q", "txn", [["send", "k", "a"], 7], 0, 1),
            "a transaction is a list of [send, key, value] and [poll, records]",
        ),
        (op("q", "txn", [[], ["poll"]], 0, 1), "a transaction is a list of [send, key, value] and [poll, records]"),
        (op("q", "send", ["k"], 0, None), "a send is a pair of key and value"),
        (op("q", "send", "ab", 0, None), "a send is a pair of key and value"),
        (op("q", "send", ["k", "a"], 0, 1, result=["k", ["x", "a"]]), "an offset is a number, not 'x'"),
        (op("q", "send", ["k", "a"], 0, 1, result=["k", [True, "a"]]), "an offset is a number, not True"),
        (op("q", "poll", None, 0, 1, result={"k": [["x", "a"]]}), "an offset is a number, not 'x'"),
        (op("q", "poll", None, 0, 1, result={"k": [5]}), "a poll returns {key: [[offset, value], ...]}"),
        (op("q", "poll", None, 0, 1, result={"k": 5}), "a poll returns {key: [[offset, value], ...]}"),
    ],
)
def test_shapes_that_are_no_log_are_refused(line: Operation, message: str) -> None:
    """With the operation."""
    with pytest.raises(UsageError) as refused:
        judge("append-log", line)
    assert str(refused.value).endswith(f": {message}")
    assert str(refused.value).startswith("#0 q ")


@pytest.mark.parametrize("f", ["assign", "subscribe", "crash"])
def test_consumer_that_was_moved_may_read_anywhere(f: str) -> None:
    """The others read on where they stopped."""
    lines = [A, B, poll(6, [0, "a"], [1, "b"]), op("q", f, [["poll", 5]], 8, 1), poll(10, [0, "a"])]
    assert told(judge("append-log", *lines))[1] == "holds"
    lines = [A, B, poll(6, [0, "a"], [1, "b"]), op("r", f, ["k"], 8, 1), poll(10, [0, "a"])]
    assert proof(judge("append-log", *lines))[0] == "nonmonotonic-poll"


def test_records_of_the_same_time_are_shown_in_their_order() -> None:
    """As they stand in the history."""
    verdict = judge("append-log", A, op("r", "send", ["k", "b"], 0, 1, result=["k", [0, "b"]]))
    assert proof(verdict) == ("inconsistent-offsets", "offset 0 of k held 'a' and 'b'", [0, 1])


def test_one_operation_may_poll_several_times() -> None:
    """All of it counts."""
    polled = [["poll", {"k": [[0, "a"]]}], ["poll", {"k": [[1, "b"]]}]]
    line = op("q", "txn", [["poll"], ["poll"]], 6, 1, result=polled)
    reason = "2 acknowledged sends and 2 polled records agree on one log for each key"
    assert told(judge("append-log", A, B, line))[2] == reason


def test_record_without_an_offset_does_not_hide_those_behind_it() -> None:
    """In one operation."""
    sent = [["send", "k", "a"], ["send", "k", [5, "b"]]]
    line = op("p", "txn", [["send", "k", "a"], ["send", "k", "b"]], 0, 1, result=sent)
    assert proof(judge("append-log", line, send("p", "c", 4, 1)))[0] == "nonmonotonic-send"
