"""
Each type accepts what it allows and rejects what it forbids, by name.
"""

from typing import Any

import pytest

from chaos.checkers import check
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import history, op

Lines = list[Operation]


def anomaly(model: str, operations: Lines, **options: Any) -> str | None:
    """The name of what is wrong, or None."""
    verdict = check(history(operations).operations, model, **options)
    assert verdict.status is not Status.UNKNOWN, verdict
    return None if verdict.witness is None else verdict.witness.anomaly


def lock(client: str, f: str, at: float, took: float | None = 0.5, **more: Any) -> Operation:
    return op(client, f, None, at, took, **more)


@pytest.mark.parametrize("model", ["register", "cas-register"])
def test_a_repeated_value_may_be_read_again(model: str) -> None:
    """Only between its writes it may not."""
    writes = [op("a", "write", 1, 0, 1), op("a", "write", 2, 2, 1), op("a", "write", 1, 4, 1)]
    assert anomaly(model, [*writes, op("b", "read", None, 6, 1, result=1)]) is None
    assert anomaly(model, [*writes, op("b", "read", None, 6, 1, result=2)]) == "stale read"


def test_a_cas_moves_the_register_only_from_what_it_expected() -> None:
    """Initial values count."""
    cas = [op("a", "cas", [0, 1], 0, 1), op("a", "cas", [1, 2], 2, 1)]
    assert anomaly("cas-register", cas, initial=0) is None
    assert anomaly("cas-register", [*cas, op("b", "cas", [1, 3], 4, 1)], initial=0) == "impossible cas"


def test_versions_order_the_writes_of_a_register() -> None:
    """The store said so."""
    writes = [op("a", "write", [None, 5], 0, 9, result=[2, 5]), op("b", "write", [None, 6], 0, 9, result=[1, 6])]
    assert anomaly("versioned-register", [*writes, op("c", "read", None, 10, 1, result=[2, 5])]) is None
    assert anomaly("versioned-register", [*writes, op("c", "read", None, 10, 1, result=[2, 6])]) is not None


def test_a_mutex_is_held_by_one() -> None:
    """Twice by the same client is twice all the same; a crashed release may excuse it."""
    assert anomaly("mutex", [lock("a", "acquire", 0), lock("a", "release", 1), lock("b", "acquire", 2)]) is None
    assert anomaly("mutex", [lock("a", "acquire", 0), lock("a", "acquire", 2)]) == "double acquire"
    assert anomaly("mutex", [lock("a", "acquire", 0), lock("a", "release", 1, None), lock("b", "acquire", 2)]) is None
    assert anomaly("mutex", [lock("a", "release", 0)]) == "release of a free lock"
    assert anomaly("mutex", [lock("a", "release", 0)], initial=True) is None


def test_a_crashed_acquire_may_have_got_the_lock() -> None:
    """Then somebody may release it."""
    assert anomaly("mutex", [lock("a", "acquire", 0, None), lock("b", "release", 2)]) is None
    assert anomaly("mutex", [lock("a", "acquire", 0, None), lock("b", "acquire", 2)]) is None


def test_a_lease_is_held_until_it_expires() -> None:
    """Or is released, whichever comes first."""
    first = op("a", "acquire", None, 0, 1, result=1, expires_ns=3_000_000_000)
    assert anomaly("lease", [first, op("b", "acquire", None, 4, 1, result=2)]) is None
    assert anomaly("lease", [first, op("b", "acquire", None, 1.5, 1, result=2)]) == "two holders"
    assert anomaly("lease", [first, lock("a", "release", 1.2), op("b", "acquire", None, 1.5, 1, result=2)]) is None


def test_fencing_tokens_grow() -> None:
    """From one acquire to any that begins after it."""
    first = op("a", "acquire", None, 0, 1, result={"token": 5, "expires_ns": 2_000_000_000})
    assert anomaly("lease", [first, op("b", "acquire", None, 4, 1, result=4)]) == "token went back"
    assert anomaly("lease", [first, op("b", "acquire", None, 4, 1, result=5)]) == "token given twice"
    assert check([op("a", "acquire", None, 0, None)], "lease").status is Status.UNKNOWN


