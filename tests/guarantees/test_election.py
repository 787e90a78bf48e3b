"""
A leader that is lost and replaced in time, late, or never; and one that is deposed for nothing.
"""

from dataclasses import replace

import pytest

from chaos.guarantees import election_within, leader_is_kept
from chaos.guarantees.leading import hits, leader_before, losses
from chaos.history import Fault, History, Observation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told


def seen(at: float, party: str, value: object, kind: str = "role") -> Observation:
    return Observation(at_ns=ns(at), party=party, kind=kind, value=value)


START = [seen(0, "n1", "leader"), seen(0, "n2", "follower"), seen(0, "n1", 3, "term")]
GONE = [*START, seen(2.2, "n1", "no leader")]
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


def test_guarantees_say_what_they_promise() -> None:
    within = election_within(2.5)
    assert within.name == "election_within(2.5s)"
    assert within.promise == "When a fault takes the leader, another one leads within 2.5 s."
    assert within.source == (
        "Ongaro and Ousterhout 2014, In search of an understandable consensus algorithm: election timeouts"
    )
    assert within.silent_on == (
        "whether clients notice (recovers), and elections that no fault caused (leader_is_kept)"
    )


def test_every_verdict_on_an_election_is_told_in_full() -> None:
    name, found = "election_within(2s)", [*START, seen(3.5, "n2", "leader")]
    measures = {"election_s": 1.5, "elections_count": 1}
    kept = election_within(2)(history(LATER, [KILL], found))
    assert told(kept) == (name, "holds", "another leader was seen after 1.500 s at most", measures)
    none = election_within(2)(history(LATER, [KILL]))
    assert told(none) == (name, "unknown", "no fault hit a party that was seen to lead", {})
    early = election_within(20)(history(LATER, [KILL], GONE))
    reason = "the run ended before the bound, and nobody else led yet"
    assert told(early) == ("election_within(20s)", "unknown", reason, {"elections_count": 0})
    late = election_within(1)(history(LATER, [KILL], found))
    sentence = "kill took n1 at 2.000 s; it was 1.500 s until n2 led, and 1 s were allowed"
    assert told(late) == ("election_within(1s)", "violated", sentence, measures)
    assert proof(late) == ("late election", sentence, [])
    never = election_within(2)(history(LATER, [KILL], START))
    sentence = "kill took n1 at 2.000 s; it was 7.100 s until the run ended, and 2 s were allowed"
    assert told(never) == (name, "violated", sentence, {"elections_count": 0})


def test_a_leader_may_be_missing_for_as_long_as_the_bound_allows() -> None:
    """Until another leads, or until the run ends; a nanosecond more is too long."""
    elected = [*START, seen(3.5, "n2", "leader")]
    for observations, waited_s, status in ((elected, 1.5, Status.HOLDS), (GONE, 7.1, Status.UNKNOWN)):
        recorded = history(LATER, [KILL], observations)
        assert election_within(waited_s)(recorded).status is status
        assert election_within(waited_s - 1e-9)(recorded).status is Status.VIOLATED


def test_every_fault_that_takes_a_leader_asks_for_another() -> None:
    """One election in time does not excuse a late one."""
    second = fault(6, 8.5, name="pause", target="n2")
    verdict = election_within(2)(history(LATER, [KILL, second], [*START, seen(3, "n2", "leader")]))
    assert verdict.status is Status.VIOLATED
    assert verdict.reason.startswith("pause took n2 at 6.000 s; it was 3.100 s until the run ended")
    assert verdict.measures == {"election_s": 1.0, "elections_count": 1}


def test_every_verdict_on_a_kept_leader_is_told_in_full() -> None:
    name, none, looked = "leader_is_kept", {"leaders_count": 0, "terms_count": 0}, seen(6, "n1", 3, "term")

    def judged(faults: list[Fault], *observations: Observation) -> tuple[str, str, str, dict[str, float]]:
        return told(leader_is_kept(history(LATER, faults, observations)))

    assert judged([DEAF], *START, looked) == (name, "holds", "n1 led to the end, in the same term", none)
    for faults in ([], [fault(2, None, target="{n1, n2} -> {n3}")]):
        assert judged(faults, *START, looked) == (name, "unknown", "no fault bit and healed", {})
    assert judged([DEAF], looked) == (name, "unknown", "nobody was seen to lead before the fault", {})
    hit = "a fault hit n1, which led: that it was replaced is what should happen"
    assert judged([DEAF, KILL], *START, looked) == (name, "unknown", hit, {})
    assert judged([DEAF], *START[:2], looked) == (name, "unknown", "no term of n1 was seen before the fault", {})
    unseen = "nobody was looked at after the last fault healed"
    assert judged([DEAF], *START) == (name, "unknown", unseen, none)
    taken = [seen(7, "n2", "leader"), seen(6, "n3", "leader"), seen(6.5, "n1", 5, "term"), seen(8, "n1", 4, "term")]
    sentence = (
        "n1 led, and no fault touched it; at 6.000 s n3 was seen with role leader, and the lead was taken 2 times"
    )
    assert judged([DEAF], *START, *taken) == (name, "violated", sentence, {"leaders_count": 2, "terms_count": 2})
    sentence = "n1 led, and no fault touched it; at 6.500 s n1 was seen with term 5, and the lead was taken 0 times"
    grown = {"leaders_count": 0, "terms_count": 2}
    assert judged([DEAF], *START, *taken[2:]) == (name, "violated", sentence, grown)
    deposed = leader_is_kept(history(LATER, [DEAF], [*START, *taken]))
    assert proof(deposed)[0] == "leader deposed"


