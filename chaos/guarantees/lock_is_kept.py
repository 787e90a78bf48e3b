"""
A lock is kept: what was promised until an instant is not gone before it.

Definition: while a client has a lock and has not released it, no ``check`` or ``renew`` (ok) that ended before
``notes["expires_ns"]`` (of that operation, else of the ``acquire``) answers false, 0 or null.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable

from chaos.guarantees.evidence import apart_ns, end_ns, identity, integer, missed_faults, shown
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.holding import Hold, find_holds, learnt_of_loss
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "lock_is_kept"

Loss = tuple[Hold, Operation, float]
"""A stay, the look that found it over, and the seconds that were left of it."""


def _judge(history: History) -> Verdict:
    stays = find_holds(history)
    lost = _losses(history, stays)
    kept = _confirmed(history, stays)
    measures = {
        "lost_count": len(lost),
        "checked_count": len(kept) + len(lost),
        "left_s": max((left_s for _, _, left_s in lost), default=None),
    }
    if lost:
        return violated(NAME, _witness(*lost[0]), **measures)
    missing = None if kept else "nobody looked at a lock that it held with time left (needs expires_ns)"
    # A look that a fault left without an answer met that fault as well.
    missing = missing or missed_faults(history, history.select(("check", "renew", "acquire")))
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"{len(kept)} looks at a lock with time left, and it was there", **measures)


def _losses(history: History, stays: Iterable[Hold]) -> list[Loss]:
    found = []
    for hold in stays:
        look = hold.ending
        if look is not None and learnt_of_loss(look):
            left_ns = _left_ns(history, hold, look)
            if left_ns > 0:
                found.append((hold, look, left_ns / 1e9))
    return found


def _left_ns(history: History, hold: Hold, look: Operation) -> int:
    """How long the lock should still have been there when this look at it ended; not above 0 when it need not."""
    expires = integer(look.notes.get("expires_ns", hold.acquire.notes.get("expires_ns")))
    return 0 if expires is None else expires - end_ns(look) - apart_ns(history, hold.client, look.client)


def _confirmed(history: History, stays: Iterable[Hold]) -> list[Operation]:
    looks: dict[tuple[str, Hashable], list[Operation]] = defaultdict(list)
    for look in history.select(("check", "renew"), where=lambda look: look.ok and bool(look.result)):
        looks[look.client, identity(look.value)].append(look)
    found = []
    for hold in stays:
        own = looks[hold.client, hold.lock]
        first = bisect_left(own, hold.from_ns, key=lambda look: look.invoked_ns)
        last = bisect_right(own, hold.until_ns, key=lambda look: look.invoked_ns)
        found += [look for look in own[first:last] if _left_ns(history, hold, look) > 0]
    return found


def _witness(hold: Hold, look: Operation, left_s: float) -> Witness:
    sentence = f"{hold.client} found {shown(hold.acquire.value)} gone with {left_s:.3f} s of its time left"
    return Witness(anomaly="lock lost early", sentence=sentence, operations=(hold.acquire, look))


lock_is_kept = Guarantee(
    name=NAME,
    promise="A lock that was given until an instant is not gone before it.",
    check=_judge,
    source="Redis documentation: SET with PX, key eviction; etcd: leases",
    silent_on="losses that nobody looked for, and what the holder did meanwhile",
    needs=("acquire",),
)