def test_a_semaphore_gives_no_more_than_it_has() -> None:
    """Permits may be taken several at once."""
    taken = [op("a", "acquire", 2, 0, 1), op("b", "acquire", 1, 2, 1)]
    assert anomaly("semaphore", taken, initial=3) is None
    assert anomaly("semaphore", [*taken, op("c", "acquire", 1, 4, 1)], initial=3) == "too many permits"
    assert anomaly("semaphore", [*taken, op("c", "release", 4, 4, 1)], initial=3) == "release of a free permit"


def test_equal_permits_need_no_search() -> None:
    """An acquire waits for a release that was called in time, and never for one that was called later."""
    taken = [op("a", "acquire", None, 0, 1), op("b", "acquire", 1, 2, 4)]
    assert anomaly("semaphore", [*taken, op("a", "release", 1, 5, 1)]) is None
    assert anomaly("semaphore", [*taken, op("a", "release", 1, 7, 1)]) == "too many permits"
    assert anomaly("semaphore", [*taken, op("a", "release", 1, 5, None)]) is None
    assert anomaly("semaphore", [op("a", "acquire", 3, 0, 1)], initial=2) == "too many permits"


def test_permits_of_many_sizes_are_searched_where_sums_do_not_decide() -> None:
    """Two and one of three are taken: two more do not fit unless exactly the two are given back."""
    taken = [op("a", "acquire", 2, 0, 1), op("b", "acquire", 1, 0, 1)]
    late = [op("c", "acquire", 2, 2, 4), op("d", "acquire", 1, 2, 2), op("a", "release", 2, 3, 4)]
    assert anomaly("semaphore", [*taken, *late], initial=3) == "too many permits"
    assert anomaly("semaphore", [*taken, *late, op("b", "release", 1, 3, 4)], initial=3) is None


def test_a_set_that_only_grows() -> None:
    """Reads form a chain."""
    adds = [op("a", "add", 1, 0, 1), op("b", "add", 2, 0, None)]
    assert (
        anomaly("set", [*adds, op("c", "read", None, 2, 1, result=[1]), op("c", "read", None, 4, 1, result=[1, 2])])
        is None
    )
    assert anomaly("set", [*adds, op("c", "read", None, 2, 1, result=[])]) == "lost element"
    assert anomaly("set", [*adds, op("c", "read", None, 2, 1, result=[1, 7])]) == "phantom element"
    assert anomaly("set", [*adds, op("c", "read", None, 2, 1, result=[1, 1])]) == "duplicate element"
    early = op("c", "read", None, 2, 1, result=[])
    assert anomaly("set", [*adds, early, op("c", "read", None, 4, 1, result=[1])]) == "stale read"


def test_reads_of_a_set_may_not_fork() -> None:
    """Each saw what the other did not."""
    adds = [op("a", "add", 1, 0, 9), op("b", "add", 2, 0, 9)]
    reads = [op("c", "read", None, 1, 1, result=[1]), op("d", "read", None, 1, 1, result=[2])]
    assert anomaly("set", [*adds, *reads]) == "long fork"


def test_a_set_with_removals() -> None:
    """Element by element, and as a whole where it was read as a whole."""
    lines = [op("a", "add", 1, 0, 1), op("a", "remove", 1, 2, 1)]
    assert anomaly("set", [*lines, op("b", "contains", 1, 4, 1, result=False)]) is None
    assert anomaly("set", [*lines, op("b", "contains", 1, 4, 1, result=True)]) == "stale read"
    assert anomaly("set", [*lines, op("b", "read", None, 4, 1, result=[])]) is None
    assert anomaly("set", [*lines, op("b", "read", None, 4, 1, result=[1])]) == "stale read"
    assert anomaly("set", [op("b", "read", None, 0, 1, result=[5])], initial=[5]) is None


