"""
Stays inside a lock, from what the clients themselves recorded.
"""

import pytest

from chaos.guarantees.holding import by_lock, find_holds, harmed_between, overlapping
from chaos.history import Operation, Outcome
from tests.history.build import fault, history, ns, op


def spans(*operations: Operation) -> list[tuple[str, int, int]]:
    return [
        (hold.client, hold.from_ns // ns(0.1), hold.until_ns // ns(0.1)) for hold in find_holds(history(operations))
    ]


def test_other_operations_on_the_same_value_end_no_stay() -> None:
    """A write of "lock" is not a release of it."""
    assert spans(op("a", "acquire", "lock", 1), op("a", "write", "lock", 2), op("a", "release", "lock", 5)) == [
        ("a", 11, 50)
    ]


def test_sign_of_life_is_the_clients_own_and_the_latest() -> None:
    """Others' do not count, nor do long operations that began before."""
    long, short = op("a", "get", at=2, took=7), op("a", "get", at=3)
    assert spans(op("a", "acquire", "lock", 1), long, short, op("b", "get", at=20)) == [("a", 11, 90)]
    assert spans(op("a", "acquire", "lock", 1), op("a", "get", at=6, took=None)) == [("a", 11, 60)]


def test_acquisition_without_an_end_begins_its_stay_when_it_was_asked() -> None:
    """A history that was written by hand or by another tool may leave it out."""
    acquired = Operation(index=0, client="a", f="acquire", value="lock", invoked_ns=ns(1), outcome=Outcome.OK)
    assert spans(acquired, op("a", "release", "lock", 5)) == [("a", 10, 50)]


def test_harm_after_the_release_is_not_of_the_stay() -> None:
    """At the instant of the release it is."""
    for bit, harmed in ((5, ns(5)), (5.1, None), (1.1, ns(1.1)), (1, None)):
        operations = [op("a", "acquire", "lock", 1), op("a", "release", "lock", 5)]
        (hold,) = find_holds(history(operations, [fault(bit, 9, target="a")]))
        assert hold.harmed_ns == harmed


@pytest.mark.parametrize(
    ("target", "named"),
    [("c1", True), ("c1, c2", True), ("n1 -> c1", True), ("c11", False), ("xc1", False), ("my-c1", False)],
)
def test_fault_names_a_client_by_its_whole_name(target: str, named: bool) -> None:
    """Alone or among others."""
    recorded = history([], [fault(1, 2, target=target)])
    assert (harmed_between(recorded, "c1", 0, None) is not None) is named


def test_stay_of_no_length_is_passed_over() -> None:
    """And the search goes on behind it."""
    operations = [
        op("a", "acquire", "lock", 1),
        op("b", "acquire", "lock", 2),
        op("b", "release", "lock", 2.1),
        op("c", "acquire", "lock", 3),
        op("c", "release", "lock", 4),
        op("a", "release", "lock", 5),
    ]
    (held,) = by_lock(find_holds(history(operations))).values()
    assert [(one.client, other.client) for one, other in overlapping(held)] == [("a", "c")]


def test_harm_at_the_edge_of_a_stay_is_of_it_only_beyond_the_clocks_error() -> None:
    """The stay lasts from 1.1 to 5."""
    for bit, harmed in ((1.3, None), (1.6, ns(1.6)), (4.5, ns(4.5)), (4.6, None)):
        operations = [op("a", "acquire", "lock", 1), op("a", "release", "lock", 5)]
        recorded = history(operations, [fault(bit, 9, target="a")], clock_error_ns={"a": ns(0.5)})
        (hold,) = find_holds(recorded)
        assert hold.harmed_ns == harmed
