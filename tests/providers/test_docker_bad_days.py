"""
What goes wrong around labs of containers: one sentence that blames the right one, and nothing left behind.
"""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("docker")
pytest.importorskip("testcontainers")

from chaos.errors import ProviderError, ServerError
from chaos.providers.contract import Lab, PartySpec, Spawn
from chaos.providers.docker import DockerProvider, connection, heal, janitor, recipes
from chaos.systems.redis import start_redis
from chaos.wait import wait_until
from tests.conformance.talk import node
from tests.providers.inspection import left

pytestmark = pytest.mark.usefixtures("engine")
NETWORKS = 2
GONE_S = 5.0


@pytest.fixture
def lab(engine: None, tmp_path: Path) -> Iterator[Lab]:
    """An empty lab."""
    opened = DockerProvider().open(keep_at=str(tmp_path))
    yield opened
    opened.close()
    assert left(f"{connection.LAB}={opened.name}") == []


def of_an_image(name: str = "n1") -> PartySpec:
    """A party whose programs are those of an image that is always there."""
    return PartySpec(name=name, image=recipes.SIDECAR)


def lender(lab: Lab) -> str:
    """The container that lends its files to the one party of a lab."""
    found, _, _ = connection.found(connection.connect(), f"{connection.LAB}={lab.name}")
    (one,) = [each["Id"] for each in found if each["Names"] != [f"/{lab.name}-n1"]]
    return str(one)


def test_a_container_of_an_image_that_ends_at_once_is_quoted(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last lines say why, and whoever waits for it need not wait for long."""
    monkeypatch.setattr("chaos.providers.docker.sidecar.HOLD", "/bin/ls")
    monkeypatch.setattr("chaos.providers.docker.sidecar.LENT_S", 60.0)
    with pytest.raises(ProviderError, match=r"n1: the container of its image .* ended at once; it said: .*ls: .*sleep"):
        lab.place([of_an_image(), node("n2")])
    assert len(left(f"{connection.LAB}={lab.name}")) == NETWORKS


def test_a_container_that_cannot_be_started_is_said_in_the_engines_words(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaos.providers.docker.sidecar.HOLD", "/no/such/entry")
    with pytest.raises(
        ProviderError, match=r"n1: the container engine refused: .*/no/such/entry.*no such file"
    ) as said:
        lab.place([of_an_image()])
    assert "\n" not in str(said.value)
    assert len(left(f"{connection.LAB}={lab.name}")) == NETWORKS


def test_a_program_is_not_missed_when_the_container_that_lends_it_has_ended(lab: Lab) -> None:
    lab.place([of_an_image()])
    lab.spawn("n1", Spawn(name="true", argv=("true",)))
    connection.connect().remove_container(lender(lab), force=True)
    with pytest.raises(ProviderError, match=r"n1: the container of its image, which lends its programs, has ended"):
        lab.spawn("n1", Spawn(name="again", argv=("true",)))


def test_a_server_that_ends_at_once_is_quoted(lab: Lab) -> None:
    try:
        lab.software("redis")
    except ProviderError as problem:
        pytest.skip(str(problem))
    with pytest.raises(ServerError, match=r"n1 ended at its start: .*no-such-setting"):
        start_redis(lab, topology="standalone", settings={"no-such-setting": 1})


def test_a_name_that_somebody_has_taken_is_said_and_left_to_them(lab: Lab) -> None:
    api = connection.connect()
    foreign = api.create_container(recipes.SIDECAR, ["true"], name=f"{lab.name}-n1")["Id"]
    try:
        with pytest.raises(
            ProviderError, match=rf'n1: the container engine refused: .*name "/{lab.name}-n1" is already'
        ):
            lab.place([node("n1"), node("n2")])
        lab.close()
        assert left(f"{connection.LAB}={lab.name}") == []
        assert api.inspect_container(foreign)["State"]["Status"] == "created"
    finally:
        api.remove_container(foreign, force=True)


def test_a_janitor_that_has_ended_is_replaced_by_the_next_lab(lab: Lab, tmp_path: Path) -> None:
    """Else nobody would clean up after an engine that was started anew under a long test run."""
    api = connection.connect()
    (first,) = janitors()
    api.remove_container(first, force=True)
    wait_until(lambda: not janitors(), within_s=GONE_S, wanted="the janitor to be gone")
    DockerProvider().open(keep_at=str(tmp_path)).close()
    assert len(janitors()) == 1


def janitors() -> list[str]:
    """Those of this test process that are there."""
    chosen = {"label": [f"{janitor.ROLE}=janitor", f"{connection.OWNER}={os.getpid()}"]}
    return [one["Id"] for one in connection.connect().containers(filters=chosen)]


def test_what_the_engine_makes_after_the_end_is_removed_too() -> None:
    """A killed test process may have asked for a network a moment before: the engine makes it all the same."""
    api, session = connection.connect(), f"late-{os.getpid()}"
    janitor.life_line(api, session)
    janitor.let_go(session)
    api.create_network(f"chaos-{session}", labels=connection.labels(f"chaos-{session}", session))
    label = f"{connection.SESSION}={session}"
    wait_until(lambda: not left(label), within_s=2 * GONE_S, wanted="nothing left", seen=lambda: left(label))


VICTIM = """
import sys
from chaos.errors import ProviderError
from chaos.providers.docker import DockerProvider
from tests.conformance.talk import node, serve
lab = DockerProvider().open(keep_at=sys.argv[1])
lab.place([node("n1")])
serve(lab, "n1")
print(lab.name, flush=True)
input()
for act in (lambda: lab.freeze("n1"), lab.close, lambda: DockerProvider().open(keep_at=sys.argv[1])):
    try:
        act()
    except ProviderError as problem:
        print(problem, flush=True)
"""


def test_an_engine_that_dies_is_said_at_once_and_what_it_left_is_healed_when_it_is_back(tmp_path: Path) -> None:
    host = os.environ.get("DOCKER_HOST", connection.DEFAULT)
    if not host.startswith(connection.UNIX):
        pytest.skip(f"the engine at {host} has no socket to be cut off from")
    middle = str(tmp_path / "engine.sock")
    argv = [
        sys.executable,
        "-I",
        str(Path(__file__).with_name("middleman.py")),
        host.removeprefix(connection.UNIX),
        middle,
    ]
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    with subprocess.Popen(argv, **pipes) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == "ready\n"
        env = {**os.environ, "PYTHONPATH": str(Path.cwd()), "DOCKER_HOST": f"{connection.UNIX}{middle}"}
        with subprocess.Popen([sys.executable, "-c", VICTIM, str(tmp_path / "kept")], env=env, **pipes) as victim:
            assert victim.stdout is not None
            name = victim.stdout.readline().strip()
            engine.kill()
            engine.wait()
            said, complained = victim.communicate("\n", timeout=60)
    answer = r"the container engine does not answer \(Connection refused\); once it does, run: chaos heal"
    frozen, closed, opened = said.splitlines()
    for line, about in ((frozen, r"n1: its agent .*: "), (closed, "cleaning up: "), (opened, "the image .*: ")):
        assert re.fullmatch(about + answer, line)
    assert complained == ""
    assert f"{name}: left-over containers and networks removed" in heal()
    assert left(f"{connection.LAB}={name}") == []


def test_an_engine_that_says_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KNOCK_S", 0.1)
    where = tmp_path / "silent.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{where}")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(where))
        silent.listen()
        connection.connect.cache_clear()
        with pytest.raises(ProviderError, match=r"the container engine at unix://.*silent.sock is silent for 0\.1 s"):
            connection.connect()
