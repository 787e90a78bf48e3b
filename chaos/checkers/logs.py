"""
Append logs with offsets (Kafka, streams): the system says its order, so every check is one pass.

The names are those of Jepsen's Kafka workload. Dependencies between transactions (G0, G1c) are not judged here.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from chaos.checkers.budget import Budget
from chaos.checkers.calls import Call, frozen
from chaos.errors import UsageError
from chaos.history import Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "append-log"
MOVING = ("assign", "subscribe", "crash")
"""After these a consumer may begin anywhere."""


class Record(NamedTuple):
    """A value at an offset of a key's log; None: the client did not learn it."""

    key: str
    offset: int | None
    value: Any
    call: Call


Reached = tuple[int, Record]
"""An offset, and the record that is there."""


class Work(NamedTuple):
    """One operation's sends and polls."""

    call: Call
    sent: list[Record]
    polled: list[Record]


def judge_log(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether the log is one sequence that keeps what it acknowledged and is read in order."""
    works = [_work(call) for call in calls]
    acked = [record for work in works if work.call.operation.ok for record in work.sent]
    polled = [record for work in works for record in work.polled]
    found = [
        *_phantoms(works, polled),
        *_inconsistent(acked + polled),
        *_duplicates(acked + polled),
        *_lost(acked, polled),
        *_sends(works),
        *_polls(works, acked + polled),
    ]
    names = dict.fromkeys(witness.anomaly for witness in found)
    if found:
        others = [name for name in names if name != found[0].anomaly]
        reason = f"{found[0].anomaly}: {found[0].sentence}" + (f" (also {', '.join(others)})" if others else "")
        return violated(NAME, found[0], reason, anomalies_count=len(found))
    if not acked or not polled:
        return unknown(NAME, f"{len(acked)} acknowledged sends and {len(polled)} polled records prove nothing")
    return holds(
        NAME, f"{len(acked)} acknowledged sends and {len(polled)} polled records agree on one log for each key"
    )


def _work(call: Call) -> Work:
    operation = call.operation
    known = operation.ok and operation.result is not None
    source = operation.result if known else operation.value
    sent: list[Record] = []
    polled: list[Record] = []
    for f, content in _parts(call.f, source, operation):
        if f == "send":
            key, offset, value = _send(content, operation, known)
            sent.append(Record(key, offset, value, call))
        elif known:
            polled += [Record(key, offset, value, call) for key, offset, value in _poll(content, operation)]
    return Work(call, sent, polled)


def _parts(f: str, source: Any, operation: Operation) -> Iterator[tuple[str, Any]]:
    """The bare form ``[k, v]`` or ``{k: ...}``, or Jepsen's list of ``[send, k, v]`` and ``[poll, {k: ...}]``."""
    if f in MOVING or source is None:
        return
    if isinstance(source, list | tuple) and source and all(_tagged(part) for part in source):
        for part in source:
            yield part[0], list(part[1:]) if part[0] == "send" else (part[1] if len(part) > 1 else {})
    elif f in ("send", "poll"):
        yield f, source
    elif source:
        raise UsageError(f"{operation}: a transaction is a list of [send, key, value] and [poll, records]")


def _tagged(part: Any) -> bool:
    return isinstance(part, list | tuple) and len(part) > 0 and part[0] in ("send", "poll")


def _send(content: Any, operation: Operation, known: bool) -> tuple[str, int | None, Any]:
    if not isinstance(content, list | tuple) or len(content) != 2:
        raise UsageError(f"{operation}: a send is a pair of key and value")
    key, value = content
    if known and isinstance(value, list | tuple) and len(value) == 2:
        return str(key), _offset(value[0], operation), frozen(value[1])
    return str(key), None, frozen(value)


def _poll(content: Any, operation: Operation) -> Iterator[tuple[str, int | None, Any]]:
    pairs = content.items() if isinstance(content, Mapping) else content or ()
    try:
        for key, records in pairs:
            for offset, value in records:
                yield str(key), _offset(offset, operation), frozen(value)
    except UsageError:
        raise
    except (TypeError, ValueError) as problem:
        raise UsageError(f"{operation}: a poll returns {{key: [[offset, value], ...]}}") from problem


def _offset(offset: Any, operation: Operation) -> int | None:
    if offset is not None and (not isinstance(offset, int) or isinstance(offset, bool)):
        raise UsageError(f"{operation}: an offset is a number, not {offset!r}")
    return offset


def _witness(anomaly: str, sentence: str, *records: Record) -> Witness:
    shown = {id(record.call.operation): record.call for record in records}
    ordered = sorted(shown.values(), key=lambda call: call.begin)
    return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(call.operation for call in ordered))


