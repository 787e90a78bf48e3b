"""
List-append transactions: each anomaly with its sentence and its operations, and the cycles that need no other name.
"""

from typing import Any

import pytest

from chaos.checkers.dirty import direct
from chaos.checkers.transactions import transactions, versions
from chaos.errors import UsageError
from chaos.history import Operation
from tests.checkers.judging import called, judge
from tests.history.build import op
from tests.telling import Told, proof, told

Micro = tuple[str, str, Any]


def txn(client: str, at: float, *micros: Micro, took: float | None = 1, outcome: str = "ok") -> Operation:
    """A transaction whose reads are given with what they returned."""
    asked = [[f, key, None if f == "r" else value] for f, key, value in micros]
    result = [list(micro) for micro in micros] if took is not None and outcome == "ok" else None
    return op(client, "txn", asked, at, took, result=result, outcome=outcome)


def r(key: str, *elements: int) -> Micro:
    return "r", key, list(elements)


def a(key: str, value: int) -> Micro:
    return "append", key, value


def names(*lines: Operation) -> str:
    """What is wrong, all of it, or nothing."""
    return judge("list-append", *lines).reason.split(":")[0]


def test_explained_transactions_are_told_in_full() -> None:
    """Those that committed are counted."""
    lines = [txn("c", 0, a("x", 1)), txn("d", 2, r("x", 1)), txn("e", 4, a("x", 2), took=None)]
    reason = "2 committed transactions have an order that explains every read"
    assert told(judge("list-append", *lines)) == ("list-append", "holds", reason, {})
    nothing: Told = ("list-append", "unknown", "no transaction is known to have committed", {})
    assert told(judge("list-append", lines[2])) == nothing
    assert told(judge("list-append", txn("c", 0, a("x", 1), outcome="fail"))) == nothing


@pytest.mark.parametrize(
    ("lines", "anomaly", "sentence", "shown", "also"),
    [
        (
            [txn("c", 0, a("x", 1)), txn("d", 2, r("x", 1, 9))],
            "garbage-read",
            "T1 of d read 9 in 'x', which nobody appended",
            [1],
            "",
        ),
        (
            [txn("c", 0, a("x", 1), outcome="fail"), txn("d", 2, r("x", 1))],
            "G1a",
            "T1 of d read 1 in 'x', appended by T0 of c, which aborted",
            [0, 1],
            "",
        ),
        (
            [txn("c", 0, a("x", 1), a("x", 2), a("x", 3)), txn("d", 0, r("x", 1))],
            "G1b",
            "T1 of d read 'x' up to 1, to which T0 of c also appended 2",
            [0, 1],
            "G-single",
        ),
        (
            [txn("c", 0, r("x"), a("x", 1), r("x"))],
            "internal",
            "T0 of c read [] in 'x', but knew it to end with [1]",
            [0],
            "",
        ),
        (
            [txn("c", 0, a("x", 1), took=9), txn("d", 1, r("x"), r("x", 1))],
            "internal",
            "T1 of d read [1] in 'x', but knew it to end with []",
            [1],
            "G-single",
        ),
        (
            [txn("c", 0, r("x", 1), a("x", 1))],
            "future-read",
            "T0 of c read 1 in 'x' before appending it",
            [0],
            "",
        ),
        (
            [txn("c", 0, a("x", 5), a("x", 1)), txn("d", 2, r("x", 5, 1, 1, 1))],
            "duplicate-elements",
            "T1 of d read 1 3 times in 'x'; it was appended once",
            [1],
            "",
        ),
        (
            [
                txn("c", 0, a("x", 1), took=9),
                txn("d", 0, a("x", 2), took=9),
                txn("e", 1, r("x", 1)),
                txn("f", 1, r("x", 2)),
            ],
            "incompatible-order",
            "T2 of e read [1] in 'x', T3 of f read [2]: neither is the beginning of the other",
            [2, 3],
            "",
        ),
        (
            [
                txn("c", 0, r("x"), a("x", 1), took=9),
                txn("d", 0, r("x"), a("x", 2), took=9),
                txn("e", 20, r("x", 1, 2)),
            ],
            "lost-update",
            "T0 of c and T1 of d both read [] in 'x' and appended to it",
            [0, 1],
            "G-single",
        ),
    ],
)
def test_each_direct_anomaly_is_told_in_full(
    lines: list[Operation], anomaly: str, sentence: str, shown: list[int], also: str
) -> None:
    """Its name begins the reason; a cycle that it makes is named behind it."""
    verdict = judge("list-append", *lines)
    assert proof(verdict) == (anomaly, sentence, shown)
    behind = f" (also {also})" if also else ""
    assert told(verdict) == (
        "list-append",
        "violated",
        f"{anomaly}: {sentence}{behind}",
        {"anomalies_count": 2 if also else 1},
    )


