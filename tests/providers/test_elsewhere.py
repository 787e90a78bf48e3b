"""
The test process on macOS or Windows: what needs an engine alone works without what only Linux has.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = "from tests.providers.elsewhere import become; become({platform!r})\n"
MAC, WINDOWS = "darwin", "win32"


def run(platform: str, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program in a Python of its own, on a machine of that kind."""
    # A socket that somebody named is nothing that Windows would have; under macOS it is how an engine is named.
    env = {name: value for name, value in os.environ.items() if platform == MAC or name != "DOCKER_HOST"}
    return subprocess.run(
        [sys.executable, "-c", BEGIN.format(platform=platform) + program, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={**env, "PYTHONPATH": str(Path.cwd())},
    )


def said(platform: str, program: str, *arguments: str) -> str:
    """What it prints; its errors are ours."""
    done = run(platform, program, *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


IMPORTS = """
import importlib, pkgutil, sys
import chaos
only = ("chaos.providers.agent.", "chaos.providers.local.", "chaos.scripts.", "chaos.fixtures.", "chaos.experiments.")
for found in pkgutil.walk_packages(chaos.__path__, "chaos."):
    if not found.name.startswith(only) and "__main__" not in found.name and ".workloads.kafka" not in found.name:
        importlib.import_module(found.name)
print(sum(name.startswith("chaos.") for name in sys.modules))
"""


@pytest.mark.parametrize("platform", [MAC, WINDOWS])
def test_what_is_not_for_the_inside_of_a_local_lab_can_be_imported(platform: str) -> None:
    """Modules that only ever run in a party, or make parties of namespaces, are Linux's."""
    if platform == WINDOWS:
        pytest.importorskip("docker")
    assert int(said(platform, IMPORTS)) > 200


@pytest.mark.parametrize("platform", [MAC, WINDOWS])
def test_the_taking_away_takes_away(platform: str) -> None:
    """Else these tests would show nothing."""
    refused = run(platform, "open('/proc/self/stat')")
    assert "FileNotFoundError" in refused.stderr
    refused = run(platform, "import ctypes; ctypes.CDLL(None).setns(0, 0)")
    assert "symbol not found: setns" in refused.stderr
    assert "not Linux" in run(platform, "import sys; sys.exit('not Linux') if sys.platform != 'linux' else None").stderr


@pytest.mark.parametrize("platform", [MAC, WINDOWS])
def test_the_commands_answer(platform: str) -> None:
    """The doctor names nothing that could not be had there, and a local lab is refused in one sentence."""
    command = "import sys; from chaos import cli; sys.exit(cli.main(sys.argv[1:]))"
    assert "redis" in said(platform, command, "list")
    done = run(platform, command, "doctor", "--json")
    assert done.returncode in (0, 2), done.stderr[-3000:]
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert not {"labs", "nft", "libnftables", "tracing"} & set(found)
    assert "apt-get" not in done.stdout
    assert "systemctl" not in done.stdout
    for name in ("provider local", "provider sealed"):
        assert found[name]["detail"].startswith("its namespaces are Linux's"), found[name]
    healed = run(platform, command, "heal")
    assert healed.returncode == 0 or "could be removed" in healed.stderr, healed.stderr[-3000:]


LAB = """
import json, signal, sys, time
from chaos.crew import Crew
from chaos.providers import choose
from chaos.providers.contract import OBSERVER, PartySpec, Port, Role, Spawn
from chaos.history.live import LiveHistory
from chaos.wait import wait_until
from chaos.workloads.plan import ClientPlan

provider, _ = choose(sys.argv[2])
lab = provider.open(keep_at=sys.argv[1])
try:
    lab.place([PartySpec(name="n1", ports=(Port(number=7000, name="p"),))])
    before = time.monotonic_ns()
    ref = lab.spawn("n1", Spawn(name="sleep", argv=("sleep", "600")))
    lab.signal(ref, signal.SIGSTOP)
    stopped = lab.state(ref)
    lab.freeze("n1")
    lab.signal(ref, signal.SIGKILL)
    wait_until(lambda: lab.state(ref) == "ended", within_s=10, wanted="its end")
    (end,) = lab.exits()
    after = time.monotonic_ns()
    live = LiveHistory()
    crew = Crew(lab, live, seed=1)
    crew.start([ClientPlan(name="c1", workload="tests.conformance.work:stands", arguments={"points": ["here"]})])
    crew.stop()
    (point,) = live.observations("point", "c1")
    print(json.dumps({
        "provider": provider.name, "stopped": stopped, "code": end.code, "error_ns": lab.clock_error_ns("n1"),
        "before": before, "end": end.at_ns, "after": after, "point": point.at_ns, "now": time.monotonic_ns(),
        "shown": lab.reach(OBSERVER, "n1", 7000, "management")[0],
    }))
finally:
    lab.close()
"""


AHEAD = ("unshare", "--time", "--fork", "--monotonic", "100000", "--boottime", "100000")
"""What follows runs under this kernel, whose clock shows another day there."""


@pytest.mark.usefixtures("engine")
def test_a_lab_of_containers_works_from_a_machine_that_is_not_linux(tmp_path: Path) -> None:
    """It is the one that is chosen; its clock counts as another one, since ours has no name there."""
    check_one_clock(said(MAC, LAB, str(tmp_path), "auto"))


@pytest.mark.usefixtures("engine")
def test_a_lab_of_containers_works_where_the_test_process_reads_another_clock(tmp_path: Path) -> None:
    """Under the same kernel even: a namespace of time is what a virtual machine can be tried with."""
    if subprocess.run([*AHEAD, "true"], capture_output=True).returncode:
        pytest.skip("no namespace of time can be made here")
    argv = [*AHEAD, sys.executable, "-c", LAB, str(tmp_path), "docker"]
    env = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    check_one_clock(done.stdout)


def check_one_clock(output: str) -> None:
    """What was stamped in a party lies between the test process' own readings around it, but for the error."""
    found = json.loads(output.splitlines()[-1])
    assert (found["provider"], found["stopped"], found["code"], found["shown"]) == (
        "docker",
        "stopped",
        -9,
        "127.0.0.1",
    )
    error = found["error_ns"]
    assert 0 < error < 50_000_000
    assert found["before"] - error <= found["end"] <= found["after"] + error
    assert found["after"] - error <= found["point"] <= found["now"] + error
