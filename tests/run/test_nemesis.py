"""
Faults: proven, healed on every way out, and written down as they really were.
"""

from typing import Any

import pytest

from chaos.errors import VoidRunError
from chaos.faults.fault import Scene
from chaos.history import Fault
from chaos.history.live import LiveHistory
from chaos.nemesis import Nemesis, restarts_of, unproven
from tests.run.fakes import FakeCluster, FakeLab, Noted


@pytest.fixture
def live() -> LiveHistory:
    return LiveHistory()


@pytest.fixture
def nemesis(live: LiveHistory) -> Nemesis:
    """In an empty lab."""
    return Nemesis(Scene(lab=FakeLab().as_lab), live, seed=1)


@pytest.fixture
def notes() -> list[str]:
    return []


def phases(live: LiveHistory) -> list[str]:
    return [phase.name for phase in live.phases]


def test_a_fault_is_in_force_within_its_block(nemesis: Nemesis, live: LiveHistory, notes: list[str]) -> None:
    """Injected and proven before, healed and proven after, with stamps in that order."""
    with nemesis.inject(Noted(notes)) as fault:
        assert notes == ["inject n1", "prove n1"]
        assert nemesis.in_force() == (fault,)
    assert notes[2:] == ["heal n1", "prove healed n1"]
    (fault,) = live.faults
    assert fault.begun_ns <= (fault.effective_ns or 0) <= (fault.healing_ns or 0) <= (fault.healed_ns or 0)
    assert fault.evidence == {"dropped": 3}
    assert phases(live) == ["fault", "heal", "recovery"]


def test_recovery_begins_when_the_last_fault_is_healed(nemesis: Nemesis, live: LiveHistory, notes: list[str]) -> None:
    """Healing the inner one leaves the outer one in force."""
    with nemesis.inject(Noted(notes, target="n1")), nemesis.inject(Noted(notes, target="n2")):
        pass
    assert phases(live) == ["fault", "fault", "heal", "fault", "heal", "recovery"]
    assert [note for note in notes if note.startswith("heal")] == ["heal n2", "heal n1"]


@pytest.mark.parametrize("problem", [RuntimeError("mine"), KeyboardInterrupt()], ids=["failure", "ctrl-c"])
def test_a_block_that_fails_is_healed(
    nemesis: Nemesis, live: LiveHistory, notes: list[str], problem: BaseException
) -> None:
    """And the failure goes on."""
    with pytest.raises(type(problem)), nemesis.inject(Noted(notes)):
        raise problem
    assert notes[-1] == "heal n1"
    assert live.faults[0].healed_ns


def test_a_heal_that_fails_beside_a_failure_is_told_beside_it(
    nemesis: Nemesis, live: LiveHistory, notes: list[str]
) -> None:
    """The first failure is what went wrong; the fault's record says that it was not healed."""
    with pytest.raises(ValueError, match="mine") as caught, nemesis.inject(Noted(notes, fails_at="heal")):
        raise ValueError("mine")
    assert caught.value.__notes__ == ["and healing harm on n1 failed: heal failed"]
    assert live.faults[0].healed_ns is None
    assert live.faults[0].evidence["healing_failed"] == "heal failed"


@pytest.mark.parametrize("stage", ["prove", "heal", "prove healed"])
def test_a_fault_that_cannot_be_proven_or_healed_fails_the_run(
    nemesis: Nemesis, live: LiveHistory, notes: list[str], stage: str
) -> None:
    """Never quietly; and what was injected is healed, proven or not."""
    with pytest.raises(RuntimeError, match=f"{stage} failed"), nemesis.inject(Noted(notes, fails_at=stage)):
        pass
    assert "heal n1" in notes
    assert (live.faults[0].healed_ns is None) == (stage != "prove")


def test_a_fault_that_cannot_be_injected_leaves_no_record(
    nemesis: Nemesis, live: LiveHistory, notes: list[str]
) -> None:
    """It takes back itself what it began."""
    with pytest.raises(RuntimeError, match="inject failed"), nemesis.inject(Noted(notes, fails_at="inject")):
        pass
    assert notes == ["inject n1"]
    assert live.faults == ()


FAULT: dict[str, Any] = {"name": "harm", "target": "n1", "begun_ns": 1}


@pytest.mark.parametrize(
    ("fault", "missing"),
    [
        (Fault(**FAULT), "that it bit"),
        (Fault(**FAULT, effective_ns=2), "that it bit"),
        (Fault(**FAULT, effective_ns=2, evidence={"dropped": 1}), "that it was healed"),
    ],
)
def test_a_history_with_an_unproven_fault_is_void(fault: Fault, missing: str) -> None:
    """Neither green nor red."""
    with pytest.raises(VoidRunError, match=f"harm on n1 has no proof {missing}"):
        unproven((fault,))


def test_chance_comes_from_the_seed(live: LiveHistory) -> None:
    """And from nothing else."""
    scene = Scene(lab=FakeLab().as_lab)
    first, again, other = (Nemesis(scene, live, seed=seed).random.random() for seed in (1, 1, 2))
    assert first == again != other


def test_clusters_without_restarts_are_no_trouble() -> None:
    """Their servers stay down when they are killed."""
    assert restarts_of([FakeCluster()]) == {}
