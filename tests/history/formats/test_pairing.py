"""
Invocations and completions find each other, or the line is refused.
"""

import pytest

from chaos.errors import HistoryFormatError
from tests.history.formats.ops import operations, reading, spans


def op(kind: str, process: object, f: str = "read", value: str = "nil", **more: object) -> str:
    extra = "".join(f", :{name} {each}" for name, each in more.items())
    return f"{{:type :{kind}, :process {process}, :f :{f}, :value {value}{extra}}}\n"


def test_read_takes_its_value_from_the_completion() -> None:
    assert operations(op("invoke", 0) + op("ok", 0, value="7")) == ["#0 process 0 read -> ok 7"]


def test_processes_are_paired_each_for_itself() -> None:
    text = op("invoke", 0, "write", "1") + op("invoke", 1) + op("ok", 0, "write", "1") + op("ok", 1, value="1")

    assert operations(text) == ["#0 process 0 write 1 -> ok 1", "#1 process 1 read -> ok 1"]


def test_unknown_outcome_leaves_the_operation_open_and_the_process_free() -> None:
    text = op("invoke", 0, "write", "1") + op("info", 0, "write", "1", error='"timeout"') + op("invoke", 0)

    assert operations(text) == ["#0 process 0 write 1 -> info (timeout)", "#1 process 0 read -> info"]


def test_what_failed_says_so_and_has_no_result() -> None:
    text = op("invoke", 0, "cas", "[1 2]") + op("fail", 0, "cas", "[1 2]", error="[:not-found 3]")

    assert operations(text) == ["#0 process 0 cas [1, 2] -> fail (['not-found', 3])"]


def test_invocation_without_completion_is_open() -> None:
    (operation,) = reading(op("invoke", 0, "write", "1")).history.operations

    assert operation.completed_ns is None
    assert operation.outcome == "info"


def test_nemesis_is_seen_and_never_an_operation() -> None:
    text = op("info", ":nemesis", "start") + op("invoke", 0) + op("info", ":nemesis", "start", '"n1"') + op("ok", 0)
    history = reading(text).history

    assert len(history.operations) == 1
    assert [(seen.party, seen.kind, seen.value) for seen in history.observations] == [
        ("nemesis", "start", None),
        ("nemesis", "start", "n1"),
    ]


def test_without_times_the_order_of_lines_is_the_clock() -> None:
    assert spans(op("invoke", 0) + op("invoke", 1) + op("ok", 0) + op("ok", 1)) == [(1, 3), (2, 4)]


def test_equal_stamps_keep_the_order_of_lines() -> None:
    text = op("invoke", 0, time=5) + op("ok", 0, time=9) + op("invoke", 1, time=9) + op("ok", 1, time=20)

    assert spans(text) == [(5, 9), (10, 20)]


def test_lines_of_each_operation_are_known() -> None:
    found = reading(op("invoke", 0) + op("invoke", 1) + op("ok", 1))

    assert list(found.invoked) == [1, 2]
    assert list(found.completed) == [0, 3]


def test_stamps_of_threads_that_queued_are_put_right_and_told() -> None:
    text = op("invoke", 0, time=10**9) + op("invoke", 1, time=10**9 - 2000) + op("ok", 0, time=3 * 10**9)
    found = reading(text)

    assert found.remarks == (
        "stamps of different processes stand up to 2000 ns out of order; the order of lines decided",
    )
    assert found.history.operations[1].invoked_ns == 10**9 + 1


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (op("ok", 0), 1, "process 0 completes read (ok), but has nothing open"),
        (op("invoke", 0) + op("ok", 0) + op("ok", 0), 3, "nothing open"),
        (op("invoke", 0) + op("info", 0) + op("ok", 0), 3, "nothing open"),
        (op("invoke", 0) + op("invoke", 0), 2, "invokes read while its read of line 1 is open"),
        (op("invoke", 0) + op("ok", 0, "write"), 2, "what is open since line 1 is read"),
        (op("invoke", 0, time=9) + op("ok", 0, time=8), 2, "completes before its invocation in line 1"),
        (op("invoke", 0, time=9) + op("invoke", 1, time=2) + op("ok", 0, time=10), 2, "the clock runs backwards"),
        (op("invoke", 0, time=9) + op("ok", 0), 2, "without time"),
        (op("invoke", 0) + op("ok", 0, time=9), 2, "with time"),
        (op("invoke", 0, time='"noon"'), 1, "no time in nanoseconds"),
        (op("invoke", 0, index=3) + op("ok", 0, index=3), 2, "not in the order of the history"),
        (op("invoke", "nil"), 1, "None is no process"),
        (op("invoke", "true"), 1, "True is no process"),
        (op("maybe", 0), 1, "'maybe' is no type"),
        ("{:process 0, :f :read}", 1, "without 'type'"),
        ("{:type :invoke, :process 0}", 1, "without 'f'"),
        ("{:type :invoke, :process 0, :f 7}", 1, "whose f is no name"),
        ("[{:type :invoke, :process 0, :f :read}\n 17]", 2, "not an op map: 17"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(HistoryFormatError) as refused:
        reading(text)

    assert str(refused.value).startswith(f"h, line {line}: ")
    assert reason in str(refused.value)


def test_key_beside_the_value_makes_both_a_pair() -> None:
    """As in the logs of key-value services; a completion need not repeat it."""
    text = op("invoke", 0, "put", "1", key='"a"') + op("ok", 0, "put", "1", key='"a"')
    text += op("invoke", ":nemesis", "kill") + op("invoke", 1, "get", key=7) + op("ok", 1, "get", "[7 2]")
    assert operations(text) == [
        "#0 process 0 put ['a', 1] -> ok ['a', 1]",
        "#1 process 1 get [7, None] -> ok [7, [7, 2]]",
    ]
    assert reading(text).keyed
    assert not reading(op("invoke", 0, key="nil") + op("ok", 0)).keyed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (op("invoke", 0, key=1) + op("invoke", 1), "line 2: an op without key among such that have one"),
        (op("invoke", 0) + op("invoke", 1, key=1), "line 2: an op with key among such without"),
        (op("invoke", 0, key=1) + op("ok", 0, key=2), "line 2: process 0 completes read of another key than it began"),
        (op("invoke", 0) + op("ok", 0, key=2), "line 2: process 0 completes read of another key than it began"),
    ],
)
def test_keys_that_do_not_fit_are_refused(text: str, reason: str) -> None:
    """With the line."""
    with pytest.raises(HistoryFormatError, match=reason):
        reading(text)
