"""
Readers and writers of versioned registers: what ``chaos.checkers`` judges by key, and the freshness guarantees by revision.

Operations: ``read`` [key, null] -> [version, value]; ``write`` [key, [null, value]] -> [version, value];
``cas`` [key, [null, [expected, new]]] -> [version, [expected, new]]. A key that was never written has version 0.
"""

from collections.abc import Sequence
from functools import partial
from itertools import count, cycle
from typing import Any

from chaos.errors import UsageError
from chaos.history.records import Value
from chaos.workloads.etcd_client import TIMEOUT_S, Etcd, next_turn, record
from chaos.workloads.etcd_requests import put_step, range_step, value_is
from chaos.workloads.outcomes import Refused
from chaos.workloads.worker import Completed, Worker

PACE_S = 0.01


class Register:
    """One client's way to the registers: writes go to one endpoint, reads to one or to several in turn."""

    def __init__(self, worker: Worker, write_at: Etcd | None, read_at: Sequence[Etcd], *, serializable: bool) -> None:
        self._worker, self._write_at, self._serializable = worker, write_at, serializable
        self._readers = cycle(read_at)
        self._numbers = count(1)
        self._seen: dict[str, str | None] = {}

    def read(self, key: str) -> Completed:
        """One ``read`` at the next endpoint."""
        client = next(self._readers)
        notes: dict[str, Value] = {"serializable": self._serializable}
        return record(self._worker, client, "read", [key, None], partial(self._read, client, key), notes)

    def _read(self, client: Etcd, key: str) -> Value:
        items = client.range(key, serializable=self._serializable).items
        self._seen[key] = items[0].value if items else None
        return [items[0].version, items[0].value] if items else [0, None]

    def write(self, key: str) -> Completed:
        """One ``write`` of a value that nobody wrote before."""
        client, value = self._writer(), self._fresh()
        return record(self._worker, client, "write", [key, [None, value]], lambda: self._put(client, key, [], value))

    def cas(self, key: str) -> Completed:
        """One ``cas`` from the value that was read last; before any was read it is a read."""
        client, expected, value = self._writer(), self._seen.get(key), self._fresh()
        if expected is None:
            return self.read(key)

        def swap() -> Value:
            version, new = self._put(client, key, [value_is(key, expected)], value)
            return [version, [expected, new]]

        return record(self._worker, client, "cas", [key, [None, [expected, value]]], swap)

    def _put(self, client: Etcd, key: str, compare: list[Any], value: str) -> list[Any]:
        answer = client.txn(compare, [put_step(key, value), range_step(key)])
        if not answer.succeeded:
            raise Refused("it has another value by now")
        self._seen[key] = value
        return [answer.ranges[0][0].version, value]

    def _writer(self) -> Etcd:
        if self._write_at is None:
            raise UsageError("this client only reads: it was given no address to write to")
        return self._write_at

    def _fresh(self) -> str:
        return f"{self._worker.client}:{next(self._numbers)}"


def register_client(
    worker: Worker,
    *,
    address: str,
    read_at: str | None = None,
    keys: Sequence[str] = ("r",),
    read_share: float = 0.5,
    cas_share: float = 0.1,
    serializable: bool = False,
    pace_s: float = PACE_S,
    timeout_s: float = TIMEOUT_S,
) -> None:
    """
    ``read``, ``write`` and ``cas`` registers until asked to stop, mixed by the client's own seeded chance.

    :param read_at: another endpoint for reads than for writes.
    :param serializable: reads are answered by the endpoint's own state, as old as that may be.
    """
    client = Etcd(address, timeout_s=timeout_s)
    reader = client if read_at is None else Etcd(read_at, timeout_s=timeout_s)
    register = Register(worker, client, [reader], serializable=serializable)
    kinds = {register.read: read_share, register.cas: cas_share, register.write: 1 - read_share - cas_share}
    while True:
        (act,) = worker.random.choices(list(kinds), list(kinds.values()))
        if not next_turn(worker, act(worker.random.choice(list(keys))), pace_s):
            return


def register_reader(
    worker: Worker,
    *,
    address: str | None = None,
    addresses: Sequence[str] = (),
    keys: Sequence[str] = ("r",),
    serializable: bool = False,
    pace_s: float = PACE_S,
    timeout_s: float = TIMEOUT_S,
) -> None:
    """
    ``read`` registers in turn until asked to stop.

    :param addresses: endpoints to ask in turn, instead of one address.
    """
    clients = [Etcd(one, timeout_s=timeout_s) for one in ([address] if address else addresses)]
    if not clients:
        raise UsageError("give a reader an address, or several to ask in turn")
    register = Register(worker, None, clients, serializable=serializable)
    for key in cycle(keys):
        if not next_turn(worker, register.read(key), pace_s):
            return
