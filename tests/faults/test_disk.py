"""A disk that stalls or fails: only the syncing thread meets it, the fault proves that it bit, and heals."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.errors import MissingAbilityError, MissingSoftwareError, UsageError, VoidRunError
from chaos.faults import DiskError, DiskStall, FaultPlan, Kill, Pause, Scene, disk
from chaos.history.live import LiveHistory
from chaos.nemesis import Nemesis
from chaos.providers.contract import Lab, PartySpec, Spawn
from chaos.servers import Installed
from chaos.wait import wait_until

SYNCS = """
import os, threading, time
synced = ticked = 0
def sync():
    global synced
    file = os.open("file", os.O_CREAT | os.O_WRONLY)
    while True:
        os.write(file, b"x")
        os.fdatasync(file)
        synced += 1
        time.sleep(0.005)
threading.Thread(target=sync, daemon=True).start()
while threading.active_count() > 1:
    ticked += 1
    print(synced, ticked, flush=True)
    time.sleep(0.01)
os._exit(3)
"""


@pytest.fixture
def scene(lab: Lab) -> Scene:
    """A program that syncs in one thread and goes on in another."""
    lab.place([PartySpec(name="n1")])

    def start(party: str) -> None:
        lab.spawn(party, Spawn(name="program", argv=("python3", "-S", "-c", SYNCS)))

    start("n1")
    scene = Scene(lab=lab, restarts={"n1": start})
    wait_until(lambda: counts(scene)[0] > 3, within_s=10, wanted="syncs")
    return scene


def counts(scene: Scene) -> tuple[int, int]:
    """How often it synced, and how often its other thread had a turn."""
    (ref,) = scene.lab.processes("n1")
    told = re.findall(r"^(\d+) (\d+)\n", scene.lab.log(ref).decode(), re.MULTILINE)
    synced, ticked = told[-1] if told else (0, 0)
    return int(synced), int(ticked)


def test_a_stalled_disk_holds_the_syncing_thread_alone_until_it_is_healed(scene: Scene) -> None:
    live = LiveHistory()
    with Nemesis(scene, live, seed=1).inject(DiskStall("n1")):
        before = counts(scene)
        wait_until(lambda: counts(scene)[1] > before[1] + 20, within_s=10, wanted="the other thread's turns")
        assert counts(scene)[0] <= before[0] + 1
        assert [ref.name for ref in scene.lab.processes("n1")] == ["program"]
    wait_until(lambda: counts(scene)[0] > before[0] + 5, within_s=10, wanted="syncs again")
    (fault,) = live.faults
    assert (fault.name, fault.target, fault.mode) == ("disk stall", "n1", "fdatasync")
    assert fault.evidence["calls"] == 1
    assert fault.evidence["stalled_s"] > 0.1
    assert fault.evidence["after"] == ["running"]


def test_a_stall_that_holds_nothing_is_void_and_lets_go(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A tracer that attaches, sees the calls and does nothing to them."""
    fake = tmp_path / "strace"
    fake.write_text(
        "#!/bin/sh\n"
        'for word; do case $word in inject=*) word=trace=fdatasync ;; esac; set -- "$@" "$word"; shift; done\n'
        f'exec {disk._strace(scene.lab)} "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setattr(disk, "_strace", lambda lab: str(fake))

    def stall() -> None:
        with Nemesis(scene, LiveHistory(), seed=1).inject(DiskStall("n1")):
            before = counts(scene)
            wait_until(lambda: counts(scene)[0] > before[0] + 5, within_s=10, wanted="syncs as if nothing had happened")

    with pytest.raises(VoidRunError, match=r"the disk stall did not bite: \d+ of \d+ calls of fdatasync came back"):
        stall()
    assert [ref.name for ref in scene.lab.processes("n1")] == ["program"]


def test_a_failing_disk_is_felt_and_what_ended_over_it_is_started_again(scene: Scene) -> None:
    live = LiveHistory()
    with Nemesis(scene, live, seed=1).inject(DiskError("n1")):
        wait_until(lambda: not scene.lab.processes("n1"), within_s=10, wanted="the program to end over it")
    assert scene.taken_down == {"n1"}
    (fault,) = live.faults
    assert (fault.mode, fault.evidence["exit_codes"]) == ("fdatasync EIO", [3])
    assert fault.evidence["restarted"] == ["n1"]
    wait_until(lambda: counts(scene)[0] > 0, within_s=10, wanted="syncs again")


def test_a_pause_and_a_crash_leave_the_tracer_to_its_own_fault(scene: Scene) -> None:
    nemesis = Nemesis(scene, LiveHistory(), seed=1)
    with nemesis.inject(DiskStall("n1")), nemesis.inject(Pause("n1")):
        pass
    with nemesis.inject(DiskStall("n1")), nemesis.inject(Kill("n1")):
        pass
    wait_until(lambda: counts(scene)[0] > 0, within_s=10, wanted="syncs again")


def test_a_disk_that_nobody_syncs_to_proves_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "BITES_S", 0.3)
    with pytest.raises(VoidRunError, match=r"n1 to call fsync, within .*a system without load syncs nothing"):
        DiskStall("n1", call="fsync").inject(scene)
    before = counts(scene)[0]
    wait_until(lambda: counts(scene)[0] > before, within_s=10, wanted="syncs, since nothing was left in force")


def test_a_call_or_an_error_that_is_none_is_said_by_strace(scene: Scene) -> None:
    with pytest.raises(VoidRunError, match=r"strace ended: .*invalid system call 'sinc'"):
        DiskStall("n1", call="sinc").inject(scene)


def test_a_party_without_processes_meets_no_disk(scene: Scene) -> None:
    scene.lab.place([PartySpec(name="idle")])
    with pytest.raises(UsageError, match="no process runs in idle, so none can meet a bad disk"):
        DiskError("idle").inject(scene)


@pytest.mark.parametrize("make", [DiskStall, DiskError])
def test_without_the_right_to_trace_the_experiment_is_skipped_by_name(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make: Callable[[str], FaultPlan]
) -> None:
    refused = tmp_path / "strace"
    words = "strace: attach: ptrace(PTRACE_SEIZE, 7): Operation not permitted"
    refused.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    refused.chmod(0o755)
    monkeypatch.setattr(
        "chaos.providers.local.engine.find", lambda name, version: Installed(name, "6.1", refused, "PATH")
    )
    with pytest.raises(
        MissingAbilityError, match=r"TraceSyscalls is not available here: strace: attach: .*not permitted"
    ):
        make("n1").inject(scene)


def test_without_strace_the_experiment_is_skipped_with_the_command(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, version: str | None) -> Installed:
        raise MissingSoftwareError(name, f"chaos install {name}")

    monkeypatch.setattr("chaos.providers.local.engine.find", missing)
    with pytest.raises(MissingAbilityError, match=r"TraceSyscalls .*chaos install strace"):
        DiskStall("n1").inject(scene)