def test_commit_on_top_of_an_aborted_append_is_told_with_the_read_that_shows_it() -> None:
    """Once for each aborted append, whatever lies between."""
    lines = [
        txn("c", 0, a("x", 1), outcome="fail"),
        txn("d", 2, a("x", 2), took=None),
        txn("e", 4, a("x", 3)),
        txn("f", 6, a("x", 4)),
        txn("g", 8, r("x", 9, 1, 2, 3, 4)),
    ]
    verdict = judge("list-append", *lines)
    assert verdict.reason == ("garbage-read: T4 of g read 9 in 'x', which nobody appended (also G1a, dirty-update)")
    assert verdict.measures["anomalies_count"] == 3


def direct_of(*lines: Operation) -> list[tuple[str, list[int]]]:
    """Every direct anomaly with the operations that show it."""
    all_ = transactions(called("list-append", *lines))
    found = direct(all_, versions(all_))
    return [(witness.anomaly, [each.index for each in witness.operations]) for witness in found]


def test_element_from_nowhere_is_told_once() -> None:
    """However often it was read, and wherever the reads fork."""
    lines = [
        txn("c", 0, a("x", 1), a("y", 2)),
        txn("d", 2, r("x", 1, 9)),
        txn("e", 4, r("x", 1, 9)),
        txn("f", 6, r("x", 9)),
        txn("g", 8, r("x", 8), r("y", 2)),
    ]
    found = [each for each in direct_of(*lines) if each[0] == "garbage-read"]
    assert found == [("garbage-read", [1]), ("garbage-read", [4])]


def test_transaction_knows_what_it_read_and_appended() -> None:
    """After a read all of it, before only the end."""
    base = txn("c", 0, a("x", 1), a("x", 2))
    assert direct_of(base, txn("d", 2, r("x", 1, 2), a("x", 3), r("x", 1, 2, 3))) == []
    assert direct_of(base, txn("d", 2, a("x", 3), r("x", 1, 2, 3))) == []
    assert ("internal", [1]) in direct_of(base, txn("d", 2, r("x", 2), r("x", 1, 2)))
    assert ("internal", [1]) in direct_of(base, txn("d", 2, r("x", 1), a("x", 3), r("x", 1, 2, 3)))
    assert ("internal", [1]) in direct_of(base, txn("d", 2, a("x", 3), r("x", 1, 3, 2)))
    assert direct_of(base, txn("d", 2, a("x", 3), r("y"), r("x", 1, 2, 3), took=None)) == []


def test_shorter_of_two_reads_that_contradict_each_other_is_named_first() -> None:
    """Whatever its elements are."""
    lines = [txn("c", 0, a("x", 1), a("x", 2), a("x", 3), took=9), txn("d", 1, r("x", 2)), txn("e", 1, r("x", 1, 2, 3))]
    verdict = judge("list-append", *lines)
    assert "T1 of d read [2] in 'x', T2 of e read [1, 2, 3]: neither" in str(list(direct_sentences(*lines)))
    assert verdict.status.value == "violated"


def direct_sentences(*lines: Operation) -> list[str]:
    all_ = transactions(called("list-append", *lines))
    return [witness.sentence for witness in direct(all_, versions(all_))]


def test_dirty_update_is_told_once_for_each_aborted_append() -> None:
    """With the first commit after it."""
    lines = [
        txn("c", 0, a("x", 1), outcome="fail"),
        txn("d", 2, a("x", 2), took=None),
        txn("e", 4, a("x", 3)),
        txn("f", 6, a("x", 4)),
        txn("g", 8, a("x", 5), outcome="fail"),
        txn("h", 10, a("x", 6)),
        txn("i", 12, r("x", 1, 2, 3, 4, 5, 6)),
    ]
    found = [each for each in direct_of(*lines) if each[0] == "dirty-update"]
    assert found == [("dirty-update", [0, 2]), ("dirty-update", [4, 5])]
    sentence = "T2 of e committed an append to 'x' on top of one by T0 of c, which aborted"
    assert sentence in direct_sentences(*lines)
    twice = [lines[0], txn("d", 2, a("x", 2), outcome="fail"), lines[2], txn("i", 12, r("x", 1, 2, 3))]
    assert [each for each in direct_of(*twice) if each[0] == "dirty-update"] == [("dirty-update", [0, 2])]