def test_what_is_seen_when_the_fault_bites_was_so_before() -> None:
    """A role and a term; and a look at the very end of the fault is a look."""
    after = seen(5, "n1", 4, "term")
    at_once = [seen(2, "n1", "leader"), seen(2, "n1", 4, "term")]
    assert leader_is_kept(history(LATER, [DEAF], [*START, *at_once, after])).status is Status.HOLDS
    assert leader_is_kept(history(LATER, [DEAF], [*at_once, after])).status is Status.HOLDS
    assert leader_is_kept(
        history(LATER, [DEAF], [*START, seen(2, "n2", "leader"), seen(6, "n2", 3, "term")])
    ).reason == ("no term of n2 was seen before the fault")


def test_the_last_to_take_the_lead_leads() -> None:
    """Whatever order the looks are written down in, and whoever said something else since."""
    looks = [seen(1, "n2", "leader"), seen(0, "n1", "leader"), seen(3, "n1", "leader"), seen(1.5, "n3", "follower")]
    recorded = history(LATER, (), [*looks, seen(1.5, "n3", "leader", kind="rank")])
    assert [leader_before(recorded.observations, ns(at)) for at in (0, 0.5, 1, 2, 3, 9)] == [
        "n1",
        "n1",
        "n2",
        "n2",
        "n1",
        "n1",
    ]
    assert leader_before(recorded.observations, -1) is None


def test_a_lead_is_lost_to_the_first_that_takes_it() -> None:
    """At the instant of the fault or later; faults that leave the leader alone are no losses, those after them may be."""
    other, own, again = fault(1, 2, target="n2"), fault(1.5, 5, target="n1"), fault(6, 7, target="n2")
    looks = [*START, seen(4, "n3", "leader"), seen(2, "n2", "leader")]
    found = list(losses(history(LATER, [other, own, again], looks)))
    assert [(one.old, one.new, one.took_s) for one in found] == [("n1", looks[-1], 0.5)]
    at_once = [seen(2, "n1", "leader"), seen(2, "n2", "leader")]
    (loss,) = losses(history(LATER, [KILL], at_once))
    assert (loss.old, loss.new, loss.took_s) == ("n1", at_once[1], 0)


def test_what_is_seen_as_the_next_fault_begins_is_that_ones_doing() -> None:
    """Which may begin as the one before heals; one that never heals has no next."""
    short = fault(2, 2.1, name="pause", target="n1")
    later = fault(6, 8, name="kill", target="n1")
    assert (
        election_within(1)(history(LATER, [short, later], [*START, seen(6, "n2", "leader")])).status is Status.UNKNOWN
    )
    at_once = fault(2.1, 8, name="kill", target="n1")
    replaced = [*START, seen(6.5, "n2", "leader")]
    assert election_within(5)(history(LATER, [short, at_once], replaced)).status is Status.UNKNOWN
    for_good = fault(2, None, name="kill", target="n1")
    assert election_within(5)(history(LATER, [for_good, later], replaced)).status is Status.HOLDS


def test_a_follower_that_is_seen_to_follow_tells_of_no_loss() -> None:
    """The leader may have been missed by nobody."""
    short, follows = fault(2, 2.1, name="pause", target="n1"), seen(3, "n3", "follower")
    assert election_within(3)(history(LATER, [short], [*START, follows])).status is Status.UNKNOWN


def test_a_system_that_names_no_nodes_is_no_cluster() -> None:
    """Whatever the header says of it."""
    replaced = history(LATER, [KILL], [*START, seen(3.5, "n2", "leader")])
    systems = {"etcd": {"nodes": ["n1", "n2"]}, "store": {"nodes": ["s1"]}, "proxy": {"version": "1"}, "other": 7}
    named = replace(replaced, header=replace(replaced.header, systems=systems))
    assert election_within(2)(named).measures == {"election_s": 1.5, "elections_count": 1}