def _phantoms(works: Sequence[Work], polled: Sequence[Record]) -> Iterator[Witness]:
    senders = {(record.key, record.value): record for work in works for record in work.sent}
    for record in polled:
        sender = senders.get((record.key, record.value))
        client = record.call.operation.client
        if sender is None:
            yield _witness(
                "phantom-record", f"{client} polled {record.value!r} of {record.key}, which nobody sent", record
            )
        elif sender.call.operation.outcome.value == "fail":
            sentence = f"{client} polled {record.value!r} of {record.key}, whose send failed"
            yield _witness("G1a", sentence, sender, record)
        elif record.call.end < sender.call.begin:
            sentence = f"{client} polled {record.value!r} of {record.key} before its send began"
            yield _witness("future-read", sentence, record, sender)


def _inconsistent(records: Sequence[Record]) -> Iterator[Witness]:
    first: dict[tuple[str, int], Record] = {}
    for record in records:
        if record.offset is not None:
            other = first.setdefault((record.key, record.offset), record)
            if other.value != record.value:
                sentence = f"offset {record.offset} of {record.key} held {other.value!r} and {record.value!r}"
                yield _witness("inconsistent-offsets", sentence, other, record)


def _duplicates(records: Sequence[Record]) -> Iterator[Witness]:
    first: dict[tuple[str, Any], Record] = {}
    for record in records:
        if record.offset is not None:
            other = first.setdefault((record.key, record.value), record)
            if other.offset != record.offset:
                sentence = f"{record.value!r} is at offset {other.offset} and at offset {record.offset} of {record.key}"
                yield _witness("duplicate", sentence, other, record)


def _lost(acked: Sequence[Record], polled: Sequence[Record]) -> Iterator[Witness]:
    seen = {(record.key, record.value) for record in polled}
    highest: dict[str, Reached] = {}
    for record in polled:
        if record.offset is not None and record.offset >= highest.get(record.key, (record.offset, record))[0]:
            highest[record.key] = (record.offset, record)
    for record in acked:
        if record.offset is None or (record.key, record.value) in seen:
            continue
        reached, beyond = highest.get(record.key, (record.offset, record))
        if record.offset < reached:
            sentence = (
                f"{record.value!r} was acknowledged at offset {record.offset} of {record.key} and polled by nobody, "
                f"though offset {reached} was"
            )
            yield _witness("lost-write", sentence, record, beyond)


def _sends(works: Sequence[Work]) -> Iterator[Witness]:
    """Offsets of one producer grow."""
    last: dict[tuple[str, str], Reached] = {}
    for work in works:
        client = work.call.operation.client
        for record in work.sent:
            if record.offset is None:
                continue
            reached, before = last.get((client, record.key), (record.offset, record))
            sequential = before.call is record.call or before.call.end < record.call.begin
            if sequential and record.offset <= reached and record.value != before.value:
                sentence = (
                    f"{client} sent {before.value!r} to offset {reached} of {record.key}, "
                    f"then {record.value!r} to offset {record.offset}"
                )
                yield _witness("nonmonotonic-send", sentence, before, record)
            last[(client, record.key)] = (record.offset, record)


def _polls(works: Sequence[Work], records: Sequence[Record]) -> Iterator[Witness]:
    """Each consumer reads on where it stopped, until it is told to read elsewhere."""
    offsets: dict[str, set[int]] = defaultdict(set)
    for record in records:
        if record.offset is not None:
            offsets[record.key].add(record.offset)
    following = _following(offsets)
    last: dict[tuple[str, str], Record] = {}
    for work in works:
        client = work.call.operation.client
        if work.call.f in MOVING:
            last = {place: record for place, record in last.items() if place[0] != client}
        for record in work.polled:
            before = last.get((client, record.key))
            last[(client, record.key)] = record
            if before is None or before.offset is None or record.offset is None:
                continue
            if record.offset <= before.offset:
                sentence = f"{client} polled offset {before.offset} of {record.key}, then offset {record.offset}"
                yield _witness("nonmonotonic-poll", sentence, before, record)
            elif following[record.key].get(before.offset) != record.offset:
                skipped = following[record.key][before.offset]
                sentence = (
                    f"{client} polled offset {before.offset} of {record.key}, then {record.offset}, not {skipped}"
                )
                yield _witness("poll-skip", sentence, before, record)


def _following(offsets: Mapping[str, set[int]]) -> dict[str, dict[int, int]]:
    """The next offset known to hold a record."""
    found = {}
    for key, known in offsets.items():
        ordered = sorted(known)
        found[key] = dict(pairwise(ordered))
    return found
