"""
A lease is kept: it never ends before the time that its last confirmed renewal gave it.

Definition: an ``acquire`` (ok) or ``renew`` (ok, true) promises the lease in ``notes["lease"]`` until ``notes["expires_ns"]``.
No ``check`` or ``renew`` (ok) of that lease answers false, 0 or null before that, unless a ``release`` of it was asked.
``since_renewal_s`` is how long after the last confirmed renewal the loss was seen.
"""

from collections import defaultdict
from typing import NamedTuple

from chaos.guarantees.evidence import NEVER, apart_ns, end_ns, integer, missed_faults
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.holding import learnt_of_loss
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "lease_kept"


class Look(NamedTuple):
    """A look at a lease, and the last promise that was confirmed before it."""

    look: Operation
    promise: Operation
    left_ns: int
    """How long the lease should still have been there; negative once its time was over."""


def _judge(history: History) -> Verdict:
    looks = [look for own in _by_lease(history).values() for look in _looks(history, own)]
    early = [one for one in looks if learnt_of_loss(one.look) and one.left_ns > 0]
    kept = [one for one in looks if not learnt_of_loss(one.look) and one.left_ns > 0]
    worst = max(early, key=lambda one: one.left_ns, default=None)
    measures = {
        "lost_count": len({one.look.notes["lease"] for one in early}),
        "kept_count": len(kept),
        "left_s": worst.left_ns / 1e9 if worst else None,
        "since_renewal_s": _since_ns(worst) / 1e9 if worst else None,
    }
    if early:
        return violated(NAME, _witness(early[0]), **measures)
    missing = None if kept else "nobody looked at a lease with time left"
    missing = missing or missed_faults(history, history.select(("renew", "check")))
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"{len(kept)} looks at a lease with time left, and it was there", **measures)


def _by_lease(history: History) -> dict[object, list[Operation]]:
    grouped: dict[object, list[Operation]] = defaultdict(list)
    for one in history:
        if one.notes.get("lease"):
            grouped[str(one.notes["lease"])].append(one)
    return grouped


def _looks(history: History, own: list[Operation]) -> list[Look]:
    released = min((one.invoked_ns for one in own if one.f == "release"), default=NEVER)
    promises = [one for one in own if one.ok and _promises(one)]
    found: list[Look] = []
    for look in own:
        if look.f not in ("renew", "check") or not look.ok or end_ns(look) > released:
            continue
        apart = {one.client: apart_ns(history, look.client, one.client) for one in promises}
        confirmed = [one for one in promises if end_ns(one) + apart[one.client] <= look.invoked_ns]
        if confirmed:
            promise = max(confirmed, key=lambda one: one.notes["expires_ns"])
            left_ns = promise.notes["expires_ns"] - end_ns(look) - apart[promise.client]
            found.append(Look(look, promise, left_ns))
    return found


def _promises(one: Operation) -> bool:
    given = one.f == "acquire" or (one.f == "renew" and bool(one.result))
    return given and integer(one.notes.get("expires_ns")) is not None


def _since_ns(one: Look) -> int:
    return end_ns(one.look) - end_ns(one.promise)


def _witness(one: Look) -> Witness:
    sentence = (
        f"{one.look.client} found lease {one.look.notes['lease']} gone {_since_ns(one) / 1e9:.3f} s after its last "
        f"confirmed {one.promise.f}, with {one.left_ns / 1e9:.3f} s of its time left"
    )
    return Witness(anomaly="lease ended early", sentence=sentence, operations=(one.promise, one.look))


lease_kept = Guarantee(
    name=NAME,
    promise="A lease does not end before the time that its last confirmed renewal gave it.",
    check=_judge,
    source="etcd documentation, lease API: TimeToLive; etcd-io/etcd#15247",
    silent_on="leases that nobody renewed in time, and locks without a lease in their notes (lock_is_kept)",
    needs=("acquire", "renew"),
)
