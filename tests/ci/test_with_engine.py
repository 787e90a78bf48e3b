"""
CI's engine of its own, with stand-ins for Docker: what it does with the command, and that nothing of it is left.
"""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

import pytest

from chaos.wait import wait_until

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "with-engine"
NOWHERE = "unix:///nowhere/docker.sock"
WITHIN_S = 60
Begin = Callable[[str], "subprocess.Popen[bytes]"]
STAND_INS = {
    "apt-get": "true",
    "debootstrap": 'echo made >"$3/file"',
    "slirp4netns": "echo 1 >&3; exec tail -f /dev/null",
    "dockerd": "exec tail -f /dev/null",
    "docker": 'case "$1" in import) cat >/dev/null ;; esac',
}

pytestmark = pytest.mark.skipif(
    Path(sys.prefix) != ROOT / ".venv", reason="the script asks the environment of make, and this is another one"
)


class Engine(ThreadingMixIn, UnixStreamServer):
    """An engine that says that it is there."""

    daemon_threads = True


class Answer(BaseHTTPRequestHandler):
    """What docker-py asks before anything else."""

    def do_GET(self) -> None:
        body = b'{"ApiVersion": "1.41"}' if self.path.endswith("/version") else b"OK"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    """The address of an engine that answers."""
    with Engine(str(tmp_path / "engine.sock"), Answer) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield f"unix://{tmp_path}/engine.sock"
        server.shutdown()
        serving.join()


@pytest.fixture
def stand_ins(tmp_path: Path) -> Path:
    """A folder of programs that stand in for those of the packages; for root, who alone can make an engine's namespaces."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in STAND_INS.items():
        put(folder / name, text)
    return folder


def put(program: Path, text: str) -> None:
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def environment(tmp_path: Path, engine: str) -> dict[str, str]:
    (tmp_path / "tmp").mkdir(exist_ok=True)
    path = f"{tmp_path / 'programs'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "DOCKER_HOST": engine, "TMPDIR": str(tmp_path / "tmp")}


def ask(tmp_path: Path, *command: str, engine: str = NOWHERE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environment(tmp_path, engine),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )


def folders(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "tmp").iterdir())


def held(folder: Path) -> bool:
    """Whether anything inside still runs: all of it holds the folder."""
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(place)
    return False


@pytest.fixture
def begin(tmp_path: Path, stand_ins: Path) -> Iterator[Begin]:
    """Start the script with a command that does not end; returns once that runs."""
    running: list[subprocess.Popen[bytes]] = []

    def begun(name: str) -> subprocess.Popen[bytes]:
        started = subprocess.Popen(
            [SCRIPT, "sh", "-c", f"touch {tmp_path / name}; exec tail -f /dev/null"],
            env=environment(tmp_path, NOWHERE),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        running.append(started)
        wait_until((tmp_path / name).exists, within_s=WITHIN_S, wanted="the command to run")
        return started

    yield begun
    for one in running:
        one.terminate()
        one.wait(WITHIN_S)


def test_an_engine_that_answers_is_the_one_that_is_used(tmp_path: Path, engine: str) -> None:
    """The command sees the address it had, and nothing else is done."""
    done = ask(tmp_path, str(SCRIPT), "sh", "-c", "echo $DOCKER_HOST; exit 7", engine=engine)
    assert (done.returncode, done.stdout, done.stderr) == (7, f"{engine}\n", "")


def test_without_an_engine_the_command_gets_one_in_a_network_of_its_own(tmp_path: Path, stand_ins: Path) -> None:
    """It ends with the command's code, and nothing of it is left."""
    done = ask(tmp_path, str(SCRIPT), "sh", "-c", "echo $DOCKER_HOST; readlink /proc/self/ns/net; exit 7")
    assert done.returncode == 7, done.stderr
    host, network = done.stdout.split()
    assert host.startswith(f"unix://{tmp_path}/tmp/chaos-engine.")
    assert network != str(Path("/proc/self/ns/net").readlink())
    assert "== engine: starting dockerd ... " in done.stderr
    assert folders(tmp_path) == []


def test_what_an_engine_writes_beside_its_own_folders_goes_with_it(tmp_path: Path, stand_ins: Path) -> None:
    """Its key below /etc, its shims' sockets below /run."""
    done = ask(tmp_path, str(SCRIPT), "sh", "-c", "touch /etc/chaos-key /run/chaos-shim && cat /etc/resolv.conf")
    assert (done.returncode, done.stdout) == (0, "nameserver 198.19.255.3\n"), done.stderr
    assert not Path("/etc/chaos-key").exists()
    assert not Path("/run/chaos-shim").exists()


def test_an_engine_that_does_not_start_is_one_sentence_and_a_failure(tmp_path: Path, stand_ins: Path) -> None:
    """With its last words; a run that tested nothing on containers is not green."""
    put(stand_ins / "dockerd", "echo 'no such cgroup'; exit 1")
    put(stand_ins / "docker", "exit 1")
    done = ask(tmp_path, str(SCRIPT), "touch", str(tmp_path / "ran"))
    assert done.returncode == 2
    assert "no such cgroup" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(
        "There is no Docker engine, so nothing was tested on containers: starting dockerd failed"
    )
    assert not (tmp_path / "ran").exists()
    assert folders(tmp_path) == []


def test_after_a_command_that_failed_the_engines_own_complaints_are_shown(tmp_path: Path, stand_ins: Path) -> None:
    """The engine's log goes with it, and what failed may have been the engine."""
    put(stand_ins / "dockerd", "echo 'level=info msg=ready'; echo 'level=warning msg=lost'; exec tail -f /dev/null")
    logged = "until grep -q lost $TMPDIR/chaos-engine.*/dockerd.log; do sleep 0.1; done"
    failed = ask(tmp_path, str(SCRIPT), "sh", "-c", f"{logged}; exit 7")
    assert failed.returncode == 7
    assert failed.stderr.endswith("== engine: what it complained of last:\nlevel=warning msg=lost\n")
    assert "complained" not in ask(tmp_path, str(SCRIPT), "sh", "-c", logged).stderr


def test_without_rights_it_says_so(tmp_path: Path) -> None:
    """An engine's namespaces are root's to make."""
    done = ask(tmp_path, "unshare", "--user", str(SCRIPT), "true")
    assert done.returncode == 2, done.stderr
    assert "no container engine answers at unix:///nowhere/docker.sock: starting one" in done.stderr
    assert done.stderr.endswith("nothing was tested on containers: to start one, be root\n")


def test_terminated_it_leaves_nothing(tmp_path: Path, begin: Begin) -> None:
    """As a job does that is called off."""
    running = begin("first")
    [folder] = folders(tmp_path)
    assert held(folder)
    running.terminate()
    assert running.wait(WITHIN_S) == -signal.SIGTERM
    assert folders(tmp_path) == []


def test_killed_it_leaves_a_folder_which_the_next_run_removes(tmp_path: Path, begin: Begin) -> None:
    """All processes inside die with the script, and a folder in use stays."""
    first = begin("first")
    [gone] = folders(tmp_path)
    second = begin("second")
    [kept] = set(folders(tmp_path)) - {gone}
    first.kill()
    first.wait()
    wait_until(lambda: not held(gone), within_s=WITHIN_S, wanted="what ran inside to be gone")
    done = ask(tmp_path, str(SCRIPT), "true")
    assert f"== engine: removed {gone}, left by a run that was killed\n" in done.stderr
    assert folders(tmp_path) == [kept]
    assert held(kept)
    second.terminate()
    second.wait(WITHIN_S)
    assert folders(tmp_path) == []
