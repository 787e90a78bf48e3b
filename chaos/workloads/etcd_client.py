"""
etcd as workloads use it: its JSON gateway on one pinned endpoint, over the standard library's HTTP, without any retry.

No client library: those that exist choose endpoints, retry and reconnect by themselves, and what an experiment needs to
record (revision, member, term, lease) is in every answer's header.
"""

import http.client
import json
import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from chaos.errors import UsageError
from chaos.history.records import Value
from chaos.workloads.etcd_requests import Json, decoded, encoded, range_of
from chaos.workloads.outcomes import OutcomeTable, Refused, Rule
from chaos.workloads.worker import Completed, Worker

TIMEOUT_S = 1.0
CALM_PACE_S = 0.02
"""The least pause after an operation that was not acknowledged: a refused connect costs nothing and would spin."""


class NotSent(Refused):
    """No connection, so the request never left: it definitely did not happen."""


class NoAnswer(Exception):  # noqa: N818 - it is news from the system under test, not an error of ours.
    """The request was sent, and no whole answer came."""


class EtcdError(Exception):
    """
    etcd answered with an error.

    :param code: gRPC's: 14 is Unavailable, 8 ResourceExhausted, ...
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} (code {code})")
        self.code, self.message = code, message


_REFUSALS = {3, 5, 6, 7, 8, 9, 11, 16}
"""Invalid, not found, exists, denied, exhausted (no space, too many requests), precondition, range, unauthenticated."""
_UNSURE = {1, 4, 14}
"""Cancelled, deadline, unavailable: no leader, leader changed, request timed out, server stopped."""


def _refuses(problem: Exception) -> bool:
    """Whether etcd itself said no; a path that its gateway does not know is answered with the same code."""
    said = problem if isinstance(problem, EtcdError) else None
    return said is not None and said.code in _REFUSALS and said.message.startswith("etcdserver: ")


def _leaves_open(problem: Exception) -> bool:
    return isinstance(problem, EtcdError) and problem.code in _UNSURE


ETCD_OUTCOMES: OutcomeTable = (
    Rule(EtcdError, "fail", _refuses),
    Rule(EtcdError, "info", _leaves_open),
    Rule(EtcdError, "info", "raft: stopped"),  # A member that is ending; what it had proposed may go its way.
    Rule(NoAnswer, "info"),
)
"""What etcd's errors say of a request that was sent. Any other code (unknown, internal, unimplemented) is a mistake of ours."""


class Stamp(NamedTuple):
    """
    The header of an answer.

    :param revision: of the answering member's store: what a read is as fresh as.
    :param member: who answered, as its id in hexadecimal.
    """

    revision: int
    member: str
    term: int


class Item(NamedTuple):
    """A key as it was read; ``version`` counts its writes since it was created."""

    key: str
    value: str
    version: int
    created: int
    modified: int
    lease: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What etcd answered, with its header."""

    stamp: Stamp
    body: Json

    @property
    def items(self) -> list[Item]:
        """The keys of a range."""
        return [_item(found) for found in self.body.get("kvs", ())]

    @property
    def succeeded(self) -> bool:
        """Whether a transaction's comparison was true."""
        return bool(self.body.get("succeeded"))

    @property
    def ranges(self) -> list[list[Item]]:
        """The ranges that a transaction read, in order."""
        answers = self.body.get("responses", ())
        return [
            [_item(found) for found in one["response_range"].get("kvs", ())]
            for one in answers
            if "response_range" in one
        ]


