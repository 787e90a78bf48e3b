"""
Sentences of registers: sources of what was seen, and cases that a whole history seldom shows.
"""

from chaos.checkers.calls import Call
from chaos.checkers.explaining import mutex_witness, register_witness, with_sources
from tests.checkers.judging import called
from tests.history.build import op


def some() -> list[Call]:
    return called(
        "cas-register",
        op("a", "write", 1, 0, 1),
        op("a", "write", 1, 2, 1),
        op("c", "cas", [1, 2], 4, 1),
        op("b", "read", None, 6, 1, result=2),
        op("a", "write", 2, 9, 1),
        op("b", "read", None, 12, 1, result=0),
    )


def test_proof_is_shown_with_who_wrote_what_it_saw() -> None:
    """The last that can have been it, in order of time; of the initial value nobody."""
    first, second, cas, read, late, initial = calls = some()
    assert with_sources([read], calls, 0) == [second, cas, read]  # What the cas saw needs a source too.
    assert with_sources([cas], calls, 0) == [second, cas]
    assert with_sources([read, late], calls, 0) == [read, late]
    assert with_sources([initial], calls, 0) == [initial]
    assert with_sources([late], calls, 0) == [late]
    assert with_sources([first, read], calls, 0) == [first, cas, read]
    nowhere = called("register", op("b", "read", None, 0, 1, result=9))
    assert with_sources(nowhere, [*nowhere, *calls], 0) == nowhere
    future = called("register", op("b", "read", None, 0, 1, result=5), op("a", "write", 5, 3, 1))
    assert with_sources(future[:1], future, 0) == future[:1]
    touching = called("register", op("b", "read", None, 0, 1, result=5), op("a", "write", 5, 1, 1))
    assert with_sources(touching[:1], touching, 0) == touching


def test_initial_value_that_was_never_there_again_is_told() -> None:
    """With nothing before it, it was not there yet."""
    *_, read = calls = some()
    alone = register_witness([read], read, [read], 0)
    assert alone.sentence == "no order explains read -> 0 of b: the value it saw was not there yet"
    assert alone.anomaly == "stale read"
    cas = calls[2]
    early = register_witness([cas], cas, calls, 1)
    assert (early.anomaly, early.sentence) == (
        "impossible cas",
        "no order explains cas [1, 2] of c: the value it saw was not there yet",
    )


def test_write_that_nobody_can_explain_is_told_all_the_same() -> None:
    """Though a register takes every write."""
    write, other, *_ = some()
    witness = register_witness([other, write], write, [other, write], 0)
    assert (witness.anomaly, witness.sentence) == (
        "not linearizable",
        "no order explains write 1 of a: what was seen before and after it leaves it no place (given: write 1 of a)",
    )
    assert witness.operations == (other.operation, write.operation)


def test_value_written_before_and_after_was_no_longer_there() -> None:
    """Read from the future is only what was written later alone."""
    first, _, _, read, late, _ = some()
    future = register_witness([read], read, [first, read, late], 0)
    assert (future.anomaly, future.sentence) == (
        "read from the future",
        "no order explains read -> 2 of b: the value it saw was written only later",
    )
    both = register_witness([first, read], read, some(), 0)
    assert both.anomaly == "stale read"
    initial = register_witness([read], read, [read, late], 2)
    assert initial.anomaly == "stale read"


def test_what_a_read_was_asked_with_is_no_part_of_its_sentence() -> None:
    """A key, say."""
    read, write = called("register", op("b", "read", "k", 0, 1, result=9), op("a", "write", None, 2, 1))
    witness = register_witness([read, write], read, [read, write], None)
    assert witness.sentence == "no order explains read -> 9 of b: nobody wrote the value it saw (given: write of a)"


def test_mutex_is_told_by_what_most_of_its_proof_is() -> None:
    """As many acquires as releases are a release too many."""
    a, b, c, d = called(
        "mutex",
        op("a", "acquire", None, 0, 1),
        op("b", "release", None, 2, 1),
        op("c", "acquire", None, 4, 1),
        op("d", "release", None, 6, 1),
    )
    assert mutex_witness([a, b], b).anomaly == "release of a free lock"
    assert mutex_witness([a, b, c], c).sentence == (
        "no order explains acquire of c: it was held all the time (a, c acquired)"
    )
    assert mutex_witness([a, b, d], d).sentence == "no order explains release of d: nobody can have held it"
    assert mutex_witness([a, b, d], d).operations == (a.operation, b.operation, d.operation)
