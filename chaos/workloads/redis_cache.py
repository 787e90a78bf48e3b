"""
A cache that fills up: what makes a server with a memory limit choose whom to evict.
"""

from collections.abc import Sequence
from functools import partial
from itertools import count

from chaos.workloads.redis_client import next_turn, open_client, record
from chaos.workloads.worker import Worker


def cache_filler(
    worker: Worker,
    *,
    address: str | None = None,
    sentinels: Sequence[str] | None = None,
    service: str = "m",
    value_bytes: int = 1024,
    ttl_s: int = 300,
    keys: int | None = None,
    pace_s: float = 0.0,
    timeout_s: float | None = None,
    password: str | None = None,
) -> None:
    """``fill`` the cache with keys that expire after ``ttl_s``, so many or until asked to stop."""
    client = open_client(address=address, sentinels=sentinels, service=service, timeout_s=timeout_s, password=password)
    payload = "x" * value_bytes

    def fill(name: str) -> str:
        return str(client.execute("SET", name, payload, "EX", ttl_s))

    for number in count(1) if keys is None else range(1, keys + 1):
        name = f"cache:{worker.client}:{number}"

        if not next_turn(worker, record(worker, client, "fill", name, partial(fill, name)), pace_s):
            return
