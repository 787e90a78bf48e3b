"""
Clients of a lock on a lease: holders that write to a guarded resource, and a holder that keeps its lease alive.

What they record is what the lock guarantees read: ``acquire`` (the lock's name; result: token), ``renew`` and ``check``
(result: still mine), ``write`` (unique value; result: the store's own number), ``release`` (result: keys deleted).
"""

from itertools import count

from chaos.errors import UsageError
from chaos.history.records import Value
from chaos.wait import monotonic_ns
from chaos.workloads.etcd_client import CALM_PACE_S, ETCD_OUTCOMES, TIMEOUT_S, Etcd, record
from chaos.workloads.etcd_lock import Lock, open_store
from chaos.workloads.outcomes import OutcomeTable
from chaos.workloads.worker import Completed, Worker

LOCK = "lock"


def lock_holder(
    worker: Worker,
    *,
    address: str,
    store: str | None = None,
    kind: str = "own",
    key: str = LOCK,
    ttl_s: int = 2,
    writes: int = 1,
    rounds: int | None = None,
    pace_s: float = CALM_PACE_S,
    timeout_s: float = TIMEOUT_S,
) -> None:
    """
    Take the lock, write to the resource, give the lock back, again and again. Nothing keeps the lease alive meanwhile.

    Points, in order: ``acquired``, ``before-write``, ``written``, ``before-release``.

    :param kind: the resource: ``own``, ``own-guarded``, ``outside``, ``outside-guarded``; see ``open_store``.
    :param store: its address, where it is an outside one.
    :param rounds: turns inside before the workload ends; None goes on until asked to stop.
    """
    if kind.startswith("outside") and store is None:
        raise UsageError(f'kind="{kind}" needs the address of the outside store, as store=')
    client = Etcd(address, timeout_s=timeout_s)
    where, accept = open_store(kind, store or address, key)
    outcomes = _outcomes(kind)
    numbers, inside = count(1), 0
    while rounds is None or inside < rounds:
        lock = Lock(client, key=key, ttl_s=ttl_s, owner=worker.client)
        if record_acquire(worker, lock).ok:
            inside += 1
            worker.point("acquired")
            for _ in range(writes):
                worker.point("before-write")
                holder, value, token = worker.client, f"{worker.client}:{next(numbers)}", lock.token
                notes = {"holder": holder, "token": token, "resource": "store", "address": where}
                worker.operation("write", value, lambda h=holder, t=token, v=value: accept(h, t, v), outcomes, notes)  # type: ignore[misc]
                worker.point("written")
            worker.point("before-release")
            record(worker, client, "release", key, lock.release, {"lease": lock.name})
        if not worker.keep_going(pace_s):
            return


def _outcomes(kind: str) -> OutcomeTable:
    if not kind.startswith("outside"):
        return ETCD_OUTCOMES
    from chaos.workloads.redis_client import REDIS_OUTCOMES

    return REDIS_OUTCOMES


def lease_keeper(
    worker: Worker,
    *,
    address: str,
    key: str = LOCK,
    ttl_s: int = 5,
    renew_every_s: float = 1.0,
    check_every_s: float = 0.1,
    retry_s: float = 0.05,
    timeout_s: float = TIMEOUT_S,
) -> None:
    """
    Take the lock once, ``renew`` its lease and ``check`` that its key is there, until it is gone or asked to stop.

    Stands at ``acquired`` and, when a renewal becomes due, at ``renewal-due``.

    :param renew_every_s: from one confirmed renewal to the next; one without an answer is asked again after ``retry_s``.
    """
    lock = Lock(Etcd(address, timeout_s=timeout_s), key=key, ttl_s=ttl_s, owner=worker.client)
    while not record_acquire(worker, lock).ok:
        if not worker.keep_going(retry_s):
            return
    worker.point("acquired")
    renewed_ns, held, again = monotonic_ns(), True, False
    while held and worker.keep_going(retry_s):
        done: Completed | None = None
        if monotonic_ns() - renewed_ns >= renew_every_s * 1e9:
            if not again:
                worker.point("renewal-due")
            asked_ns = monotonic_ns()
            done = record_renew(worker, lock)
            renewed_ns, again = (asked_ns, False) if done.ok else (renewed_ns, True)
        elif worker.keep_going(max(0.0, check_every_s - retry_s)):
            done = record_check(worker, lock)
        held = done is None or not done.ok or bool(done.value)
    if held:
        record(worker, lock.client, "release", key, lock.release, {"lease": lock.name})


def record_acquire(worker: Worker, lock: Lock) -> Completed:
    """One ``acquire``; its lease, and until when that is promised, stand in its notes."""
    notes: dict[str, Value] = {"ttl_s": lock.ttl_s, "expires_ns": lock.expires_ns()}

    def acquire() -> int:
        try:
            return lock.acquire()
        finally:
            notes["lease"] = lock.name

    done = record(worker, lock.client, "acquire", lock.key, acquire, notes)
    if not done.ok:
        lock.forget()  # What may be there is left to its end: a new attempt gets a lease of its own.
    return done


def record_renew(worker: Worker, lock: Lock) -> Completed:
    """One ``renew``; confirmed, it promises the lease until ``expires_ns``."""
    notes: dict[str, Value] = {"lease": lock.name, "ttl_s": lock.ttl_s, "expires_ns": lock.expires_ns()}
    return record(worker, lock.client, "renew", lock.key, lock.renew, notes)


def record_check(worker: Worker, lock: Lock) -> Completed:
    """One ``check`` whether the key is still there; what was promised last is what it is held against."""
    notes: dict[str, Value] = {"lease": lock.name, "expires_ns": lock.promised_ns}
    return record(worker, lock.client, "check", lock.key, lock.is_mine, notes)
