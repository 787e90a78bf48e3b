"""
What each rule over columns finds in histories by hand: the reason, the rows that have no order, or that it cannot tell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chaos.checkers import check
from chaos.checkers.columnar import RULES, Finding, Holds, Suspects, find, judge_file, judging
from chaos.checkers.columnar.numbers import places, unique
from chaos.history import Operation
from chaos.history.archive import save
from chaos.history.columns import available, load_columns
from chaos.history.source import opened
from chaos.verdict import Status
from tests.history.build import history, op

pytestmark = pytest.mark.skipif(not available(), reason="numpy and msgspec are an extra")


@dataclass
class Finder:
    """Through a file, as the command does."""

    path: Path

    def __call__(self, model: str, *lines: Operation, initial: Any = None) -> Finding:
        recorded = history(lines)
        with opened(save(recorded, self.path)) as source:
            found = find(load_columns(source, RULES[model].kinds), model, initial)
        if isinstance(found, Suspects):
            chosen = [recorded.operations[row] for row in found.rows]
            assert check(chosen, model, initial=initial).status is Status.VIOLATED
        elif isinstance(found, Holds):
            assert check(recorded.operations, model, initial=initial).status is Status.HOLDS
        return found


@pytest.fixture
def finding(tmp_path: Path) -> Finder:
    return Finder(tmp_path / "history.jsonl")


def write(value: Any, at: float, took: float | None = 1, outcome: str = "ok") -> Operation:
    return op("a", "write", value, at, took, outcome=outcome)


def read(result: Any, at: float, took: float | None = 1, outcome: str = "ok") -> Operation:
    return op("b", "read", None, at, took, result=result, outcome=outcome)


def add(value: Any, at: float, took: float | None = 1, outcome: str = "ok") -> Operation:
    return op("a", "add", value, at, took, outcome=outcome)


def put(value: Any, at: float, took: float | None = 1, outcome: str = "ok") -> Operation:
    return op("a", "enqueue", value, at, took, outcome=outcome)


def get(result: Any, at: float, took: float | None = 1, outcome: str = "ok") -> Operation:
    return op("b", "dequeue", None, at, took, result=result, outcome=outcome)


def test_register_is_explained_value_by_value(finding: Finder) -> None:
    """Refused writes are none, refused and unfinished reads say nothing."""
    lines = [read(None, 0), write(1, 2), read(1, 4), write(3, 6, outcome="fail"), read(9, 8, outcome="info")]
    lines += [read(9, 8, outcome="fail"), write(2, 10, None), read(2, 12)]
    assert finding("register", *lines) == Holds("the 2 values can be put into one order")
    assert finding("cas-register", write(1, 0), read(1, 2)) == Holds("the 1 values can be put into one order")
    assert finding("register", read(7, 0), write(1, 2), read(1, 4), initial=7) == Holds(
        "the 1 values can be put into one order"
    )


@pytest.mark.parametrize(
    ("lines", "initial", "rows"),
    [
        ([write(1, 0), read(9, 2), read(8, 4)], None, (1,)),
        ([write(1, 0), read(None, 2)], 7, (1,)),
        ([write(5, 0), read(1, 2), write(1, 4)], None, (1, 2)),
        ([write(1, 0), read(None, 2)], None, (0, 1)),
        ([write(1, 0), read(7, 2)], 7, (0, 1)),
        ([write(1, 0), write(2, 2), read(1, 4)], None, (0, 1, 2)),
        ([write(2, 0), write(1, 2), read(2, 4), read(2, 6), read(2, 1.5, 6)], None, (0, 2, 3, 4)),
        ([write(1, 0, 20), write(2, 0, 20), read(1, 1), read(2, 3), read(1, 5), read(2, 7)], None, (0, 1, 2, 3, 4, 5)),
        ([write(1, 0, 20), read(1, 1), write(2, 3), read(1, 6), write(3, 30)], None, (0, 1, 2, 3)),
        ([write(1, 0, None), read(1, 1), write(2, 3, None), read(2, 4), read(1, 6)], None, (0, 1, 2, 3, 4)),
    ],
)
def test_values_of_a_register_that_have_no_order_are_found(
    lines: list[Operation], initial: Any, rows: tuple[int, ...], finding: Finder
) -> None:
    """With the write of each, the first of its operations to end and the last to begin."""
    assert finding("register", *lines, initial=initial) == Suspects(rows)


@pytest.mark.parametrize(
    ("lines", "initial"),
    [
        ([write(1, 0), write(1, 2)], None),
        ([write(None, 0), read(None, 2)], None),
        ([write(7, 0), read(7, 2)], 7),
        ([read([1], 0)], None),
        ([write(1, 0)], "x"),
        ([write(1, 0)], True),
    ],
)
def test_register_that_columns_cannot_tell_is_left_to_others(
    lines: list[Operation], initial: Any, finding: Finder
) -> None:
    """Repeated values, null, lists, and initial values that are no whole numbers."""
    assert finding("register", *lines, initial=initial) is None


def test_operations_on_a_register_that_touch_are_concurrent(finding: Finder) -> None:
    """Of two values, and of a value and its write."""
    assert isinstance(finding("register", write(1, 0), write(2, 1), read(1, 2), read(2, 3)), Holds)
    assert isinstance(finding("register", read(1, 0), write(1, 1)), Holds)
    assert isinstance(finding("register", write(1, 0), read(None, 1)), Holds)
    assert isinstance(finding("register", write(1, 0, 9), write(2, 0, 9), read(1, 1), read(2, 1), read(1, 2)), Holds)


def test_queue_is_explained_by_the_order_of_its_values(finding: Finder) -> None:
    """What crashed and was never seen need not have happened."""
    lines = [get(None, 0), put(1, 2), put(2, 4), get(1, 6), get(2, 8), get(None, 10), put(3, 12, outcome="fail")]
    lines += [put(4, 14, None), get(9, 16, outcome="fail"), put(5, 18)]
    assert finding("queue", *lines) == Holds("2 values left in their order")
    assert finding("queue", get(None, 0)) == Holds("0 values left in their order")
    assert finding("queue", put(1, 0, None), get(1, 2)) == Holds("1 values left in their order")
    assert finding("queue", put(1, 0, None), get(None, 2), put(2, 4), get(2, 6)) == Holds(
        "1 values left in their order"
    )


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        ([put(1, 0), get(1, 2), get(9, 4), get(8, 6)], (2,)),
        ([get(9, 0)], (0,)),
        ([put(5, 0), get(5, 2), get(1, 4), put(1, 6)], (2, 3)),
        ([put(2, 0), put(1, 2), get(2, 4), get(1, 6), get(1, 8)], (1, 3, 4)),
        ([put(1, 0), put(2, 2), get(2, 4), get(1, 6)], (0, 1, 2, 3)),
        ([put(1, 0), put(2, 2), get(2, 4)], (0, 1, 2)),
        ([put(9, 0), get(9, 1.5), put(1, 3), put(2, 5), get(2, 7), get(1, 9)], (2, 3, 4, 5)),
        ([put(3, 0, None), put(1, 2), put(2, 4), get(2, 6), get(1, 8)], (1, 2, 3, 4)),
        ([put(1, 0), get(None, 2)], (0, 1)),
        ([put(1, 0), get(None, 2), get(1, 4)], (0, 1, 2)),
        ([put(1, 0), get(None, 2, 9), put(2, 3), get(1, 5), get(2, 13)], (0, 1, 2, 3, 4)),
        ([put(9, 0), get(9, 2), put(1, 10), get(None, 12), get(1, 14), get(None, 16)], (2, 3, 4)),
        ([put(1, 0), put(2, 0.5, 9), get(None, 2), get(1, 4), get(2, 12)], (0, 2, 3)),
    ],
)
def test_values_of_a_queue_that_have_no_order_are_found(
    lines: list[Operation], rows: tuple[int, ...], finding: Finder
) -> None:
    """And no others are named."""
    assert finding("queue", *lines) == Suspects(rows)


@pytest.mark.parametrize(
    ("lines", "initial"),
    [
        ([put(1, 0), put(1, 2), get(1, 4)], None),
        ([put(None, 0)], None),
        ([put(1, 0), get(1, 2)], 5),
        ([put(1, 0), get([1], 2)], None),
        ([put(1, 0), put(2, 2), get(2, 4), get(None, 6, None)], None),
    ],
)
def test_queue_that_columns_cannot_tell_is_left_to_others(
    lines: list[Operation], initial: Any, finding: Finder
) -> None:
    """Repeated values, null, something inside at first, lists; what a crashed dequeue may have taken."""
    assert finding("queue", *lines, initial=initial) is None


def test_operations_on_a_queue_that_touch_are_concurrent(finding: Finder) -> None:
    """In every pattern."""
    for lines in (
        [get(1, 0), put(1, 1)],
        [put(1, 0), put(2, 1), get(2, 4), get(1, 6)],
        [put(1, 0), put(2, 2), get(2, 4), get(1, 5)],
        [put(1, 0), get(None, 1), get(1, 4)],
        [put(1, 0), get(None, 2, 2), get(1, 4)],
        [put(1, 0), get(1, 3), get(None, 3.5, 3), put(2, 3), get(2, 6)],
        [put(1, 0), get(None, 2, 3), get(1, 4), put(2, 3), get(2, 6)],
    ):
        assert isinstance(finding("queue", *lines), Holds)
    crashed = [put(1, 0), get(1, 2), get(None, 4, None)]
    assert finding("queue", *crashed) == Holds("1 values left in their order")


def test_counter_is_explained_by_its_increments(finding: Finder) -> None:
    """From its initial value on."""
    lines = [
        read(5, 0),
        add(1, 2),
        add(1, 4, None),
        add(1, 6, outcome="fail"),
        read(6, 8),
        read(7, 10),
        read(9, 12, None),
    ]
    reason = "the 2 increments can be put in an order that explains all 3 reads"
    assert finding("counter", *lines, initial=5) == Holds(reason)
    assert finding("counter", read(0, 0)) == Holds("the 0 increments can be put in an order that explains all 1 reads")
    assert isinstance(finding("counter", add(1, 0, 9), add(1, 0, 9), read(1, 1), read(2, 3), read(2, 12)), Holds)
    assert isinstance(finding("counter", add(1, 0), add(1, 0, 20), read(1, 2), read(2, 4)), Holds)
    assert isinstance(finding("counter", add(1, 0), read(0, 1), add(1, 3), read(2, 5)), Holds)
    assert isinstance(finding("counter", read(1, 0), add(1, 1)), Holds)


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        ([add(1, 0), read(2, 2), add(1, 9), add(1, 12)], (0, 1)),
        ([add(1, 0), read(-1, 2), add(1, 9)], (0, 1)),
        ([add(1, 0), read(0, 2), add(1, 9)], (0, 1)),
        ([add(1, 0, 9), read(1, 1), read(0, 3), add(1, 20)], (0, 1, 2)),
        ([add(1, 0), add(1, 2), read(1, 4), read(2, 6), add(1, 20)], (0, 1, 2)),
        ([read(1, 0), add(1, 2), add(1, 20)], (0,)),
    ],
)
def test_reads_of_a_counter_that_have_no_order_are_found(
    lines: list[Operation], rows: tuple[int, ...], finding: Finder
) -> None:
    """With all that was asked by then."""
    assert finding("counter", *lines) == Suspects(rows)


def test_counter_that_columns_cannot_tell_is_left_to_others(finding: Finder) -> None:
    """Other amounts, lists, reads of nothing."""
    assert finding("counter", add(2, 0)) is None
    assert finding("counter", add(None, 0), read(0, 2)) is None
    assert finding("counter", read([1], 0)) is None
    assert finding("counter", read(None, 0, outcome="fail"), read(0, 2)) is not None


def test_set_is_explained_by_the_chain_of_its_reads(finding: Finder) -> None:
    """As many elements as the largest shows."""
    lines = [read([], 0), add(3, 2), add(1, 4, None), read([3], 6), read([3, 1], 8), add(7, 10, outcome="fail")]
    assert finding("set", *lines) == Holds("the 3 reads show 2 elements in one order")
    assert finding("set", add(1, 0)) is None  # Nobody looked.
    assert finding("set", op("b", "read", None, 0, 1, result=[1])) is None
    assert finding("set", op("b", "read", None, 0, 1, result=[])) == Holds("the 1 reads show 0 elements in one order")
    assert isinstance(finding("set", add(1, 0), read([], 1)), Holds)
    assert isinstance(finding("set", read([1], 0), add(1, 1)), Holds)
    assert isinstance(finding("set", add(1, 0, 9), read([1], 1), read([], 2)), Holds)


@pytest.mark.parametrize(
    "lines",
    [
        [add(1, 0), read([], 2)],
        [add(1, 0), add(2, 2), read([1], 4), read([1, 2], 6)],
        [add(1, 0), read([1, 9], 2)],
        [add(1, 0), read([1, 1], 2)],
        [add(1, 0, 9), add(2, 0, 9), read([1], 1), read([2], 1)],
        [read([1], 0), add(1, 2)],
        [add(1, 0, 9), read([1], 1), read([], 3)],
        [add(1, 0), add(1, 2), read([1], 4)],
        [add(None, 0), read([], 2)],
        [add(1, 0), read(None, 2, outcome="ok"), read([1], 4)],
    ],
)
def test_set_that_columns_cannot_explain_is_left_to_others(lines: list[Operation], finding: Finder) -> None:
    """They also say what is wrong."""
    assert finding("set", *lines) is None


def test_set_with_something_inside_at_first_is_left_to_others(finding: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one whose reads are too many to compare."""
    lines = [add(1, 0), read([1], 2), read([1], 4)]
    assert finding("set", *lines, initial=5) is None
    monkeypatch.setattr("chaos.checkers.columnar.sets.MOST_SEEN", 2)
    assert isinstance(finding("set", *lines), Holds)
    monkeypatch.setattr("chaos.checkers.columnar.sets.MOST_SEEN", 1)
    assert finding("set", *lines) is None


