"""
What the docker provider does without an engine: its stream, its archives, its names, its sentences.
"""

import base64
import gc
import io
import json
import os
import socket
import struct
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from socketserver import StreamRequestHandler, UnixStreamServer
from threading import Thread
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

pytest.importorskip("docker")
pytest.importorskip("testcontainers")

from docker import APIClient
from docker.errors import APIError, ImageNotFound, NotFound

from chaos import __version__
from chaos.errors import MissingAbilityError, MissingSoftwareError, ProviderError, UsageError
from chaos.providers import docker
from chaos.providers.agent import sidecar
from chaos.providers.agent.stream import Pipes
from chaos.providers.docker import IMAGES, clean, connection, images, janitor, recipes, sources
from chaos.providers.docker.attach import AttachStream
from chaos.providers.docker.connection import connect
from chaos.providers.docker.imports import needs
from chaos.providers.docker.networks import lease
from chaos.providers.docker.programs import python_program
from chaos.servers.images import checked


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
    (tmp_path / "package" / "words.txt").write_text("hello")
    (tmp_path / "package" / "film.mkv").write_bytes(bytes(sources.DATA_BYTES + 1))
    (tmp_path / "package" / ".secret").write_text("x")
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    (tmp_path / ".venv" / "lib" / "alien.py").write_text("")
    site = next(entry for entry in sys.path if entry.endswith("site-packages"))
    found = names(sources.code_archive((str(tmp_path), site)))
    code = sources.CODE.removeprefix("/")
    assert {f"{code}/{name}" for name in ("mine.py", "package/inner.py", "package/words.txt")} <= found
    assert f"{code}/chaos/workloads/worker.py" in found
    assert not [name for name in found if name.endswith((".mkv", ".secret"))]
    assert not [name for name in found if "alien" in name or name.endswith(".so") or "/hypothesis/" in name]


def test_a_worker_gets_the_libraries_that_its_modules_use_and_what_these_require(tmp_path: Path) -> None:
    """Found in the source, in functions and by name too; other things that happen to be installed stay here."""
    (tmp_path / "mine.py").write_text("import os\nimport other\n\ndef work():\n    import redis.asyncio\n")
    (tmp_path / "other.py").write_text("NAME = 'late.sub'\n")
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "__init__.py").write_text("")
    (tmp_path / "late" / "sub.py").write_text("from . import helper\n")
    (tmp_path / "late" / "helper.py").write_text("from rich import print\n")
    found = needs("mine", (str(tmp_path),))
    assert {"redis", "rich", "pygments"} <= found
    assert not {"pytest", "hypothesis", "docker", "middleware-chaos"} & found
    assert needs("nowhere", (str(tmp_path),)) == frozenset()
    assert "redis" in needs("chaos.workloads.redis_sets", ())
    assert not {"pytest", "rich", "docker", "numpy"} & needs("chaos.workloads.worker", ())


