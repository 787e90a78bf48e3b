"""
A value that is there more often than it was sent is found.
"""

import pytest

from chaos.guarantees import no_duplicates, of_client
from chaos.history import Operation
from chaos.verdict import Status
from tests.guarantees.logs import add, left
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

NAME = "no_duplicates"
ADDS = [add("c1:0", 0, 0), add("c1:1", 1, 1), add("c2:0", 2, 3, outcome="info"), add("c2:1", 3, took=None)]
NONE = {"duplicate_count": 0, "duplicated_count": 0}


def test_every_value_once_holds() -> None:
    """What is missing and what nobody sent is another promise's."""
    reason = "each of the 3 values read is there as often as it was sent"
    for read in (("c2:1", "c1:0", "c1:1"), ("c2:1", "c1:0", "x", "x", "c1:1")):
        measures = {**NONE, "read_count": 3}
        assert told(no_duplicates(history([*ADDS, left(*read)]))) == (NAME, "holds", reason, measures)


def test_surplus_copies_are_told_in_full() -> None:
    """Of the first value that has some; unacknowledged ones too."""
    recorded = history([*ADDS, left("c1:0", "c2:0", "c1:0", "c2:0", "c2:0", "c1:1")])
    sentence = (
        "c1:0 of c1 is 2 times in the final read #4 of observer, 1 more than it was sent; "
        "2 of 3 values have 3 copies too many"
    )
    measures = {"read_count": 6, "duplicate_count": 3, "duplicated_count": 2}
    assert told(no_duplicates(recorded)) == (NAME, "violated", sentence, measures)
    assert proof(no_duplicates(recorded)) == ("duplicate", sentence, [0, 4])


@pytest.mark.parametrize(
    ("outcomes", "copies", "status"),
    [
        (["ok"], 1, Status.HOLDS),
        (["ok"], 2, Status.VIOLATED),
        (["fail"], 1, Status.HOLDS),
        (["fail"], 2, Status.VIOLATED),
        (["fail", "fail"], 2, Status.VIOLATED),
        (["fail", "ok"], 2, Status.VIOLATED),
        (["info", "ok"], 2, Status.HOLDS),
        (["info", "ok"], 3, Status.VIOLATED),
    ],
)
def test_value_may_be_there_as_often_as_it_was_sent(outcomes: list[str], copies: int, status: Status) -> None:
    """A send that failed for certain allows no second copy."""
    adds = [add("c1:0", at, outcome=outcome) for at, outcome in enumerate(outcomes)]
    assert no_duplicates(history([*adds, left(*["c1:0"] * copies)])).status is status


def test_values_of_another_type_are_other_values() -> None:
    """The number and the text; a list can be a value."""
    adds = [op("c", "add", value, at=1) for value in (1, "1", [1])]
    assert no_duplicates(history([*adds, left(1, "1", [1], True, 1.0)])).status is Status.HOLDS
    verdict = no_duplicates(history([*adds, left(1, "1", [1], [1])]))
    assert verdict.reason.startswith("[1] of c is 2 times")


def test_sends_after_the_read_allow_nothing() -> None:
    """One that began the instant it ended may have been in time."""
    for at, status in ((20.1, Status.HOLDS), (20.2, Status.VIOLATED)):
        again = add("c1:0", at)
        assert no_duplicates(history([*ADDS, again, left("c1:0", "c1:0")])).status is status
    late = history([add("c1:0", 20.2), left("c1:0")])
    assert told(no_duplicates(late)) == (NAME, "unknown", "the final read shows no value that was sent", {})


@pytest.mark.parametrize(
    ("reads", "reason"),
    [
        ([], "there is no acknowledged final read with a list of values"),
        ([op("o", "final-read", at=9)], "there is no acknowledged final read with a list of values"),
        ([op("o", "final-read", at=9, result=3)], "there is no acknowledged final read with a list of values"),
        (
            [op("o", "final-read", at=9, result=["c1:0"], outcome="info")],
            "there is no acknowledged final read with a list of values",
        ),
        ([left()], "the final read shows no value that was sent"),
        ([left("x", None)], "the final read shows no value that was sent"),
        ([left("c1:0", "c1:0", at=9), left()], "the final read shows no value that was sent"),
    ],
)
def test_without_values_it_is_unknown(reads: list[Operation], reason: str) -> None:
    """The last final read counts."""
    assert told(no_duplicates(history([*ADDS, *reads]))) == (NAME, "unknown", reason, {})


def test_too_early_a_read_and_a_fault_that_no_send_met_prove_nothing() -> None:
    """Copies that are there are there all the same."""
    measures = {**NONE, "read_count": 1}
    early = history([*ADDS, left("c1:0", at=5)], [fault(1, 6)])
    reason = "the final read came 1.000 s before the last fault healed"
    assert told(no_duplicates(early)) == (NAME, "unknown", reason, measures)
    asked = [ADDS[0], op("c2", "poll", at=4)]
    missed = history([*asked, left("c1:0")], [fault(4, 5)])
    reason = "no operation was under way during isolate"
    assert told(no_duplicates(missed)) == (NAME, "unknown", reason, measures)
    assert no_duplicates(history([*ADDS, left("c1:0", "c1:0", at=5)], [fault(1, 6)])).status is Status.VIOLATED


def test_fault_that_a_send_met_only_within_the_clocks_error_is_unknown() -> None:
    """It may have been over before."""
    operations = [ADDS[0], left("c1:0")]
    assert no_duplicates(history(operations, [fault(0.05, 2)])).status is Status.HOLDS
    recorded = history(operations, [fault(0.05, 2)], clock_error_ns={"c1": ns(0.1)})
    assert no_duplicates(recorded).status is Status.UNKNOWN


def test_one_producers_values_can_be_judged_alone() -> None:
    """Those of the others are nobody's then."""
    recorded = history([*ADDS, left("c1:0", "c1:0", "c2:0")])
    assert of_client(no_duplicates, "c1")(recorded).measures["duplicate_count"] == 1
    assert of_client(no_duplicates, "c2")(recorded).status is Status.HOLDS


def test_second_send_that_by_the_clocks_errors_may_have_come_before_the_read_allows_a_copy() -> None:
    operations = [add("c1:0", 0, 0), add("c1:0", 20, 1), left("c1:0", "c1:0", at=19)]
    assert no_duplicates(history(operations)).status is Status.VIOLATED
    for error_s, status in ((0.5, Status.VIOLATED), (1, Status.HOLDS)):
        assert no_duplicates(history(operations, clock_error_ns={"c1": ns(error_s)})).status is status
