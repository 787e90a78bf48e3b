"""
A write of a client whose turn is over is found at the resource; a brute-force oracle agrees on small random runs.
"""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from chaos.guarantees import exclusive_writes
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told


def turn(client: str, at: float, term: int = 1, token: int | None = None) -> Operation:
    return op(client, "acquire", "lock", at=at, result=token, term=term)


def write(client: str, value: int, at: float, number: int | None = None, term: int = 1, took: float = 0.1) -> Operation:
    return op(client, "write", value, at=at, took=took, result=number, holder=client, term=term)


def test_turns_one_after_the_other_hold() -> None:
    operations = [turn("a", 1), write("a", 1, 2), write("a", 2, 3), turn("b", 4), write("b", 3, 5)]
    verdict = exclusive_writes(history(operations))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"accepted_count": 3, "late_write_count": 0}


def test_late_write_after_the_next_holders_is_violated() -> None:
    operations = [turn("a", 1), turn("b", 4), write("b", 3, 5), write("a", 1, 6)]
    verdict = exclusive_writes(history(operations))
    assert verdict.status is Status.VIOLATED
    assert verdict.witness is not None
    assert [one.value for one in verdict.witness.operations] == [3, 1]
    assert "accepted 1 of a at 6.100 s, after 3 of b" in verdict.witness.sentence


def test_write_that_overlaps_the_next_holders_proves_nothing_by_itself() -> None:
    operations = [turn("a", 1), write("a", 9, 2), turn("b", 4), write("b", 3, 5), write("a", 1, 4.5, took=2)]
    assert exclusive_writes(history(operations)).status is Status.HOLDS


def test_stores_numbers_show_what_intervals_cannot() -> None:
    operations = [turn("a", 1), write("a", 9, 2, 1), turn("b", 4), write("b", 3, 5, 2), write("a", 1, 4.5, 3, took=2)]
    assert exclusive_writes(history(operations)).status is Status.VIOLATED


def test_results_that_are_no_numbering_are_ignored() -> None:
    operations = [turn("a", 1), write("a", 9, 2, 1), turn("b", 4), write("b", 3, 5, 1)]
    assert exclusive_writes(history(operations)).status is Status.HOLDS


def test_numbers_that_some_writes_lack_are_ignored() -> None:
    operations = [turn("a", 1), write("a", 9, 2, 8), turn("b", 4), write("b", 3, 5)]
    assert exclusive_writes(history(operations)).status is Status.HOLDS


def test_interleaving_is_violated_though_nobody_knows_whose_turn_came_first() -> None:
    operations = [write("a", 1, 1), write("b", 2, 2), write("a", 3, 3)]
    assert exclusive_writes(history(operations)).status is Status.VIOLATED
    assert exclusive_writes(history(operations[:2])).status is Status.HOLDS


def test_same_client_may_come_again() -> None:
    operations = [
        turn("a", 1),
        write("a", 1, 2),
        turn("b", 3),
        write("b", 2, 4),
        turn("a", 5, 2),
        write("a", 3, 6, term=2),
    ]
    assert exclusive_writes(history(operations)).status is Status.HOLDS


def test_tokens_order_turns_that_overlap() -> None:
    turns = [op("a", "acquire", "lock", at=1, took=2, result=7), op("b", "acquire", "lock", at=1, took=2, result=8)]
    writes = [op("b", "write", 1, at=5, holder="b", token=8), op("a", "write", 2, at=6, holder="a", token=7)]
    assert exclusive_writes(history([*turns, *writes])).status is Status.VIOLATED
    assert exclusive_writes(history([*turns, writes[0]])).status is Status.UNKNOWN


def test_tokens_that_a_failover_set_back_do_not_order_turns() -> None:
    turns = [op("a", "acquire", "lock", at=1, result=7), op("b", "acquire", "lock", at=4, result=6)]
    first, second = op("a", "write", 1, at=2, holder="a", token=7), op("b", "write", 2, at=5, holder="b", token=6)
    assert exclusive_writes(history([*turns, first, second])).status is Status.HOLDS
    late = op("a", "write", 3, at=6, holder="a", token=7)
    assert exclusive_writes(history([*turns, second, late])).status is Status.VIOLATED


