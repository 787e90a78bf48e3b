"""
A value that stands behind one that its producer sent later is found.
"""

import pytest

from chaos.guarantees import of_client, order_per_producer
from chaos.history import History, Operation
from chaos.verdict import Status
from tests.guarantees.logs import add, left
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

NAME = "order_per_producer"
ADDS = [add(f"{client}:{number}", number) for client in ("c1", "c2") for number in range(4)]


def read(*values: object) -> History:
    """Two producers add 0 to 3, one each second; this is read."""
    return history([*ADDS, left(*values)])


def test_values_in_the_order_of_their_sends_hold() -> None:
    """Whatever is missing, repeated later, from nobody, or between other producers."""
    verdict = order_per_producer(read("c2:0", "c1:1", "x", "c2:1", "c1:3", "c2:0", "c1:1", None))
    reason = "4 values stand in the order in which they were sent"
    measures = {"read_count": 4, "producers_count": 2, "inversion_count": 0}
    assert told(verdict) == (NAME, "holds", reason, measures)


def test_inversions_are_told_in_full() -> None:
    """Each value counts that stands behind a later one; the first of them is shown with the latest before it."""
    verdict = order_per_producer(read("c2:0", "c1:0", "c1:2", "c1:3", "c1:1", "c2:3", "c2:2", "c2:1"))
    sentence = (
        "c1 sent c1:1 at 1.000 s, before c1:3 at 3.000 s, and it stands behind it in the final read (places 4 and 3); "
        "3 values stand behind one that was sent later"
    )
    measures = {"read_count": 8, "producers_count": 2, "inversion_count": 3}
    assert told(verdict) == (NAME, "violated", sentence, measures)
    assert proof(verdict) == ("reordering", sentence, [2, 6])


def test_the_first_copy_of_each_is_judged() -> None:
    """A repetition behind its place is no reordering; a first copy behind a later value is one."""
    assert order_per_producer(read("c1:0", "c1:1", "c1:2", "c1:1")).status is Status.HOLDS
    assert order_per_producer(read("c1:1", "c1:0", "c1:1")).status is Status.VIOLATED


def test_sends_under_way_together_count_in_the_order_of_their_invocations() -> None:
    """That is how the producer got them; of one stamp, as the history has them. Outcomes do not matter."""
    adds = [add("c1:0", 1, took=3, outcome="info"), add("c1:1", 1.5, took=0.1), add("c1:2", 1.5, outcome="fail")]
    assert order_per_producer(history([*adds, left("c1:0", "c1:1", "c1:2")])).status is Status.HOLDS
    assert order_per_producer(history([*adds, left("c1:1", "c1:0")])).status is Status.VIOLATED
    assert order_per_producer(history([*adds, left("c1:2", "c1:1")])).status is Status.VIOLATED


def test_each_log_has_an_order_of_its_own() -> None:
    """And adds that name no log may have gone into a set."""
    adds = [add("c1:0", 0), add("c1:1", 1, log="l-1"), add("c1:2", 2), add("c1:3", 3, log="l-1")]
    verdict = order_per_producer(history([*adds, left("c1:1", "c1:3", "c1:0", "c1:2")]))
    assert (verdict.status, verdict.measures["producers_count"]) == (Status.HOLDS, 2)
    for log in (None, 7):
        unsaid = [add("c1:0", 0, log=log), add("c1:1", 1), add("c1:2", 2)]
        assert order_per_producer(history([*unsaid, left("c1:1", "c1:0", "c1:2")])).measures["read_count"] == 2


def test_a_value_that_was_added_twice_has_no_place_in_the_order() -> None:
    """Nobody knows which send its first copy is of."""
    adds = [add("c1:0", 0, outcome="info"), add("c1:1", 1), add("c1:0", 2), add("c1:3", 3)]
    assert order_per_producer(history([*adds, left("c1:1", "c1:0", "c1:3")])).measures == {
        "read_count": 2,
        "producers_count": 1,
        "inversion_count": 0,
    }


NO_LIST = "there is no acknowledged final read with a list of values"
NO_TWO = "the final read shows no two values that one client added to one log"


@pytest.mark.parametrize(
    ("reads", "reason", "counts"),
    [
        ([], NO_LIST, None),
        ([op("o", "final-read", at=9)], NO_LIST, None),
        ([op("o", "final-read", at=9, result=3)], NO_LIST, None),
        ([op("o", "final-read", at=9, result=["c1:0", "c1:1"], outcome="info")], NO_LIST, None),
        ([left()], NO_TWO, (0, 0)),
        ([left("c1:1", "c1:0", at=9), left()], NO_TWO, (0, 0)),
        ([left("c1:0", "c2:0", "c1:0")], NO_TWO, (2, 2)),
    ],
)
def test_without_two_values_it_is_unknown(reads: list[Operation], reason: str, counts: tuple[int, int] | None) -> None:
    """The last final read counts."""
    measures = {"read_count": counts[0], "producers_count": counts[1], "inversion_count": 0} if counts else {}
    assert told(order_per_producer(history([*ADDS, *reads]))) == (NAME, "unknown", reason, measures)


def test_one_producer_with_two_values_is_evidence() -> None:
    """Whatever the others have."""
    assert order_per_producer(read("c1:0", "c2:0", "c2:1")).status is Status.HOLDS


def test_too_early_a_read_and_a_fault_that_no_send_met_prove_nothing() -> None:
    """What stands in the wrong order stands there all the same."""
    measures = {"read_count": 2, "producers_count": 1, "inversion_count": 0}
    early = history([*ADDS, left("c1:0", "c1:1", at=5)], [fault(1, 6)])
    reason = "the final read came 1.000 s before the last fault healed"
    assert told(order_per_producer(early)) == (NAME, "unknown", reason, measures)
    missed = history([*ADDS, op("c2", "poll", at=5), left("c1:0", "c1:1")], [fault(5, 6)])
    reason = "no operation was under way during isolate"
    assert told(order_per_producer(missed)) == (NAME, "unknown", reason, measures)
    wrong = history([*ADDS, left("c1:1", "c1:0", at=5)], [fault(1, 6)])
    assert order_per_producer(wrong).status is Status.VIOLATED


def test_fault_that_a_send_met_only_within_the_clocks_error_is_unknown() -> None:
    """It may have been over before."""
    operations, met = [*ADDS, left("c1:0", "c1:1")], [fault(3.05, 5)]
    assert order_per_producer(history(operations, met)).status is Status.HOLDS
    errors = {"c1": ns(0.1), "c2": ns(0.1)}
    assert order_per_producer(history(operations, met, clock_error_ns=errors)).status is Status.UNKNOWN


def test_one_producers_order_can_be_judged_alone() -> None:
    """Those of the others are nobody's then."""
    recorded = read("c1:1", "c1:0", "c2:0", "c2:1")
    assert of_client(order_per_producer, "c1")(recorded).status is Status.VIOLATED
    assert of_client(order_per_producer, "c2")(recorded).status is Status.HOLDS


def test_promise_applies_where_an_add_names_its_log() -> None:
    """A set has no order."""
    assert order_per_producer.applies(read())
    assert not order_per_producer.applies(history([op("c1", "add", 1, address="n1"), left(1)]))
