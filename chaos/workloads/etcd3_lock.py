"""
The client library etcd3 as a subject: its Lock has no fencing token and keeps no lease alive.

Runs in an environment of its own (``chaos install client:etcd3``); the library is imported only once a worker is at work.
"""

import importlib
from collections.abc import Callable
from itertools import count
from typing import Any

from chaos.errors import UsageError
from chaos.history.records import Value
from chaos.workloads.outcomes import OutcomeTable, Refused, Rule
from chaos.workloads.worker import Worker

PACE_S = 0.02
TIMEOUT_S = 1.0
WAIT_S = 0.2
"""How long one acquisition waits for a lock that somebody holds."""


def etcd3_outcomes(exceptions: Any) -> OutcomeTable:
    """What etcd3's exceptions say of a request that was sent; given its module, since it may not be there."""
    return (
        Rule(exceptions.PreconditionFailedError, "fail"),
        Rule(exceptions.ConnectionFailedError, "info"),
        Rule(exceptions.ConnectionTimeoutError, "info"),
        Rule(exceptions.InternalServerError, "info"),
    )


def lock_holder(
    worker: Worker,
    *,
    address: str,
    key: str = "lock",
    ttl_s: int = 2,
    rounds: int | None = None,
    pace_s: float = PACE_S,
) -> None:
    """
    Take the library's lock, write to etcd, give the lock back, again and again.

    Points, in order: ``acquired``, ``before-write``, ``written``, ``before-release``, as those of ``etcd-lock``.
    """
    library = _library()
    host, _, port = address.rpartition(":")
    client = library.client(host=host, port=int(port), timeout=TIMEOUT_S)
    turn = _Turn(worker, client, etcd3_outcomes(library.exceptions), address)
    inside = 0
    while rounds is None or inside < rounds:
        inside += turn.take(key, ttl_s)
        if not worker.keep_going(pace_s):
            return


def _library() -> Any:
    try:
        return importlib.import_module("etcd3")
    except ModuleNotFoundError as problem:
        raise UsageError(
            "this Python has no etcd3: chaos install client:etcd3, and plan the client with "
            'interpreter=str(find("client:etcd3").program) (from chaos.servers import find)'
        ) from problem


class _Turn:
    """One client's turns inside the lock."""

    def __init__(self, worker: Worker, client: Any, outcomes: OutcomeTable, address: str) -> None:
        self._worker, self._client, self._outcomes, self._address = worker, client, outcomes, address
        self._terms, self._numbers = count(1), count(1)

    def take(self, key: str, ttl_s: int) -> bool:
        """Try to get in, work, get out; whether it was inside."""
        lock, term = self._client.lock(key, ttl=ttl_s), next(self._terms)
        if not self._do("acquire", key, lambda: _acquire(lock), {"term": term}):
            return False
        self._worker.point("acquired")
        self._worker.point("before-write")
        holder, value = self._worker.client, f"{self._worker.client}:{next(self._numbers)}"
        notes: dict[str, Value] = {"holder": holder, "term": term, "resource": "store"}
        self._do("write", value, lambda: self._put(value, holder), notes)
        self._worker.point("written")
        self._worker.point("before-release")
        self._do("release", key, lambda: bool(lock.release()), {"term": term})
        return True

    def _put(self, value: str, holder: str) -> Value:
        """The revision is the store's own order."""
        return int(self._client.put(f"store/{value}", holder).header.revision)

    def _do(self, f: str, value: Value, action: Callable[[], Value], notes: dict[str, Value]) -> bool:
        known = {**notes, "address": self._address}
        return self._worker.operation(f, value, action, self._outcomes, known).ok


def _acquire(lock: Any) -> Value:
    if not lock.acquire(timeout=WAIT_S):
        raise Refused("held by somebody")
    return None  # The library keeps no revision: there is no token to hand on.