def test_token_given_twice_does_not_order_turns() -> None:
    turns = [op("a", "acquire", "lock", at=1, result=7), op("b", "acquire", "lock", at=4, result=7)]
    writes = [op("b", "write", 2, at=5, holder="b", token=7), op("a", "write", 3, at=6, holder="a", token=7)]
    assert exclusive_writes(history([*turns, *writes])).status is Status.VIOLATED


def test_two_resources_are_two_matters() -> None:
    first = op("b", "write", 3, at=5, holder="b", term=1, resource="x")
    second = op("a", "write", 1, at=6, holder="a", term=1, resource="y")
    assert exclusive_writes(history([turn("a", 1), turn("b", 4), first, second])).status is Status.HOLDS


def test_refused_late_write_holds() -> None:
    refused = op("a", "write", 1, at=6, outcome="fail", holder="a", term=1)
    operations = [turn("a", 1), write("a", 9, 2), turn("b", 4), write("b", 3, 5), refused]
    assert exclusive_writes(history(operations)).status is Status.HOLDS


def test_too_little_evidence_is_unknown() -> None:
    assert exclusive_writes(history([])).status is Status.UNKNOWN
    assert exclusive_writes(history([turn("a", 1), write("a", 1, 2)])).status is Status.UNKNOWN
    bare = [op("a", "acquire", "lock", at=at) for at in (1, 5)]
    writes = [op(client, "write", at, at=at, holder=client) for client, at in (("a", 2), ("b", 4), ("a", 6))]
    confused = exclusive_writes(history([*bare, op("b", "acquire", "lock", at=3), *writes]))
    assert confused.status is Status.UNKNOWN
    assert "of a cannot be told apart" in confused.reason
    calm = [turn("a", 1), write("a", 1, 2), turn("b", 4), write("b", 3, 5)]
    assert exclusive_writes(history(calm, [fault(8, 9)])).status is Status.UNKNOWN


def test_order_within_the_error_of_the_clocks_is_no_order() -> None:
    operations = [turn("a", 1), turn("b", 4), write("b", 3, 5), write("a", 1, 5.2)]
    assert exclusive_writes(history(operations)).status is Status.VIOLATED
    assert exclusive_writes(history(operations, clock_error_ns={"a": ns(0.2)})).status is Status.HOLDS
    assert exclusive_writes(history(operations, clock_error_ns={"b": ns(0.2)})).status is Status.HOLDS
    assert exclusive_writes(history(operations, clock_error_ns={"b": ns(0.05)})).status is Status.VIOLATED


@dataclass(frozen=True)
class Span:
    """Where a write or an acquisition lies, and whose it is."""

    client: str
    begin: int
    end: int


CLIENTS = ["a", "b", "c"]
SPAN = st.tuples(st.integers(1, 12), st.integers(0, 3)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1]))


def is_late(one: Span, writes: list[Span], turns: dict[str, tuple[int, int]]) -> bool:
    """The definition, word by word."""
    foreign = [other for other in writes if other.client != one.client and other.end < one.begin]
    own = [other for other in writes if other.client == one.client]
    later = any(turns[one.client][1] < turns[other.client][0] for other in foreign)
    between = any(mine.end < other.begin for other in foreign for mine in own)
    return later or between


