"""
What every guarantee asks first: values told apart, instants found, faults that nobody met.
"""

from itertools import combinations

import pytest

from chaos.guarantees.evidence import (
    apart_ns,
    bound_ns,
    doubts_ns,
    end_ns,
    harmed_ns,
    heal_ns,
    identity,
    invoked_before_end,
    last_stamp_ns,
    missed_faults,
    read_too_early,
    shown,
    worst_apart_ns,
    worst_clock_error_ns,
)
from chaos.history import Fault
from tests.history.build import fault, history, ns, op


def test_values_of_different_types_are_different() -> None:
    """As JSON has it, not as Python compares them."""
    values = [1, 1.0, True, None, "1", "1.0", "true", "null", [1], ["1"], {"1": 1}, "[1]"]
    assert all(identity(one) != identity(other) for one, other in combinations(values, 2))


def test_order_within_an_object_is_no_difference() -> None:
    """That within a list is."""
    assert identity({"a": 1, "b": 2}) == identity({"b": 2, "a": 1})
    assert identity([1, 2]) != identity([2, 1])


def test_fault_harms_when_it_bit_and_failing_that_when_it_began() -> None:
    """Injection takes time."""
    assert harmed_ns(Fault(name="kill", target="n1", begun_ns=5, effective_ns=7)) == 7
    assert harmed_ns(Fault(name="kill", target="n1", begun_ns=5)) == 5


def test_fault_heals_when_its_healing_begins() -> None:
    """Not when all agree again; failing that stamp, when it was healed."""
    assert heal_ns(fault(1, 9, healing=8)) == ns(8)
    assert heal_ns(fault(1, 9)) == ns(9)
    assert heal_ns(fault(1, None)) is None


def test_operation_without_an_end_ends_after_every_stamp() -> None:
    """However late the history ends."""
    assert end_ns(op("a", "add", at=1, took=None)) > ns(10**9)


def test_last_stamp_is_of_an_end_an_invocation_or_the_run() -> None:
    """Whichever is latest."""
    assert last_stamp_ns(history([op("a", "add", at=1), op("a", "add", at=5, took=None)])) == ns(5)
    assert last_stamp_ns(history([op("a", "add", at=1, took=9), op("a", "add", at=5)])) == ns(10)
    assert last_stamp_ns(history([])) == 0


def test_read_at_the_instant_of_the_heal_is_late_enough() -> None:
    """A nanosecond earlier is not."""
    recorded = history([], [fault(1, 9, healing=8)])
    assert read_too_early(recorded, op("o", "final-read", at=8)) is None
    early = read_too_early(recorded, op("o", "final-read", at=6.5))
    assert early == "the final read came 1.500 s before the last fault healed"
    whole = read_too_early(recorded, op("o", "final-read", at=8 - 1e-9))
    assert whole == "the final read came 0.000 s before the last fault healed"


def test_faults_that_nobody_met_are_named_once_each() -> None:
    """In alphabetical order."""
    faults = [fault(5, 6, name="kill"), fault(7, 8, name="isolate"), fault(9, 10, name="kill")]
    recorded = history([op("a", "add", at=1)], faults)
    assert missed_faults(recorded, recorded) == "no operation was under way during isolate, kill"


@pytest.mark.parametrize(("at", "took", "met"), [(4, 0.9, False), (4, 1, True), (6, 1, True), (6.1, 1, False)])
def test_operation_meets_a_fault_with_which_it_shares_an_instant(at: float, took: float, met: bool) -> None:
    """The fault lasts from 5 to 6."""
    recorded = history([op("a", "add", at=at, took=took)], [fault(5, 6)])
    assert (missed_faults(recorded, recorded) is None) is met


def test_fault_without_an_end_is_met_by_all_that_comes_later() -> None:
    """And an operation without one by all faults that come later."""
    recorded = history([op("a", "add", at=9)], [fault(5, None)])
    assert missed_faults(recorded, recorded) is None
    recorded = history([op("a", "add", at=1, took=None)], [fault(5, 6)])
    assert missed_faults(recorded, recorded) is None


def test_stamps_that_may_be_off_must_lie_that_much_within_the_fault() -> None:
    """At both ends."""
    for operation in (op("a", "add", at=4, took=1.05), op("a", "add", at=5.95, took=1)):
        assert missed_faults(history([operation], [fault(5, 6)]), [operation]) is None
        doubtful = history([operation], [fault(5, 6)], clock_error_ns={"a": ns(0.1)})
        assert missed_faults(doubtful, [operation]) is not None


