"""
The translation of a foreign clock: what is said of its error is true, order is kept, and nothing is translated in two ways.
"""

from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.providers import clock as clock_module
from chaos.providers.clock import Clock, Reading
from tests.providers.simulated_clocks import TwoClocks

HOUR_NS = 3_600_000_000_000
worlds = st.builds(
    TwoClocks,
    seed=st.integers(0, 1 << 32),
    drift_ppm=st.integers(0, 900),
    there=st.floats(0, 1),
    stalls=st.floats(0, 0.5),
    ours_ns=st.integers(0, 1 << 45),
    theirs_ns=st.integers(0, 1 << 50),
)


def off_ns(world: TwoClocks) -> list[int]:
    """How far the translations of all stamps are off the truth."""
    return [abs(world.clock.observed(theirs) - ours) for theirs, ours in world.stamps]


@settings(max_examples=60, deadline=None)
@given(world=worlds)
def test_no_stamp_is_further_off_than_is_said(world: TwoClocks) -> None:
    """Whatever jitter, one-sided ways, stalls and changing drift do."""
    world.live(60)
    assert max(off_ns(world), default=0) <= world.clock.error_ns


@settings(max_examples=60, deadline=None)
@given(world=worlds)
def test_stamps_keep_their_order_and_stay_what_they_were(world: TwoClocks) -> None:
    """Read at once or at the end, forwards or backwards: a party's own events never change places."""
    found: dict[int, int] = {}
    for _ in range(30):
        world.live(1)
        found |= {theirs: world.clock.observed(theirs) for theirs, _ in world.stamps if theirs not in found}
    again = {theirs: world.clock.observed(theirs) for theirs, _ in reversed(world.stamps)}
    assert again == found
    assert [found[theirs] for theirs in sorted(found)] == sorted(found.values())


@pytest.mark.parametrize("drift_ppm", [0, 200, 900])
def test_a_drift_costs_less_than_a_millisecond_while_somebody_asks(drift_ppm: int) -> None:
    """Four looks a second: the error stays near half of a way there and back."""
    world = TwoClocks(seed=7, drift_ppm=drift_ppm)
    world.live(2_000)
    assert median(off_ns(world)) < 150_000
    assert world.clock.error_ns < 1_000_000