@given(
    turns=st.fixed_dictionaries(dict.fromkeys(CLIENTS, SPAN)),
    drawn=st.lists(st.tuples(st.sampled_from(CLIENTS), SPAN), min_size=2, max_size=8),
    numbered=st.booleans(),
)
def test_verdict_is_what_brute_force_says(
    turns: dict[str, tuple[int, int]], drawn: list[tuple[str, tuple[int, int]]], numbered: bool
) -> None:
    operations = [
        op(client, "acquire", "lock", at=begin, took=end - begin, term=1) for client, (begin, end) in turns.items()
    ]
    operations += [
        write(client, value, begin, value if numbered else None, took=end - begin)
        for value, (client, (begin, end)) in enumerate(drawn)
    ]
    spans = [Span(client, *((value, value) if numbered else span)) for value, (client, span) in enumerate(drawn)]
    late = [one for one in spans if is_late(one, spans, turns)]
    verdict = exclusive_writes(history(operations))
    if len({client for client, _ in drawn}) < 2:
        assert verdict.status is Status.UNKNOWN
        return
    assert verdict.status is (Status.VIOLATED if late else Status.HOLDS)
    assert verdict.measures["late_write_count"] == len(late)


NAME = "exclusive_writes"


def test_late_write_is_told_in_full() -> None:
    operations = [turn("a", 1), turn("b", 4), write("b", 3, 5), write("a", 1, 6)]
    verdict = exclusive_writes(history(operations))
    sentence = "the resource accepted 1 of a at 6.100 s, after 3 of b, which had the lock later"
    assert told(verdict) == (NAME, "violated", sentence, {"accepted_count": 2, "late_write_count": 1})
    assert proof(verdict) == ("late write", sentence, [2, 3])


def test_turns_one_after_the_other_are_told_in_full() -> None:
    verdict = exclusive_writes(history([turn("a", 1), write("a", 1, 2), turn("b", 4), write("b", 3, 5)]))
    measures = {"accepted_count": 2, "late_write_count": 0}
    assert told(verdict) == (NAME, "holds", "2 accepted writes, none late", measures)


def test_what_is_missing_is_told_in_full() -> None:
    calm = [turn("a", 1), write("a", 1, 2), turn("b", 4), write("b", 3, 5)]
    few = "the resource accepted writes of fewer than two acquisitions"
    assert told(exclusive_writes(history(calm[:2]))) == (NAME, "unknown", few, {})
    idle = op("c", "get", at=8)
    unmet = exclusive_writes(history([*calm, idle], [fault(8, 9)]))
    measures = {"accepted_count": 2, "late_write_count": 0}
    assert told(unmet) == (NAME, "unknown", "no operation was under way during isolate", measures)
    bare = [op(client, "acquire", "lock", at=at) for at, client in enumerate("aabb")]
    writes = [op("a", "write", 1, at=5, holder="a"), op("b", "write", 2, at=6, holder="b")]
    confused = exclusive_writes(history([*bare, *writes]))
    assert told(confused) == (
        NAME,
        "unknown",
        "acquisitions of a, b cannot be told apart: their notes need a term",
        {},
    )


def test_attempt_to_acquire_met_the_fault_too() -> None:
    calm = [turn("a", 1), write("a", 1, 2), turn("b", 4), write("b", 3, 5)]
    refused = op("c", "acquire", "lock", at=8, outcome="fail")
    assert exclusive_writes(history([*calm, refused], [fault(8, 9)])).status is Status.HOLDS


def test_write_without_a_holder_and_a_read_with_one_are_not_judged() -> None:
    late = op("b", "write", 7, at=6)
    read = op("a", "get", 3, at=7, holder="a", term=1)
    operations = [turn("a", 1), write("a", 1, 2), turn("b", 4), write("b", 3, 5), late, read]
    verdict = exclusive_writes(history(operations))
    assert (verdict.status, verdict.measures["accepted_count"]) == (Status.HOLDS, 2)


def test_other_operations_give_no_turn() -> None:
    """A renewal with the same term is not a second acquisition."""
    renewal = op("a", "renew", "lock", at=1.5, result=True, term=1)
    operations = [turn("a", 1), renewal, write("a", 1, 2), turn("b", 4), write("b", 3, 5)]
    assert exclusive_writes(history(operations)).status is Status.HOLDS