Judge = Callable[..., Any]


@pytest.fixture
def judged(tmp_path: Path) -> Judge:
    def of(model: str, *lines: Operation, initial: Any = None, names: Any = None, started_ns: int = 0) -> Any:
        return judge_file(save(history(lines), tmp_path / "history.jsonl"), model, initial=initial, names=names or {})

    return of


def test_file_that_holds_is_told_in_full(judged: Judge) -> None:
    """Refused operations are counted, and not judged."""
    found = judged("register", write(1, 0), read(1, 2), write(2, 4, outcome="fail"), write(3, 6, None))
    verdict = found.verdict
    assert (verdict.guarantee, verdict.status) == ("register", Status.HOLDS)
    assert verdict.reason == "the 2 values can be put into one order"
    measures = dict(verdict.measures)
    assert 0 <= measures.pop("spent_s") < 60
    assert measures == {"operations_count": 3, "keys_count": 1}
    assert (dict(found.counts), found.started_ns) == ({"ok": 2, "fail": 1, "info": 1}, 0)


def test_file_that_does_not_is_told_by_the_ordinary_checker(judged: Judge) -> None:
    """With as many operations as the whole file has."""
    lines = [write(n, 2 * n) for n in range(1, 9)]
    found = judged("register", *lines, read(99, 30), write(50, 40, outcome="fail"))
    assert found.verdict.reason == "b read 99, which nobody wrote"
    assert found.verdict.measures["operations_count"] == 9
    assert dict(found.counts) == {"ok": 9, "fail": 1, "info": 0}


