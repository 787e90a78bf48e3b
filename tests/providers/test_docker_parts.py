"""
What the docker provider does without an engine: its stream, its archives, its names, its sentences.
"""

import io
import json
import os
import socket
import struct
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("docker")
pytest.importorskip("testcontainers")

from docker.errors import APIError, ImageNotFound, NotFound

from chaos import __version__
from chaos.errors import MissingAbilityError, MissingSoftwareError, ProviderError, UsageError
from chaos.providers.agent import sidecar
from chaos.providers.agent.stream import Pipes
from chaos.providers.docker import clean, connection, images, janitor, sources
from chaos.providers.docker.attach import AttachStream
from chaos.providers.docker.connection import connect
from chaos.providers.docker.networks import lease


def frame(kind: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", kind, len(data)) + data


@pytest.fixture
def ends() -> Any:
    """The engine's end of an attached socket, and our stream."""
    theirs, ours = socket.socketpair()
    stream = AttachStream(ours)
    yield theirs, stream
    stream.close()
    theirs.close()


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_messages_are_found_however_the_engine_cuts_them(ends: Any, piece: int) -> None:
    """Half a header, half a line, two lines in one frame, and words of stderr in between."""
    theirs, stream = ends
    lines = [{"id": 1, "text": "x" * 40}, {"id": 2}, {"id": 3}]
    whole = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    data = frame(1, whole[:10]) + frame(2, b"a warning\nanother\n") + frame(1, b"") + frame(1, whole[10:])
    for start in range(0, len(data), piece):
        theirs.sendall(data[start : start + piece])
    assert [stream.receive(1) for _ in lines] == lines
    assert list(stream.words) == ["a warning", "another"]


def test_an_ended_container_ends_the_conversation(ends: Any) -> None:
    theirs, stream = ends
    with pytest.raises(TimeoutError):
        stream.receive(0)
    theirs.close()
    assert stream.receive(1) is None


def test_what_is_sent_goes_as_it_is_and_no_descriptor_with_it(ends: Any) -> None:
    theirs, stream = ends
    stream.send({"id": 1})
    assert theirs.recv(100) == b'{"id":1}\n'
    with pytest.raises(OSError, match="no file descriptor"):
        stream.send({"id": 2}, (0,))


def test_an_agent_talks_over_two_pipes() -> None:
    """As a container's first process does, and hears that the other side is gone."""
    (incoming, say), (hear, outgoing) = os.pipe(), os.pipe()
    pipes = Pipes(incoming, outgoing)
    os.write(say, b'{"id":1}\n{"id"')
    assert pipes.receive(1) == {"id": 1}
    with pytest.raises(TimeoutError):
        pipes.receive(0)
    os.write(say, b":2}\n")
    assert pipes.receive(1) == {"id": 2}
    pipes.send({"id": 2, "results": []})
    assert os.read(hear, 100) == b'{"id":2,"results":[]}\n'
    with pytest.raises(OSError, match="no file descriptor leaves"):
        pipes.send({"id": 3}, (0,))
    os.close(say)
    assert pipes.receive(1) is None
    pipes.close()
    os.close(hear)


@pytest.mark.parametrize(
    ("shown", "wanted"), [("7000-7001\n", "7000,7001"), ("32768\t60999\n", "32768 60999"), ("\n", ""), ("1\n", "1")]
)
def test_a_setting_is_the_same_however_the_kernel_writes_it(shown: str, wanted: str) -> None:
    assert sidecar.numbers(shown) == sidecar.numbers(wanted)
    assert sidecar.numbers(shown) != sidecar.numbers("2")


def names(archive: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return set(opened.getnames())


def test_the_agent_goes_into_a_container_whole() -> None:
    found = names(sources.agent_archive())
    assert {"opt/chaos/agent/sidecar.py", "opt/chaos/agent/party.py", "opt/chaos/agent/stream.py"} <= found


def test_a_worker_finds_the_library_the_users_modules_and_what_they_import(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import json\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "inner.py").write_text("")
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    (tmp_path / ".venv" / "lib" / "alien.py").write_text("")
    site = next(entry for entry in sys.path if entry.endswith("site-packages"))
    found = names(sources.code_archive(("redis",), (str(tmp_path), site)))
    code = sources.CODE.removeprefix("/")
    assert {f"{code}/{name}" for name in ("mine.py", "package/inner.py", "chaos/workloads/worker.py")} <= found
    assert f"{code}/redis/client.py" in found
    assert not [name for name in found if "alien" in name or name.endswith(".so") or "/hypothesis/" in name]


class FakeApi:
    """An engine with these images and these networks."""

    def __init__(self, *tags: str, taken: int = 0) -> None:
        self.tags, self.taken, self.networks = tags, taken, list[str]()

    def inspect_image(self, name: str) -> dict[str, Any]:
        if name not in self.tags:
            raise ImageNotFound("no such image")
        return {"Config": {"Env": ["PATH=/bin", "A=b=c"]}}

    def images(self) -> list[dict[str, Any]]:
        return [{"RepoTags": [tag]} for tag in self.tags] + [{"RepoTags": None}]

    def create_network(self, name: str, **options: Any) -> None:
        if self.taken:
            self.taken -= 1
            raise APIError("Pool overlaps with other one on this address space")
        self.networks.append(name)

    def remove_network(self, name: str) -> None:
        self.networks.remove(name)


def api(*tags: str, taken: int = 0) -> Any:
    return FakeApi(*tags, taken=taken)


@pytest.mark.parametrize(
    ("wanted", "version"), [(None, "7.10.1"), ("7", "7.10.1"), ("7.2", "7.2.4"), ("6.2", "6.2.14"), ("7.2.4", "7.2.4")]
)
def test_the_newest_version_that_answers_is_chosen(wanted: str | None, version: str) -> None:
    there = api(
        "redis:7.2.4", "redis:7.10.1", "middleware-chaos/redis:6.2.14", "redis:latest", "redis:8.0-rc1", "other:9"
    )
    found = images.software(there, "redis", wanted)
    assert (found.version, found.program) == (version, Path("redis-server"))


def test_a_tag_with_a_prefix_is_a_version_all_the_same() -> None:
    assert images.software(api("gcr.io/etcd-development/etcd:v3.6.16"), "etcd", "3.6").version == "3.6.16"


def test_a_missing_image_is_said_with_both_ways_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingSoftwareError, match=r"docker pull redis:7 .*docker load"):
        images.software(api("redis:6.2.1"), "redis", "7")
    monkeypatch.setenv(images.MIRROR, "mirror.example/hub/")
    with pytest.raises(MissingSoftwareError, match=r"docker pull mirror.example/hub/redis:7\.0"):
        images.resolve(api(), "redis:7.0")
    with pytest.raises(
        MissingSoftwareError, match=rf"sidecar:{__version__} is not installed; run: chaos install image:sidecar"
    ):
        images.sidecar_image(api())


def test_a_version_that_can_be_built_here_is_said_with_that_command() -> None:
    with pytest.raises(MissingSoftwareError, match=r"an image of etcd 3\.4 .*v3\.4 .*chaos install image:etcd=3\.4\)"):
        images.software(api(), "etcd", "3.4")
    with pytest.raises(UsageError, match="the image redis is built in one version only"):
        images.build(api(), "redis", "6.2")
    with pytest.raises(UsageError, match="no recipe for an image 'nothing'; there are: sidecar, redis, etcd"):
        images.build(api(), "nothing")


def test_an_image_is_taken_as_it_is_from_the_mirror_or_as_built_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(images.MIRROR, "mirror.example")
    built, mirrored = "middleware-chaos/etcd:v3", "mirror.example/gcr.io/etcd-development/etcd:v3"
    official = "gcr.io/etcd-development/etcd:v3"
    assert images.resolve(api(built, mirrored, official), official) == official
    assert images.resolve(api(built, mirrored), official) == mirrored
    assert images.resolve(api(built), official) == built


def test_a_system_without_an_image_is_skipped_by_name() -> None:
    with pytest.raises(MissingAbilityError, match=r"kafka is not available here: .*images of redis"):
        images.software(api(), "kafka", None)


def test_an_images_variables_are_its_programs_variables() -> None:
    assert images.environment(api("redis:7"), "redis:7") == {"PATH": "/bin", "A": "b=c"}


def test_a_lab_takes_addresses_that_nobody_has() -> None:
    there = api(taken=3)
    found = lease(there, "chaos-1", {})
    assert there.networks == ["chaos-1-data", "chaos-1-management"]
    assert found.planes.data.removeprefix("198.18.") == found.planes.management.removeprefix("198.19.")


def test_an_engine_without_free_addresses_says_what_helps() -> None:
    there = api(taken=10_000)
    with pytest.raises(ProviderError, match=r"no free network in 198\.18\.0\.0/15 .*chaos heal"):
        lease(there, "chaos-1", {})
    assert there.networks == []


def test_no_right_to_the_engine_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(where: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(connection, "_knock", refuse)
    connect.cache_clear()
    with pytest.raises(ProviderError, match=r"no right to use the container engine at .*usermod -aG docker"):
        connect()


def test_no_engine_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    connect.cache_clear()
    with pytest.raises(ProviderError, match=r"no container engine answers at unix://.*/none\.sock; start one"):
        connect()


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
    monkeypatch.setattr(janitor, "get_docker_host", lambda: host)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv(janitor.OVERRIDE, raising=False)
    if override:
        monkeypatch.setenv(janitor.OVERRIDE, override)
    assert janitor.socket_of_engine(engine) == there


class Stubborn:
    """An engine that holds on to a network, as one does that lost count of what is attached to it."""

    def networks(self, filters: Any) -> list[dict[str, Any]]:
        marks = {connection.OWNER: str(2**22 + 1), connection.HOST: socket.gethostname()}
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


def test_a_lab_that_the_engine_does_not_let_go_of_keeps_no_other_from_being_healed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What stays is named, with the engine's own words."""
    monkeypatch.setattr(clean, "connect", Stubborn)
    monkeypatch.setattr(clean, "GONE_S", 0.05)
    kept, let_go = clean.heal()
    assert let_go == "chaos-let-go: left-over containers and networks removed"
    assert kept.startswith("chaos-kept: not all of it could be removed; wanted: the network chaos-kept to be gone")
    assert "last seen: network chaos-kept has active endpoints" in kept
    assert kept.endswith("a restart of the container engine helps")
