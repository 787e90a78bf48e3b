"""
Record batches as they lie on disks and travel: which offsets they cover, and what an application wrote into them.

Source: Kafka documentation, message format (record batches, version 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kafka.errors import UnsupportedCodecError
from kafka.record.memory_records import MemoryRecords

from chaos.errors import MissingSoftwareError

CODECS = {2: "snappy", 3: "lz4", 4: "zstd"}
"""Those that kafka-python reads with a library of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """
    A record batch.

    :param end: one past the last offset that it covers; where a log was compacted that is more than its records show.
    :param records: offset and value of each; a marker of a transaction is nobody's record.
    """

    first: int
    end: int
    epoch: int
    records: tuple[tuple[int, str | None], ...]


def batches(raw: bytes) -> Iterator[Batch]:
    """The batches in these bytes; one that has not all its bytes yet is left out."""
    for batch in MemoryRecords(raw):
        codec = CODECS.get(batch.compression_type, "")
        try:
            records = () if batch.is_control_batch else tuple((one.offset, text(one.value)) for one in batch)
        except UnsupportedCodecError as problem:
            raise MissingSoftwareError(
                f"what reads {codec}, with which records were compressed,", f"pip install 'kafka-python[{codec}]'"
            ) from problem
        yield Batch(first=batch.base_offset, end=batch.last_offset + 1, epoch=batch.leader_epoch, records=records)


def text(value: bytes | None) -> str | None:
    """A value as histories have it; bytes that are no text stay distinguishable."""
    return None if value is None else bytes(value).decode(errors="backslashreplace")
