"""
The way to an engine, and what is said of one that is not there, is elsewhere, or does not do what it is asked to.
"""

import gc
import json
import socket
import subprocess
import sys
from pathlib import Path
from socketserver import StreamRequestHandler, UnixStreamServer
from threading import Thread
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

pytest.importorskip("docker")
pytest.importorskip("testcontainers")

from docker import APIClient
from docker.errors import APIError, NotFound

from chaos.errors import ProviderError
from chaos.providers import docker
from chaos.providers.docker import clean, connection, janitor
from chaos.providers.docker.connection import connect
from chaos.providers.docker.networks import lease
from tests.providers.fake_engine import FakeApi, api


def test_a_lab_takes_addresses_that_nobody_has() -> None:
    there = api(taken=3)
    found = lease(there, "chaos-1", {})
    assert there.made == ["chaos-1-data", "chaos-1-management"]
    assert found.planes.data.removeprefix("198.18.") == found.planes.management.removeprefix("198.19.")


def test_an_engine_without_free_addresses_says_what_helps() -> None:
    there = api(taken=10_000)
    with pytest.raises(ProviderError, match=r"no free network for a lab: all 127 places .*chaos heal"):
        lease(there, "chaos-1", {})
    assert there.made == []


def test_no_right_to_the_engine_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(where: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(connection, "_knock", refuse)
    connect.cache_clear()
    with pytest.raises(ProviderError, match=r"no right to use the container engine at .*usermod -aG docker"):
        connect()


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("unix:///none.sock", ""),
        ("tcp://127.0.0.1:1", ""),
        ("nonsense", r" \(Invalid bind address format: port is required: nonsense\)"),
        ("fd://", r" \(fd protocol is not implemented\)"),
    ],
)
def test_no_engine_is_one_sentence(monkeypatch: pytest.MonkeyPatch, host: str, why: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    connect.cache_clear()
    with pytest.raises(ProviderError, match=rf"^no container engine answers at {host}{why}; start one [^\n]*$"):
        connect()


def test_healing_says_that_it_could_not_look_where_an_engine_is_meant_to_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An engine that has died may hold what a run left; a machine without one holds nothing."""
    connect.cache_clear()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(
        ProviderError, match="left-over containers cannot be looked for: no container engine answers at"
    ):
        docker.heal()
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setattr(connection, "DEFAULT", f"unix://{tmp_path}/none.sock")
    monkeypatch.setattr(connection, "get_docker_host", lambda: None)
    assert docker.heal() == []


def test_an_absent_library_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Either of the two alone is not enough."""
    monkeypatch.setattr(docker, "find_spec", lambda name: None if name == "testcontainers" else object())
    assert docker.DockerProvider().missing() == docker.NO_LIBRARIES
    with pytest.raises(ProviderError, match=r"pip install 'middleware-chaos\[docker\]'"):
        docker.DockerProvider().open(keep_at="nowhere")
    assert docker.heal() == []


def test_an_engine_that_dies_is_one_sentence_and_leaves_no_socket_open(tmp_path: Path) -> None:
    """The libraries' own words are a page long, and their sockets would be complained of in some other test."""

    def open_sockets() -> int:
        return sum(isinstance(each, socket.socket) and each.fileno() >= 0 for each in gc.get_objects())

    before, dead = open_sockets(), APIClient(base_url=f"unix://{tmp_path}/none.sock", version="1.41")
    with pytest.raises(ProviderError) as said, connection.blamed("cleaning up"):
        dead.containers()
    answer = "the container engine does not answer (No such file or directory); once it does, run: chaos heal"
    assert str(said.value) == f"cleaning up: {answer}"
    assert said.value.__suppress_context__
    assert open_sockets() == before


def test_a_container_that_the_engine_only_believes_in_is_no_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """docker.io 20.10 lists one for ever when it was killed in the middle of its removal."""
    marks = {**connection.labels("chaos-1", "s"), connection.OWNER: "0"}
    there = FakeApi(containers=[{"Id": "g", "State": "dead", "Labels": marks}])
    monkeypatch.setattr(clean, "connect", lambda: there)
    assert clean.heal() == []
    there.listed[0]["State"] = "exited"
    assert clean.heal() == ["chaos-1: left-over containers and networks removed"]


@pytest.mark.parametrize(
    ("where", "elsewhere"),
    [
        ("unix:///var/run/docker.sock", False),
        ("http+unix:///var/run/docker.sock", False),
        ("tcp://127.0.0.1:2375", False),
        ("tcp://127.3.2.1:2375", False),
        ("tcp://localhost:2376", False),
        ("tcp://[::1]:2375", False),
        ("ssh://me@localhost", False),
        ("tcp://198.18.0.9:2375", True),
        ("https://engine.example:2376", True),
        ("tcp://docker:2375", True),
        ("ssh://me@engine.example", True),
        ("ssh://engine.example:22", True),
    ],
)
def test_an_engine_whose_ports_open_elsewhere_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, where: str, elsewhere: bool
) -> None:
    """It publishes them on its own loopback; before anything is asked of it."""
    assert connection.is_elsewhere(where) is elsewhere
    if elsewhere:
        monkeypatch.setattr(connection, "get_docker_host", lambda: where)
        connect.cache_clear()
        with pytest.raises(ProviderError, match=r"publishes ports on the loopback of its own machine") as refused:
            connect()
        assert where in str(refused.value)


