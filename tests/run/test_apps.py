"""
The user's own program as a party of a real lab.
"""

import signal
import sys

import pytest

from chaos.cluster import Node
from chaos.errors import NoProgressError, ProviderError, ServerError, UsageError
from chaos.faults import Kill, Pause
from chaos.providers.contract import Lab, PartySpec, Port
from chaos.run import Launch

TALKS = "import os, sys, select; print(*sys.argv[1:], flush=True); select.select([], [], [], 60)"
SERVES = "import http.server; http.server.HTTPServer(('', 8000), http.server.SimpleHTTPRequestHandler).serve_forever()"
COUNTS_LIVES = """
from pathlib import Path
lives = Path("lives")
lives.write_text(lives.read_text() + "I")
print("life", lives.read_text(), flush=True)
import select; select.select([], [], [], 60)
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_an_app_finds_everybodys_address(lab: Lab) -> None:
    """In its environment, at their first data port; and where the test says."""
    ports = (Port(number=1000, name="admin", plane="management"), Port(number=6379, name="data"))
    lab.place([PartySpec(name="n1", ports=ports)])
    code = "import os; print(os.environ['CHAOS_N1'], os.environ['MINE'], os.environ['PLAIN'])"
    app = lab.app(python(code), env={"MINE": Node("n1", port=6379), "PLAIN": "x"}, ready="x")
    address = "{}:{}".format(*lab.reach("app", "n1", 6379))
    assert app.output().split() == [address, address, "x"]


def test_an_app_with_ports_is_ready_when_they_are_open(lab: Lab) -> None:
    """And is reached by others through the mesh."""
    app = lab.app(python(SERVES), name="web", ports=[8000])
    assert app.running()
    assert app.stop() == -signal.SIGTERM
    assert (app.running(), app.exit_code()) == (False, -signal.SIGTERM)


@pytest.mark.parametrize("code", [0, 3])
def test_an_app_that_ends_before_it_is_ready_is_told_at_once(lab: Lab, code: int) -> None:
    """With its last words, not after the whole bound; an end without an error is one too."""
    with pytest.raises(ServerError, match=f"app ended with code {code} before it was ready.*'no licence'"):
        lab.app(python(f"print('no licence'); raise SystemExit({code})"), ready="listening", within_s=60)


def test_what_an_app_does_not_write_is_its_own_failure(lab: Lab) -> None:
    """The program is the system under test here."""
    app = lab.app(python(TALKS, "hello"), ready="hello")
    behind = app.wait_output("hello", within_s=5)
    with pytest.raises(NoProgressError, match=r"app to write 'hello'.*it is running; its last line: 'hello'"):
        app.wait_output("hello", within_s=0.1, after=behind)


def test_a_killed_app_is_started_again_on_what_it_left(lab: Lab, launch: Launch) -> None:
    """Its own files included: those that came with it are written once."""
    app = lab.app(python(COUNTS_LIVES), files={"lives": b""}, ready="life I")
    with launch(app) as run:
        with run.inject(Kill(app)):
            assert app.exit_code() == -signal.SIGKILL
        app.wait_output("life II", within_s=10)
        with run.inject(Pause(app)):
            assert not app.running()
    assert run.history is not None
    assert [fault.name for fault in run.history.faults] == ["kill", "pause"]


def test_a_second_app_needs_a_name_of_its_own(lab: Lab) -> None:
    """What both are called by default is said; after its end the name is free."""
    app = lab.app(python(TALKS))
    with pytest.raises(UsageError, match="an app named 'app' runs already; give it another name="):
        lab.app(python(TALKS))
    app.stop()
    assert lab.app(python(TALKS, "again"), ready="again").running()


def test_an_app_whose_program_does_not_exist_is_refused_at_once(lab: Lab) -> None:
    """Also without a condition to wait for."""
    with pytest.raises(ProviderError, match=r"^app: no program 'no-such-program' on its PATH$"):
        lab.app(["no-such-program"])


def test_an_app_cannot_move_into_a_nodes_party(lab: Lab) -> None:
    """A fault on one would be a fault on both."""
    lab.place([PartySpec(name="n1")])
    with pytest.raises(UsageError, match="n1 is the name of a party of role node"):
        lab.app(python(TALKS), name="n1")


@pytest.mark.parametrize("wrong", [None, object(), [], ["n1"], {"a": 1}])
def test_a_variable_that_is_no_text_is_refused_by_name(lab: Lab, wrong: object) -> None:
    with pytest.raises(UsageError, match="env: MINE is text, a number, a path, a node or several nodes, not"):
        lab.app(["true"], env={"MINE": wrong})  # type: ignore[dict-item]
