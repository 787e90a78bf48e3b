"""
What the docker provider is made of that needs no engine: its stream, its agent's pipes, its archives.
"""

import io
import json
import os
import socket
import struct
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("docker")
pytest.importorskip("testcontainers")

from chaos.providers.agent import sidecar
from chaos.providers.agent.stream import Pipes
from chaos.providers.docker import sources
from chaos.providers.docker.attach import AttachStream
from chaos.providers.docker.imports import needs
from chaos.providers.docker.programs import python_program


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
