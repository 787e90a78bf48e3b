"""
Histories that are small to write down and large to judge: what would cost the square of their size does not.
"""

from typing import Any

import pytest

from chaos.checkers import CHECKERS, check, dependencies
from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.dependencies import WW, components
from chaos.checkers.drains import unrolled
from chaos.history import Operation
from chaos.models import queue
from chaos.verdict import Verdict
from tests.checkers.judging import called, judge
from tests.history.build import history, op
from tests.telling import told

SQUARED = 30_000
"""Of which the square takes minutes."""


def txn(at: float, *micros: list[Any], client: str = "c", took: float | None = 1) -> Operation:
    return op(
        client, "txn", [[f, key, None if f == "r" else value] for f, key, value in micros], at, took, list(micros)
    )


def within(budget_s: float, *lines: Operation, model: str = "list-append") -> Verdict:
    return CHECKERS[model].judge(called(model, *lines), None, Budget(budget_s))


def test_reads_and_appends_that_saw_nothing_of_each_other_are_not_all_paired(monkeypatch: pytest.MonkeyPatch) -> None:
    """If that leaves any out, no cycle is no proof; an append that a later read must have seen is still missed."""
    reads = [txn(at, ["r", "x", []]) for at in (0, 2, 4)]
    appends = [txn(at, ["append", "x", at]) for at in (10, 12, 14)]
    assert judge("list-append", *reads, *appends).status.value == "holds"
    monkeypatch.setattr(dependencies, "MOST", 8)
    reason = "no cycle, but more than 500,000 pairs of a read and an unread append: too many for all"
    assert told(judge("list-append", *reads, *appends)) == ("list-append", "unknown", reason, {})
    late = judge("list-append", *reads, *appends, txn(20, ["r", "x", []]))
    assert late.status.value == "violated"
    monkeypatch.setattr(dependencies, "MOST", 9)
    assert judge("list-append", *reads, *appends).status.value == "holds"
    assert judge("list-append", *reads, *appends, txn(0, ["r", "y", []]), txn(2, ["append", "y", 1])).status.value == (
        "unknown"
    )


