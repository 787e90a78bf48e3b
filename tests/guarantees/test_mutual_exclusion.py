"""
Two clients inside one lock are found, for how long, whatever they are called; the oracle knows who was inside.
"""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import UsageError
from chaos.guarantees import among, lock_is_freed, mutual_exclusion
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told


def stay(client: str, begin: float, end: float, lock: str = "lock") -> list[Operation]:
    """Inside from begin to end exactly: acquired then, release asked then."""
    return [op(client, "acquire", lock, at=begin - 0.1), op(client, "release", lock, at=end)]


def test_stays_one_after_the_other_hold() -> None:
    verdict = mutual_exclusion(history([*stay("a", 1, 2), *stay("b", 2, 3), *stay("a", 3.5, 4)]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"overlap_s": 0, "overlap_count": 0}


def test_two_clients_inside_are_violated_with_both_acquisitions() -> None:
    verdict = mutual_exclusion(history([*stay("a", 1, 7), *stay("b", 6, 8)]))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures == {"overlap_s": 1, "overlap_count": 1}
    assert verdict.witness is not None
    assert [(one.client, one.f) for one in verdict.witness.operations] == [
        ("a", "acquire"),
        ("b", "acquire"),
        ("a", "release"),
    ]
    assert verdict.witness.sentence == "a and b were both inside lock for 1.000 s, from 6.000 s on"


def test_instant_shared_by_three_counts_once() -> None:
    verdict = mutual_exclusion(history([*stay("a", 1, 5), *stay("b", 2, 4), *stay("c", 3, 6)]))
    assert verdict.measures == {"overlap_s": 3, "overlap_count": 3}


def test_longest_overlap_is_the_witness() -> None:
    verdict = mutual_exclusion(history([*stay("a", 1, 5), *stay("b", 4, 9), *stay("c", 6, 8)]))
    assert verdict.witness is not None
    assert "b and c were both inside lock for 2.000 s" in verdict.witness.sentence


def test_two_locks_are_two_matters() -> None:
    operations = [*stay("a", 1, 5), *stay("b", 2, 4, "other"), *stay("a", 5, 6, "other")]
    assert mutual_exclusion(history(operations)).status is Status.HOLDS


def test_client_that_learns_of_its_loss_is_not_inside_any_more() -> None:
    renewal = op("a", "renew", "lock", at=1.5, result=False)
    assert mutual_exclusion(history([*stay("a", 1, 7), renewal, *stay("b", 2, 3)])).status is Status.HOLDS


def test_client_is_inside_until_the_answer_that_tells_of_its_loss() -> None:
    renewal = op("a", "renew", "lock", at=1.5, took=1, result=False)
    verdict = mutual_exclusion(history([*stay("a", 1, 7), renewal, *stay("b", 2, 3)]))
    assert verdict.measures == {"overlap_s": 0.5, "overlap_count": 1}


def test_client_that_never_releases_is_inside_to_its_last_sign_of_life() -> None:
    acquire, write = op("a", "acquire", "lock", at=1), op("a", "write", 7, at=5)
    late = mutual_exclusion(history([acquire, write, *stay("b", 4, 6)]))
    assert late.status is Status.VIOLATED
    assert late.measures["overlap_s"] == pytest.approx(1.1)
    assert mutual_exclusion(history([acquire, *stay("b", 4, 6)])).status is Status.HOLDS


def test_client_that_a_fault_stopped_is_inside_until_then() -> None:
    operations = [op("a", "acquire", "lock", at=1), *stay("b", 4, 6)]
    assert mutual_exclusion(history(operations, [fault(3, None, target="a")])).status is Status.HOLDS
    assert mutual_exclusion(history(operations, [fault(5, None, target="a")])).status is Status.VIOLATED


def test_unknown_or_refused_acquisition_is_no_stay() -> None:
    operations = [
        *stay("a", 1, 7),
        op("b", "acquire", "lock", at=3, outcome="info"),
        op("b", "acquire", "lock", at=4, outcome="fail"),
        *stay("b", 8, 9),
    ]
    assert mutual_exclusion(history(operations)).status is Status.HOLDS


def test_overlap_within_the_error_of_the_clocks_is_unknown() -> None:
    operations = [*stay("a", 1, 3), *stay("b", 2.9, 5)]
    assert mutual_exclusion(history(operations, clock_error_ns={"a": ns(0.06), "b": ns(0.06)})).status is Status.UNKNOWN
    assert mutual_exclusion(history(operations, clock_error_ns={"a": ns(0.06)})).status is Status.VIOLATED


def test_too_little_evidence_is_unknown() -> None:
    assert mutual_exclusion(history([])).status is Status.UNKNOWN
    assert mutual_exclusion(history([*stay("a", 1, 2), *stay("a", 3, 4)])).status is Status.UNKNOWN
    unmet = history([*stay("a", 1, 2), *stay("b", 3, 4)], [fault(8, 9)])
    assert mutual_exclusion(unmet).status is Status.UNKNOWN


def test_client_that_sat_inside_through_the_fault_met_it() -> None:
    met = history([*stay("a", 1, 10), *stay("b", 11, 12)], [fault(8, 9)])
    assert mutual_exclusion(met).status is Status.HOLDS


STAYS = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.lists(st.integers(1, 20), min_size=2, max_size=6, unique=True).map(sorted),
    min_size=2,
)


