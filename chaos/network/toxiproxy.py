"""
A typed client of Toxiproxy's HTTP API: validated requests, a deadline on each, the server's own words in each error.

The requests are values (``ApiCall``), so that a party's agent can carry them out inside the party; ``HttpTransport``
sends them directly, to a Toxiproxy of your own. Source: Shopify/toxiproxy 2.12, ``api.go``.
"""

import http.client
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chaos.errors import ProviderError, UsageError
from chaos.network.rules import Direction
from chaos.network.toxics import Toxic

DEADLINE_S = 8.0
"""Above 6 s: the removal of a stall whose peer has left holds its proxy's lock for five."""
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
# What is fine besides success: a removal of what is already gone.
_FINE = {"GET": {200}, "POST": {200, 201, 204}, "PATCH": {200}, "DELETE": {204, 404}}


class ToxiproxyError(ProviderError):
    """Toxiproxy refused a request, or did not answer within its deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One request to the API."""

    method: str
    path: str
    body: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiReply:
    """One answer; status 0 means that none came within the deadline."""

    status: int
    body: str
    took_ms: float


class Transport(Protocol):
    """Carries out calls in order, or side by side when asked."""

    def __call__(
        self, calls: Sequence[ApiCall], *, deadline_s: float, side_by_side: bool = False
    ) -> Sequence[ApiReply]: ...


def name(text: str) -> str:
    """A proxy's or toxic's name as it may stand raw in a URL."""
    if not _NAME.fullmatch(text):
        raise UsageError(f"a Toxiproxy name may hold letters, digits, '_', '.' and '-', not {text!r}")
    return text


def version() -> ApiCall:
    """Ask for the server's version."""
    return ApiCall(method="GET", path="/version")


def list_proxies() -> ApiCall:
    """Ask for all proxies with their toxics."""
    return ApiCall(method="GET", path="/proxies")


def populate(proxies: Sequence[dict[str, object]]) -> ApiCall:
    """Make proxies; an equal proxy stays as it is, with its toxics."""
    for proxy in proxies:
        name(str(proxy["name"]))
    return ApiCall(method="POST", path="/populate", body=list(proxies))


def enable(proxy: str, enabled: bool) -> ApiCall:
    """Open or close a proxy; closing ends its connections at once."""
    return ApiCall(method="PATCH", path=f"/proxies/{name(proxy)}", body={"enabled": enabled})


def remove(proxy: str) -> ApiCall:
    """Take a proxy away; one that is gone already is no error."""
    return ApiCall(method="DELETE", path=f"/proxies/{name(proxy)}")


def add_toxic(proxy: str, toxic_name: str, toxic: Toxic, direction: Direction) -> ApiCall:
    """Put a toxic on every connection of a proxy, in one direction."""
    if direction not in ("upstream", "downstream"):
        raise UsageError(f"a toxic's direction is 'upstream' or 'downstream', not {direction!r}")
    body = {
        "name": name(toxic_name),
        "type": toxic.kind,
        "stream": direction,
        "toxicity": 1.0,
        "attributes": toxic.attributes(),
    }
    return ApiCall(method="POST", path=f"/proxies/{name(proxy)}/toxics", body=body)


def remove_toxic(proxy: str, toxic_name: str) -> ApiCall:
    """Remove a toxic; one that is gone already is no error."""
    return ApiCall(method="DELETE", path=f"/proxies/{name(proxy)}/toxics/{name(toxic_name)}")


def check(call: ApiCall, reply: ApiReply, *, where: str = "Toxiproxy") -> Any:
    """The reply's JSON, or an error that says what was asked, where, and what the server said."""
    asked = f"{call.method} {call.path}"
    if reply.status == 0:
        raise ToxiproxyError(f"{where}: {asked} got no answer ({reply.body}) after {reply.took_ms:.0f} ms")
    if reply.status not in _FINE[call.method]:
        raise ToxiproxyError(f"{where}: {asked} was refused with status {reply.status}: {_message(reply.body)}")
    try:
        return json.loads(reply.body) if reply.body else None
    except ValueError:
        return reply.body


def _message(body: str) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body.strip() or "no reason given"


