"""
Simulated systems: every guarantee holds of the honest one and finds the bug that was planted against it, for any seed.
"""

import time
from functools import cache

import pytest

from chaos.errors import MissingAbilityError, UsageError
from chaos.guarantees import GUARANTEES
from chaos.history import History
from chaos.providers.contract import PartySpec, Spawn
from chaos.providers.memory import BUGS, SCENARIOS, MemoryProvider, simulate
from chaos.verdict import Status

SEEDS = range(100)
PER_RUN_S = 0.1
"""Generous: a run takes 2 to 14 ms on a calm machine."""


@cache
def honest(scenario: str, seed: int) -> History:
    return simulate(scenario, seed)


def judged(name: str, histories: dict[int, History]) -> dict[Status, list[int]]:
    """The seeds under the verdict that they got."""
    found: dict[Status, list[int]] = {}
    for seed, history in histories.items():
        found.setdefault(GUARANTEES[name](history).status, []).append(seed)
    return found


def test_every_guarantee_has_a_bug() -> None:
    assert set(BUGS) == set(GUARANTEES)


@pytest.mark.parametrize("guarantee", BUGS)
def test_the_honest_system_holds(guarantee: str) -> None:
    scenario, _ = BUGS[guarantee]
    assert judged(guarantee, {seed: honest(scenario, seed) for seed in SEEDS}) == {Status.HOLDS: list(SEEDS)}


@pytest.mark.parametrize("guarantee", BUGS)
def test_the_planted_bug_is_found(guarantee: str) -> None:
    scenario, bug = BUGS[guarantee]
    began = time.monotonic()
    histories = {seed: simulate(scenario, seed, bug) for seed in SEEDS}
    assert judged(guarantee, histories) == {Status.VIOLATED: list(SEEDS)}
    assert time.monotonic() - began < PER_RUN_S * len(SEEDS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_seed_gives_the_same_history_and_another_seed_another(scenario: str) -> None:
    assert simulate(scenario, 5) == honest(scenario, 5)
    assert simulate(scenario, 6) != honest(scenario, 5)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_honest_system_breaks_no_other_guarantee_either(scenario: str) -> None:
    """Pausing a client past its lease breaks mutual exclusion as clients believe it: that is why fencing exists."""
    known = {"pause": {"mutual_exclusion"}}.get(scenario, set())
    broken = {name for name, judge in GUARANTEES.items() if judge(honest(scenario, 1)).status is Status.VIOLATED}
    assert broken == known


def test_unknown_scenarios_and_bugs_are_told_what_there_is() -> None:
    with pytest.raises(UsageError, match="there is no scenario 'queue'; there are: store"):
        simulate("queue", 1)
    with pytest.raises(UsageError, match="knows no bug 'no_dedup'; it knows: ack_before_replication"):
        simulate("store", 1, "no_dedup")


def test_what_memory_cannot_do_is_a_missing_ability(tmp_path: object) -> None:
    lab = MemoryProvider().open(keep_at=str(tmp_path))
    lab.place([PartySpec(name="n1")])
    with pytest.raises(MissingAbilityError, match="Programs"):
        lab.spawn("n1", Spawn(name="true", argv=("true",)))
    with pytest.raises(MissingAbilityError, match=r"lab\.inside"):
        lab.inside("n1")
    with pytest.raises(MissingAbilityError, match="Sockets"):
        lab.reach("observer", "n1", 7000, "management")
    with pytest.raises(UsageError, match="not a generator function"):
        lab.spawn("n1", Spawn(name="worker", python="tests.conformance.work:answers"))
    lab.close()
