"""
Exclusive writes: read at the resource, no write of an acquisition is accepted after a write of a later one.

Definition: writes are ordered by the store's numbers (``result``) where each has its own, else by their intervals;
acquisitions by their tokens, if all have one and those agree with the order in which locks were really acquired (after
a failover they may not), else by the intervals of their ``acquire``. A write is late if a write
of an acquisition that came after its own was accepted before it, or if a foreign write lies between it and an earlier
write of its own acquisition. No accepted write is late.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from chaos.guarantees.evidence import end_ns, identity, integer, missed_faults, shown
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.holding import is_acquired
from chaos.guarantees.placing import Placed, by_interval, by_store, settled_before
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "exclusive_writes"


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One time that a client got the lock, and where that lies in the order of all; unknown without its ``acquire``."""

    key: Hashable
    begin: float
    end: float


Owned = tuple[Placed, Acquisition]
Late = tuple[Placed, Placed]


def _judge(history: History) -> Verdict:
    attempts = history.select("write", where=lambda write: "holder" in write.notes)
    accepted = [write for write in attempts if write.ok]
    resources: dict[Hashable, list[Operation]] = defaultdict(list)
    for write in accepted:
        resources[identity(write.notes.get("resource"))].append(write)
    if len({_owner(write) for write in accepted}) < 2:
        return unknown(NAME, "the resource accepted writes of fewer than two acquisitions")
    acquires, twins = _acquires(history)
    confused = sorted({write.notes["holder"] for write in accepted if _owner(write) in twins})
    if confused:
        return unknown(NAME, f"acquisitions of {', '.join(confused)} cannot be told apart: their notes need a term")
    late = [pair for writes in resources.values() for pair in _late_writes(_own(history, writes, acquires))]
    measures = {"accepted_count": len(accepted), "late_write_count": len(late)}
    if late:
        return violated(NAME, _witness(history, late[-1]), **measures)
    missing = missed_faults(history, [*attempts, *history.select("acquire")])
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"{len(accepted)} accepted writes, none late", **measures)


def _owner(write: Operation) -> Hashable:
    notes = write.notes
    return notes["holder"], identity(notes.get("term", notes.get("token")))


def _acquires(history: History) -> tuple[dict[Hashable, Placed], set[Hashable]]:
    """Each ``acquire`` under its client and term, else its client and token; and the names that several have."""
    found: dict[Hashable, Placed] = {}
    twins: set[Hashable] = set()
    for one in by_interval(history, filter(is_acquired, history)):
        acquire = one.operation
        key = (acquire.client, identity(acquire.notes.get("term", acquire.result)))
        if found.setdefault(key, one) is not one:
            twins.add(key)
    return found, twins


def _own(history: History, writes: Sequence[Operation], acquires: dict[Hashable, Placed]) -> list[Owned]:
    tokens = {_owner(write): _token(write, acquires) for write in writes}
    numbered = _order_like_time(tokens, acquires)
    owned = []
    for placed in by_store(history, writes):
        key = _owner(placed.operation)
        token = tokens[key]
        if numbered and token is not None:
            owned.append((placed, Acquisition(key, token, token)))
        elif key in acquires:
            owned.append((placed, Acquisition(key, acquires[key].begin, acquires[key].end)))
        else:
            owned.append((placed, Acquisition(key, -inf, inf)))
    return owned


def _token(write: Operation, acquires: dict[Hashable, Placed]) -> int | None:
    acquire = acquires.get(_owner(write))
    return integer(write.notes.get("token", acquire.operation.result if acquire else None))


def _order_like_time(tokens: dict[Hashable, int | None], acquires: dict[Hashable, Placed]) -> bool:
    if None in tokens.values() or len(set(tokens.values())) < len(tokens):
        return False
    known = {id(acquires[key]): token for key, token in tokens.items() if key in acquires and token is not None}
    highest = -inf
    for acquire, settled in settled_before(one for one in acquires.values() if id(one) in known):
        highest = max([highest, *(known[id(one)] for one in settled)])
        if known[id(acquire)] < highest:
            return False
    return True


def _late_writes(owned: Sequence[Owned]) -> Iterator[Late]:
    """Each late write with a write that it should not have come after. One sweep: O(n log n)."""
    acquisitions = {id(placed): acquisition for placed, acquisition in owned}
    first_end: dict[Hashable, int] = {}
    for placed, acquisition in owned:
        first_end[acquisition.key] = min(placed.end, first_end.get(acquisition.key, placed.end))
    newest: Owned | None = None  # The settled write whose acquisition began last.
    latest: list[Owned] = []  # The settled writes that began last, of two acquisitions.
    for write, settled in settled_before(placed for placed, _ in owned):
        for other in settled:
            acquisition = acquisitions[id(other)]
            if newest is None or acquisition.begin > newest[1].begin:
                newest = (other, acquisition)
            latest = _two_latest([*latest, (other, acquisition)])
        own = acquisitions[id(write)]
        foreign = next((one for one in latest if one[1].key != own.key), None)
        if newest is not None and own.end < newest[1].begin:
            yield write, newest[0]
        elif foreign is not None and first_end[own.key] < foreign[0].begin:
            yield write, foreign[0]


def _two_latest(candidates: list[Owned]) -> list[Owned]:
    best: dict[Hashable, Owned] = {}
    for one in candidates:
        if one[1].key not in best or one[0].begin > best[one[1].key][0].begin:
            best[one[1].key] = one
    return sorted(best.values(), key=lambda one: one[0].begin, reverse=True)[:2]


def _witness(history: History, pair: Late) -> Witness:
    late, before = (placed.operation for placed in pair)
    sentence = (
        f"the resource accepted {shown(late.value)} of {late.notes['holder']} at "
        f"{history.seconds(end_ns(late)):.3f} s, after {shown(before.value)} of "
        f"{before.notes['holder']}, which had the lock later"
    )
    return Witness(anomaly="late write", sentence=sentence, operations=(before, late))


exclusive_writes = Guarantee(
    name=NAME,
    promise="The resource accepts no write of a client whose turn is over.",
    check=_judge,
    source="Kleppmann 2016, How to do distributed locking; the verdict is read at the resource, never from the lock",
    silent_on="writes whose outcome is unknown, and two believers of whom only one wrote (mutual_exclusion)",
    needs=("acquire", "write"),
)