def test_transaction_of_which_nothing_was_seen_is_paired_with_no_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes before nobody. One of which something was seen does."""
    monkeypatch.setattr(dependencies, "MOST", 0)
    crashed = [txn(0, ["append", "x", n], ["append", "y", n], took=None, client=f"c{n}") for n in (1, 2)]
    assert judge("list-append", *crashed, txn(2, ["r", "x", []])).status.value == "holds"
    seen = judge("list-append", *crashed, txn(2, ["r", "x", []]), txn(4, ["r", "y", [1, 2]]))
    assert seen.status.value == "unknown"


def test_transaction_may_append_much() -> None:
    """Each value once."""
    micros = [["append", "x", value] for value in range(SQUARED)]
    assert judge("list-append", txn(0, *micros)).status.value == "holds"


def test_what_single_transactions_read_is_judged_without_time_for_cycles() -> None:
    """Else the verdict is unknown, and says what was looked at."""
    aborted = [op("c", "txn", [["append", "x", 1]], 0, outcome="fail"), txn(2, ["r", "x", [1]])]
    verdict = within(1e-9, *aborted)
    assert verdict.status.value == "violated"
    assert verdict.reason.startswith("G1a: ")
    message = "the budget of 1e-09 s is used up; no anomaly in what single transactions read, no search for cycles"
    with pytest.raises(SpentError) as spent:
        within(1e-9, txn(0, ["append", "x", 1]))
    assert str(spent.value) == message


def test_components_are_sought_while_there_is_time() -> None:
    """Small graphs are not worth a look at the clock."""
    graph = {node: {node + 1: WW} for node in range(dependencies.STRIDE)}
    graph[dependencies.STRIDE] = {0: WW}
    assert len(components(graph, WW, graph)[0]) == dependencies.STRIDE + 1
    with pytest.raises(SpentError):
        components(graph, WW, graph, Budget(0))
    assert components({0: {1: WW}, 1: {0: WW}}, WW, [0, 1], Budget(0)) == [[1, 0]]


def test_set_with_a_duplicate_may_be_large() -> None:
    """The last of many."""
    verdict = judge("set", op("b", "read", None, 0, 1, result=[*range(SQUARED), SQUARED - 1]))
    assert verdict.reason == f"b read {SQUARED - 1} 2 times in one set"


def test_what_the_first_lost_drain_may_have_taken_needs_no_second() -> None:
    """However many never returned, each missing value has one dequeue that can have taken it."""
    lines = [
        op("a", "enqueue", 1, 0, 1),
        op("a", "enqueue", 2, 2, 1),
        *[op(f"d{n}", "drain", None, 4 + n, None) for n in range(3)],
    ]
    known, _ = unrolled(called("queue", *lines), queue())
    assert [call.operation.client for call in known if call.f == "dequeue"] == ["d0", "d0"]


def test_queue_that_was_never_empty_may_have_been_so_by_many_elements() -> None:
    """A few are named, all are shown."""
    puts = [op("a", "enqueue", n, 10 * n, 1) for n in range(SQUARED)]
    gets = [op("b", "dequeue", None, 10 * n + 15, 1, result=n) for n in range(SQUARED)]
    verdict = judge("queue", *puts, *gets, op("c", "dequeue", None, 5, 10 * (SQUARED - 1)))
    assert verdict.reason == (
        f"c found the queue empty while 0, 1, 2, 3, 4, 5, 6, 7 or one of {SQUARED - 8} more was in it"
    )
    assert verdict.witness is not None
    assert len(verdict.witness.operations) == 2 * SQUARED + 1


def test_counter_without_time_for_an_order_says_that_the_bounds_were_kept() -> None:
    """And how long it was allowed to think, not how long was left."""
    lines = [op(f"a{n}", "add", 3 + n, n, 100) for n in range(18)]
    lines += [op("r", "read", None, 20 + n, 0.5, result=50 + n) for n in range(20)]
    verdict = check(history(lines).operations, "counter", budget_s=0.01)
    assert verdict.status.value == "unknown"
    assert verdict.reason.startswith("the budget of 0.01 s is used up")
    assert verdict.reason.endswith("; all 20 reads lie within the bounds")


def test_value_that_nobody_wrote_needs_no_search() -> None:
    """However many orders of all the others there are; a cas cannot give itself what it needs."""
    crashed = [op(f"c{n}", "write", n % 20, n, None) for n in range(200)]
    reads = [op("r", "read", None, 200 + 2 * n, 1, result=n * n % 20) for n in range(50)]
    seen = op("r", "read", None, 400, 1, result=99)
    verdict = within(1e-9, *crashed, *reads, seen, model="register")
    assert told(verdict)[2] == "no order explains read -> 99 of r: nobody wrote the value it saw"
    early = op("c", "cas", [7, 8], 0, 1)
    assert within(1e-9, early, op("w", "write", 7, 2, None), model="cas-register").status.value == "violated"
    itself = op("c", "cas", [7, 7], 0, 1)
    assert judge("cas-register", itself).status.value == "violated"
    assert judge("cas-register", itself, op("w", "write", 7, 1, None)).status.value == "holds"
    assert judge("cas-register", op("c", "cas", [7, 8], 0, None)).status.value == "holds"


def test_set_that_few_use_at_once_is_explained_as_a_whole() -> None:
    """Element by element each read would be judged again for each of them; without time for that it says how far it got."""
    lines = []
    for n in range(600):
        lines += [op("a", "add", n, 6 * n, 1), op("b", "read", None, 6 * n + 2, 1, result=[n])]
        lines += [op("a", "remove", n, 6 * n + 4, 1)]
    assert told(judge("set", *lines)) == ("set", "holds", "an order exists that explains all 1800 operations", {})
    wrong = op("b", "read", None, 9000, 1, result=[])
    stale = judge("set", op("a", "add", 9999, 0, 1), *lines, wrong)
    assert stale.witness is not None
    assert stale.witness.sentence.startswith("no order explains what was seen of element")
    with pytest.raises(SpentError, match=r"used up; an order exists for each of 0 of 601 elements"):
        within(1e-9, *lines, op("a", "add", 9999, 0, 1), wrong, model="set")
