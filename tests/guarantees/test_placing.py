"""
Which of two operations came first: by the store's numbers, else by intervals.
"""

from chaos.guarantees.placing import by_interval, by_store, settled_before
from tests.history.build import history, ns, op


def test_number_of_the_store_is_the_place() -> None:
    """Below zero and at zero too."""
    writes = [op("a", "write", at=1, result=0), op("a", "write", at=2, result=-5), op("a", "write", at=3, result=7)]
    placed = by_store(history(writes), writes)
    assert [(one.begin, one.end) for one in placed] == [(0, 0), (-5, -5), (7, 7)]


def test_interval_is_widened_by_the_error_of_the_clock() -> None:
    """At both ends; one without an end reaches beyond all others."""
    writes = [op("a", "write", at=1, took=1), op("b", "write", at=1, took=None)]
    known, endless = by_interval(history(writes, clock_error_ns={"a": ns(0.1)}), writes)
    assert (known.begin, known.end) == (ns(0.9), ns(2.1))
    assert (endless.begin, endless.end > ns(10**6)) == (ns(1), True)


def test_what_ended_as_another_began_is_not_settled_before_it() -> None:
    """Each is given once, to the first that it precedes."""
    writes = [op("a", "write", 1, at=1, took=1), op("a", "write", 2, at=2), op("a", "write", 3, at=3)]
    settled = settled_before(by_interval(history(writes), writes))
    assert [(one.operation.value, [past.operation.value for past in others]) for one, others in settled] == [
        (1, []),
        (2, []),
        (3, [1, 2]),
    ]
