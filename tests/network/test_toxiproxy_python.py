"""
The package toxiproxy-python side by side with our client, on the same server: where they agree, and where it misleads.
"""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chaos.errors import UsageError
from chaos.network.toxics import Latency
from chaos.network.toxiproxy import Toxiproxy, ToxiproxyError
from chaos.wait import wait_until
from tests.network.conftest import Proxied, Server, free_port, proxy

toxiproxy = pytest.importorskip("toxiproxy", reason="toxiproxy-python is not installed (extra: toxiproxy)")


@pytest.fixture
def theirs(server: Server, ours: Toxiproxy) -> Iterator[Any]:
    """Their client of the same server; its address is the class' and must be put back."""
    from toxiproxy.api import APIConsumer  # type: ignore[import-not-found, import-untyped, unused-ignore]

    before = APIConsumer.host, APIConsumer.port
    client = toxiproxy.Toxiproxy()
    client.update_api_consumer("127.0.0.1", server.port)
    yield client
    APIConsumer.host, APIConsumer.port = before


def test_our_client_drives_the_server_of_theirs(theirs: Any, upstream: int) -> None:
    theirs.create(upstream=f"127.0.0.1:{upstream}", name="echo")
    for driven in (Toxiproxy.from_toxiproxy_python(), Toxiproxy.from_toxiproxy_python(theirs)):
        assert list(driven.proxies()) == ["echo"]
    driven.add_toxic("echo", Latency(latency_ms=5), direction="downstream", toxic_name="slow")
    assert theirs.get_proxy("echo").get_toxic("slow").attributes == {"latency": 5, "jitter": 0}


def test_only_their_own_object_is_taken_for_it(theirs: Any) -> None:
    with pytest.raises(UsageError, match=r"a toxiproxy\.Toxiproxy object is wanted, not str"):
        Toxiproxy.from_toxiproxy_python("127.0.0.1:8474")


def test_a_later_change_of_their_address_is_not_followed(theirs: Any) -> None:
    ours = Toxiproxy.from_toxiproxy_python(theirs)
    theirs.update_api_consumer("127.0.0.1", free_port())
    assert ours.proxies() == {}


def test_both_make_toxics_that_the_other_sees(theirs: Any, ours: Toxiproxy, proxied: Proxied) -> None:
    theirs.get_proxy("echo").add_toxic(type="latency", attributes={"latency": 7})
    ours.add_toxic("echo", Latency(latency_ms=8), direction="upstream")
    assert sorted(theirs.get_proxy("echo").toxics()) == ["latency_downstream", "latency_upstream"]
    assert len(ours.proxies()["echo"]["toxics"]) == 2


def test_both_refuse_a_toxic_that_is_there_already(theirs: Any, ours: Toxiproxy, proxied: Proxied) -> None:
    from toxiproxy.exceptions import ProxyExists  # type: ignore[import-not-found, import-untyped, unused-ignore]

    ours.add_toxic("echo", Latency(latency_ms=8), direction="downstream")
    with pytest.raises(ProxyExists):
        theirs.get_proxy("echo").add_toxic(type="latency", attributes={"latency": 7})
    with pytest.raises(ToxiproxyError, match="409"):
        ours.add_toxic("echo", Latency(latency_ms=8), direction="downstream")


def test_they_do_not_notice_that_enabling_failed_and_we_do(theirs: Any, ours: Toxiproxy, proxied: Proxied) -> None:
    their_proxy = theirs.get_proxy("echo")
    their_proxy.disable()
    with socket.create_server(("127.0.0.1", proxied.port)):
        their_proxy.enable()
        assert their_proxy.enabled is True
        assert ours.proxies()["echo"]["enabled"] is False
        with pytest.raises(ToxiproxyError, match="500"):
            ours.enable("echo")


def test_a_negative_rate_ends_their_server(start_server: Callable[[], Server], upstream: int, theirs: Any) -> None:
    own = start_server()
    port = free_port()
    own.client().populate([proxy("echo", port, upstream)])
    theirs.update_api_consumer("127.0.0.1", own.port)
    theirs.get_proxy("echo").add_toxic(type="bandwidth", attributes={"rate": -1})
    with socket.create_connection(("127.0.0.1", port), 2) as connection:
        connection.sendall(b"hello")
        wait_until(lambda: own.started.poll() is not None, within_s=5, wanted="the server panics")


def test_they_obey_an_http_proxy_of_the_environment(theirs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(OSError, match="proxy"):
        theirs.proxies()
