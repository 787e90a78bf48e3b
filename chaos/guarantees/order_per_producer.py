"""
Order per producer: what one producer sent first stands first.

Definition: in the last acknowledged ``final-read`` the first copies of the values that one client added to one log (``log``
in the notes of ``add``) stand in the order of their invocations, which is that in which the producer was handed them.
Values that nobody added, that were added more than once, or whose add names no log are ignored.
"""

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from chaos.guarantees.evidence import final_reads, identity, missed_faults, read_too_early, shown
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "order_per_producer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inversion:
    """A value that stands behind one that its producer sent later: the last one sent of those before it."""

    early: Operation
    late: Operation
    early_place: int
    late_place: int


def _judge(history: History) -> Verdict:
    reads = final_reads(history)
    if not reads or not isinstance(reads[-1].result, list):
        return unknown(NAME, "there is no acknowledged final read with a list of values")
    read, adds = reads[-1], history.select("add")
    placed = _placed(adds, read.result)
    found = [one for records in placed.values() for one in _inversions(records)]
    measures = {
        "read_count": sum(map(len, placed.values())),
        "producers_count": len(placed),
        "inversion_count": len(found),
    }
    if found:
        return violated(NAME, _witness(history, found[0], len(found)), **measures)
    if all(len(records) < 2 for records in placed.values()):
        return unknown(NAME, "the final read shows no two values that one client added to one log", **measures)
    missing = read_too_early(history, read) or missed_faults(history, adds)
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"{measures['read_count']} values stand in the order in which they were sent", **measures)


def _placed(
    adds: tuple[Operation, ...], values: list[object]
) -> dict[tuple[str, str], list[tuple[int, int, Operation]]]:
    """For each producer and log the values that were read, in the order of their first copies: place, number, add."""
    places: dict[Hashable, int] = {}
    for place, value in enumerate(values):
        places.setdefault(identity(value), place)
    times = Counter(identity(add.value) for add in adds)
    placed: dict[tuple[str, str], list[tuple[int, int, Operation]]] = {}
    for number, add in enumerate(adds):
        value, log = identity(add.value), add.notes.get("log")
        if isinstance(log, str) and value in places and times[value] == 1:
            placed.setdefault((add.client, log), []).append((places[value], number, add))
    return {producer: sorted(records, key=lambda one: one[0]) for producer, records in placed.items()}


def _inversions(records: list[tuple[int, int, Operation]]) -> Iterator[Inversion]:
    latest = records[0]
    for one in records:
        if one[1] < latest[1]:
            yield Inversion(early=one[2], late=latest[2], early_place=one[0], late_place=latest[0])
        else:
            latest = one


def _witness(history: History, first: Inversion, count: int) -> Witness:
    early, late = first.early, first.late
    sentence = (
        f"{early.client} sent {shown(early.value)} at {history.seconds(early.invoked_ns):.3f} s, before "
        f"{shown(late.value)} at {history.seconds(late.invoked_ns):.3f} s, and it stands behind it in the final read "
        f"(places {first.early_place} and {first.late_place}); {count} values stand behind one that was sent later"
    )
    return Witness(anomaly="reordering", sentence=sentence, operations=(early, late))


order_per_producer = Guarantee(
    name=NAME,
    promise="The values of one producer stand in the order in which they were sent.",
    check=_judge,
    source="Kafka documentation, Guarantees: messages of a producer to a partition are appended in the order they are sent; "
    "max.in.flight.requests.per.connection",
    silent_on="the order between producers and between logs, later copies (no_duplicates), and values that are missing",
    needs=("add", FINAL_READ),
    notes=("log",),
    per_client=True,
)
