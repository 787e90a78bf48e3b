"""
What a provider does with the processes of a party.
"""

import json
import signal

import pytest

from chaos.errors import ChaosError, ProviderError, UsageError
from chaos.providers.contract import Lab, ProcessRef, Spawn
from chaos.wait import wait_until
from tests.conformance.talk import PYTHON, call, client, events, node, outcome, outcomes, run, serve, wait_event

GONE_S = 5.0


def script(name: str, code: str, **more: object) -> Spawn:
    return Spawn(name=name, argv=(PYTHON, "-S", "-E", "-c", code), **more)  # type: ignore[arg-type]


def wait_exit(lab: Lab, ref: ProcessRef) -> int:
    return wait_until(
        lambda: next(((event.code,) for event in lab.exits() if event.ref == ref), None),
        within_s=GONE_S,
        wanted=f"{ref.name} ends",
    )[0]


def test_output_goes_to_the_log_and_the_end_carries_the_exit_code(lab: Lab) -> None:
    lab.place([node("n1")])
    ref = lab.spawn("n1", script("short", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"))
    assert wait_exit(lab, ref) == 3
    assert sorted(lab.log(ref).decode().split()) == ["err", "out"]
    assert lab.state(ref) == "ended"
    assert lab.processes("n1") == []


def test_a_killed_process_ends_with_minus_its_signal(lab: Lab) -> None:
    lab.place([node("n1")])
    ref = run(lab, "n1", "family")
    assert lab.state(ref) == "running"
    assert list(lab.processes("n1")) == [ref]
    lab.signal(ref, signal.SIGKILL)
    assert wait_exit(lab, ref) == -signal.SIGKILL
    assert lab.state(ref) == "ended"


NO_PROGRAM = {
    "no-such-program": "n1: no program 'no-such-program' on its PATH",
    "/no/such/program": "n1: no program '/no/such/program'$",
    "./mine": r"n1: no program '\./mine' in /",
    "/etc/passwd": "n1: the program '/etc/passwd' cannot be run: Permission denied",
}


@pytest.mark.parametrize("program", NO_PROGRAM)
def test_a_program_that_cannot_be_run_is_said_at_once(lab: Lab, program: str) -> None:
    lab.place([node("n1")])
    with pytest.raises(ProviderError, match=NO_PROGRAM[program]):
        lab.spawn("n1", Spawn(name="ghost", argv=(program,)))
    assert (lab.processes("n1"), lab.exits()) == ([], [])


def test_after_a_program_that_cannot_be_run_the_name_is_free(lab: Lab) -> None:
    lab.place([node("n1")])
    with pytest.raises(ProviderError, match="interpreter that its first line names does not exist"):
        lab.spawn("n1", scripted(lab))
    assert wait_exit(lab, lab.spawn("n1", script("short", "raise SystemExit(3)"))) == 3


def scripted(lab: Lab) -> Spawn:
    """A script whose interpreter does not exist."""
    lab.put("n1", "script", b"#!/no/such/shell\n")
    ref = lab.spawn("n1", Spawn(name="marks", argv=("chmod", "+x", "script")))
    assert wait_exit(lab, ref) == 0
    return Spawn(name="short", argv=("./script",))


def test_a_signal_reaches_what_left_its_parent_and_its_session(lab: Lab) -> None:
    lab.place([node("n1")])
    ref = run(lab, "n1", "family", name="first")
    other = run(lab, "n1", "family", name="second")
    for one in (ref, other):
        wait_event(lab, one, "child")
        wait_event(lab, one, "daemon")
    lab.signal(ref, signal.SIGKILL)
    assert lab.freeze("n1") == 3, "the three of the second family are left, and nothing of the first"
    lab.thaw("n1")


def test_a_stopped_process_is_stopped_until_it_is_continued(lab: Lab) -> None:
    lab.place([node("n1")])
    ref = run(lab, "n1", "family")
    lab.signal(ref, signal.SIGSTOP)
    wait_until(lambda: lab.state(ref) == "stopped", within_s=GONE_S, wanted="stopped")
    lab.signal(ref, signal.SIGCONT)
    wait_until(lambda: lab.state(ref) == "running", within_s=GONE_S, wanted="running")


def test_frozen_processes_leave_the_mesh_alive(lab: Lab) -> None:
    lab.place([node("n1"), node("n2"), client("c1")])
    serve(lab, "n1", "n2")
    assert lab.freeze("n1") == 1
    assert outcomes(lab, "c1", "n1", "n2") == ["silent", "answered"]
    assert outcome(lab, "n1", "n2") == "answered", "the frozen party's own proxies go on"
    assert lab.thaw("n1") == 1
    wait_until(lambda: outcome(lab, "c1", "n1") == "answered", within_s=GONE_S, wanted="thawed")


def test_a_name_in_use_is_refused_and_free_again_after_the_end(lab: Lab) -> None:
    lab.place([node("n1")])
    ref = run(lab, "n1", "family")
    with pytest.raises(ChaosError, match="already running"):
        run(lab, "n1", "family")
    lab.signal(ref, signal.SIGKILL)
    wait_exit(lab, ref)
    assert run(lab, "n1", "family") == ref
    assert lab.state(ref) == "running"


def test_a_spawned_program_inherits_nothing_of_the_test_run(lab: Lab) -> None:
    lab.place([node("n1"), client("c1")])
    code = "import os; print(*(f'{n}={os.readlink(f\"/proc/self/fd/{n}\")}' for n in range(1000) if os.path.islink(f'/proc/self/fd/{n}')))"
    for party in ("n1", "c1"):
        ref = lab.spawn(party, script("fds", code))
        wait_exit(lab, ref)
        names = dict(entry.split("=") for entry in lab.log(ref).decode().split())
        assert names.keys() == {"0", "1", "2"}
        assert names["0"] == "/dev/null"
        assert names["1"].endswith("fds.log")


def test_a_program_sees_its_own_folder_host_name_and_environment(lab: Lab) -> None:
    lab.place([node("n1")])
    code = (
        "import json, os, socket; "
        "print(json.dumps([os.getcwd(), socket.gethostname(), *map(os.environ.get, ('WANTED', 'PYTEST_VERSION'))]))"
    )
    ref = lab.spawn("n1", script("look", code, env={"WANTED": "yes"}))
    wait_exit(lab, ref)
    assert json.loads(lab.log(ref)) == [lab.folder("n1"), "n1", "yes", None]


def test_a_python_callable_runs_with_its_arguments_and_returns_its_exit_code(lab: Lab) -> None:
    lab.place([client("c1")])
    spawn = Spawn(name="worker", python="tests.conformance.work:answers", arguments={"code": 5, "text": "hello"})
    ref = lab.spawn("c1", spawn)
    assert wait_exit(lab, ref) == 5
    assert lab.log(ref).decode().strip() == "hello"


def test_a_python_callable_outlives_a_peer_that_is_gone(lab: Lab) -> None:
    """By default SIGPIPE would end a worker whose server died between two requests."""
    lab.place([client("c1")])
    ref = lab.spawn("c1", Spawn(name="worker", python="tests.conformance.work:speaks_into_the_void"))
    assert wait_exit(lab, ref) == 0


def test_exactly_one_of_argv_and_python_must_be_given(lab: Lab) -> None:
    lab.place([node("n1")])
    with pytest.raises(UsageError, match="either argv or python"):
        lab.spawn("n1", Spawn(name="nothing"))


def test_the_server_of_one_party_does_not_see_the_processes_of_another_die(lab: Lab) -> None:
    lab.place([node("n1"), node("n2"), client("c1")])
    first, second = serve(lab, "n1", "n2")
    caller = call(lab, "c1", "n2", every_s=0.01)
    lab.signal(first, signal.SIGKILL)
    wait_exit(lab, first)
    assert outcomes(lab, "c1", "n2") == ["answered"]
    assert not events(lab, caller, "end")
    assert lab.state(second) == "running"
