"""
A lease lock on Redis in its common variants, right and wrong.

The fencing token is drawn in the same script as the SET NX PX: a separate INCR could come after the lease has run out
and another client has drawn its own, and then the older holder would have the newer token.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from chaos.errors import UsageError
from chaos.wait import monotonic_ns
from chaos.workloads.outcomes import Refused
from chaos.workloads.redis_client import Commands
from chaos.workloads.redis_sets import confirm
from chaos.workloads.worker import Worker

Acquire = Literal["set-nx-px", "setnx-expire"]
Unlock = Literal["del", "compare-del", "lua", "watch"]

_TAKE = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end
return false
"""
_TAKE_AGAIN = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(redis.call('GET', KEYS[2]))
end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end
return false
"""
_DELETE_OWN = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
HELD = "held by somebody"


class Lock:
    """
    One client's way to the lock ``key``.

    :param wait_replicas: how many replicas must have the lock before it counts as acquired; 0 asks none.
    """

    def __init__(
        self,
        worker: Worker,
        client: Commands,
        *,
        key: str,
        ttl_ms: int,
        acquire: Acquire = "set-nx-px",
        unlock: Unlock = "lua",
        wait_replicas: int = 0,
        wait_ms: int = 200,
    ) -> None:
        self.worker, self.client, self.key, self.ttl_ms = worker, client, key, ttl_ms
        self._acquire = _choose("acquire", acquire, {"set-nx-px": self._set, "setnx-expire": self._setnx_expire})
        self._release = _choose(
            "unlock",
            unlock,
            {
                "del": self._delete,
                "compare-del": self._delete,
                "lua": self.release_own,
                "watch": self._watch_delete,
            },
        )
        self._compare = {"compare-del": self.is_mine, "watch": self._watched}.get(unlock)
        self._wait = (wait_replicas, wait_ms)

    def new_value(self) -> str:
        """A random value that tells this acquisition from all others."""
        return f"{self.worker.client}-{self.worker.random.getrandbits(64):016x}"

    def expires_ns(self) -> int:
        """Until when a lease that is asked for now is promised at least: the server counts from later on."""
        return monotonic_ns() + self.ttl_ms * 1_000_000

    def acquire(self, value: str) -> int:
        """Take the lock and return the fencing token; ``Refused`` when somebody holds it."""
        token = self._acquire(value)
        replicas, wait_ms = self._wait
        if replicas:
            confirm(self.client, replicas, wait_ms)
        return token

    def acquire_again(self, value: str) -> int:
        """Take the lock, and count finding one's own value there as success: safe to ask after a lost reply."""
        return self._taken(self.client.execute("EVAL", _TAKE_AGAIN, 2, *self._keys, value, self.ttl_ms))

    def is_mine(self, value: str) -> bool:
        """Whether the lock holds this value now, at the server."""
        return bool(self.client.execute("GET", self.key) == value)

    @property
    def compares_first(self) -> bool:
        """Whether giving back is two steps in the chosen way: compare, then delete."""
        return self._compare is not None

    def compare(self, value: str) -> bool:
        """The first of the two steps: whether the lock is ours."""
        return self._compare is None or self._compare(value)

    def release(self, value: str) -> int:
        """Delete in the chosen way and return how many keys that deleted; ``Refused`` when it was not ours."""
        return self._release(value)

    def release_own(self, value: str) -> int:
        """Delete the lock if it still holds this value, compared and deleted in one script."""
        deleted = int(self.client.execute("EVAL", _DELETE_OWN, 1, self.key, value))
        if not deleted:
            raise Refused("the lock is not mine any more", result=0)
        return deleted

    @property
    def _keys(self) -> tuple[str, str]:
        return self.key, f"{self.key}:token"

    def _set(self, value: str) -> int:
        return self._taken(self.client.execute("EVAL", _TAKE, 2, *self._keys, value, self.ttl_ms))

    def _setnx_expire(self, value: str) -> int:
        if not self.client.execute("SETNX", self.key, value):
            raise Refused(HELD)
        # Between the two commands the lock has no end: a client that dies here leaves it for ever. Nobody else can
        # draw a token meanwhile, so this INCR is safe where it stands.
        token = int(self.client.execute("INCR", self._keys[1]))
        self.worker.point("between-setnx-and-expire")
        self.client.execute("PEXPIRE", self.key, self.ttl_ms)
        return token

    def _taken(self, token: Any) -> int:
        if token is None:
            raise Refused(HELD)
        return int(token)

    def _delete(self, value: str) -> int:
        return int(self.client.execute("DEL", self.key))

    def _watched(self, value: str) -> bool:
        self.client.execute("WATCH", self.key)
        (found,) = self.client.together(("GET", self.key))
        if found != value:
            self.client.together(("UNWATCH",))
        return bool(found == value)

    def _watch_delete(self, value: str) -> int:
        *_, executed = self.client.together(("MULTI",), ("DEL", self.key), ("EXEC",))
        if executed is None:
            raise Refused("the lock changed after it was compared")
        return int(executed[0])


def _choose(what: str, wanted: str, ways: Mapping[str, Callable[[str], int]]) -> Callable[[str], int]:
    if wanted not in ways:
        raise UsageError(f"{what} is one of {', '.join(ways)}, not {wanted!r}")
    return ways[wanted]