def test_a_queue_gives_first_what_came_first() -> None:
    """Unless the enqueues were concurrent."""
    puts = [op("a", "enqueue", 1, 0, 1), op("a", "enqueue", 2, 2, 1)]
    assert anomaly("queue", [*puts, op("b", "dequeue", None, 4, 1, result=1)]) is None
    both = [op("b", "dequeue", None, 4, 1, result=2), op("b", "dequeue", None, 6, 1, result=1)]
    assert anomaly("queue", [*puts, *both]) == "out of order"


def test_a_drain_takes_everything_in_order() -> None:
    """And leaves nothing."""
    puts = [op("a", "enqueue", 1, 0, 1), op("a", "enqueue", 2, 2, 1)]
    assert anomaly("queue", [*puts, op("b", "drain", None, 4, 1, result=[1, 2])]) is None
    assert anomaly("queue", [*puts, op("b", "drain", None, 4, 1, result=[2, 1])]) == "out of order"
    assert anomaly("queue", [*puts, op("b", "drain", None, 4, 1, result=[1])]) == "lost element"
    assert anomaly("queue", [*puts, op("b", "drain", None, 4, 1, result=[])]) == "lost element"


def test_an_unfinished_dequeue_excuses_one_missing_element() -> None:
    """An unfinished drain any number."""
    puts = [op("a", "enqueue", 1, 0, 1), op("a", "enqueue", 2, 2, 1)]
    empty = op("b", "dequeue", None, 8, 1)
    taker = op("c", "dequeue", None, 4, None)
    assert anomaly("queue", [*puts, taker, empty]) == "lost element"
    assert anomaly("queue", [*puts, taker, op("d", "dequeue", None, 4, None), empty]) is None
    assert anomaly("queue", [*puts, op("c", "drain", None, 4, None), empty]) is None


def test_an_unfinished_enqueue_may_come_out_or_not() -> None:
    """Both are allowed, twice is not."""
    put = op("a", "enqueue", 1, 0, None)
    assert anomaly("queue", [put, op("b", "dequeue", None, 4, 1)]) is None
    once = op("b", "dequeue", None, 4, 1, result=1)
    assert anomaly("queue", [put, once]) is None
    assert anomaly("queue", [put, once, op("b", "dequeue", None, 6, 1, result=1)]) == "duplicate delivery"


def test_a_queue_with_repeated_values_is_searched() -> None:
    """The patterns need unique ones."""
    puts = [op("a", "enqueue", 1, 0, 1), op("a", "enqueue", 1, 2, 1)]
    outs = [op("b", "dequeue", None, 4 + 2 * n, 1, result=1) for n in range(3)]
    assert anomaly("queue", [*puts, *outs[:2]]) is None
    assert anomaly("queue", [*puts, *outs]) is not None


def test_an_unordered_queue_gives_any_element() -> None:
    """Each once, none from nowhere, and nothing only if there can be nothing."""
    puts = [op("a", "enqueue", 1, 0, 1), op("a", "enqueue", 2, 2, 1)]
    both = [op("b", "dequeue", None, 4, 1, result=2), op("b", "dequeue", None, 6, 1, result=1)]
    assert anomaly("unordered-queue", [*puts, *both, op("b", "dequeue", None, 8, 1)]) is None
    assert anomaly("unordered-queue", [*puts, op("b", "drain", None, 4, 1, result=[2, 1])]) is None
    assert anomaly("unordered-queue", [*puts, *both, both[0]]) == "duplicate delivery"
    assert anomaly("unordered-queue", [*puts, op("b", "dequeue", None, 4, 1)]) == "lost element"
    assert anomaly("unordered-queue", [*puts, op("b", "dequeue", None, 0, 1, result=2)]) == "dequeue from the future"
    assert anomaly("unordered-queue", [op("b", "drain", None, 4, 1, result=[5])], initial=[5]) is None


def test_a_drain_finds_nothing_only_at_its_end() -> None:
    """After its last value was enqueued, though it began before; by then another element was there."""
    other = [op("a", "enqueue", 1, 0, 3), op("c", "dequeue", None, 12, 1, result=1)]
    lines = [*other, op("d", "enqueue", 2, 4, 1), op("b", "drain", None, 1, 9, result=[2])]
    assert anomaly("unordered-queue", lines) == "empty although filled"
    assert anomaly("unordered-queue", [*other, op("b", "drain", None, 1, 9, result=[])]) is None


