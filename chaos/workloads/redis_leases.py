"""
Clients of a lease lock: holders that write to a guarded resource, a holder that looks after its lock, a client that
lost the reply of its acquisition.

What they record is what the lock guarantees read: ``acquire`` (the lock's name; result: token), ``check`` (result:
still mine), ``write`` (unique value; result: the store's own number), ``release`` (result: keys deleted).
"""

from collections.abc import Sequence
from itertools import count
from typing import Literal

from chaos.errors import UsageError
from chaos.history.records import Outcome
from chaos.wait import monotonic_ns
from chaos.workloads.redis_client import CALM_PACE_S, REDIS_OUTCOMES, open_client, record
from chaos.workloads.redis_lock import Acquire, Lock, Unlock
from chaos.workloads.redis_store import Store
from chaos.workloads.worker import Completed, Worker

Guard = Literal["none", "compare", "fencing"]
Retry = Literal["new-value", "same-value", "release"]
LOCK = "lock"


def lock_holder(
    worker: Worker,
    *,
    store: str,
    address: str | None = None,
    sentinels: Sequence[str] | None = None,
    service: str = "m",
    key: str = LOCK,
    ttl_ms: int = 2000,
    guard: Guard = "none",
    acquire: Acquire = "set-nx-px",
    unlock: Unlock = "lua",
    writes: int = 1,
    rounds: int | None = None,
    pace_s: float = CALM_PACE_S,
    wait_replicas: int = 0,
    wait_ms: int = 200,
    timeout_s: float | None = None,
    password: str | None = None,
) -> None:
    """
    Take the lock, write to the guarded resource, give the lock back, again and again.

    Points, in order: ``between-setnx-and-expire``, ``acquired``, ``compared`` (with ``guard="compare"``),
    ``before-write``, ``written``, ``before-release``, ``compared-release``.

    :param store: address of the resource; it refuses old tokens where ``guard`` is ``fencing``.
    :param guard: ``compare`` looks whether the lock is still its own before each write, ``none`` trusts the lease.
    :param writes: writes in each turn inside.
    :param rounds: turns inside before the workload ends; None goes on until asked to stop.
    """
    if guard not in ("none", "compare", "fencing"):
        raise UsageError(f"guard is one of none, compare, fencing, not {guard!r}")
    client = open_client(address=address, sentinels=sentinels, service=service, timeout_s=timeout_s, password=password)
    lock = Lock(
        worker,
        client,
        key=key,
        ttl_ms=ttl_ms,
        acquire=acquire,
        unlock=unlock,
        wait_replicas=wait_replicas,
        wait_ms=wait_ms,
    )
    turn = _Turn(worker, lock, Store(store, guarded=guard == "fencing"), compare=guard == "compare")
    inside = 0
    while rounds is None or inside < rounds:
        inside += turn.take(writes)
        if not worker.keep_going(pace_s):
            return


class _Turn:
    """One client's turns inside the lock."""

    def __init__(self, worker: Worker, lock: Lock, store: Store, *, compare: bool) -> None:
        self._worker, self._lock, self._store, self._compare = worker, lock, store, compare
        self._numbers = count(1)

    def take(self, writes: int) -> bool:
        """Try to get in, work, get out; whether it was inside."""
        value = self._lock.new_value()
        acquired = record_acquire(self._worker, self._lock, value)
        if acquired.outcome is Outcome.INFO:
            record_release(self._worker, self._lock, value, own=True)  # It may be ours: not left to its lease.
        if not acquired.ok:
            return False
        self._worker.point("acquired")
        for _ in range(writes):
            if self._compare:
                checked = record_check(self._worker, self._lock, value)
                if checked.ok and not checked.value:
                    return True  # Lost: there is nothing to write, and nothing of ours to release.
                if not checked.ok:
                    break
                self._worker.point("compared")
            self._write(int(acquired.value))
        self._worker.point("before-release")
        record_release(self._worker, self._lock, value)
        return True

    def _write(self, token: int) -> None:
        self._worker.point("before-write")
        holder, value = self._worker.client, f"{self._worker.client}:{next(self._numbers)}"
        notes = {"holder": holder, "token": token, "resource": "store", "address": self._store.address}
        self._worker.operation("write", value, lambda: self._store.accept(holder, token, value), REDIS_OUTCOMES, notes)
        self._worker.point("written")