def test_a_python_program_of_ones_own_is_told_as_a_container_finds_it(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text("import redis")
    given = [sys.executable, "-u", "-W", "error", str(script), "--port", "1"]
    found = python_program(given, "/code")
    assert found is not None
    assert found.argv == ("python3", "-u", "-W", "error", "/code/worker.py", "--port", "1")
    assert (found.module, found.script) == ("worker", script)
    for told in (["python3", "-m", "mine", "x"], ["python", "-c", "pass"], [sys.executable, "/not/here.py"]):
        found = python_program(told, "/code")
        assert found is not None
        assert found.argv == ("python3", *told[1:])
        assert found.module == ("mine" if "-m" in told else "")
    assert python_program(["java", "-jar", str(script)], "/code") is None


def test_compiled_parts_go_only_to_a_python_that_can_load_them() -> None:
    source, whole = (names(sources.libraries_archive(frozenset({"aiokafka"}), compiled=each)) for each in (False, True))
    assert whole - source
    assert all(".so" in name for name in whole - source)
    assert not [name for name in whole if name.endswith((".pyc", ".pyi"))]


class FakeApi:
    """An engine with these images and these networks."""

    def __init__(self, *tags: str, taken: int = 0, containers: Sequence[dict[str, Any]] = ()) -> None:
        self.tags, self.taken, self.made, self.listed = tags, taken, list[str](), containers
        self.left: list[str] = []

    def containers(self, **chosen: Any) -> Sequence[dict[str, Any]]:
        return self.listed

    def networks(self, **chosen: Any) -> list[dict[str, Any]]:
        return []

    def volumes(self, **chosen: Any) -> dict[str, Any]:
        return {}

    def inspect_container(self, name: str) -> None:
        raise NotFound("no such container")

    def remove_container(self, name: str, **how: Any) -> None:
        if name not in self.left:
            raise NotFound("no such container")
        self.left.remove(name)

    def inspect_image(self, name: str) -> dict[str, Any]:
        if name not in self.tags:
            raise ImageNotFound("no such image")
        return {"Config": {"Env": ["PATH=/bin", "A=b=c"]}}

    says, code = "server v=7.0.99 sha=0", 0

    def create_host_config(self, **options: Any) -> dict[str, Any]:
        return options

    def create_container(self, image: str, command: list[str], **options: Any) -> str:
        self.left.append(image)
        return image

    def start(self, made: str) -> None:
        if not self.says:
            raise APIError('exec: "redis-server": executable file not found in $PATH')

    def wait(self, made: str, timeout: float) -> dict[str, int]:
        return {"StatusCode": self.code}

    def logs(self, made: str, *, stdout: bool, stderr: bool) -> bytes:
        return self.says.encode()

    def images(self) -> list[dict[str, Any]]:
        return [{"RepoTags": [tag]} for tag in self.tags] + [{"RepoTags": None}]

    def create_network(self, name: str, **options: Any) -> None:
        if self.taken:
            self.taken -= 1
            raise APIError("Pool overlaps with other one on this address space")
        self.made.append(name)

    def remove_network(self, name: str) -> None:
        self.made.remove(name)


def api(*tags: str, taken: int = 0) -> Any:
    return FakeApi(*tags, taken=taken)


@pytest.mark.parametrize(
    ("wanted", "version"), [(None, "7.0.15"), ("7", "7.10.1"), ("7.2", "7.2.4"), ("6.2", "6.2.14"), ("7.2.4", "7.2.4")]
)
def test_the_default_version_is_chosen_or_the_newest_that_answers(wanted: str | None, version: str) -> None:
    there = api(
        "redis:7.2.4",
        "redis:7.0.15",
        "redis:7.10.1",
        "middleware-chaos/redis:6.2.14",
        "redis:latest",
        "redis:8.0-rc1",
        "other:9",
    )
    found = images.software(there, "redis", wanted)
    assert (found.version, found.program) == (version, Path("redis-server"))


def test_a_tag_with_a_prefix_is_a_version_all_the_same() -> None:
    assert images.software(api("gcr.io/etcd-development/etcd:v3.6.16"), "etcd", "3.6").version == "3.6.16"


def test_a_missing_image_is_said_with_both_ways_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        MissingSoftwareError, match=r"docker pull redis:7\.0 .*docker load.*or chaos install image:redis\)"
    ):
        images.software(api("redis:6.2.1"), "redis", "7")
    with pytest.raises(MissingSoftwareError, match=r"docker pull redis:8\.2 \(.*docker load it here\)"):
        images.software(api("redis:6.2.1"), "redis", "8.2")
    monkeypatch.setenv(images.MIRROR, "mirror.example/hub/")
    with pytest.raises(MissingSoftwareError, match=r"docker pull mirror.example/hub/redis:7\.0"):
        images.resolve(api(), "redis:7.0")
    with pytest.raises(
        MissingSoftwareError, match=rf"sidecar:{__version__} is not installed; run: chaos install image:sidecar"
    ):
        images.sidecar_image(api())


def test_a_version_that_can_be_built_here_is_said_with_that_command() -> None:
    with pytest.raises(
        MissingSoftwareError, match=r"an image of etcd 3\.4 .*v3\.4\.23 .*chaos install image:etcd=3\.4\)"
    ):
        images.software(api(), "etcd", "3.4")
    with pytest.raises(UsageError, match="the image redis is built in one version only"):
        recipes.build(api(), "redis", "6.2")
    with pytest.raises(UsageError, match="no recipe for an image 'nothing'; there are: sidecar, redis, etcd"):
        recipes.build(api(), "nothing")
    assert list(IMAGES) == list(recipes.RECIPES)  # The names are known without the libraries that a recipe needs.


def test_an_image_is_taken_as_it_is_from_the_mirror_or_as_built_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(images.MIRROR, "mirror.example")
    built, mirrored = "middleware-chaos/etcd:v3", "mirror.example/gcr.io/etcd-development/etcd:v3"
    official = "gcr.io/etcd-development/etcd:v3"
    assert images.resolve(api(built, mirrored, official), official) == official
    assert images.resolve(api(built, mirrored), official) == mirrored
    assert images.resolve(api(built), official) == built


