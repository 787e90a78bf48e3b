"""
However a test ends, the blame is right, the sentence is clear, nothing is lost and nothing goes on running.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chaos.cli import exits
from chaos.history.archive import load
from chaos.plugin import _healing_on_signals
from chaos.wait import wait_until
from tests.plugin.conftest import Stranger

pytestmark = pytest.mark.usefixtures("labs")

BEGIN = """
import signal
import pytest
from chaos.faults import Kill, Pause, isolate
from chaos.guarantees import counts_match, recovers
from chaos.providers.contract import ProcessRef
from chaos.systems.redis.clients import pinned
from chaos.workloads.plan import ClientPlan

def here(client, function, **arguments):
    return ClientPlan(name=client, workload=f"own_workloads:{function}", arguments=arguments)
"""

WORKLOADS = """
import os, signal
from chaos.workloads.outcomes import Rule

class Strange(Exception):
    pass

def strange(worker):
    def action():
        raise Strange("never seen before")
    worker.operation("ask", 1, action, [Rule(OSError, "info")])

def buggy(worker):
    worker.operation("ask", 1, lambda: 1, [])
    {}["missing"]

def leaves(worker):
    worker.operation("ask", 1, lambda: 1, [])
    os._exit(3)

def is_killed(worker):
    worker.operation("ask", 1, lambda: 1, [])
    os.kill(os.getpid(), signal.SIGKILL)

def writes_much(worker):
    while worker.keep_going(0):
        worker.operation("ask", "x" * 2000, lambda: 1, [])
"""


@pytest.fixture
def project(inner: Stranger, pytester: pytest.Pytester) -> Stranger:
    """A folder with workloads of its own."""
    pytester.makeconftest('pytest_plugins = ["fixtures.redis"]')
    pytester.makepyfile(own_workloads=WORKLOADS)
    pytester.syspathinsert()
    return inner


def make(pytester: pytest.Pytester, body: str, *, fixtures: str = "redis_standalone, launch") -> None:
    """A test file with one test."""
    indented = "\n".join(f"    {line}" for line in body.strip().splitlines())
    pytester.makepyfile(f'{BEGIN}\ndef test_mine({fixtures}):\n    "Something is promised."\n{indented}\n')


def only_result(pytester: pytest.Pytester) -> tuple[str, str]:
    """Status and message as Allure has them."""
    (path,) = (pytester.path / "results").glob("*-result.json")
    result = json.loads(path.read_text())
    return str(result["status"]), str(result["statusDetails"]["message"])


UNTIL_IT_BREAKS = """
with launch(redis_standalone, here("c1", "{}")) as run:
    run.wait_for(lambda: False, within_s=20, wanted="the client to break")
"""

BREAKS = {
    "strange": r"OutcomeTableError: c1: the outcome table has no rule for own_workloads.Strange: never seen before",
    "buggy": r"HarnessError: c1: its workload broke: KeyError: 'missing'",
    "leaves": r"WorkerDiedError: c1: its worker ended with code 3: its log is empty",
    "is_killed": r"WorkerDiedError: c1: its worker was ended by SIGKILL: its log is empty",
}


@pytest.mark.parametrize("function", BREAKS)
def test_a_client_that_breaks_breaks_the_run(project: Stranger, pytester: pytest.Pytester, function: str) -> None:
    """At once, as *broken* and not *failed*, and what it had done before is in the history."""
    make(pytester, UNTIL_IT_BREAKS.format(function))
    project("--alluredir=results").assert_outcomes(failed=1)
    status, message = only_result(pytester)
    assert status == "broken"
    assert re.match(rf"chaos\.errors\.{BREAKS[function]}", message), message
    operations = load(next(pytester.path.glob("reports/out/runs/*/history.jsonl.gz"))).operations
    assert [operation.f for operation in operations] == ["ask"]


def test_a_client_that_a_fault_killed_is_no_surprise(project: Stranger, pytester: pytest.Pytester) -> None:
    """And one that somebody else killed meanwhile is."""
    make(
        pytester,
        """
        clients = [pinned(redis_standalone, name, "redis-incr") for name in ("c1", "c2")]
        with launch(redis_standalone, clients) as run:
            run.wait_oks("incr", 5, client="c1", within_s=10)
            with run.inject(Kill("c1")):
                run.wait_oks("incr", 5, client="c2", within_s=10)
            run.lab.signal(ProcessRef(party="c2", name="worker"), signal.SIGKILL)
            run.wait_oks("incr", 500, client="c2", within_s=10)
        """.replace("        ", "", 1).replace("\n        ", "\n"),
    )
    result = project()
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines([r".*WorkerDiedError: c2: its worker was ended by SIGKILL"])


def test_a_server_that_nobody_meant_to_kill_makes_the_run_void(project: Stranger, pytester: pytest.Pytester) -> None:
    """Whatever was found then was not the named fault's doing."""
    make(
        pytester,
        """
with launch(redis_standalone) as run:
    run.phase("mine")
    run.lab.signal(ProcessRef(party="n1", name="redis"), signal.SIGKILL)
    run.wait_for(lambda: run.live.observations("exit"), within_s=5)
""",
    )
    result = project()
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [r".*VoidRunError: n1: redis.* was ended by SIGKILL, and no fault of this run did that"]
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_said_to_be_full(project: Stranger, pytester: pytest.Pytester, small_disk: Path) -> None:
    """As the harness' trouble, and what was written before stays."""
    make(pytester, UNTIL_IT_BREAKS.format("writes_much"))
    result = project(f"--chaos-out={small_disk}", "--alluredir=results")
    result.assert_outcomes(failed=1)
    status, message = only_result(pytester)
    assert status == "broken"
    assert re.search(r"c1: .*the disk below .*small.* is full", message), message
    (events,) = small_disk.glob("runs/*/parties/c1/events.jsonl")
    assert events.stat().st_size > 100_000


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(project: Stranger, pytester: pytest.Pytester) -> None:
    """Before any lab is made, as the environment's trouble, with the option that helps."""
    (pytester.path / "file").write_text("")
    make(pytester, "pass", fixtures="lab")
    result = project("--chaos-out=file/below", "--alluredir=results")
    result.assert_outcomes(errors=1)
    status, message = only_result(pytester)
    assert status == "broken"
    assert re.fullmatch(
        r"chaos\.errors\.ProviderError: no histories and logs can be kept in .*/file/below/runs: "
        r"Not a directory; choose another folder with --chaos-out", message.strip(),
    )  # fmt: skip
    assert "chaos/folders.py" not in result.stdout.str()