def lock_keeper(
    worker: Worker,
    *,
    address: str | None = None,
    sentinels: Sequence[str] | None = None,
    service: str = "m",
    key: str = LOCK,
    ttl_ms: int = 60_000,
    pace_s: float = 0.05,
    timeout_s: float | None = None,
    password: str | None = None,
) -> None:
    """
    Take the lock once for a long lease and ``check`` until asked to stop that it is still there; then release it.

    Stands at ``acquired`` before the first check. An acquisition that was refused is tried again.
    """
    client = open_client(address=address, sentinels=sentinels, service=service, timeout_s=timeout_s, password=password)
    lock = Lock(worker, client, key=key, ttl_ms=ttl_ms)
    value = lock.new_value()
    while not record_acquire(worker, lock, value, again=True).ok:
        if not worker.keep_going(pace_s):
            return
    worker.point("acquired")
    held = True
    while held and worker.keep_going(pace_s):
        checked = record_check(worker, lock, value)
        held = not checked.ok or bool(checked.value)
    if held:
        record_release(worker, lock, value)


def lost_reply_acquirer(
    worker: Worker,
    *,
    address: str,
    key: str = LOCK,
    ttl_ms: int = 3000,
    retry: Retry = "new-value",
    pace_s: float = 0.1,
    timeout_s: float = 0.3,
    password: str | None = None,
) -> None:
    """
    Acquire a lock although the first reply is lost, and observe what that took (``acquired-after``: s, attempts).

    Stands at ``before-acquire``, ``acquired`` and ends after its release.

    :param retry: after an attempt without an answer, ask with a ``new-value`` (and be locked out by oneself), with the
        ``same-value`` (and count finding it as success), or ``release`` what may be there first.
    """
    if retry not in ("new-value", "same-value", "release"):
        raise UsageError(f"retry is one of new-value, same-value, release, not {retry!r}")
    lock = Lock(worker, open_client(address=address, timeout_s=timeout_s, password=password), key=key, ttl_ms=ttl_ms)
    value = lock.new_value()
    worker.point("before-acquire")
    begun_ns = monotonic_ns()
    for attempt in count(1):
        acquired = record_acquire(worker, lock, value, again=retry == "same-value")
        if acquired.ok:
            worker.observe("acquired-after", {"s": (monotonic_ns() - begun_ns) / 1e9, "attempts": attempt})
            worker.point("acquired")
            record_release(worker, lock, value)
            return
        if retry == "release" and acquired.outcome is Outcome.INFO:
            record_release(worker, lock, value, own=True)
        value = value if retry == "same-value" else lock.new_value()
        if not worker.keep_going(pace_s):
            return


def record_acquire(worker: Worker, lock: Lock, value: str, *, again: bool = False) -> Completed:
    """One ``acquire``; until when it is promised stands in its notes."""
    notes = {"lock_value": value, "ttl_ms": lock.ttl_ms, "expires_ns": lock.expires_ns()}
    ask = lock.acquire_again if again else lock.acquire
    return record(worker, lock.client, "acquire", lock.key, lambda: ask(value), notes)


def record_check(worker: Worker, lock: Lock, value: str) -> Completed:
    """One ``check`` whether the lock is still ours; an error leaves that open."""
    return record(worker, lock.client, "check", lock.key, lambda: lock.is_mine(value))


def record_release(worker: Worker, lock: Lock, value: str, *, own: bool = False) -> Completed:
    """
    One ``release`` in the lock's own way; ``own`` insists on deleting nothing but this value.

    A comparison before it is a ``check`` of its own, so that the record shows when the deletion really began.
    """
    if lock.compares_first and not own:
        compared = record(worker, lock.client, "check", lock.key, lambda: lock.compare(value))
        if not compared.value:
            return compared
        worker.point("compared-release")
    ask = lock.release_own if own else lock.release
    return record(worker, lock.client, "release", lock.key, lambda: ask(value), {"lock_value": value})
