"""
A replica's log as it lies on its disk: what a broker has, also one that is down or that nobody is allowed to read from.

Consumers see a log up to its high watermark, at its leader. What a fault cost is the difference between replicas, so their own
segments are read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from chaos.history.records import Value
from chaos.systems.kafka.batches import batches
from chaos.systems.kafka.config import DATA

Read = Callable[[str], bytes]
"""A file below the party's folder, or the names in a folder, one a line; what is absent is empty."""

_SEGMENT = re.compile(r"\d{20}\.log")


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
    """
    A replica's log from the segments on its disk.

    It begins where the oldest segment begins: retention takes whole segments. Which there are is asked and not guessed from
    where the one before ends: compaction leaves gaps.
    """
    folder = f"{DATA}/{log}"
    segments = sorted(name for name in read(folder).decode().splitlines() if _SEGMENT.fullmatch(name))
    first = int(segments[0].partition(".")[0]) if segments else 0
    values: list[str | None] = []
    epochs: list[tuple[int, int]] = []
    for segment in segments:
        for batch in batches(read(f"{folder}/{segment}")):
            if not epochs or epochs[-1][1] != batch.epoch:
                epochs.append((batch.first, batch.epoch))
            values += [None] * (batch.end - first - len(values))
            for offset, value in batch.records:
                values[offset - first] = value
    return ReplicaLog(log=log, first=first, values=tuple(values), epochs=tuple(epochs))