def test_a_named_pipe_is_refused_with_the_ways_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Docker Desktop listens on under Windows."""
    monkeypatch.setattr(connection, "get_docker_host", lambda: "npipe:////./pipe/docker_engine")
    connect.cache_clear()
    with pytest.raises(ProviderError, match=r"named pipe .*WSL 2.*tcp://localhost:2375"):
        connect()


@pytest.mark.parametrize(
    ("host", "override", "platform", "system", "there"),
    [
        (None, None, "linux", "Debian", "/var/run/docker.sock"),
        ("unix:///var/run/docker.sock", None, "linux", "Debian", "/var/run/docker.sock"),
        ("unix:///run/user/1000/docker.sock", None, "linux", "Debian", "/run/user/1000/docker.sock"),
        ("unix:///home/me/.docker/desktop/docker.sock", None, "linux", "Docker Desktop", "/var/run/docker.sock"),
        ("unix:///Users/me/.colima/default/docker.sock", None, "darwin", "Ubuntu", "/var/run/docker.sock"),
        ("unix:///Users/me/.docker/run/docker.sock", None, "darwin", "Docker Desktop", "/var/run/docker.sock"),
        ("tcp://localhost:2375", None, "linux", "Debian", "/var/run/docker.sock"),
        ("unix:///run/mine.sock", "/its/own.sock", "linux", "Debian", "/its/own.sock"),
    ],
)
def test_the_janitor_finds_the_engines_socket_on_the_engines_own_machine(
    monkeypatch: pytest.MonkeyPatch, host: str | None, override: str | None, platform: str, system: str, there: str
) -> None:
    """The path by which we reach the engine of a virtual machine means nothing inside it."""
    engine: Any = SimpleNamespace(info=lambda: {"OperatingSystem": system})
    monkeypatch.setattr(connection, "get_docker_host", lambda: host)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv(janitor.OVERRIDE, raising=False)
    if override:
        monkeypatch.setenv(janitor.OVERRIDE, override)
    assert janitor.socket_of_engine(engine) == there


class Stubborn:
    """An engine that holds on to a network, as one does that lost count of what is attached to it."""

    def networks(self, filters: Any) -> list[dict[str, Any]]:
        marks = {connection.OWNER: str(2**22 + 1), connection.HOST: connection.here()}
        labs = {f"chaos-{name}": {**marks, connection.LAB: f"chaos-{name}"} for name in ("kept", "let-go")}
        chosen = filters["label"].partition("=")[2]
        return [{"Name": lab, "Labels": labels} for lab, labels in labs.items() if chosen in ("", lab)]

    def containers(self, **_: Any) -> list[dict[str, Any]]:
        return []

    def volumes(self, **_: Any) -> dict[str, Any]:
        return {"Volumes": None}

    def remove_network(self, name: str) -> None:
        if name == "chaos-kept":
            raise APIError("Forbidden", explanation="network chaos-kept has active endpoints")
        raise NotFound("gone")

    def inspect_network(self, name: str) -> dict[str, Any]:
        return {"Name": name, "Containers": self.attached}

    attached: ClassVar[dict[str, Any]] = {}


def test_a_lab_that_the_engine_does_not_let_go_of_keeps_no_other_from_being_healed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What stays is named, with the engine's own words."""
    monkeypatch.setattr(clean, "connect", Stubborn)
    monkeypatch.setattr(clean, "GONE_S", 0.05)
    with pytest.raises(ProviderError) as said:
        clean.heal()
    kept, told = str(said.value), "; chaos-let-go: left-over containers and networks removed"
    assert kept.startswith("chaos-kept: not all of it could be removed; wanted: the network chaos-kept to be gone")
    assert "last seen: network chaos-kept has active endpoints, though no container is on it; it goes when" in kept
    assert kept.endswith(told)


@pytest.mark.parametrize(
    ("attached", "kind"),
    [({}, clean.HeldOnError), ({"c1": {}}, ProviderError)],
    ids=["nothing on it", "a container on it"],
)
def test_a_network_is_held_on_to_only_if_nothing_is_on_it(
    monkeypatch: pytest.MonkeyPatch, attached: dict[str, Any], kind: type[Exception]
) -> None:
    """One with a container on it is a leak of ours."""
    monkeypatch.setattr(clean, "GONE_S", 0.05)
    monkeypatch.setattr(Stubborn, "attached", attached)
    engine: Any = Stubborn()
    with pytest.raises(ProviderError, match="chaos-kept has active endpoints") as said:
        clean.remove(engine, containers=[], networks=["chaos-kept", "chaos-let-go"])
    assert type(said.value) is kind


class BusyEngine(StreamRequestHandler):
    """Hangs up on whoever asks first; then it has one network, until that is removed."""

    asked: ClassVar[list[str]] = []

    def handle(self) -> None:
        method, path, _ = self.rfile.readline().decode().split()
        self.asked.append(f"{method} {path.partition('?')[0]}")
        if len(self.asked) == 1:
            return
        answers: dict[str, object] = {"GET /containers/json": [], "GET /volumes": {"Volumes": None}}
        answers["GET /networks"] = [] if "DELETE /networks/late" in self.asked else [{"Id": "late", "Labels": {}}]
        body = json.dumps(answers.get(self.asked[-1], {})).encode()
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def test_a_janitor_whose_engine_fails_it_tries_again(tmp_path: Path) -> None:
    """An engine with much to do may not answer in time, just when a big lab is to be removed."""
    where = str(tmp_path / "engine.sock")
    with UnixStreamServer(where, BusyEngine) as engine:
        Thread(target=engine.serve_forever, args=(0.01,), daemon=True).start()
        argv = [sys.executable, "-I", "-c", janitor.PROGRAM, "session=1", connection.LAB, where, "0", "20"]
        done = subprocess.run(argv, input="", capture_output=True, text=True, timeout=30, check=False)
        engine.shutdown()
    assert (done.returncode, done.stdout, done.stderr) == (0, "ready\n", "")
    assert "DELETE /networks/late" in BusyEngine.asked