def test_a_tag_that_is_only_half_a_version_is_asked_for_the_rest() -> None:
    there = api("redis:7.0")
    assert images.software(there, "redis", None).version == "7.0.99"
    assert not there.left


def test_an_image_of_ones_own_is_taken_wherever_its_version_answers() -> None:
    there = api("mine/redis:patched", "redis:6.2.14")
    chosen = {"redis": "mine/redis:patched"}
    for wanted in (None, "7", "7.0.99"):
        found = images.software(there, "redis", wanted, chosen)
        assert (found.image, found.version) == ("mine/redis:patched", "7.0.99")
    assert images.software(there, "redis", "6.2", chosen).image == "redis:6.2.14"
    with pytest.raises(
        MissingSoftwareError, match=r"of redis 6\.0 \(mine/redis:patched was chosen, and is 7\.0\.99\) is not"
    ):
        images.software(there, "redis", "6.0", chosen)
    with pytest.raises(MissingSoftwareError, match="image mine/redis:other is not installed; run: docker pull mine"):
        images.software(there, "redis", None, {"redis": "mine/redis:other"})


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"reddis": "redis:7"}, "no image to choose for 'reddis'; there is for redis, valkey, etcd, kafka"),
        ({"redis": "redis"}, "needs a tag or a digest, and latest is none"),
        ({"redis": "registry.example:5000/redis"}, "needs a tag or a digest"),
        ({"redis": "redis:latest"}, "latest is none"),
    ],
)
def test_an_image_that_may_be_another_one_tomorrow_is_refused(chosen: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        checked(chosen)
    good = {"redis": "registry.example:5000/redis:7.2", "etcd": "e@sha256:0123"}
    assert checked(good) == good


def test_an_image_whose_program_does_not_run_is_quoted() -> None:
    there = api("mine/redis:broken")
    there.code, there.says = 127, "first\nredis-server: not found"
    with pytest.raises(
        ProviderError, match=r"the image mine/redis:broken ran redis-server and failed with 127: .*not found"
    ):
        images.software(there, "redis", None, {"redis": "mine/redis:broken"})
    there = api("mine/redis:empty")
    there.says = ""
    with pytest.raises(
        ProviderError, match="the image mine/redis:empty has no redis-server, so it is none of this system"
    ):
        images.software(there, "redis", None, {"redis": "mine/redis:empty"})
    assert not there.left
    there = api("mine/redis:strange")
    there.says = "hello"
    with pytest.raises(ProviderError, match="does not say its version but: 'hello'"):
        images.software(there, "redis", None, {"redis": "mine/redis:strange"})
    assert not there.left


def test_what_an_image_makes_once_is_beside_its_program() -> None:
    there = api("apache/kafka:4.4.0")
    there.says = base64.b64encode(b"records\0").decode()
    found = images.software(there, "kafka", "4")
    assert found.beside("format.checkpoint") == b"records\0"
    assert found.argv("server.properties")[::4] == ("sh", "server.properties")


def test_each_offered_version_is_shown_with_the_image_that_would_be_taken() -> None:
    there = images.taken(api("redis:7.0.15", "redis:7.2.4", "middleware-chaos/etcd:v3.5.1", "redis:latest"))
    assert there == {("redis", "7.0"): "redis:7.0.15", ("etcd", "3.5.1"): "middleware-chaos/etcd:v3.5.1"}


def test_a_system_without_an_image_is_skipped_by_name() -> None:
    with pytest.raises(
        MissingAbilityError, match=r"node is not available here: the docker provider has no image of it"
    ):
        images.software(api(), "node", None)


def test_an_images_variables_are_its_programs_variables() -> None:
    assert images.environment(api("redis:7"), "redis:7") == {"PATH": "/bin", "A": "b=c"}


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
    monkeypatch.setattr(janitor, "get_docker_host", lambda: host)
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
    assert "last seen: network chaos-kept has active endpoints; where no container is on it" in kept
    assert kept.endswith(told)


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
        program = janitor.PROGRAM.replace("/engine.sock", where)
        argv = [sys.executable, "-I", "-c", program, "session=1", connection.LAB]
        done = subprocess.run(argv, input="", capture_output=True, text=True, timeout=30, check=False)
        engine.shutdown()
    assert (done.returncode, done.stdout, done.stderr) == (0, "ready\n", "")
    assert "DELETE /networks/late" in BusyEngine.asked
