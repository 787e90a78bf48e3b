"""
The log agrees: at one offset of one log there is one value, whoever looks and whenever.

Definition: no two of these name different values for one offset of a log: an ``add`` (ok) with ``log`` in its notes and the
offset as its result, a ``poll`` (ok) with ``log`` in its notes and pairs of offset and value as its result, and snapshots of
replicas (``replica-log``). Records that were never acknowledged count too: a tail that a replica threw away was a value.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from chaos.guarantees.evidence import end_ns, identity, integer, missed_faults, shown
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.replica_logs import snapshots
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "log_agrees"


@dataclass(frozen=True, slots=True)
class Sight:
    """Who saw values in a log, when; with the operation that says so, if it was one."""

    at_ns: int
    who: str
    how: str
    operation: Operation | None = None


Place = tuple[str, int]
"""A log and an offset."""

Seen = tuple[Sight, Hashable]


def _judge(history: History) -> Verdict:
    first: dict[Place, Seen] = {}
    conflicts: dict[Place, tuple[Seen, Seen]] = {}
    compared = False
    for place, seen in _seen(history):
        before = first.setdefault(place, seen)
        compared = compared or before[0].who != seen[0].who
        if before[1] != seen[1]:
            conflicts.setdefault(place, (before, seen))
    measures = {"offsets_count": len(first), "conflict_count": len(conflicts)}
    if conflicts:
        return violated(NAME, _witness(history, conflicts), **measures)
    if not compared:
        return unknown(NAME, "no offset was seen by two different sources", **measures)
    asked = history.select(("add", "poll"))
    if not any(operation.ok for operation in asked):
        return unknown(NAME, "no write and no poll was acknowledged", **measures)
    missing = missed_faults(history, asked)
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"each of {len(first)} offsets had one value, whoever saw it", **measures)


def _seen(history: History) -> Iterator[tuple[Place, Seen]]:
    """Every value that was seen at an offset."""
    for operation in history.select(("add", "poll")):
        log = operation.notes.get("log")
        if operation.ok and isinstance(log, str):
            how = "was acknowledged" if operation.f == "add" else "read"
            sight = Sight(end_ns(operation, operation.invoked_ns), operation.client, how, operation)
            for offset, value in _told(operation):
                yield (log, offset), (sight, value)
    for one in snapshots(history):
        sight = Sight(one.at_ns, one.party, "had")
        for offset, value in one.records():
            yield (one.log, offset), (sight, value)


def _told(operation: Operation) -> Iterator[tuple[int, Hashable]]:
    pairs = [[operation.result, operation.value]] if operation.f == "add" else operation.result
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, list) and len(pair) == 2:
            offset, value = integer(pair[0]), pair[1]
            if offset is not None and value is not None:
                yield offset, identity(value)


def _witness(history: History, conflicts: dict[Place, tuple[Seen, Seen]]) -> Witness:
    log, offset = place = min(conflicts)
    said = [
        f"{sight.who} {sight.how} {shown(value[0]) if isinstance(value, tuple) else shown(value)} there at "
        f"{history.seconds(sight.at_ns):.3f} s"
        for sight, value in conflicts[place]
    ]
    sentence = f"offset {offset} of {log}: {' and '.join(said)}; {len(conflicts)} offsets had two values"
    operations = tuple(sight.operation for sight, _ in conflicts[place] if sight.operation is not None)
    return Witness(anomaly="diverging log", sentence=sentence, operations=operations)


log_agrees = Guarantee(
    name=NAME,
    promise="At one offset of a log there is one value, whoever looks and whenever.",
    check=_judge,
    source="Kafka documentation, Replication: all replicas have the same log with the same offsets; KIP-101, KIP-279",
    silent_on="values that are missing or out of order, and offsets nobody saw twice; it takes the logs of two clusters for "
    "one where they have the same name, and an unacknowledged tail that was truncated breaks it too",
    needs=("add",),
    notes=("log",),
)
