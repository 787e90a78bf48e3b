"""
A run from its beginning to its verdict, with a lab that does what the test says.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos import observer as observer_module
from chaos.errors import GuaranteeError, HarnessError, NoProgressError, UsageError, VoidRunError
from chaos.guarantees import Guarantee, acked_writes_survive
from chaos.history import Outcome
from chaos.history.archive import load
from chaos.run import Run
from chaos.verdict import holds
from chaos.workloads.plan import ClientPlan
from tests.run.fakes import NODE, FakeCluster, FakeLab, Noted

C1 = ClientPlan(name="c1", workload="x:y")
KEPT = Guarantee(name="kept", promise="It is kept.", check=lambda history: holds("kept", "all there"))


@pytest.fixture
def lab() -> FakeLab:
    """A node."""
    return FakeLab(parties={"n1": NODE})


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def run(lab: FakeLab, cluster: FakeCluster, tmp_path: Path) -> Run:
    """A run that has begun."""
    run = Run(lab.as_lab, [cluster], name="a run", seed=7, files=tmp_path / "run")
    run.begin()
    return run


def test_a_finished_run_is_sealed_and_saved(run: Run, lab: FakeLab) -> None:
    """What it said is what can be judged again."""
    lab.errors_ns["c1"] = 5
    run.start(C1)
    lab.write("c1", {"invoke": 0, "f": "add", "value": 1}, {"complete": 0, "outcome": "ok"})
    run.wait_oks("add", 1, within_s=1, since_ns=0)
    run.finish()
    saved = load(run.history_file)
    assert saved == run.history
    assert (saved.header.seed, saved.header.clock_error_ns) == (7, {"c1": 5})
    assert [operation.f for operation in saved] == ["add"]


def test_a_vain_wait_says_what_came_instead(run: Run, lab: FakeLab) -> None:
    """For each client, since the phase began, with the last answer and what the cluster lacks."""
    run.start(C1)
    lab.write("c1", {"invoke": 0, "f": "add", "value": 1}, {"complete": 0, "outcome": "fail", "error": "READONLY"})
    with pytest.raises(
        NoProgressError, match=r"wanted: the moon.*since 'steady state' began, c1: 0 ok, 1 fail.*READONLY"
    ):
        run.wait_for(lambda: False, within_s=0.03, wanted="the moon")
    with pytest.raises(NoProgressError, match=r"FakeCluster.agreed to hold.*n2 follows nobody; since"):
        run.wait_for(FakeCluster(looks=1000).agreed, within_s=0.03)


def test_a_second_wait_for_a_point_needs_a_second_arrival(run: Run, lab: FakeLab) -> None:
    """Each arrival needs a release of its own."""
    run.start(C1)
    lab.arrive("c1", "before-incr")
    run.wait_point("c1", "before-incr", within_s=1)
    run.wait_point("c1", "before-incr", within_s=1)  # It still stands there.
    run.release("c1", "before-incr")
    with pytest.raises(NoProgressError, match="c1 to stand at 'before-incr'"):
        run.wait_point("c1", "before-incr", within_s=0.03)
    lab.arrive("c1", "before-incr")
    run.wait_point("c1", "before-incr", within_s=1)


def test_a_wait_in_vain_names_the_client_that_is_held(run: Run, lab: FakeLab) -> None:
    """Whoever stands at a point does nothing else."""
    run.start(C1)
    lab.arrive("c1", "here")
    words = r"c1 stands at 'here': run.release\('c1', 'here'\) lets it go on"
    with pytest.raises(NoProgressError, match=words):
        run.wait_oks("add", 1, within_s=0.03)
    with pytest.raises(NoProgressError, match=words):
        run.wait_point("c1", "there", within_s=0.03)


def test_a_wait_in_vain_names_the_client_whose_workload_returned(run: Run, lab: FakeLab) -> None:
    """Nothing more can come from it."""
    run.start(C1)
    lab.write("c1", {"invoke": 0, "f": "add", "value": 1}, {"complete": 0, "outcome": "ok"}, {"done": True})
    words = "; c1 has ended: its workload returned$"
    with pytest.raises(NoProgressError, match=words):
        run.wait_oks("add", 2, within_s=0.03)
    with pytest.raises(NoProgressError, match=words):
        run.wait_for(lambda: False, within_s=0.03)


def test_a_wait_in_vain_names_the_points_that_were_passed_and_what_came_before_it(run: Run, lab: FakeLab) -> None:
    """The point may be mistyped, and what was waited for may have happened before the call."""
    run.start(C1)
    lab.write("c1", {"point": "acquired", "at_ns": 1}, {"point": "acquired", "at_ns": 2})
    lab.write("c1", {"invoke": 0, "f": "add", "value": 1}, {"complete": 0, "outcome": "ok"})
    with pytest.raises(NoProgressError, match=r"1 ok, 0 fail.*; it came to the points: 'acquired'$"):
        run.wait_point("c1", "aquired", within_s=0.03)
    with pytest.raises(NoProgressError, match="last seen: 0 ok, 0 fail, 0 info; 1 ok before it was waited for"):
        run.wait_oks("add", 1, within_s=0.03)


def test_a_wait_for_an_operation_nobody_asked_for_names_those_that_were(run: Run, lab: FakeLab) -> None:
    """The name may be mistyped."""
    run.start(C1)
    lab.write("c1", {"invoke": 0, "f": "add", "value": 1}, {"complete": 0, "outcome": "ok"})
    lab.write("c1", {"invoke": 1, "f": "read", "value": 1})
    with pytest.raises(NoProgressError, match="no 'ad' at all; asked for so far: 1 'add', 1 'read'"):
        run.wait_oks("ad", 1, within_s=0.03)


def test_a_condition_without_a_name_is_told_by_its_place(run: Run) -> None:
    """And by what stands there."""
    with pytest.raises(NoProgressError, match=r"the condition at test_run.py:\d+ to hold \(run.wait_for\(lambda: not"):
        run.wait_for(lambda: not run, within_s=0.03)


def test_faults_are_healed_in_reverse(run: Run) -> None:
    """Also when the second cannot be injected."""
    notes: list[str] = []
    second = Noted(notes, target="n2", fails_at="inject")
    with pytest.raises(RuntimeError), run.inject(Noted(notes), second):
        raise AssertionError("never reached")
    assert notes == ["inject n1", "prove n1", "inject n2", "heal n1"]


def test_a_final_read_waits_for_clients_requests_and_agreement(run: Run, lab: FakeLab, cluster: FakeCluster) -> None:
    """No client runs while it is taken, nothing is on its way, all nodes agree; and it is in the history."""
    run.start(C1)
    lab.left, cluster.looks = {"c1": 2, "n1": 9}, 2

    def read() -> list[str]:
        assert lab.told == ["stop c1"]
        assert not lab.left.get("c1")
        assert cluster.looks < 0
        return ["a"]

    assert run.final_read(read) == ["a"]
    history = run.finish()
    assert [(one.client, one.f, one.result) for one in history] == [("observer", "final-read", ["a"])]


def test_several_final_reads_are_fine_and_a_client_afterwards_is_not(run: Run) -> None:
    """What a late client writes no final read can show."""
    for _ in range(2):
        run.final_read(lambda: 1)
    with pytest.raises(UsageError, match="started after the final read"):
        run.start(C1)


def test_a_final_read_within_a_fault_is_refused(run: Run) -> None:
    """By the fault's name."""
    with pytest.raises(UsageError, match="still in force: harm on n1"), run.inject(Noted([])):
        run.final_read(lambda: 1)