def test_names_and_the_initial_value_are_the_ordinary_checkers_too(judged: Judge) -> None:
    """Names that mean nothing to the type are left out; so is a name of the type that means something else."""
    put_, got = op("a", "put", 1, 0, 1), op("b", "get", None, 2, 1, result=7)
    names = {"put": "write", "get": "read", "other": "cas"}
    found = judged("register", put_, got, initial=7, names=names)
    assert found.verdict.status is Status.VIOLATED
    assert "the initial value was seen before and after 1 was the value" in found.verdict.reason
    assert judged("register", op("a", "write", 1, 0, 1), names={"write": "cas"}) is None
    assert judged("lease", op("a", "acquire", None, 0, 1)) is None


def test_too_many_suspects_are_left_to_the_ordinary_way(judged: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be no explanation."""
    lines = [write(1, 0), write(2, 2), read(1, 4)]
    monkeypatch.setattr(judging, "MOST_SUSPECTS", 3)
    assert judged("register", *lines).verdict.status is Status.VIOLATED
    monkeypatch.setattr(judging, "MOST_SUSPECTS", 2)
    assert judged("register", *lines) is None
    assert judged("register", write(1, 0), write(1, 2)) is None


def test_sorted_columns_are_searched() -> None:
    """Also those with nothing in them."""
    import numpy as np

    at, known = places(np.array([2, 4, 6]), np.array([4, 5, 9, 2, 1]))
    assert at[known].tolist() == [1, 0]
    assert known.tolist() == [True, False, False, True, False]
    at, known = places(np.array([], dtype="int64"), np.array([4, 5]))
    assert (at.tolist(), known.tolist(), str(at.dtype), str(known.dtype)) == ([0, 0], [False, False], "int64", "bool")
    assert [unique(np.array(values)) for values in ([], [1], [3, 1, 2], [1, 3, 1])] == [True, True, True, False]
