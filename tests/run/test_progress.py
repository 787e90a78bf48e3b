"""
What a person sees: the line while it runs, the table at the end, the folder where it all lies.
"""

from pathlib import Path
from typing import Any

import pytest

from chaos.errors import ProviderError
from chaos.folders import folder_name, folder_of_ones_own, full_disk
from chaos.history import Fault, History, Phase
from chaos.history.live import LiveHistory
from chaos.judgement import FinishedRun, Judged
from chaos.progress import progress_line
from chaos.verdict import Verdict, Witness, holds, violated
from chaos.verdict_lines import verdict_lines
from chaos.wait import wait_until, watcher

WITNESS = Witness(anomaly="lost write", sentence="write 1 is gone")


def lines(*judged: Judged, error: str | None = None) -> list[tuple[str, bool]]:
    run = FinishedRun(
        name="a.py::test_x", lesson="", history=History(), judged=judged, seed=1, system="redis", error=error
    )
    return list(verdict_lines(run))


def judged(verdict: Verdict, **more: Any) -> Judged:
    return Judged(**{"verdict": verdict, "expected": verdict.status.value, "met": True, **more})


def test_a_watcher_hears_of_every_wait() -> None:
    """What is wanted and how long there is left."""
    heard: list[tuple[str, float]] = []
    token = watcher.set(lambda wanted, left_s: heard.append((wanted, left_s)))
    try:
        answers = iter([False, True])
        wait_until(lambda: next(answers), within_s=5, wanted="the moon", every_s=0.001)
    finally:
        watcher.reset(token)
    ((wanted, left_s),) = heard
    assert wanted == "the moon"
    assert 4 < left_s <= 5


def test_the_line_tells_phase_wait_operations_and_faults() -> None:
    """The wait first after the phase: a narrow screen cuts the rest."""
    live = LiveHistory()
    live.add_phase(Phase(at_ns=1, name="fault"))
    live.add_fault(Fault(name="pause", target="c1 | the rest", begun_ns=1))
    live.add_fault(Fault(name="kill", target="n1", begun_ns=1, healed_ns=2))
    assert (
        progress_line(live, "the moon", 2.6) == "fault | waiting for the moon (3 s left) | 0 operations | pause on c1"
    )
    assert progress_line(None, "n1 to answer", -1) == "waiting for n1 to answer (0 s left)"


def test_the_table_shows_what_broke_first_and_harms_only() -> None:
    """A harm of nothing tells nothing; where there is a range, it stands beside."""
    window = violated("acked", WITNESS, None, window_s=2.5, lost_count=7)
    rows = lines(judged(holds("recovers", "yes", outage_s=0.0)), judged(window, bounds={"window_s": (2, 3)}))
    assert rows == [
        ("test_x", True),
        ("    violated  acked                              window 2.5 s (expected 2 to 3); 7 lost", True),
        ("    holds     recovers", True),
    ]


def test_what_was_not_expected_comes_first_and_is_marked() -> None:
    """With the reason below it."""
    missed = judged(holds("kept", "all there"), met=False, problem="expected violated, holds: all there")
    assert lines(judged(holds("other", "fine")), missed) == [
        ("test_x", False),
        ("  ! holds     kept", False),
        ("              expected violated, holds: all there", False),
        ("    holds     other", True),
    ]


def test_no_line_is_wider_than_the_screen() -> None:
    """Whatever the names and reasons."""
    verdict = holds("a_very_long_name_" * 5, "so", **{f"harm_{n}_lost_count": 10.0**n for n in range(9)})
    rows = lines(judged(verdict, met=False, problem="why " * 80), error="Void: " + "x" * 300)
    assert max(len(line) for line, _ in rows) <= 100


def test_a_run_without_a_verdict_says_why() -> None:
    """Marked where an error is the reason; a test may also judge by its own assertions."""
    error = "VoidRunError: no bite\nmore"
    assert lines(error=error) == [("test_x", False), ("  ! not judged: VoidRunError: no bite", False)]
    assert lines() == [("test_x", True), ("    not judged: no guarantee was asked for", True)]


def test_a_folder_is_named_like_its_test() -> None:
    """The same every night."""
    assert folder_name("experiments/redis/test_a.py::test_b[c d]") == "experiments-redis-test_a-test_b-c-d"
    assert len(folder_name("x" * 400)) == 150


def test_two_runs_of_a_test_have_two_folders(tmp_path: Path) -> None:
    """At the same time; one after the other takes the same, emptied."""
    with folder_of_ones_own(tmp_path, "t") as first, folder_of_ones_own(tmp_path, "t") as second:
        assert (first.name, second.name) == ("t", "t~2")
        (first / "old.log").write_text("old")
    with folder_of_ones_own(tmp_path, "t") as again:
        assert again == first
        assert list(again.iterdir()) == []


def test_an_unusable_folder_is_the_environments_fault(tmp_path: Path) -> None:
    """In one sentence that names the option."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ProviderError, match="--chaos-out"), folder_of_ones_own(tmp_path / "file", "t"):
        pass


def test_a_disk_with_room_is_no_hint(tmp_path: Path) -> None:
    """And a folder that is gone is none either."""
    assert full_disk(tmp_path) == ""
    assert full_disk(tmp_path / "gone") == ""