def test_worst_clock_is_one_of_those_that_asked_something() -> None:
    """Of clocks nobody read nothing follows."""
    errors = {"a": 3, "b": 7, "idle": 99}
    assert worst_clock_error_ns(history([op("a", "add"), op("b", "add")], clock_error_ns=errors)) == 7
    assert worst_clock_error_ns(history([], clock_error_ns=errors)) == 0


def test_bound_is_counted_in_whole_nanoseconds() -> None:
    """Without an error of its own."""
    assert bound_ns(2.5) == 2_500_000_000
    assert bound_ns(0) == 0


def test_long_values_are_shown_by_their_beginning() -> None:
    """A sentence stays a line."""
    assert shown("x" * 60) == "x" * 60
    assert shown("x" * 61) == "x" * 57 + "..."
    assert shown([1, "a"]) == '[1, "a"]'


def test_read_much_too_early_is_told_to_the_millisecond() -> None:
    """A second more in a thousand million would be seen."""
    early = read_too_early(history([], [fault(1, 8_000_001)]), op("o", "final-read", at=1))
    assert early == "the final read came 8000000.000 s before the last fault healed"


def test_read_that_may_by_its_clock_have_come_before_the_heal_is_too_early() -> None:
    recorded = history([], [fault(1, 9, healing=8)], clock_error_ns={"c1": ns(0.5)})
    assert read_too_early(recorded, op("c1", "final-read", at=8.5)) is None
    assert read_too_early(recorded, op("o", "final-read", at=8)) is None
    early = read_too_early(recorded, op("c1", "final-read", at=8.25))
    assert early == "the final read came 0.250 s before the last fault healed"


def test_what_a_read_may_have_met_is_counted_with_both_clocks_errors() -> None:
    """The read ends at 9.1."""
    asked = [op("c1", "add", 1, at=9.1), op("c1", "add", 2, at=9.5), op("c2", "add", 3, at=9.3)]
    read = op("o", "final-read", at=9)
    for errors, met in (({}, [1]), ({"c1": ns(0.4)}, [1, 2]), ({"o": ns(0.2)}, [1, 3]), ({"c2": ns(0.1)}, [1])):
        found = invoked_before_end(history(asked, clock_error_ns=errors), asked, read)
        assert [one.value for one in found] == met


ONE_CLOCK = {"a": "vm", "b": "vm"}
ERRORS = {"a": 3, "b": 5}


@pytest.mark.parametrize(
    ("clocks", "one", "other", "apart"),
    [
        ({}, "a", "b", 8),
        ({}, "a", "a", 6),
        ({}, "a", "o", 3),
        (ONE_CLOCK, "a", "b", 0),
        (ONE_CLOCK, "a", "a", 0),
        (ONE_CLOCK, "a", "o", 3),
        (ONE_CLOCK, "o", "b", 5),
        (ONE_CLOCK, "o", "o", 0),
        ({"a": "vm", "b": "other"}, "a", "b", 8),
    ],
)
def test_clients_of_one_clock_are_not_apart(clocks: dict[str, str], one: str, other: str, apart: int) -> None:
    """The observer's clock has no name and no error."""
    assert apart_ns(history([], clock_error_ns=ERRORS, clocks=clocks), one, other) == apart


@pytest.mark.parametrize(
    ("clocks", "clients", "doubts"),
    [
        ({}, "ab", {"a": 3, "b": 5}),
        ({}, "abo", {"a": 3, "b": 5, "o": 0}),
        (ONE_CLOCK, "ab", {"a": 0, "b": 0}),
        (ONE_CLOCK, "abo", {"a": 0, "b": 0, "o": 5}),
        (ONE_CLOCK, "ao", {"a": 0, "o": 3}),
        ({"a": "vm", "b": "other"}, "abo", {"a": 3, "b": 5, "o": 0}),
        ({"a": "vm"}, "ab", {"a": 3, "b": 5}),
        (ONE_CLOCK, "o", {"o": 0}),
        (ONE_CLOCK, "", {}),
    ],
)
def test_only_stamps_of_other_clocks_are_in_doubt(clocks: dict[str, str], clients: str, doubts: dict[str, int]) -> None:
    """Where all but the observer read one clock, it is the observer who is off."""
    asked = [op(client, "add") for client in clients]
    assert doubts_ns(history(asked, clock_error_ns=ERRORS, clocks=clocks), asked) == doubts


def test_two_stamps_are_apart_by_two_errors_unless_there_is_one_foreign_clock() -> None:
    asked = [op("a", "add"), op("b", "add")]
    for clocks, worst in (({}, 10), (ONE_CLOCK, 5), ({"a": "vm", "b": "other"}, 10)):
        assert worst_apart_ns(history(asked, clock_error_ns=ERRORS, clocks=clocks)) == worst
    assert worst_apart_ns(history(asked)) == 0
