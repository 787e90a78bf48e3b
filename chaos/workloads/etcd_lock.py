"""
A lock on etcd: a key that is created once, bound to a lease. Its fencing token is the revision at which it was created.
"""

from collections.abc import Callable
from contextlib import suppress

from chaos.errors import UsageError
from chaos.wait import monotonic_ns
from chaos.workloads.etcd_client import Etcd, EtcdError, NoAnswer
from chaos.workloads.etcd_requests import created_at, delete_step, put_step, range_step, version_is
from chaos.workloads.outcomes import Refused

HELD = "held by somebody"
NOT_MINE = "the lock is not mine any more"


class Lock:
    """
    One client's way to the lock ``key``. Between ``grant`` and ``take`` lies nothing but a round trip.

    :param ttl_s: of the lease, in whole seconds.
    """

    def __init__(self, client: Etcd, *, key: str, ttl_s: int, owner: str) -> None:
        self.client, self.key, self.ttl_s, self.owner = client, key, ttl_s, owner
        self.lease = 0
        self.token = 0
        self.promised_ns = 0
        """Until when the last confirmed answer promised the lease, counted from before it was asked."""

    @property
    def name(self) -> str:
        """The lease as notes show it."""
        return f"{self.lease:x}"

    def expires_ns(self) -> int:
        """Until when a lease that is asked for now is promised at least: the server counts from later on."""
        return monotonic_ns() + self.ttl_s * 1_000_000_000

    def acquire(self) -> int:
        """Take the lock and return its token; ``Refused`` when somebody holds it."""
        expires = self.expires_ns()
        if not self.lease:
            self.lease = self.client.grant(self.ttl_s)
        answer = self.client.txn(
            [version_is(self.key, 0)], [put_step(self.key, self.owner, lease=self.lease), range_step(self.key)]
        )
        if not answer.succeeded:
            self._revoke()
            raise Refused(HELD)
        self.token, self.promised_ns = answer.ranges[0][0].created, expires
        return self.token

    def forget(self) -> None:
        """Ask for a new lease next time."""
        self.lease = 0

    def _revoke(self) -> None:
        """End the lease now rather than later; whether that is answered changes nothing of what was decided before."""
        stamp, lease = self.client.stamp, self.lease
        self.lease = 0
        with suppress(NoAnswer, EtcdError, Refused):
            self.client.revoke(lease)
        self.client.stamp = stamp

    def renew(self) -> bool:
        """Keep the lease alive; False when it is gone."""
        expires = self.expires_ns()
        renewed_s = self.client.keep_alive(self.lease)
        if renewed_s > 0:
            self.promised_ns = expires
        return renewed_s > 0

    def is_mine(self) -> bool:
        """Whether the key is the one that was created by this acquisition."""
        items = self.client.range(self.key).items
        return bool(items) and items[0].created == self.token

    def release(self) -> int:
        """Delete the key if it is this acquisition's, and end the lease; ``Refused`` when it was not."""
        answer = self.client.txn([created_at(self.key, self.token)], [delete_step(self.key)])
        self._revoke()
        if not answer.succeeded:
            raise Refused(NOT_MINE, result=0)
        return 1


class OwnStore:
    """etcd itself as the guarded resource: every accepted write is a key of its own, its revision the true order."""

    def __init__(self, address: str, *, lock: str | None, timeout_s: float = 2.0) -> None:
        self.address = address
        self._client, self._lock = Etcd(address, timeout_s=timeout_s), lock

    def accept(self, holder: str, token: int, value: str) -> int:
        """Write, and return the revision; guarded, only in one step with a look whether the lock is still that one."""
        guard = [] if self._lock is None else [created_at(self._lock, token)]
        answer = self._client.txn(guard, [put_step(f"store/{value}", holder)])
        if not answer.succeeded:
            raise Refused(f"token {token} is older than the lock: {NOT_MINE}")
        return answer.stamp.revision


Accept = Callable[[str, int, str], int]


def open_store(kind: str, address: str, lock: str) -> tuple[str, Accept]:
    """
    The resource that a lock guards, as its address and its ``accept``.

    ``own`` is etcd without a guard, ``own-guarded`` with one; ``outside`` is another store, without a guard, and
    ``outside-guarded`` one that refuses tokens older than the last.
    """
    if kind in ("own", "own-guarded"):
        store = OwnStore(address, lock=lock if kind == "own-guarded" else None)
        return address, store.accept
    if kind in ("outside", "outside-guarded"):
        from chaos.workloads.redis_store import Store  # Another system's client, only where that is the resource.

        outside = Store(address, guarded=kind == "outside-guarded")
        return address, outside.accept
    raise UsageError(f"store is one of own, own-guarded, outside, outside-guarded, not {kind!r}")