class Etcd:
    """One endpoint and nothing else: reconnects there, sends every request once, waits for so long and no longer."""

    def __init__(self, address: str, *, timeout_s: float = TIMEOUT_S) -> None:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise UsageError(f"an address is host:port, not {address!r}")
        self.address, self.timeout_s = address, timeout_s
        self._connection = http.client.HTTPConnection(host, int(port), timeout=timeout_s)
        self.stamp: Stamp | None = None
        """The header of the last answer; None after a request without one."""

    # -- keys --------------------------------------------------------------------------------------------------------

    def put(self, key: str, value: str, *, lease: int = 0) -> Answer:
        """Write a key, bound to a lease where one is given."""
        return self.ask("kv/put", {"key": encoded(key), "value": encoded(value), "lease": str(lease)})

    def range(self, key: str, *, prefix: bool = False, serializable: bool = False) -> Answer:
        """Read a key, or all keys that begin with it. Serializable: this member's own state, as old as that may be."""
        return self.ask("kv/range", {**range_of(key, prefix=prefix), "serializable": serializable})

    def delete(self, key: str) -> int:
        """Delete a key and return how many that were."""
        return int(self.ask("kv/deleterange", {"key": encoded(key)}).body.get("deleted", 0))

    def txn(self, compare: Sequence[Json], success: Sequence[Json], failure: Sequence[Json] = ()) -> Answer:
        """Compare, then do the one or the other, in one step."""
        return self.ask("kv/txn", {"compare": [*compare], "success": [*success], "failure": [*failure]})

    # -- leases ------------------------------------------------------------------------------------------------------

    def grant(self, ttl_s: int) -> int:
        """A lease; one shorter than the server's least is refused here, since the server would silently lengthen it."""
        body = self.ask("lease/grant", {"TTL": str(ttl_s)}).body
        granted = int(body["TTL"])
        if granted != ttl_s:
            raise UsageError(
                f"a lease of {ttl_s} s was asked for and this server gives {granted} s: "
                "its least is one and a half election timeouts, in whole seconds"
            )
        return int(body["ID"])

    def keep_alive(self, lease: int) -> int:
        """Renew once and return the seconds that it was renewed for; 0 says that the lease is gone."""
        return int(self.ask("lease/keepalive", {"ID": str(lease)}).body.get("TTL", 0))

    def revoke(self, lease: int) -> Answer:
        """End a lease and with it its keys."""
        return self.ask("lease/revoke", {"ID": str(lease)})

    # -- the wire ----------------------------------------------------------------------------------------------------

    def ask(self, path: str, body: Json) -> Answer:
        """Send one request and return its answer; ``NotSent``, ``NoAnswer`` and ``EtcdError`` say why there is none."""
        self.stamp = None
        said = _unwrapped(self._exchange("POST", f"/v3/{path}", json.dumps(body)))
        header = said.get("header", {})
        member = f"{int(header.get('member_id', 0)):x}"
        self.stamp = Stamp(int(header.get("revision", 0)), member, int(header.get("raft_term", 0)))
        return Answer(stamp=self.stamp, body=said)

    def stream(self, path: str, body: Json) -> list[Json]:
        """Send one request and return all answers of a stream that ends by itself."""
        return [
            _unwrapped(line) for line in self._exchange("POST", f"/v3/{path}", json.dumps(body)).splitlines() if line
        ]

    def get(self, path: str) -> str:
        """What etcd says outside its gateway: ``/version``, ``/metrics``."""
        return self._exchange("GET", path, None)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def __del__(self) -> None:
        """A client that is dropped hangs up, whatever it was dropped by."""
        if hasattr(self, "_connection"):
            self.close()

    def _exchange(self, method: str, path: str, body: str | None) -> str:
        self._connect()
        try:
            self._connection.request(method, path, body)
            response = self._connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            raise NoAnswer(f"{type(problem).__name__}: {problem}") from problem
        if response.status != http.client.OK:
            raise _error(text, response.status)
        return text

    def _connect(self) -> None:
        # Between requests nothing is due: readable means that the server closed the connection while it was idle.
        # Sending on it would turn a definite "not sent" into a doubtful one.
        wire = self._connection.sock
        if wire is not None and select.select([wire], [], [], 0)[0]:
            self.close()
        if self._connection.sock is None:
            try:
                self._connection.connect()  # It sets TCP_NODELAY by itself.
            except OSError as problem:
                self.close()
                raise NotSent(f"not sent: {type(problem).__name__}: {problem}") from problem


def record(
    worker: Worker,
    client: Etcd,
    f: str,
    value: Value,
    action: Callable[[], Value],
    notes: dict[str, Value] | None = None,
) -> Completed:
    """
    Record one operation on this client: in its notes the endpoint, or that nothing was sent, and the answer's header.

    :param notes: what is known before, to which the action may add.
    """
    known = {} if notes is None else notes

    def act() -> Value:
        with _noted(client, known):
            return action()

    return worker.operation(f, value, act, ETCD_OUTCOMES, known)


@contextmanager
def _noted(client: Etcd, known: dict[str, Value]) -> Iterator[None]:
    known["address"] = client.address
    try:
        yield
    except NotSent:
        known["sent"] = False
        raise
    finally:
        if client.stamp is not None:
            known.update(client.stamp._asdict())


def next_turn(worker: Worker, last: Completed, pace_s: float) -> bool:
    """Wait for the next turn, calmer after an operation that was not acknowledged; False when asked to stop."""
    return worker.keep_going(pace_s if last.ok else max(pace_s, CALM_PACE_S))


def _item(found: Json) -> Item:
    numbers = (int(found.get(name, 0)) for name in ("version", "create_revision", "mod_revision", "lease"))
    return Item(decoded(found["key"]), decoded(found.get("value", "")), *numbers)


def _unwrapped(text: str) -> Json:
    """The answer; a stream's (of keep-alives) is its first line, in which an error may stand in the answer's place."""
    said: Json = json.loads(text.partition("\n")[0])
    if "error" in said and "header" not in said:
        raise _error(text.partition("\n")[0], 0)
    result: Json = said.get("result", said)
    return result


def _error(text: str, status: int) -> EtcdError:
    """Versions differ in where they put code and message."""
    try:
        said = json.loads(text)
    except ValueError:
        return EtcdError(-status, f"HTTP {status}: {text[:200]}")
    inner = said["error"] if isinstance(said.get("error"), dict) else said
    code = inner.get("code", inner.get("grpc_code", -status))
    return EtcdError(int(code), str(inner.get("message") or said.get("error") or text))