@pytest.mark.parametrize("model", ["queue", "unordered-queue"])
def test_repeated_values_that_can_be_told_apart_need_no_search(model: str) -> None:
    """The second 3 may be first although the first one's enqueue went on for longer, and a 0 must come between them."""
    lines = [
        op("a", "enqueue", 3, 0, 1),
        op("b", "enqueue", 3, 2, 20),
        op("a", "enqueue", 0, 3, 1),
        op("a", "enqueue", 3, 5, 1),
        op("c", "drain", None, 30, 1, result=[3, 3, 0, 3]),
    ]
    verdict = check(history(lines).operations, model)
    assert (verdict.status, verdict.measures["configurations_count"]) == (Status.HOLDS, 0)
    verdict = check(history(lines[1:]).operations, model, initial=[3])
    assert (verdict.status, verdict.measures["configurations_count"]) == (Status.HOLDS, 0)


@pytest.mark.parametrize("model", ["queue", "unordered-queue"])
def test_more_of_a_repeated_value_than_was_enqueued_needs_no_search(model: str) -> None:
    """Too many at all, too many by then, or none at all."""
    puts = [op("a", "enqueue", 1, 0, 1), op("a", "enqueue", 1, 8, 1)]
    outs = [op("b", "dequeue", None, 4 + 2 * n, 1, result=1) for n in range(3)]
    assert anomaly(model, [*puts, *outs]) == "duplicate delivery"
    assert anomaly(model, [*puts, *outs[:2]]) == "dequeue from the future"
    assert anomaly(model, [*puts, op("b", "dequeue", None, 4, 1, result=2)]) == "phantom element"
    assert anomaly(model, [*puts, *outs], initial=[1]) is None


def test_repeated_values_in_a_drain_are_searched_in_its_order() -> None:
    """First in, first out, also within one answer."""
    puts = [op("a", "enqueue", value, 2 * n, 1) for n, value in enumerate((1, 2, 1))]
    assert anomaly("queue", [*puts, op("b", "drain", None, 8, 1, result=[1, 2, 1])]) is None
    wrong = check(history([*puts, op("b", "drain", None, 8, 1, result=[1, 1, 2])]).operations, "queue")
    assert wrong.witness is not None
    assert [each.f for each in wrong.witness.operations].count("drain") == 1
    assert anomaly("unordered-queue", [*puts, op("b", "drain", None, 8, 1, result=[1, 1, 2])]) is None


def test_repeated_values_may_all_be_in_a_drain_that_never_returned() -> None:
    """Those enqueued before it or later, but none that was never enqueued."""
    puts = [op("a", "enqueue", 1, 0, 1), op("a", "enqueue", 1, 2, 1)]
    lost, empty = op("b", "drain", None, 1, None), op("c", "dequeue", None, 8, 1)
    for model in ("queue", "unordered-queue"):
        assert anomaly(model, [*puts, lost, empty]) is None
        assert anomaly(model, [*puts, empty]) is not None
        assert anomaly(model, [*puts, lost, op("c", "dequeue", None, 8, 1, result=2)]) is not None


def deliver(*values: int, drained: list[int] | None = None, **first: Any) -> Lines:
    """Enqueues of 1 and 2, dequeues of these, and perhaps a drain at the end."""
    puts = [op("a", "enqueue", 1, 0, 1, **first), op("a", "enqueue", 2, 2, 1)]
    outs = [op("b", "dequeue", None, 4 + 2 * n, 1, result=value) for n, value in enumerate(values)]
    return [*puts, *outs, *([] if drained is None else [op("b", "drain", None, 20, 1, result=drained)])]


