"""
A writer whose acknowledgements can be checked against what is there at the end: unique values, a key each.

Values are ``"<client>:<number>"``, so each is written once and tells who wrote it.
"""

from functools import partial
from itertools import count

from chaos.history.records import Value
from chaos.workloads.etcd_client import TIMEOUT_S, Etcd, next_turn, record
from chaos.workloads.worker import Worker

PACE_S = 0.002


def set_writer(
    worker: Worker, *, address: str, key: str = "acked", pace_s: float = PACE_S, timeout_s: float = TIMEOUT_S
) -> None:
    """``add`` unique values, each as a key of its own below ``key/``, until asked to stop; the result is the revision."""
    client = Etcd(address, timeout_s=timeout_s)

    def add(value: str) -> Value:
        return client.put(f"{key}/{value}", value).stamp.revision

    for number in count(1):
        value = f"{worker.client}:{number}"
        done = record(worker, client, "add", value, partial(add, value))
        if not next_turn(worker, done, pace_s):
            return