def test_token_of_a_turn_may_stand_in_its_acquisition_alone() -> None:
    """The writes carry a term; tokens order turns that overlap."""
    turns = [
        op("a", "acquire", "lock", at=1, took=2, result=7, term=1),
        op("b", "acquire", "lock", at=1, took=2, result=8, term=1),
    ]
    late = [write("b", 1, 5), write("a", 2, 6)]
    assert exclusive_writes(history([*turns, *late])).status is Status.VIOLATED
    assert exclusive_writes(history([*turns, write("a", 2, 5), write("b", 1, 6)])).status is Status.HOLDS


def test_token_of_the_write_counts_before_that_of_the_acquisition() -> None:
    turns = [
        op("a", "acquire", "lock", at=1, took=2, result=9, term=1),
        op("b", "acquire", "lock", at=1, took=2, result=8, term=1),
    ]
    writes = [
        op("b", "write", 1, at=5, holder="b", term=1, token=8),
        op("a", "write", 2, at=6, holder="a", term=1, token=7),
    ]
    assert exclusive_writes(history([*turns, *writes])).status is Status.VIOLATED


def test_turns_without_tokens_beside_one_that_has_one_are_ordered_by_time() -> None:
    turns = [turn("a", 1, token=9), turn("b", 4)]
    assert exclusive_writes(history([*turns, write("a", 2, 5), write("b", 1, 6)])).status is Status.HOLDS
    assert exclusive_writes(history([*turns, write("b", 2, 5), write("a", 1, 6)])).status is Status.VIOLATED


def test_turn_whose_acquisition_nobody_recorded_came_at_any_time() -> None:
    operations = [turn("a", 1), write("x", 2, 5), write("a", 1, 6), write("y", 4, 7)]
    assert exclusive_writes(history(operations)).status is Status.HOLDS
    assert exclusive_writes(history([*operations, write("x", 9, 8)])).status is Status.VIOLATED


def test_last_of_several_late_writes_is_shown_with_the_newest_turn_before_it() -> None:
    operations = [turn("a", 1), turn("b", 3), turn("c", 5)]
    operations += [write("b", 2, 6), write("c", 3, 7), write("a", 1, 8), write("a", 4, 9)]
    verdict = exclusive_writes(history(operations))
    sentence = "the resource accepted 4 of a at 9.100 s, after 3 of c, which had the lock later"
    assert proof(verdict) == ("late write", sentence, [4, 6])


def test_interleaved_writes_are_late_on_both_sides_though_tokens_blame_one() -> None:
    turns = [op("a", "acquire", "lock", at=1, result=7), op("b", "acquire", "lock", at=2, result=8)]
    writes = [
        op(client, "write", at, at=at, holder=client, token=token)
        for client, at, token in (("b", 5, 8), ("a", 6, 7), ("b", 7, 8))
    ]
    assert exclusive_writes(history([*turns, *writes])).measures["late_write_count"] == 2


def test_tokens_order_turns_whose_acquisitions_nobody_recorded() -> None:
    writes = [op("b", "write", 1, at=5, holder="b", token=8), op("a", "write", 2, at=6, holder="a", token=7)]
    assert exclusive_writes(history(writes)).status is Status.VIOLATED


def test_of_turns_that_began_together_the_first_that_wrote_is_shown() -> None:
    operations = [turn("a", 1), turn("b", 3), turn("c", 3), write("b", 2, 6), write("c", 3, 7), write("a", 1, 8)]
    assert proof(exclusive_writes(history(operations)))[2] == [3, 5]


def test_writes_that_touch_are_concurrent() -> None:
    operations = [write("a", 1, 1, took=1), write("b", 2, 2, took=1), write("a", 3, 4)]
    assert exclusive_writes(history(operations)).status is Status.HOLDS


def test_each_write_between_two_of_another_turn_counts() -> None:
    operations = [write("b", 1, 0), write("a", 2, 2), write("b", 3, 4), write("a", 4, 6)]
    assert exclusive_writes(history(operations)).measures["late_write_count"] == 2
