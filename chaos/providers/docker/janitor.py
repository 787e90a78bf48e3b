"""
What cleans up when the test process is killed: a container that holds a life line from it.

Its input ends with the test process, however that ends; then it removes by label what is left, and itself.
"""

import atexit
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from docker import APIClient
from docker.errors import APIError

from chaos import process
from chaos.errors import ProviderError, said
from chaos.providers.docker.connection import LAB, PREFIX, SESSION, blamed, owned, socket_here
from chaos.providers.docker.images import sidecar_image

__tracebackhide__ = said

ROLE = f"{PREFIX}.role"
SOCKET, MOUNTED = "/var/run/docker.sock", "/engine.sock"
READY_S = 20.0
OVERRIDE = "TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE"
"""As Testcontainers names the variable that says so."""
DESKTOP = "Docker Desktop"
QUIET, GUARDS_QUIET = 20, 100
"""How many looks in a row must find nothing; the engine may still be making what it was asked for last."""
# A program of its own with a bounded polling loop of its own: nothing of ours is in its container. Its arguments: the label, the
# label of labs to be spared, the engine's socket, the life line's descriptor, how many looks must find nothing.
PROGRAM = r"""
import http.client, json, os, socket, sys, time, urllib.parse

class Engine(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(sys.argv[3])

def ask(method, path):
    engine = Engine("engine")
    engine.request(method, path)
    answer = engine.getresponse()
    body = answer.read()
    engine.close()
    return json.loads(body) if body[:1] in (b"[", b"{") else None

chosen = urllib.parse.quote(json.dumps({"label": [sys.argv[1]]}))
os.write(1, b"ready\n")
said = b""
while piece := os.read(int(sys.argv[4]), 4096):
    said += piece
spared = said.decode().split()

def doomed(items):
    return [one for one in items or () if (one["Labels"] or {}).get(sys.argv[2]) not in spared]

def sweep():
    left = 0
    for one in doomed(ask("GET", "/containers/json?all=1&filters=" + chosen)):
        if one["Id"].startswith(socket.gethostname()):
            continue
        left += 1
        if one["State"] == "paused":
            ask("POST", "/containers/%s/unpause" % one["Id"])
        ask("DELETE", "/containers/%s?force=1&v=1" % one["Id"])
    for one in doomed(ask("GET", "/networks?filters=" + chosen)):
        left += 1
        ask("DELETE", "/networks/" + one["Id"])
    for one in doomed(ask("GET", "/volumes?filters=" + chosen)["Volumes"]):
        left += 1
        ask("DELETE", "/volumes/" + one["Name"])
    return left

quiet = 0
for _ in range(1200):
    try:
        quiet = 0 if sweep() else quiet + 1
    except (OSError, http.client.HTTPException):  # An engine with much to do answers late: try again.
        quiet = 0
    if quiet > int(sys.argv[5]):
        break
    time.sleep(0.05)
"""


def socket_of_engine(api: APIClient) -> str:
    """Where the engine's own socket lies on the engine's machine; that of a virtual machine is not where ours leads to."""
    if own := os.environ.get(OVERRIDE):
        return own
    here = socket_here()
    if here in (None, SOCKET) or sys.platform != "linux":
        return SOCKET
    with blamed("asking the engine who it is"):
        return SOCKET if DESKTOP in str(api.info().get("OperatingSystem")) else str(here)


def spare(api: APIClient, session: str, lab: str) -> None:
    """Let a lab outlive this process."""
    stream = _stream(life_line(api, session))
    stream.settimeout(READY_S)
    stream.sendall(f"{lab}\n".encode())


_HELD: dict[str, Any] = {}
"""The life line of each session: it must be held for as long as nothing is to be removed."""


def life_line(api: APIClient, session: str) -> Any:
    """The line to the janitor of this test process; one that has ended, with its engine perhaps, is replaced."""
    if session in _HELD and _has_ended(_HELD[session]):
        let_go(session)
    if session not in _HELD:
        _HELD[session] = _start(api, session)
    return _HELD[session]


def let_go(session: str) -> None:
    """Drop the life line: the janitor removes what has the session's label, and itself."""
    _end(_HELD.pop(session))


@atexit.register
def _let_go_of_all() -> None:
    for session in list(_HELD):
        let_go(session)


def _has_ended(line: Any) -> bool:
    stream = _stream(line)
    stream.settimeout(0)
    try:
        return not stream.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _end(line: Any) -> None:
    stream = _stream(line)
    line.close()
    stream.close()


def _stream(line: Any) -> socket.socket:
    stream: socket.socket = getattr(line, "_sock", line)
    return stream


@contextmanager
def _guarded(session: str) -> Iterator[None]:
    """
    See to it that no janitor is left when this process is killed while it makes one.

    A process that outlives ours holds a pipe from us, and does what the janitor would do. It needs the engine's socket on this machine.
    """
    here = socket_here()
    if here is None:
        yield
        return
    line, ours = os.pipe()
    try:
        argv = (sys.executable, "-I", "-S", "-c", PROGRAM, *_arguments(session, here, line, GUARDS_QUIET))
        guard = process.start(argv, pass_fds=[line])
    finally:
        os.close(line)
    try:
        yield
    finally:
        guard.kill()
        guard.wait()
        os.close(ours)


def _arguments(session: str, engine: str, line: int, quiet: int) -> tuple[str, ...]:
    return f"{SESSION}={session}", LAB, engine, str(line), str(quiet)


def _start(api: APIClient, session: str) -> Any:
    with _guarded(session):
        return _started(api, session)


def _started(api: APIClient, session: str) -> Any:
    marks = {ROLE: "janitor", SESSION: session, **owned()}
    binds = [f"{socket_of_engine(api)}:{MOUNTED}"]
    config = api.create_host_config(auto_remove=True, network_mode="none", binds=binds)
    with blamed("starting the janitor"):
        made = api.create_container(
            sidecar_image(api),
            ["python3", "-I", "-S", "-c", PROGRAM, *_arguments(session, MOUNTED, 0, QUIET)],
            labels=marks,
            stdin_open=True,
            host_config=config,
        )
        try:
            line = api.attach_socket(made, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            api.start(made)
            _wait_ready(line)
        except BaseException:
            with suppress(APIError, OSError):
                api.remove_container(made, force=True)
            raise
    return line


def _wait_ready(line: Any) -> None:
    stream = _stream(line)
    stream.settimeout(READY_S)
    said_first = stream.recv(4096)
    if b"ready" not in said_first:
        _end(line)
        raise ProviderError(
            f"the janitor did not start: {said_first[8:].decode(errors='replace').strip() or 'it ended'}"
        )
