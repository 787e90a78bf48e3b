"""
A real Toxiproxy on this machine's loopback, and an upstream that answers with what it gets.
"""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from chaos import process
from chaos.errors import ProviderError
from chaos.network.toxiproxy import HttpTransport, Toxiproxy
from chaos.servers import find
from chaos.wait import wait_until


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running Toxiproxy."""

    port: int
    started: process.Started

    def client(self, *, deadline_s: float = 8.0) -> Toxiproxy:
        """Our client of it."""
        return Toxiproxy(HttpTransport("127.0.0.1", self.port), deadline_s=deadline_s)


@pytest.fixture(scope="session")
def start_server() -> Iterator[Callable[[], Server]]:
    """Start Toxiproxies that end with the session."""
    try:
        program = find("toxiproxy").program
    except ProviderError as problem:
        pytest.skip(str(problem))
    servers: list[Server] = []

    def start() -> Server:
        port = free_port()
        servers.append(Server(port=port, started=process.start([program, "-host", "127.0.0.1", "-port", str(port)])))
        wait_until(servers[-1].client().version, within_s=10, wanted="Toxiproxy answers", forgive=(ProviderError,))
        return servers[-1]

    yield start
    for server in servers:
        server.started.kill()
        server.started.wait()


@pytest.fixture(scope="session")
def server(start_server: Callable[[], Server]) -> Server:
    """One Toxiproxy for all tests that do not break it."""
    return start_server()


@pytest.fixture
def ours(server: Server) -> Iterator[Toxiproxy]:
    """Our client, with no proxies left of an earlier test."""
    client = server.client()
    yield client
    for name in client.proxies():
        client.remove(name)


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that a toxic cut is what the tests want."""


@pytest.fixture
def upstream() -> Iterator[int]:
    """The port of an echo server."""
    with _Server(("127.0.0.1", 0), _Echo) as echo:
        thread = threading.Thread(target=echo.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield echo.server_address[1]
        echo.shutdown()
        thread.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxied:
    """A proxy before an upstream."""

    name: str
    port: int

    def connect(self) -> socket.socket:
        """A connection through it."""
        return socket.create_connection(("127.0.0.1", self.port), 2)


@pytest.fixture
def proxied(ours: Toxiproxy, upstream: int) -> Proxied:
    """A proxy named echo before the echo server."""
    port = free_port()
    ours.populate([proxy("echo", port, upstream)])
    return Proxied(name="echo", port=port)


def proxy(name: str, port: int, upstream: int) -> dict[str, object]:
    """A proxy as ``populate`` takes it."""
    return {"name": name, "listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{upstream}", "enabled": True}