@pytest.mark.parametrize(
    ("lines", "total", "at_least", "at_most", "exactly"),
    [
        (deliver(1, 2), None, None, None, None),
        (deliver(drained=[2, 1]), None, None, None, None),
        (deliver(2, drained=[]), "lost element", "lost element", None, "lost element"),
        (deliver(2, drained=[], outcome="info"), None, None, None, None),
        (deliver(2, drained=[1], outcome="info"), None, None, None, None),
        (deliver(2, drained=[1], outcome="fail"), None, None, None, None),
        (deliver(1, 1, 2), None, None, "duplicate delivery", "duplicate delivery"),
        (deliver(1, 2, drained=[7]), "phantom element", None, "phantom element", "phantom element"),
    ],
)
def test_brokers_are_judged_by_how_often(
    lines: Lines, total: str | None, at_least: str | None, at_most: str | None, exactly: str | None
) -> None:
    """What Jepsen's total-queue asks, and each part of it."""
    assert anomaly("total-queue", lines) == total
    assert anomaly("at-least-once-queue", lines) == at_least
    assert anomaly("at-most-once-queue", lines) == at_most
    assert anomaly("exactly-once-queue", lines) == exactly


def test_the_measures_are_those_of_jepsens_total_queue() -> None:
    """Attempts of every outcome; recovered is what came of those that nobody acknowledged."""
    lines = [*deliver(1, 2, 2, outcome="info"), op("a", "enqueue", 3, 9, 1), op("b", "dequeue", None, 12, 1, result=9)]
    measured = check(history(lines).operations, "total-queue").measures
    expected = {"attempts": 3, "acknowledged": 2, "ok": 2, "unexpected": 1, "duplicated": 1, "lost": 1, "recovered": 1}
    assert {name: measured[f"{name}_count"] for name in expected} == expected


def test_a_total_queue_with_an_unfinished_drain_is_unknown_unless_nothing_is_missing() -> None:
    """What is missing may have been taken, or be there still; what comes from nowhere is wrong all the same."""
    lost = op("c", "drain", None, 20, None)
    assert check(history([*deliver(2), lost]).operations, "total-queue").status is Status.UNKNOWN
    assert anomaly("total-queue", [*deliver(1, 2), lost]) is None
    assert anomaly("total-queue", [*deliver(2, 7), lost]) == "phantom element"
    failed = op("c", "drain", None, 20, 1, outcome="fail")
    assert anomaly("total-queue", [*deliver(2), failed]) == "lost element"


def test_each_consumer_gets_what_one_producer_sent_in_order() -> None:
    """Other consumers may overtake, and so may what came twice."""
    assert anomaly("pairwise-queue", deliver(1, 2)) is None
    assert anomaly("pairwise-queue", deliver(2, 1)) == "out of order"
    assert anomaly("pairwise-queue", deliver(drained=[2, 1])) == "out of order"
    elsewhere = [*deliver(2), op("c", "dequeue", None, 9, 1, result=1)]
    assert anomaly("pairwise-queue", elsewhere) is None
    assert anomaly("pairwise-queue", deliver(1, 2, 1)) is None
    assert check([], "pairwise-queue").status is Status.UNKNOWN


def test_an_element_is_given_out_again_only_after_it_was_given_back() -> None:
    """By a nack of its client, or because that client's connection went."""
    first, again = op("a", "dequeue", None, 0, 1, result=1), op("b", "dequeue", None, 6, 1, result=1)

    def between(f: str, client: str = "a", **more: Any) -> str | None:
        return anomaly("redelivery-queue", [first, op(client, f, 1, 2, **{"took": 1, **more}), again])

    assert between("nack") is None
    assert between("disconnect") is None
    assert between("nack", took=None) is None
    assert between("dequeue", took=None) is None
    assert between("nack", client="c") == "redelivery without cause"
    assert between("nack", outcome="fail") == "redelivery without cause"
    assert between("ack") == "redelivery after ack"
    assert anomaly("redelivery-queue", [first, again, op("a", "nack", 1, 8, 1)]) == "redelivery without cause"