def test_update_lost_is_told_once_for_each_transaction() -> None:
    """However often it appended; one that had not read loses nothing, nor does one that failed."""
    first, second = txn("c", 0, r("x"), a("x", 1), took=9), txn("d", 0, r("x"), a("x", 2), a("x", 3), took=9)
    read = txn("e", 20, r("x", 1, 2, 3))
    assert [each for each in direct_of(first, second, read) if each[0] == "lost-update"] == [("lost-update", [0, 1])]
    blind = txn("d", 0, a("x", 2), r("y"), a("x", 3), took=9)
    assert [each for each in direct_of(first, blind, read) if each[0] == "lost-update"] == []
    failed = txn("d", 0, r("x"), a("x", 2), outcome="fail")
    assert [each for each in direct_of(first, failed) if each[0] == "lost-update"] == []


@pytest.mark.parametrize(
    ("lines", "anomaly", "sentence", "shown"),
    [
        (
            [
                txn("c", 0, a("x", 1), a("y", 2), took=9),
                txn("d", 0, a("x", 3), a("y", 4), took=9),
                txn("e", 20, r("x", 1, 3), r("y", 4, 2)),
            ],
            "G0",
            "T1 of d appended 3 to 'x' after T0 of c appended 1; T0 of c appended 2 to 'y' after T1 of d appended 4",
            [0, 1, 2],
        ),
        (
            [txn("c", 0, a("x", 1), r("y", 2), took=9), txn("d", 0, a("y", 2), r("x", 1), took=9)],
            "G1c",
            "T1 of d read T0 of c's append of 1 to 'x'; T0 of c read T1 of d's append of 2 to 'y'",
            [0, 1],
        ),
        (
            [
                txn("c", 0, r("x"), a("y", 1), took=9),
                txn("d", 0, r("y"), a("x", 2), took=9),
                txn("e", 20, r("x", 2), r("y", 1)),
            ],
            "G2-item",
            "T0 of c did not read T1 of d's append of 2 to 'x'; T1 of d did not read T0 of c's append of 1 to 'y'",
            [0, 1, 2],
        ),
        (
            [txn("c", 0, a("x", 1)), txn("d", 2, r("x"))],
            "G-single-realtime",
            "T1 of d did not read T0 of c's append of 1 to 'x'; T0 of c completed before T1 of d began",
            [0, 1],
        ),
        (
            [txn("c", 0, a("x", 1)), txn("c", 2, r("x"))],
            "G-single-process",
            "T1 of c did not read T0 of c's append of 1 to 'x'; T1 of c followed T0 of c in its session",
            [0, 1],
        ),
    ],
)
def test_each_cycle_is_told_edge_by_edge(lines: list[Operation], anomaly: str, sentence: str, shown: list[int]) -> None:
    """With the reads that show in which order elements were appended."""
    verdict = judge("list-append", *lines)
    assert proof(verdict) == (anomaly, sentence, shown)
    order = {"realtime": "time", "process": "sessions"}.get(anomaly.rpartition("-")[2])
    weaker = f"; without the order of {order} no cycle is seen: serializable, but not strictly" if order else ""
    assert told(verdict) == ("list-append", "violated", f"{anomaly}: {sentence}{weaker}", {"anomalies_count": 1})


def test_several_sorts_of_cycles_are_named_behind_the_worst() -> None:
    """Once each."""
    dirty = [
        txn("c", 0, a("x", 1), a("y", 2), took=9),
        txn("d", 0, a("x", 3), a("y", 4), took=9),
        txn("e", 20, r("x", 1, 3), r("y", 4, 2)),
    ]
    skew = [
        txn("f", 0, r("p"), r("s"), a("q", 1), took=9),
        txn("g", 0, r("q"), a("p", 2), took=9),
        txn("h", 20, r("p", 2), r("q", 1)),
        txn("i", 0, a("s", 1), a("t", 1), took=9),
        txn("j", 0, a("s", 2), r("t", 1), took=9),
        txn("k", 0, a("t", 2), r("s", 1, 2), took=9),
    ]
    reason = judge("list-append", *dirty, *skew[:3]).reason
    assert reason.startswith("G0: ")
    assert reason.endswith(" (also G2-item)")


