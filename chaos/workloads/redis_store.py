"""
The guarded resource of the lock experiments: a real store, apart from the lock, whose order of accepted writes is the truth.

A standalone Redis in a party that faults may not target. One script per write, so the store itself decides and numbers.
"""

from chaos.history.records import Value
from chaos.workloads.outcomes import Refused
from chaos.workloads.redis_client import Pinned

LOG = "store:log"
"""The list of accepted writes, oldest first, each ``[holder, token, value]`` as JSON."""
LAST_TOKEN = "store:token"

_ACCEPT = """
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = tonumber(ARGV[2])
if ARGV[4] == '1' and token < last then return {0, last} end
if token > last then redis.call('SET', KEYS[2], ARGV[2]) end
return {redis.call('RPUSH', KEYS[1], cjson.encode({ARGV[1], token, ARGV[3]})), last}
"""


class Store:
    """One client's way to the resource."""

    def __init__(self, address: str, *, guarded: bool, timeout_s: float = 2.0) -> None:
        self.guarded = guarded
        self.address = address
        self._client = Pinned(address, timeout_s=timeout_s)

    def accept(self, holder: str, token: int, value: str) -> Value:
        """
        Write, and return the write's place in the store's own order.

        A guarded store refuses a token lower than the last it has seen; an unguarded one takes everything.
        """
        guard = "1" if self.guarded else "0"
        number, last = self._client.execute("EVAL", _ACCEPT, 2, LOG, LAST_TOKEN, holder, token, value, guard)
        if not number:
            raise Refused(f"token {token} is older than {last}", result=None)
        return int(number)
