"""
Writers whose acknowledgements can be checked against what is there at the end: unique values into a set, increments.

Values are ``"<client>:<number>"``, so each is written once and tells who wrote it.
"""

from collections.abc import Sequence
from functools import partial
from itertools import count

from redis import exceptions

from chaos.history.records import Value
from chaos.workloads.outcomes import Refused, Uncertain
from chaos.workloads.redis_client import Commands, next_turn, open_client, record
from chaos.workloads.worker import Worker

PACE_S = 0.002


def set_writer(
    worker: Worker,
    *,
    address: str | None = None,
    sentinels: Sequence[str] | None = None,
    service: str = "m",
    key: str = "acked",
    pace_s: float = PACE_S,
    timeout_s: float | None = None,
    password: str | None = None,
) -> None:
    """
    ``add`` unique values with SADD until asked to stop.

    :param address: the one node to write to, whatever happens to it; or
    :param sentinels: whom to ask for the master, again after every error.
    """
    client = open_client(address=address, sentinels=sentinels, service=service, timeout_s=timeout_s, password=password)

    def add(value: str) -> Value:
        return client.execute("SADD", key, value)

    for number in count(1):
        value = f"{worker.client}:{number}"
        done = record(worker, client, "add", value, partial(add, value))
        if not next_turn(worker, done, pace_s):
            return


def wait_writer(
    worker: Worker,
    *,
    address: str | None = None,
    sentinels: Sequence[str] | None = None,
    service: str = "m",
    key: str = "acked",
    replicas: int = 1,
    wait_ms: int = 200,
    pace_s: float = PACE_S,
    timeout_s: float | None = None,
    password: str | None = None,
) -> None:
    """
    ``add`` unique values with SADD and WAIT; acknowledged means that so many replicas have it.

    A WAIT that comes back short, or not at all, leaves the write on the master: it may survive, so it is ``info``.
    """
    client = open_client(address=address, sentinels=sentinels, service=service, timeout_s=timeout_s, password=password)

    def add(value: str) -> Value:
        client.execute("SADD", key, value)
        return confirm(client, replicas, wait_ms)

    for number in count(1):
        value = f"{worker.client}:{number}"
        done = record(worker, client, "add", value, partial(add, value))
        if not next_turn(worker, done, pace_s):
            return


def confirm(client: Commands, replicas: int, wait_ms: int) -> int:
    """How many replicas have the writes of this connection; ``Uncertain`` when they are too few or do not say."""
    try:
        (reached,) = client.together(("WAIT", replicas, wait_ms))
    except (exceptions.RedisError, Refused) as problem:
        # The write itself was acknowledged: whatever went wrong since, "it did not happen" is no longer an answer.
        raise Uncertain(f"written, but WAIT failed: {problem}") from problem
    if reached < replicas:
        raise Uncertain(f"written, but only {reached} of {replicas} replicas have it", result=reached)
    return int(reached)


def incr_writer(
    worker: Worker,
    *,
    address: str | None = None,
    sentinels: Sequence[str] | None = None,
    service: str = "m",
    key: str = "counter",
    pace_s: float = PACE_S,
    times: int | None = None,
    timeout_s: float | None = None,
    password: str | None = None,
    with_default_retries: bool = False,
) -> None:
    """
    ``incr`` a counter until asked to stop, or so many times; the result is the counter as the server answered it.

    :param with_default_retries: the client library's own retries (ten a command in redis-py 8) instead of none: one
        ``incr`` whose reply is lost may then be applied many times. A timeout given here shortens its default of 5 s.
    """
    client = open_client(
        address=address,
        sentinels=sentinels,
        service=service,
        timeout_s=timeout_s,
        password=password,
        with_default_retries=with_default_retries,
    )
    turns = count(1) if times is None else range(1, times + 1)
    for number in turns:
        done = record(worker, client, "incr", number, lambda: client.execute("INCR", key))
        if not next_turn(worker, done, pace_s):
            return
