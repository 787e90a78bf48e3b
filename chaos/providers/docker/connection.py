"""
The way to the container engine, and what its errors mean.
"""

import os
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import requests
from docker import APIClient
from docker.errors import APIError, DockerException
from testcontainers.core.docker_client import DockerClient, get_docker_host

from chaos.errors import ProviderError, said

__tracebackhide__ = said

PREFIX = "middleware-chaos"
LAB, SESSION, OWNER, HOST = (f"{PREFIX}.{name}" for name in ("lab", "session", "owner", "host"))
CALL_S = 60
KNOCK_S = 10.0
UNIX = "unix://"
PIPE = "npipe:"
DEFAULT = f"{PIPE}////./pipe/docker_engine" if sys.platform == "win32" else f"{UNIX}/var/run/docker.sock"


@cache
def connect() -> APIClient:
    """The engine that this machine is set up for, as Testcontainers finds it."""
    where = _where()
    if where.startswith(PIPE):
        raise ProviderError(
            f"nobody can wait for so long and no longer on a named pipe such as {where}; run the tests in WSL 2, or let "
            "Docker Desktop listen on localhost and set DOCKER_HOST=tcp://localhost:2375"
        )
    if is_elsewhere(where):
        raise ProviderError(
            f"the container engine at {where} publishes ports on the loopback of its own machine, where this test run cannot "
            "reach them; run the tests on that machine"
        )
    try:
        _knock(where)
        api = DockerClient(timeout=CALL_S).client.api
        api.ping()
    except (DockerException, requests.RequestException, OSError, ValueError) as problem:
        raise ProviderError(_unreachable(where, problem)) from problem
    return api


def is_expected() -> bool:
    """Whether this machine is meant to have an engine: somebody has named one, or its socket is there."""
    where = _where()
    return where != DEFAULT or Path(where.removeprefix(UNIX)).exists()


def socket_here() -> str | None:
    """The engine's socket on this machine; None where it is reached otherwise."""
    where = _where()
    return where.removeprefix(UNIX) if where.startswith(UNIX) else None


def _where() -> str:
    return get_docker_host() or DEFAULT


def is_elsewhere(where: str) -> bool:
    """Whether an engine's address names another machine; what a tunnel leads to cannot be told from it."""
    host = urlparse(where).hostname
    if host is None or urlparse(where).scheme not in ("tcp", "http", "https", "ssh"):
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _knock(where: str) -> None:
    """Try the engine's socket ourselves: a library waits for long, and what fails to connect leaves its own socket open."""
    if where.startswith(UNIX):
        if not hasattr(socket, "AF_UNIX"):
            raise OSError("there are no such sockets under Windows")
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(KNOCK_S)
            door.connect(where.removeprefix(UNIX))
            door.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            door.recv(1)


def _unreachable(where: str, problem: Exception) -> str:
    if isinstance(problem, PermissionError) or "Permission denied" in str(problem):
        return f"no right to use the container engine at {where}; run: sudo usermod -aG docker $USER, and log in again"
    if isinstance(problem, TimeoutError):
        return f"the container engine at {where} is silent for {KNOCK_S:g} s; run: sudo systemctl restart docker"
    wrong = isinstance(problem, DockerException | ValueError) and "server API version" not in str(problem)
    why = f" ({problem})" if wrong else ""
    start = "sudo systemctl start docker" if sys.platform == "linux" else "Docker Desktop, colima start"
    return f"no container engine answers at {where}{why}; start one ({start}) or set DOCKER_HOST"


@contextmanager
def blamed(what: str) -> Iterator[None]:
    """Turn the engine's errors into one sentence; what the libraries between us and the engine went through is left out."""
    try:
        yield
    except APIError as problem:
        raise ProviderError(f"{what}: the container engine refused: {problem.explanation or problem}") from None
    except (DockerException, requests.RequestException, OSError) as problem:
        raise ProviderError(f"{what}: {silence(problem)}") from None


def silence(problem: Exception) -> str:
    """That the engine does not answer, why, and what to do once it does."""
    chain = list(_chain(problem))
    for each in chain:
        _close_sockets(each)
    reason = next((each.strerror for each in chain if isinstance(each, OSError) and each.strerror), "")
    reason = reason or str(chain[-1]) or type(problem).__name__
    return f"the container engine does not answer ({reason}); once it does, run: chaos heal"


def _chain(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__context__


def _close_sockets(problem: BaseException) -> None:
    """docker-py drops a socket that it could not connect; left to itself, Python would complain of that at any later moment."""
    for frame, _ in traceback.walk_tb(problem.__traceback__):
        if isinstance(left := frame.f_locals.get("sock"), socket.socket):
            left.close()


def labels(lab: str, session: str) -> dict[str, str]:
    """What marks everything of a lab, so that it is found again and nothing else is touched."""
    return {LAB: lab, SESSION: session, **owned()}


def owned() -> dict[str, str]:
    """What tells whose a container is, of a lab or not: heal judges by it whether somebody needs it still."""
    return {OWNER: str(os.getpid()), HOST: here()}


def here() -> str:
    """Where process ids mean what they mean to us: this machine, and of a container with the machine's name just that container."""
    try:
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def found(api: APIClient, label: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Containers, networks and volumes with this label, ended ones too."""
    chosen = {"label": label}
    volumes = api.volumes(filters=chosen).get("Volumes") or []
    return api.containers(all=True, filters=chosen), api.networks(filters=chosen), volumes