def test_a_final_read_is_given_as_a_function(run: Run) -> None:
    """It is called only when everything has settled."""
    with pytest.raises(UsageError, match=r"pass a function: run.final_read\(lambda: cluster.final_read\('acked'\)\)"):
        run.final_read("acked")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (["kept"], r"pass the guarantee itself \(from chaos.guarantees import kept\), not its name"),
        ([len], "holds= takes guarantees, not <built-in function len>"),
        (KEPT, "holds= takes a list of guarantees"),
        ("kept", "holds= takes a list of guarantees"),
    ],
)
def test_expectations_are_guarantees(run: Run, given: Any, answer: str) -> None:
    """Not their names, and several of them."""
    run.finish()
    with pytest.raises(UsageError, match=answer):
        run.expect(holds=given)


def test_a_cluster_that_never_agrees_fails_and_says_what_is_missing(
    run: Run, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is the system's doing: the links were proven to be healed."""
    monkeypatch.setattr(observer_module, "AGREE_S", 0.05)
    cluster.looks = 1000
    with pytest.raises(NoProgressError, match=r"all nodes to agree again.*n2 follows nobody"):
        run.final_read(lambda: 1)


def test_requests_that_never_settle_make_a_run_void(run: Run, lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would arrive after the read."""
    monkeypatch.setattr(observer_module, "SETTLE_S", 0.05)
    run.start(C1)
    lab.left = {"c1": 100_000}
    with pytest.raises(VoidRunError, match=r"no abandoned request to be on its way.*c1"):
        run.final_read(lambda: 1)


def test_a_read_that_fails_is_in_the_history_as_unanswered(run: Run) -> None:
    """It may have happened."""
    with pytest.raises(OSError, match="gone"):
        run.observe("final-read", _gone)
    run.abandon(OSError("gone"))
    assert run.history is not None
    assert [(one.f, one.outcome) for one in run.history] == [("final-read", Outcome.INFO)]


def _gone() -> None:
    raise OSError("gone")


@pytest.mark.parametrize("strays", [{"c1": 0}, {}])
def test_declared_traffic_is_fine(run: Run, lab: FakeLab, strays: dict[str, int]) -> None:
    """A count of nothing is nothing."""
    lab.strays = strays
    run.finish()


def test_undeclared_traffic_makes_a_run_void(run: Run, lab: FakeLab) -> None:
    """No fault could reach it. The history is kept all the same."""
    lab.strays = {"c1": 3}
    with pytest.raises(VoidRunError, match=r"outside the declared ports.*'c1': 3"):
        run.finish()
    assert run.history_file.exists()


def test_a_fault_without_evidence_makes_a_run_void(run: Run) -> None:
    """Silence proves nothing."""
    with run.inject(Noted([], evidence={})):
        pass
    with pytest.raises(VoidRunError, match="harm on n1 has no proof that it bit"):
        run.finish()


def test_a_server_killed_by_nobody_makes_a_run_void(run: Run, lab: FakeLab) -> None:
    """It was not what the run is about."""
    lab.end("n1", -9, "redis")
    with pytest.raises(VoidRunError, match="n1: redis was ended by SIGKILL"):
        run.finish()


def test_an_abandoned_run_keeps_its_history(run: Run, lab: FakeLab) -> None:
    """And its clients end."""
    run.start(C1)
    lab.write("c1", {"invoke": 0, "f": "add", "value": 1})
    run.abandon(KeyboardInterrupt())
    assert [operation.outcome for operation in load(run.history_file)] == [Outcome.INFO]
    assert lab.told == ["signal 9 c1"]


def test_a_history_that_cannot_be_saved_is_told_beside_the_failure(run: Run, tmp_path: Path) -> None:
    """Which it must not hide."""
    (tmp_path / "run").write_text("in the way")
    problem = RuntimeError("mine")
    run.abandon(problem)
    assert "File exists" in problem.__notes__[0]
    assert run.history is not None


def test_two_clusters_of_the_same_name_keep_their_settings(lab: FakeLab, tmp_path: Path) -> None:
    """Numbered, not overwritten."""
    run = Run(lab.as_lab, [FakeCluster(settings={"a": n}) for n in (1, 2)], name="x", seed=1, files=tmp_path)
    assert run.finish().header.systems == {"fake 1.0": {"a": 1, "nodes": []}, "fake 1.0 #2": {"a": 2, "nodes": []}}


def test_an_unmet_expectation_says_how_to_see_it_again(run: Run) -> None:
    """The session's seed and the history."""
    run.finish()
    run.expect(holds=[KEPT])
    with pytest.raises(
        GuaranteeError, match=r"kept: expected violated, holds: all there\nagain: --chaos-seed 7; history: /"
    ):
        run.expect(violated=[KEPT])
    assert len(run.judged) == 2


def test_a_forgotten_final_read_is_asked_for(run: Run, lab: FakeLab) -> None:
    """Where nobody has read, not where the read found nothing; and it is nobody's broken promise, but a void run."""
    run.start(C1)
    lab.write("c1", {"invoke": 0, "f": "add", "value": 1}, {"complete": 0, "outcome": "ok"})
    run.finish()
    with pytest.raises(VoidRunError, match=r"final read.*; call run.final_read\(\.\.\.\) before the block ends\nagain"):
        run.expect(holds=[acked_writes_survive])


AFTERWARDS: dict[str, Callable[[Run], object]] = {
    "start": lambda run: run.start(C1),
    "inject": lambda run: run.inject(Noted([])).__enter__(),
    "observe": lambda run: run.observe("x", lambda: 1),
    "final_read": lambda run: run.final_read(lambda: 1),
    "wait_for": lambda run: run.wait_for(lambda: True, within_s=1),
}


@pytest.mark.parametrize("what", AFTERWARDS)
def test_after_its_end_a_run_is_final(run: Run, what: str) -> None:
    """What would happen then, no history would show."""
    run.finish()
    with pytest.raises(HarnessError, match="the history is final after it"):
        AFTERWARDS[what](run)
