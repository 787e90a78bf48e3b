"""
The traps of Toxiproxy 2.12, each with what our client makes of it, against a real server.
"""

import socket
import time
from collections.abc import Callable

import pytest

from chaos.errors import UsageError
from chaos.network.toxics import Bandwidth, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout
from chaos.network.toxiproxy import ApiCall, ApiReply, Toxiproxy, ToxiproxyError, check
from tests.network.conftest import Proxied, Server, free_port, proxy


def ask(connection: socket.socket, text: bytes = b"hello") -> bytes:
    connection.sendall(text)
    return connection.recv(65536)


def test_the_server_tells_its_version(ours: Toxiproxy) -> None:
    assert ours.version().split(".")[0].lstrip("v") == "2"


def test_values_that_crash_or_confuse_the_server_are_refused_before_they_are_sent() -> None:
    with pytest.raises(UsageError, match="rate_kb_s must be a whole number of at least 0, not -1"):
        Bandwidth(rate_kb_s=-1)
    with pytest.raises(UsageError, match="latency_ms"):
        Latency(latency_ms=1.5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="jitter_ms"):
        Latency(latency_ms=1, jitter_ms=-1)
    with pytest.raises(UsageError, match="after_ms"):
        Timeout(after_ms=-1)
    with pytest.raises(UsageError, match="average_bytes"):
        Slicer(average_bytes=0)
    with pytest.raises(UsageError, match="would never end"):
        Slicer(average_bytes=10, variation_bytes=10)
    with pytest.raises(UsageError, match="limit_bytes"):
        LimitData(limit_bytes=True)
    with pytest.raises(UsageError, match="delay_ms"):
        SlowClose(delay_ms=-5)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a?b", "ä", "../x"])
def test_a_name_that_could_not_stand_in_a_url_is_refused(ours: Toxiproxy, name: str) -> None:
    for act in (
        lambda: ours.disable(name),
        lambda: ours.populate([proxy(name, 1, 2)]),
        lambda: ours.add_toxic(name, Latency(latency_ms=1), direction="upstream"),
        lambda: ours.remove_toxic("echo", name),
    ):
        with pytest.raises(UsageError, match="a Toxiproxy name may hold"):
            act()


def test_a_direction_is_upstream_or_downstream(ours: Toxiproxy) -> None:
    with pytest.raises(UsageError, match="'upstream' or 'downstream', not 'both'"):
        ours.add_toxic("echo", Latency(latency_ms=1), direction="both")  # type: ignore[arg-type]


def test_an_address_that_was_taken_meanwhile_is_an_error_when_enabling(ours: Toxiproxy, proxied: Proxied) -> None:
    ours.disable("echo")
    with socket.create_server(("127.0.0.1", proxied.port)):
        with pytest.raises(
            ToxiproxyError, match=r"PATCH /proxies/echo was refused with status 500: .*address already in use"
        ):
            ours.enable("echo")
        assert ours.proxies()["echo"]["enabled"] is False
    ours.enable("echo")
    with proxied.connect() as connection:
        assert ask(connection) == b"hello"


@pytest.mark.parametrize("status", [400, 404, 409, 500, 503])
def test_no_failure_of_the_server_is_swallowed(status: int) -> None:
    reply = ApiReply(status=status, body='{"error":"why","status":1}', took_ms=1)
    with pytest.raises(ToxiproxyError, match=f"n1: POST /x was refused with status {status}: why"):
        check(ApiCall(method="POST", path="/x"), reply, where="n1")


def test_a_hung_api_ends_at_the_deadline(server: Server, ours: Toxiproxy) -> None:
    """A dial that hangs holds the proxy's lock for 25 s, and whoever asks for it waits."""
    with full_backlog() as (dead, fillers):
        port = free_port()
        ours.populate([proxy("stuck", port, dead.getsockname()[1])])
        with socket.create_connection(("127.0.0.1", port), 2):
            impatient = server.client(deadline_s=0.5)
            began = time.monotonic()
            with pytest.raises(ToxiproxyError, match=r"PATCH /proxies/stuck got no answer \(TimeoutError: timed out\)"):
                impatient.disable("stuck")
            assert 0.4 < time.monotonic() - began < 3
            for filler in fillers:
                filler.close()
            dead.close()  # The dial is refused now, and the server goes on.


class full_backlog:  # noqa: N801 - a context manager that reads as one.
    """A listener whose queue is full: further connection attempts hang, as behind a packet drop."""

    def __enter__(self) -> tuple[socket.socket, list[socket.socket]]:
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.fillers = [socket.socket() for _ in range(4)]
        for filler in self.fillers:
            filler.setblocking(False)
            filler.connect_ex(self.listener.getsockname())
        return self.listener, self.fillers

    def __exit__(self, *_: object) -> None:
        for one in (self.listener, *self.fillers):
            one.close()