def test_an_acknowledged_element_is_gone_even_if_its_client_goes() -> None:
    """And of two elements that look the same nothing is said."""
    first, again = op("a", "dequeue", None, 0, 1, result=1), op("b", "dequeue", None, 6, 1, result=1)
    acked = [first, op("a", "ack", 1, 2, 1), op("a", "disconnect", None, 4, 1), again]
    assert anomaly("redelivery-queue", acked) == "redelivery after ack"
    puts = [op("p", "enqueue", 1, 0, 1), op("p", "enqueue", 1, 2, 1)]
    assert check(history([*puts, *acked]).operations, "redelivery-queue").status is Status.UNKNOWN


def test_counter_reads_lie_between_what_was_done_and_what_was_begun() -> None:
    """Negative amounts too."""
    adds = [op("a", "add", 3, 0, 1), op("b", "add", -2, 0, 9)]
    assert anomaly("counter", [*adds, op("c", "read", None, 2, 1, result=1)]) is None
    assert anomaly("counter", [*adds, op("c", "read", None, 2, 1, result=3)]) is None
    assert anomaly("counter", [*adds, op("c", "read", None, 2, 1, result=0)]) == "lost increment"
    assert anomaly("counter", [*adds, op("c", "read", None, 2, 1, result=4)]) == "phantom increment"


def test_a_counter_does_not_go_back() -> None:
    """Each read alone is within bounds; together they are not."""
    reads = [op("b", "read", None, 1, 1, result=1), op("b", "read", None, 3, 1, result=0)]
    assert anomaly("counter", [op("a", "add", 1, 0, 9), *reads]) == "stale read"
    mixed = [op("a", "add", 1, 0, 9), op("c", "add", 2, 0, 9), *reads]
    assert anomaly("counter", mixed) is not None


SENDS = [
    op("p", "send", ["k", "a"], 0, 1, result=["k", [0, "a"]]),
    op("p", "send", ["k", "b"], 2, 1, result=["k", [1, "b"]]),
    op("p", "send", ["k", "c"], 4, 1, result=["k", [2, "c"]]),
]


def poll(at: float, *records: list[Any], client: str = "q") -> Operation:
    return op(client, "poll", None, at, 1, result={"k": list(records)})


def test_a_log_is_read_in_order_and_whole() -> None:
    """Whatever the consumer's pace."""
    assert anomaly("append-log", [*SENDS, poll(6, [0, "a"], [1, "b"]), poll(8, [2, "c"])]) is None


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("phantom-record", [poll(6, [0, "a"], [1, "b"], [2, "c"], [3, "z"])]),
        ("inconsistent-offsets", [poll(6, [0, "a"], [1, "c"])]),
        ("duplicate", [poll(6, [0, "a"], [1, "b"], [2, "c"], [3, "b"])]),
        ("lost-write", [poll(6, [0, "a"], [2, "c"])]),
        ("poll-skip", [poll(6, [0, "a"], [2, "c"]), poll(6, [1, "b"], client="r")]),
        ("nonmonotonic-poll", [poll(6, [0, "a"], [1, "b"], [2, "c"]), poll(8, [1, "b"])]),
        ("nonmonotonic-send", [op("p", "send", ["k", "d"], 6, 1, result=["k", [-1, "d"]])]),
        ("G1a", [op("p", "send", ["k", "d"], 6, 1, outcome="fail"), poll(8, [3, "d"])]),
    ],
)
def test_each_anomaly_of_a_log_has_its_name(name: str, more: Lines) -> None:
    """Those of Jepsen's Kafka workload."""
    assert anomaly("append-log", [*SENDS, *more]) == name


def test_after_a_rebalance_a_consumer_may_read_again() -> None:
    """Until then it reads on where it stopped."""
    polls = [poll(6, [0, "a"], [1, "b"], [2, "c"]), op("q", "assign", ["k"], 8, 1), poll(10, [0, "a"])]
    assert anomaly("append-log", [*SENDS, *polls]) is None