def test_null_may_be_appended_like_any_value() -> None:
    """It is not the beginning of a list."""
    lines = [
        op("c", "txn", [["append", "x", None]], 4, 1, result=[["append", "x", None]]),
        txn("d", 0, a("x", 1)),
        op("e", "txn", [["r", "x", None]], 8, 1, result=[["r", "x", [1, None]]]),
    ]
    assert judge("list-append", *lines).status.value == "holds"


def test_result_of_a_transaction_that_did_not_commit_says_nothing() -> None:
    """What it asked counts."""
    failed = op("c", "txn", [["append", "x", 1]], 0, 1, result=[["append", "x", 9]], outcome="fail")
    assert direct_of(failed, txn("d", 2, r("x", 1))) == [("G1a", [0, 1])]
    bare = op("c", "txn", [["append", "x", 1], ["r", "y", None]], 0, 1)
    assert direct_of(bare, txn("d", 2, r("x", 1))) == []


def test_order_of_a_key_is_that_of_its_longest_read() -> None:
    """Each element once; what was never read comes after all that was."""
    lines = [
        txn("c", 0, *(a("x", n) for n in (1, 2, 3, 4, 5)), took=9),
        txn("d", 1, r("x", 2)),
        txn("e", 1, r("x", 1, 3, 3, 4)),
    ]
    all_ = transactions(called("list-append", *lines))
    known = versions(all_)
    assert known.orders == {"x": (1, 3, 4)}
    assert [known.before("x", value) for value in (1, 3, 4, 2)] == [(), (1,), (3,), (4,)]
    assert known.before("y", 1) == ()


def test_shortest_read_that_has_an_element_shows_where_it_stands() -> None:
    """The longest, if none has it."""
    lines = [
        txn("c", 0, a("x", 9), a("x", 1), a("x", 5), took=9),
        txn("d", 1, r("x", 9, 1, 5)),
        txn("e", 1, r("x", 9, 1)),
        txn("f", 1, r("x", 9)),
        txn("g", 1, r("x", 9, 1)),
    ]
    all_ = transactions(called("list-append", *lines))
    known = versions(all_)
    assert [known.revealing("x", value).operation.client for value in (9, 1, 5, 7)] == ["f", "e", "d", "d"]


def test_shortest_of_reads_that_contradict_each_other_shows_an_element_too() -> None:
    """By length, whatever its elements are."""
    lines = [
        txn("c", 0, a("x", 1), a("x", 2), a("x", 3), took=9),
        txn("d", 1, r("x", 1, 2, 3)),
        txn("e", 1, r("x", 2, 1)),
    ]
    known = versions(transactions(called("list-append", *lines)))
    assert known.revealing("x", 2).operation.client == "e"


def test_cycle_is_shown_with_the_shortest_reads_that_prove_it() -> None:
    """Not with longer ones."""
    lines = [
        txn("c", 0, a("x", 1), a("y", 2), took=9),
        txn("d", 0, a("x", 3), a("y", 4), took=9),
        txn("e", 20, r("x", 1, 3), r("y", 4, 2)),
        txn("f", 22, a("x", 5)),
        txn("g", 24, r("x", 1, 3, 5), r("y", 4, 2)),
    ]
    assert proof(judge("list-append", *lines))[2] == [0, 1, 2]


MICRO = "the model knows [append, key, value] and [r, key, list], not "


@pytest.mark.parametrize(
    ("value", "result", "message"),
    [
        (5, None, "a transaction is a list of [f, key, value]"),
        ([5], None, f"{MICRO}5"),
        (["rxy"], None, f"{MICRO}'rxy'"),
        ([["append", "x"]], None, f"{MICRO}('append', 'x')"),
        ([["append", "x", 1, 2]], None, f"{MICRO}('append', 'x', 1, 2)"),
        ([["w", "x", 1]], None, f"{MICRO}('w', 'x', 1)"),
        ([["r", "x", None]], [["r", "x", 7]], "a read returns a list, not 7"),
        ([["append", "x", 1], ["append", "x", 1]], None, "1 is appended to 'x' twice; appends must be unique"),
    ],
)
def test_other_shapes_are_refused(value: Any, result: Any, message: str) -> None:
    """With the operation."""
    line = op("c", "txn", value, 0, 1, result=result)
    with pytest.raises(UsageError) as refused:
        judge("list-append", line)
    assert str(refused.value) == f"{line}: {message}"