IN_MID_FAULT = """
with launch(redis_standalone, pinned(redis_standalone, "c1", "redis-incr")) as run:
    run.wait_oks("incr", 5, within_s=10)
    with run.inject(isolate("n1")):
        open("in-fault", "w").close()
        run.wait_for(lambda: False, within_s=60, wanted="somebody to interrupt")
"""


PYTEST = ("pytest", "-p", "no:cacheprovider")
CHAOS_RUN = ("chaos.cli", "run", "--no-report", ".")


@pytest.mark.parametrize(
    ("module", "number", "expected"),
    [
        pytest.param(PYTEST, signal.SIGINT, pytest.ExitCode.INTERRUPTED, id="ctrl-c"),
        pytest.param(PYTEST, signal.SIGTERM, pytest.ExitCode.INTERRUPTED, id="by CI"),
        pytest.param(CHAOS_RUN, signal.SIGINT, exits.INTERRUPTED, id="SIGINT to chaos run alone"),
    ],
)
def test_an_interrupt_in_mid_fault_heals_and_keeps_all(
    project: Stranger, pytester: pytest.Pytester, module: tuple[str, ...], number: signal.Signals, expected: int
) -> None:
    """Ctrl-C by a person, SIGTERM by CI: the fault is healed, the history sealed, the table shown, the lab gone."""
    make(pytester, IN_MID_FAULT)
    output = pytester.path / "output"
    with output.open("wb") as file:
        started = subprocess.Popen([sys.executable, "-m", *module], stdout=file, stderr=file, cwd=pytester.path)
    try:
        wait_until((pytester.path / "in-fault").exists, within_s=30, wanted="the fault", seen=output.read_text)
        lab = _lab_of(started.pid if module is PYTEST else _child_of(started.pid))
        started.send_signal(number)
        code = started.wait(30)
    finally:
        started.kill()
    assert code == expected, output.read_text()
    assert "KeyboardInterrupt" in output.read_text()
    assert "  ! not judged: KeyboardInterrupt" in output.read_text()
    history = load(next(pytester.path.glob("reports/out/runs/*/history.jsonl.gz")))
    assert history.faults[0].healed_ns
    assert "healing_failed" not in history.faults[0].evidence
    assert len(history.operations) >= 5
    assert not lab.exists()


def test_two_signals_together_are_one_interrupt() -> None:
    """``timeout`` sends to the process and to its group; the second must not stop the healing that the first began."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with _healing_on_signals():
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def _child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def _lab_of(owner: int) -> Path:
    """The folder of the lab that this process owns; it goes with the lab."""
    from chaos.providers.local.engine import runtime_root

    notes = {path: json.loads(path.read_text()) for path in runtime_root().glob("lab-*/lab.json")}
    (folder,) = [path.parent for path, note in notes.items() if note["owner"] == owner]
    return folder


def test_a_kept_lab_is_told_whoever_looks_on(project: Stranger, pytester: pytest.Pytester) -> None:
    """With the command that enters it; it is up until it is healed away."""
    from chaos.providers.local import heal

    make(pytester, "pass", fixtures="redis_standalone")
    result = project("--chaos-keep")
    result.assert_outcomes(passed=1)
    result.stdout.re_match_lines([r"kept lab-\w+ of test_mine: .*nsenter"])
    (name,) = re.findall(r"kept (lab-\w+) of", result.stdout.str())
    assert "redis-server" in _programs_below(name)
    assert any(name in str(line) for line in heal())


def _programs_below(lab: str) -> set[str]:
    """What runs with its working directory in a lab's folder."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if lab in str((process / "cwd").readlink()):
                found.add((process / "comm").read_text().strip())
    return found


def test_the_first_failure_is_told_although_healing_fails_too(project: Stranger, pytester: pytest.Pytester) -> None:
    """A heal that fails on the way out is told beside it."""
    make(
        pytester,
        """
with launch(redis_standalone) as run, run.inject(Pause("n1")):
    run.lab.thaw = None
    raise RuntimeError("mine")
""",
    )
    result = project()
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines([r"E +RuntimeError: mine", r"E +and healing pause on n1 failed: .*"])