def test_jepsens_lists_of_sends_and_polls_are_understood() -> None:
    """Alone and as transactions."""
    lines = [
        op("p", "send", [["send", "k", "a"]], 0, 1, result=[["send", "k", [0, "a"]]]),
        op("q", "poll", [["poll"]], 2, 1, result=[["poll", {"k": [[0, "a"]]}]]),
        op(
            "q",
            "txn",
            [["send", "k", "b"], ["poll"]],
            4,
            1,
            result=[["send", "k", [1, "b"]], ["poll", {"k": [[1, "b"]]}]],
        ),
    ]
    assert anomaly("append-log", lines) is None
    assert (
        anomaly("append-log", [*lines, op("q", "poll", [["poll"]], 6, 1, result=[["poll", {"k": [[1, "x"]]}]])])
        is not None
    )


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("read your writes", [op("a", "write", 1, 0, 1, result=[3, 1]), op("a", "read", None, 2, 1, result=[2, 0])]),
        ("monotonic reads", [op("a", "read", None, 0, 1, result=[3, 1]), op("a", "read", None, 2, 1, result=[2, 0])]),
        ("monotonic writes", [op("a", "write", 1, 0, 1, result=[3, 1]), op("a", "write", 2, 2, 1, result=[2, 2])]),
        ("writes follow reads", [op("a", "read", None, 0, 1, result=[3, 1]), op("a", "write", 2, 2, 1, result=[2, 2])]),
        ("ambiguous version", [op("a", "read", None, 0, 1, result=[3, 1]), op("b", "read", None, 2, 1, result=[3, 2])]),
        ("version given twice", [op("a", "write", 1, 0, 1, result=[3, 1]), op("b", "write", 1, 2, 1, result=[3, 1])]),
    ],
)
def test_each_session_guarantee_is_broken_by_name(name: str, lines: Lines) -> None:
    """And kept when another client does the same."""
    assert anomaly("session", lines) == name


def test_sessions_promise_nothing_between_clients() -> None:
    """A stale read of another client is allowed."""
    lines = [op("a", "write", 1, 0, 1, result=[1, 1]), op("b", "read", None, 2, 1, result=[None, None])]
    assert anomaly("session", lines) is None


def test_appends_must_be_unique() -> None:
    """Else a read does not reveal their order."""
    from chaos.errors import UsageError

    twice = [op("a", "txn", [["append", "x", 1]], n, 0.5, result=[["append", "x", 1]]) for n in (0, 1)]
    with pytest.raises(UsageError, match="twice"):
        check(twice, "list-append")


def test_an_unfinished_transaction_counts_for_what_was_seen_of_it() -> None:
    """Its appends may be read, or never."""
    unsure = op("a", "txn", [["append", "x", 1], ["append", "y", 1]], 0, None)

    def read(x: list[int], y: list[int]) -> Operation:
        return op("b", "txn", [["r", "x", None], ["r", "y", None]], 4, 1, result=[["r", "x", x], ["r", "y", y]])

    assert anomaly("list-append", [unsure, read([], [])]) is None
    assert anomaly("list-append", [unsure, read([1], [1])]) is None
    assert anomaly("list-append", [unsure, read([1], [])]) == "G-single"


def test_a_session_goes_on_after_what_never_returned() -> None:
    """Between its two neighbours the client's order is known all the same."""
    lines = [
        op("a", "txn", [["append", "x", 1]], 0, 1, result=[["append", "x", 1]]),
        op("a", "txn", [["append", "y", 1]], 2, None),
        op("a", "txn", [["r", "x", None]], 4, 1, result=[["r", "x", []]]),
        op("b", "txn", [["r", "x", None]], 6, 1, result=[["r", "x", [1]]]),
    ]
    assert anomaly("list-append", lines) == "G-single-process"


def test_a_dirty_update_builds_on_an_aborted_one() -> None:
    """Beside the aborted read that shows it."""
    lines = [
        op("a", "txn", [["append", "x", 1]], 0, 1, outcome="fail"),
        op("b", "txn", [["append", "x", 2]], 2, 1, result=[["append", "x", 2]]),
        op("c", "txn", [["r", "x", None]], 4, 1, result=[["r", "x", [1, 2]]]),
    ]
    verdict = check(history(lines).operations, "list-append")
    assert verdict.witness is not None
    assert verdict.witness.anomaly == "G1a"
    assert "dirty-update" in verdict.reason
