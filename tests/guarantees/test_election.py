"""
A leader that is lost and replaced in time, late, or never; and one that is deposed for nothing.
"""

from dataclasses import replace

import pytest

from chaos.guarantees import election_within, leader_is_kept
from chaos.guarantees.leading import hits
from chaos.history import Fault, History, Observation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op


def seen(at: float, party: str, value: object, kind: str = "role") -> Observation:
    return Observation(at_ns=ns(at), party=party, kind=kind, value=value)


START = [seen(0, "n1", "leader"), seen(0, "n2", "follower"), seen(0, "n1", 3, "term")]
LATER = [op("c", "add", 1, at=at) for at in (1, 9)]
KILL = fault(2, 5, name="kill", target="n1")


def test_another_leader_in_time_holds_and_says_how_long_it_took() -> None:
    verdict = election_within(2)(history(LATER, [KILL], [*START, seen(3.5, "n2", "leader")]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"election_s": 1.5, "elections_count": 1}


def test_a_late_election_is_violated() -> None:
    verdict = election_within(1)(history(LATER, [KILL], [*START, seen(3.5, "n2", "master")]))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures["election_s"] == pytest.approx(1.5)
    assert verdict.witness is not None
    assert verdict.witness.sentence == ("kill took n1 at 2.000 s; it was 1.500 s until n2 led, and 1 s were allowed")


def test_a_leader_that_hands_over_before_its_end_is_known_was_replaced_at_once() -> None:
    asked = Fault(name="stop", target="n1", begun_ns=ns(2), effective_ns=ns(2.3), healed_ns=ns(5))
    verdict = election_within(0)(history(LATER, [asked], [*START, seen(2.1, "n2", "leader")]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures["election_s"] == 0


def test_no_election_at_all_is_violated_once_the_bound_is_over_and_unknown_before() -> None:
    assert election_within(2)(history(LATER, [KILL], START)).status is Status.VIOLATED
    assert election_within(20)(history(LATER, [KILL], START)).status is Status.UNKNOWN


def test_a_fault_that_was_over_before_anybody_missed_the_leader_proves_nothing_for_or_against() -> None:
    short = fault(2, 2.1, name="pause", target="n1")
    verdict = election_within(3)(history(LATER, [short], START))
    assert verdict.status is Status.UNKNOWN
    assert verdict.reason == "pause on n1 was over before anybody else led"


def test_an_election_that_the_next_fault_caused_is_not_held_against_the_one_before() -> None:
    short, replaced = fault(2, 2.1, name="pause", target="n1"), [*START, seen(6.5, "n2", "leader")]
    later = fault(6, 8, name="kill", target="n1")
    assert election_within(1)(history(LATER, [short, later], replaced)).status is Status.UNKNOWN
    assert election_within(0.2)(history(LATER, [later], replaced)).status is Status.VIOLATED


def test_a_short_fault_after_which_nobody_led_for_long_is_violated() -> None:
    short = fault(2, 2.1, name="restart", target="n1")
    for lost in (seen(2.2, "n1", "no leader"), seen(3, "n2", None, "leader"), seen(7, "n2", "leader")):
        assert election_within(3)(history(LATER, [short], [*START, lost])).status is Status.VIOLATED


def test_the_old_leader_coming_back_is_no_election() -> None:
    again = [*START, seen(2.5, "n1", "no leader"), seen(3, "n1", "leader")]
    assert election_within(2)(history(LATER, [KILL], again)).status is Status.VIOLATED


def test_a_fault_that_left_the_leader_alone_proves_nothing() -> None:
    other = fault(2, 5, name="kill", target="n2")
    assert election_within(2)(history(LATER, [other], START)).status is Status.UNKNOWN
    assert election_within(2)(history(LATER, [KILL])).status is Status.UNKNOWN


def beside(made: History, **clusters: tuple[str, ...]) -> History:
    """The same history, of a lab with these clusters."""
    return replace(made, header=replace(made.header, systems={name: {"nodes": [*n]} for name, n in clusters.items()}))


def test_each_cluster_has_a_leader_of_its_own() -> None:
    """A store beside the cluster is master of itself, and its restart is no election."""
    store = [seen(1, "store", "master"), seen(1, "s2", "slave")]
    replaced = history(LATER, [KILL], [*START, *store, seen(3.5, "n2", "leader")])
    both = {"etcd": ("n1", "n2"), "redis": ("store",)}
    assert election_within(2)(replaced).status is Status.UNKNOWN
    assert election_within(2)(beside(replaced, **both)).measures == {"election_s": 1.5, "elections_count": 1}

    after = [seen(6, "store", "master"), seen(6, "n1", 40, "index")]
    again = history(LATER, [fault(2, 5, name="kill", target="store")], [*START, *store, *after])
    assert leader_is_kept(again).status is Status.UNKNOWN
    assert leader_is_kept(beside(again, **both)).status is Status.HOLDS
    assert leader_is_kept(beside(again, etcd=("n1", "n2"), redis=("store", "s2"))).status is Status.UNKNOWN
    assert leader_is_kept(beside(again, alone=("n1",), redis=("store",))).status is Status.UNKNOWN


HIT = ("n1", "n1, n2", "{n1, c1} | {n2, n3}", "{n3} -> {n1}")
LEFT_ALONE = ("n11", "{n3} | {n1, n2}", "{n1, n2} -> {n3}")


@pytest.mark.parametrize("target", [*HIT, *LEFT_ALONE])
def test_of_a_partition_the_side_that_is_named_first_is_hit(target: str) -> None:
    assert hits(Fault(name="any", target=target, begun_ns=0), "n1") is (target in HIT)


DEAF = fault(2, 5, name="one way", target="{n1, n2} -> {n3}")


def test_a_leader_that_leads_on_in_its_term_is_kept() -> None:
    verdict = leader_is_kept(history(LATER, [DEAF], [*START, seen(3, "n3", 9, "term"), seen(6, "n1", 40, "index")]))
    assert verdict.status is Status.HOLDS


def test_a_leader_that_is_deposed_or_elected_anew_is_not_kept() -> None:
    for after in (seen(6, "n2", "leader"), seen(6, "n1", 5, "term")):
        verdict = leader_is_kept(history(LATER, [DEAF], [*START, after]))
        assert verdict.status is Status.VIOLATED
        assert verdict.witness is not None
        assert verdict.witness.anomaly == "leader deposed"


def test_a_fault_on_the_leader_and_a_look_that_ended_early_prove_nothing() -> None:
    assert leader_is_kept(history(LATER, [KILL], [*START, seen(6, "n2", "leader")])).status is Status.UNKNOWN
    assert leader_is_kept(history(LATER, [DEAF], START)).status is Status.UNKNOWN
    assert leader_is_kept(history(LATER, [DEAF], START[:2])).status is Status.UNKNOWN