@pytest.mark.parametrize(("allowed_ppm", "kept"), [(1, False), (clock_module.DRIFT_PPM, True)])
def test_an_allowance_for_drift_that_is_too_small_is_found_out(
    allowed_ppm: int, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few quick answers only slow ones come, which contradict nothing: then the allowance is all there is."""
    monkeypatch.setattr(clock_module, "DRIFT_PPM", allowed_ppm)
    world = TwoClocks(seed=4, drift_ppm=900, stalls=0)
    world.live(5)
    world.stalls = 1.0
    world.live(60)
    assert (max(off_ns(world)) <= world.clock.error_ns) is kept


def test_a_way_there_that_takes_all_the_time_is_within_the_error() -> None:
    """Half of it would be a guess: the error is what even the worst split allows."""
    for there in (0.0, 1.0):
        world = TwoClocks(seed=1, there=there, stalls=1.0)
        world.live(40)
        assert 1_000_000 < max(off_ns(world)) <= world.clock.error_ns


def test_the_shortest_of_several_ways_says_most() -> None:
    clock = Clock(fineness_ns=0)
    for asked_ns, took_ns in ((0, 9_000_000), (10_000_000, 300_000), (11_000_000, 5_000_000)):
        clock.heard(HOUR_NS + asked_ns, asked_ns + took_ns // 2, HOUR_NS + asked_ns + took_ns)
    assert 150_000 <= clock.error_ns < 160_000


@pytest.mark.parametrize("slept_ns", [20_000_000, 3 * HOUR_NS])
def test_their_clock_may_stand_still_and_that_counts_as_error(slept_ns: int) -> None:
    """A virtual machine slept. Nobody knows when between two answers; before and after, translations are as good as ever."""
    world, before, off = stepped(ours_ns=slept_ns)
    assert slept_ns // 3 < max(off) <= world.clock.error_ns < 2 * slept_ns + 1_000_000_000
    assert max(off[:before]) < 1_000_000
    assert max(off[-50:]) < 1_000_000


@pytest.mark.parametrize("slept_ns", [20_000_000, 3 * HOUR_NS])
def test_our_clock_may_stand_still_which_costs_no_more_than_the_stretch_between_two_answers(slept_ns: int) -> None:
    """A laptop slept, and its virtual machine's clock went on; on ours nothing passed meanwhile."""
    world, before, off = stepped(theirs_ns=slept_ns)
    assert max(off) <= world.clock.error_ns < 300_000_000
    assert max(off[:before]) < 1_000_000


def stepped(**step: int) -> tuple[TwoClocks, int, list[int]]:
    """Two clocks of which one stood still after so many stamps, and how far all of them are off."""
    world = TwoClocks(seed=3, drift_ppm=200, stalls=0)
    world.live(40)
    assert max(off_ns(world)) <= world.clock.error_ns < 1_000_000
    before = len(world.stamps)
    world.happens()
    world.step(**step)
    world.happens()
    world.live(40)
    return world, before, off_ns(world)


def test_a_clock_that_drifts_more_than_may_be_contradicts_itself() -> None:
    """Five parts in a thousand is no drift of a clock that NTP steers: it shows as one step after another."""
    for seed in range(20):
        world = TwoClocks(seed=seed, drift_ppm=0, stalls=0)
        for _ in range(60):
            world.live(1)
            world.theirs_ns += 1_250_000
        assert max(off_ns(world)) <= world.clock.error_ns
        assert world.clock.error_ns > 500_000


def test_the_end_of_a_lease_is_foreseen_and_known_once_it_has_come() -> None:
    """Drift until then is no error of what was seen: all of that lies on this side of it."""
    world = TwoClocks(seed=5, drift_ppm=900)
    world.live(40)
    sure, ends_ns, now_ns = world.clock.error_ns, world.theirs_ns + 10_000_000_000, world.ours_ns
    foreseen_ns = world.clock.foreseen(ends_ns)
    assert abs(foreseen_ns - (now_ns + 10_000_000_000)) < 11_000_000
    assert foreseen_ns > now_ns + sure
    assert world.clock.error_ns == sure < 1_000_000
    while world.theirs_ns < ends_ns:
        world.live(1, longest_ns=20_000_000)
    assert world.clock.foreseen(ends_ns) == world.clock.observed(ends_ns)
    assert world.clock.error_ns < 1_000_000


def test_a_stamp_after_the_last_answer_is_as_sure_as_drift_allows() -> None:
    """Its agent was gone before it could answer again."""
    world = TwoClocks(seed=5, drift_ppm=900)
    world.live(10)
    world.wait(2_000_000_000)
    world.happens()
    assert off_ns(world)[-1] <= world.clock.error_ns
    assert 2_000_000 <= world.clock.error_ns < 3_500_000


def test_what_happened_before_the_first_answer_is_told_too() -> None:
    world = TwoClocks(seed=2)
    world.happens()
    world.wait(50_000_000)
    world.live(3)
    assert off_ns(world)[0] <= world.clock.error_ns < 2_000_000


def test_an_answer_that_was_overtaken_changes_nothing() -> None:
    """Several agents of one kernel: one answer lay unread while another came."""
    clock = Clock(fineness_ns=0)
    clock.heard(100, 1_000, 200)
    clock.heard(10, 900, 400)
    assert (clock.latest_ns, clock.error_ns) == (1_000, 50)


def test_a_coarse_clock_of_ours_is_a_part_of_the_error() -> None:
    """Where time.monotonic stands still for 16 ms (Windows), two readings of it enclose more than they say."""
    fine, coarse = Clock(fineness_ns=0), Clock(fineness_ns=16_000_000)
    for clock in (fine, coarse):
        clock.heard(HOUR_NS, 7, HOUR_NS)
    assert fine.error_ns == 0
    assert coarse.error_ns >= 16_000_000


def test_the_same_clock_may_be_ours_and_another_may_not() -> None:
    same, other = Clock(fineness_ns=0), Clock(fineness_ns=0)
    same.heard(1_000, 1_050, 1_100)
    other.heard(1_000, 1_200, 1_100)
    assert same.may_be_ours()
    assert not other.may_be_ours()


def test_nothing_is_said_of_a_clock_that_never_answered() -> None:
    with pytest.raises(ValueError, match="nobody has answered yet"):
        Clock().observed(1)


def test_two_readings_of_one_instant_agree_or_contradict_each_other() -> None:
    one, other = Reading(5, 10, 20), Reading(5, 15, 30)
    assert one.both(other) == Reading(5, 15, 20)
    assert one.both(Reading(5, 21, 30)) is None
    assert Reading(0, 0, 10).carried_to(1_000_000) == Reading(1_000_000, 999_000, 1_001_010)
    assert Reading(0, 0, 10).carried_to(-1) == Reading(-1, -2, 10)
