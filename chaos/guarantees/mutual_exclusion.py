"""
Mutual exclusion as the clients believe it: never two of them inside one lock.

Definition: a client is inside from the completion of its ``acquire`` (ok) to the invocation of its ``release``, to the
renewal or check that told it the lock is gone, or to its last sign of life. Two clients' stays share no instant.
"""

from collections.abc import Iterable
from dataclasses import replace

from chaos.guarantees.evidence import apart_ns, missed_faults, shown
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.holding import LOCK_KINDS, Hold, by_lock, find_holds, overlapping
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "mutual_exclusion"


def _judge(history: History) -> Verdict:
    locks = by_lock(find_holds(history))
    if all(len({hold.client for hold in held}) < 2 for held in locks.values()):
        return unknown(NAME, "no lock was acquired by two clients")
    pairs = [pair for held in locks.values() for pair in overlapping(held)]
    certain = [pair for pair in pairs if _common_ns(pair) > _error_ns(history, pair)]
    measures = {"overlap_s": _total_ns(certain) / 1e9, "overlap_count": len(certain)}
    if certain:
        return violated(NAME, _witness(history, max(certain, key=_common_ns)), **measures)
    missing = "two clients' stays overlap by less than their clocks may be off" if pairs else None
    missing = missing or missed_faults(history, [*history.select(LOCK_KINDS), *_stays(locks.values())])
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"{sum(map(len, locks.values()))} stays, never two clients inside", **measures)


def _common_ns(pair: tuple[Hold, Hold]) -> int:
    first, second = pair
    return min(first.until_ns, second.until_ns) - second.from_ns


def _error_ns(history: History, pair: tuple[Hold, Hold]) -> int:
    return apart_ns(history, pair[0].client, pair[1].client)


def _total_ns(pairs: list[tuple[Hold, Hold]]) -> int:
    """Time with two clients inside, each instant of each lock counted once however many pairs share it."""
    total = 0
    covered: dict[object, int] = {}
    for first, second in pairs:
        begin = max(second.from_ns, covered.get(first.lock, second.from_ns))
        end = max(begin, min(first.until_ns, second.until_ns))
        total += end - begin
        covered[first.lock] = end
    return total


def _stays(locks: Iterable[list[Hold]]) -> list[Operation]:
    """Each stay with its acquisition as one long operation: a client that sat inside through the fault met it, though it asked nothing."""
    return [replace(hold.acquire, completed_ns=hold.until_ns) for held in locks for hold in held]


def _witness(history: History, pair: tuple[Hold, Hold]) -> Witness:
    first, second = pair
    sentence = (
        f"{first.client} and {second.client} were both inside {shown(first.acquire.value)} for "
        f"{_common_ns(pair) / 1e9:.3f} s, from {history.seconds(second.from_ns):.3f} s on"
    )
    shown_operations = (first.acquire, second.acquire, *([first.ending] if first.ending else []))
    return Witness(anomaly="two holders overlap", sentence=sentence, operations=shown_operations)


mutual_exclusion = Guarantee(
    name=NAME,
    promise="At no instant do two clients believe that they hold one lock.",
    check=_judge,
    source="Dijkstra 1965; a lock history is linearizable if and only if its holds are disjoint",
    silent_on="what reached the resource (exclusive_writes, fenced_writes), and a client that never woke up to act",
    needs=("acquire",),
    per_group=True,
)