@given(instants=STAYS, names=st.permutations(["a", "b", "c"]))
def test_verdict_is_what_brute_force_says_whatever_the_names(instants: dict[str, list[int]], names: list[str]) -> None:
    renamed = dict(zip(["a", "b", "c"], names, strict=True))
    inside = {client: list(zip(stamps[::2], stamps[1::2], strict=False)) for client, stamps in instants.items()}
    operations = [one for client, spans in inside.items() for span in spans for one in stay(renamed[client], *span)]
    common = [
        (max(first[0], second[0]), min(first[1], second[1]))
        for one, other in combinations(inside, 2)
        for first in inside[one]
        for second in inside[other]
    ]
    shared = [span for span in common if span[0] < span[1]]
    verdict = mutual_exclusion(history(operations))
    assert verdict.status is (Status.VIOLATED if shared else Status.HOLDS)
    seconds = {second for begin, end in shared for second in range(begin, end)}
    assert verdict.measures == {"overlap_s": len(seconds), "overlap_count": len(shared)}


def test_among_some_clients_the_others_are_not_there() -> None:
    operations = [
        op("a", "acquire", "lock", at=1),
        op("b", "acquire", "lock", at=3),
        op("a", "release", "lock", at=4),
        op("b", "release", "lock", at=5),
        op("c", "acquire", "lock", at=6),
    ]
    recorded = history(operations)
    assert mutual_exclusion(recorded).status is Status.VIOLATED
    verdict = among(mutual_exclusion, "b", "c")(recorded)
    assert (verdict.guarantee, verdict.status) == ("mutual_exclusion[b,c]", Status.HOLDS)
    assert among(mutual_exclusion, "a", "b")(recorded).status is Status.VIOLATED


def test_one_client_cannot_break_a_promise_between_clients() -> None:
    with pytest.raises(UsageError, match="needs two of them, not b"):
        among(mutual_exclusion, "b", "b")
    with pytest.raises(UsageError, match="depends on what the others did"):
        among(lock_is_freed, "a", "b")


def test_every_verdict_is_told_in_full() -> None:
    name, none = "mutual_exclusion", {"overlap_s": 0, "overlap_count": 0}
    kept = mutual_exclusion(history([*stay("a", 1, 2), *stay("b", 2, 3)]))
    assert told(kept) == (name, "holds", "2 stays, never two clients inside", none)
    broken = mutual_exclusion(history([*stay("a", 1, 7), *stay("b", 6, 8)]))
    sentence = "a and b were both inside lock for 1.000 s, from 6.000 s on"
    assert told(broken) == (name, "violated", sentence, {"overlap_s": 1, "overlap_count": 1})
    assert proof(broken) == ("two holders overlap", sentence, [0, 1, 2])
    alone = mutual_exclusion(history(stay("a", 1, 2)))
    assert told(alone) == (name, "unknown", "no lock was acquired by two clients", {})
    idle = op("c", "get", "lock", at=8)
    unmet = mutual_exclusion(history([*stay("a", 1, 2), *stay("b", 3, 4), idle], [fault(8, 9)]))
    assert told(unmet) == (name, "unknown", "no operation was under way during isolate", none)
    close = history([*stay("a", 1, 3), *stay("b", 2.9, 5)], clock_error_ns={"a": ns(0.05), "b": ns(0.05)})
    reason = "two clients' stays overlap by less than their clocks may be off"
    assert told(mutual_exclusion(close)) == (name, "unknown", reason, none)


def test_first_holder_that_never_released_is_shown_by_its_acquisition_alone() -> None:
    verdict = mutual_exclusion(history([op("a", "acquire", "lock", at=1), op("a", "get", at=9), *stay("b", 4, 6)]))
    assert proof(verdict)[2] == [0, 1]


@pytest.mark.parametrize("lost", [False, True])
def test_client_that_sat_inside_met_the_fault_only_as_long_as_its_clock_says_so(lost: bool) -> None:
    """Its own clock may be off, and the stay begins when it was acquired."""
    operations = [*stay("a", 1, 8.05), *stay("b", 9, 9.5)]
    error = {"a": ns(0.1)} if lost else {}
    verdict = mutual_exclusion(history(operations, [fault(8, 8.04)], clock_error_ns=error))
    assert verdict.status is (Status.UNKNOWN if lost else Status.HOLDS)


def test_stay_that_was_over_before_the_fault_did_not_meet_it() -> None:
    operations = [*stay("a", 1, 2), *stay("b", 3, 4)]
    assert mutual_exclusion(history(operations, [fault(2.5, 2.6)])).status is Status.UNKNOWN


def test_long_overlap_is_told_to_the_millisecond() -> None:
    verdict = mutual_exclusion(history([*stay("a", 1, 8_000_000), *stay("b", 2, 9_000_000)]))
    assert verdict.reason == "a and b were both inside lock for 7999998.000 s, from 2.000 s on"