def test_a_server_that_is_not_there_is_named() -> None:
    from chaos.network.toxiproxy import HttpTransport

    with pytest.raises(ToxiproxyError, match=r"GET /version got no answer \(ConnectionRefusedError"):
        Toxiproxy(HttpTransport("127.0.0.1", free_port())).version()


def test_populating_again_keeps_equal_proxies_and_their_toxics(
    ours: Toxiproxy, proxied: Proxied, upstream: int
) -> None:
    ours.add_toxic("echo", Latency(latency_ms=1), direction="upstream", toxic_name="slow")
    ours.populate([proxy("echo", proxied.port, upstream), proxy("other", free_port(), upstream)])
    assert [toxic["name"] for toxic in ours.proxies()["echo"]["toxics"]] == ["slow"]
    assert sorted(ours.proxies()) == ["echo", "other"]


def test_the_same_toxic_twice_is_an_error_and_removing_it_twice_is_none(ours: Toxiproxy, proxied: Proxied) -> None:
    toxic = ours.add_toxic("echo", Latency(latency_ms=1), direction="upstream")
    assert toxic == "latency_upstream"
    with pytest.raises(ToxiproxyError, match="status 409: toxic already exists"):
        ours.add_toxic("echo", Latency(latency_ms=2), direction="upstream")
    ours.remove_toxic("echo", toxic)
    ours.remove_toxic("echo", toxic)
    assert ours.proxies()["echo"]["toxics"] == []


def test_a_proxy_accepts_before_it_dials(ours: Toxiproxy) -> None:
    """So a canary that only connects proves nothing; in a lab, closed ports are gated instead."""
    port = free_port()
    ours.populate([proxy("nobody", port, free_port())])
    with socket.create_connection(("127.0.0.1", port), 2) as connection:
        assert connection.recv(1) == b""


def test_half_a_close_closes_all(proxied: Proxied) -> None:
    """A client that ends its sending side loses the answer; directly it would get it."""
    with proxied.connect() as connection:
        assert ask(connection) == b"hello"
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""


def test_latency_delays_answers_and_not_connects(ours: Toxiproxy, proxied: Proxied) -> None:
    ours.add_toxic("echo", Latency(latency_ms=200), direction="downstream")
    began = time.monotonic()
    with proxied.connect() as connection:
        assert time.monotonic() - began < 0.2
        assert ask(connection) == b"hello"
        assert time.monotonic() - began >= 0.2


def test_a_stall_holds_bytes_and_its_end_delivers_them(ours: Toxiproxy, proxied: Proxied) -> None:
    with proxied.connect() as connection:
        assert ask(connection) == b"hello"
        toxic = ours.add_toxic("echo", Bandwidth(rate_kb_s=0), direction="upstream")
        connection.sendall(b"held")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        ours.remove_toxic("echo", toxic)
        connection.settimeout(2)
        assert connection.recv(100) == b"held"


def test_the_end_of_a_blackhole_closes_what_it_swallowed(ours: Toxiproxy, proxied: Proxied) -> None:
    with proxied.connect() as connection:
        assert ask(connection) == b"hello"
        toxic = ours.add_toxic("echo", Timeout(), direction="upstream")
        connection.sendall(b"lost")
        ours.remove_toxic("echo", toxic)
        assert connection.recv(100) == b""


def test_a_limit_cuts_to_the_byte(ours: Toxiproxy, proxied: Proxied) -> None:
    ours.add_toxic("echo", LimitData(limit_bytes=7), direction="downstream")
    with proxied.connect() as connection:
        connection.sendall(b"0123456789")
        got = b""
        while piece := connection.recv(100):
            got += piece
        assert got == b"0123456"


def test_a_reset_toxic_resets_new_connections(ours: Toxiproxy, proxied: Proxied) -> None:
    ours.add_toxic("echo", ResetPeer(), direction="upstream")
    with proxied.connect() as connection, pytest.raises(ConnectionResetError):
        ask(connection)


def test_a_slicer_delivers_all_of_it(ours: Toxiproxy, proxied: Proxied) -> None:
    ours.add_toxic("echo", Slicer(average_bytes=10, variation_bytes=5, delay_us=100), direction="downstream")
    sent = bytes(range(256)) * 4
    with proxied.connect() as connection:
        connection.sendall(sent)
        got = b""
        while len(got) < len(sent):
            got += connection.recv(65536)
        assert got == sent


def test_a_disabled_proxy_refuses_and_ends_what_stands(ours: Toxiproxy, proxied: Proxied) -> None:
    with proxied.connect() as connection:
        assert ask(connection) == b"hello"
        ours.disable("echo")
        assert connection.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        proxied.connect().close()
    ours.reset()
    with proxied.connect() as connection:
        assert ask(connection) == b"hello"


def test_the_environments_http_proxy_is_not_used(
    ours: Toxiproxy, monkeypatch: pytest.MonkeyPatch, start_server: Callable[[], Server]
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ours.proxies() == {}
