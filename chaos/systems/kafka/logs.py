"""
A replica's log as it lies on its disk: what a broker has, also one that is down or that nobody is allowed to read from.

Consumers see a log up to its high watermark, at its leader. What a fault cost is the difference between replicas, so their own
segments are read. Source: Kafka documentation, message format (record batches, version 2).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kafka.record.memory_records import MemoryRecords

from chaos.history.records import Value
from chaos.systems.kafka.config import DATA

Read = Callable[[str], bytes]
"""A file below the party's folder; an absent one is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaLog:
    """
    What one replica has of a log.

    :param first: the offset of the first entry.
    :param values: one an offset; None where there is no record, or none with a value.
    :param epochs: (first offset, leader epoch), ascending: which leader wrote from where on.
    """

    log: str
    first: int
    values: tuple[str | None, ...]
    epochs: tuple[tuple[int, int], ...]

    @property
    def end(self) -> int:
        """The log end offset: one past the last entry."""
        return self.first + len(self.values)

    def observed(self) -> Value:
        """As histories record it."""
        return {
            "log": self.log,
            "first": self.first,
            "values": list(self.values),
            "epochs": [list(pair) for pair in self.epochs],
        }


def read_replica(log: str, read: Read) -> ReplicaLog:
    """A replica's log from the segments on its disk, from offset 0 on."""
    values: list[str | None] = []
    epochs: list[tuple[int, int]] = []
    for batch in _batches(log, read):
        if not epochs or epochs[-1][1] != batch.leader_epoch:
            epochs.append((batch.base_offset, batch.leader_epoch))
        values += [None] * (batch.last_offset + 1 - len(values))
        if batch.is_control_batch:
            continue
        for record in batch:
            values[record.offset] = None if record.value is None else bytes(record.value).decode(errors="replace")
    return ReplicaLog(log=log, first=0, values=tuple(values), epochs=tuple(epochs))


def _batches(log: str, read: Read) -> Iterator[Any]:
    start = 0
    while segment := read(f"{DATA}/{log}/{start:020d}.log"):
        following = start
        for batch in MemoryRecords(
            segment
        ):  # A batch that is still being written has not all its bytes: it is left out.
            yield batch
            following = batch.last_offset + 1
        if following == start:
            return
        start = following