class HttpTransport:
    """Calls a Toxiproxy by host and port, one connection per call, never through an environment's HTTP proxy."""

    def __init__(self, host: str = "127.0.0.1", port: int = 8474) -> None:
        self.host, self.port = host, port

    def __call__(
        self, calls: Sequence[ApiCall], *, deadline_s: float, side_by_side: bool = False
    ) -> Sequence[ApiReply]:
        """Carry out the calls in order; ``side_by_side`` is not needed here and ignored."""
        return [self._one(call, deadline_s) for call in calls]

    def _one(self, call: ApiCall, deadline_s: float) -> ApiReply:
        began = time.monotonic()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=deadline_s)
        try:
            payload = None if call.body is None else json.dumps(call.body)
            # A browser's User-Agent is refused with 403.
            headers = {"Content-Type": "application/json", "User-Agent": "middleware-chaos"}
            connection.request(call.method, call.path, payload, headers)
            answer = connection.getresponse()
            return ApiReply(status=answer.status, body=answer.read().decode(), took_ms=_since(began))
        except (TimeoutError, OSError, http.client.HTTPException) as problem:
            return ApiReply(status=0, body=f"{type(problem).__name__}: {problem}", took_ms=_since(began))
        finally:
            connection.close()


class Toxiproxy:
    """A Toxiproxy server, driven call by call; for whole links use a lab, which keeps gates and proxies together."""

    def __init__(self, transport: Transport | None = None, *, deadline_s: float = DEADLINE_S) -> None:
        self._transport = transport or HttpTransport()
        self._deadline_s = deadline_s

    @classmethod
    def from_toxiproxy_python(cls, server: object | None = None) -> "Toxiproxy":
        """
        Drive the server of a ``toxiproxy.Toxiproxy`` object (package ``toxiproxy-python``), with deadlines and real errors.

        That package keeps one address for the whole process; it is read now, and a later change there is not followed.
        """
        from toxiproxy import Toxiproxy as Theirs  # type: ignore[import-not-found, import-untyped, unused-ignore]
        from toxiproxy.api import APIConsumer  # type: ignore[import-not-found, import-untyped, unused-ignore]

        if server is not None and not isinstance(server, Theirs):
            raise UsageError(f"a toxiproxy.Toxiproxy object is wanted, not {type(server).__name__}")
        return cls(HttpTransport(APIConsumer.host, int(APIConsumer.port)))

    def version(self) -> str:
        """The server's version."""
        answer = self._do(version())
        return str(answer["version"] if isinstance(answer, dict) else answer)

    def proxies(self) -> dict[str, Any]:
        """All proxies by name, with their toxics, as the server has them."""
        return dict(self._do(list_proxies()))

    def populate(self, proxies: Sequence[dict[str, object]]) -> None:
        """Make these proxies (``name``, ``listen``, ``upstream``, ``enabled``)."""
        self._do(populate(proxies))

    def enable(self, proxy: str, enabled: bool = True) -> None:
        """Open a closed proxy; an address that was taken meanwhile is an error here, not a silent lie."""
        self._do(enable(proxy, enabled))

    def disable(self, proxy: str) -> None:
        """Close a proxy and its connections."""
        self._do(enable(proxy, False))

    def add_toxic(self, proxy: str, toxic: Toxic, *, direction: Direction, toxic_name: str | None = None) -> str:
        """Put a toxic on a proxy; returns its name."""
        chosen = toxic_name or f"{toxic.kind}_{direction}"
        self._do(add_toxic(proxy, chosen, toxic, direction))
        return chosen

    def remove_toxic(self, proxy: str, toxic_name: str) -> None:
        """Take a toxic off a proxy."""
        self._do(remove_toxic(proxy, toxic_name))

    def remove(self, proxy: str) -> None:
        """Take a proxy away; its connections end."""
        self._do(remove(proxy))

    def reset(self) -> None:
        """Enable all proxies and remove all toxics; links that had a ``Timeout`` are closed by that."""
        self._do(ApiCall(method="POST", path="/reset"))

    def _do(self, call: ApiCall) -> Any:
        return check(call, self._transport([call], deadline_s=self._deadline_s)[0])


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000
