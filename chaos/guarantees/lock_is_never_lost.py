"""
A lock is never lost: a holder that wants to keep it does, whatever happens between it and the store meanwhile.

Definition: no ``renew`` or ``check`` (ok) of a holder answers false, 0 or null, and at least one answers true after the last
fault healed. Unlike ``lock_is_kept`` this also counts a lock whose time ran out because no renewal got through.
``unrenewed_s`` is the time from the last confirmed renewal, as it was asked, to the answer that the lock is gone.
"""

from collections.abc import Sequence

from chaos.guarantees.evidence import clock_error_ns, identity, last_heal_ns, missed_faults, shown
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.holding import Hold, find_holds, learnt_of_loss
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "lock_is_never_lost"


def _judge(history: History) -> Verdict:
    stays = find_holds(history)
    lost = [hold for hold in stays if hold.ending is not None and learnt_of_loss(hold.ending)]
    looks = history.select(("renew", "check"))
    confirming = [look for look in looks if look.ok and look.result and _after_all(history, look)]
    measures = {
        "lost_count": len(lost),
        "confirmed_count": len(confirming),
        "unrenewed_s": max((_unrenewed_s(looks, hold) for hold in lost), default=None),
    }
    if lost:
        return violated(NAME, _witness(looks, lost[0]), **measures)
    missing = None if confirming else "nobody found its lock there after the last fault healed"
    missing = missing or missed_faults(history, looks)
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"{len(confirming)} looks after the last fault healed, and the lock was there", **measures)


def _after_all(history: History, look: Operation) -> bool:
    heal = last_heal_ns(history)
    return heal is None or look.invoked_ns - clock_error_ns(history, look.client) >= heal


def _last_renewal(looks: Sequence[Operation], hold: Hold) -> Operation:
    own = [look for look in looks if look.client == hold.client and identity(look.value) == hold.lock]
    good = [one for one in own if one.f == "renew" and one.ok and one.result and one.invoked_ns < hold.until_ns]
    return max([hold.acquire, *good], key=lambda one: one.invoked_ns)


def _unrenewed_s(looks: Sequence[Operation], hold: Hold) -> float:
    return (hold.until_ns - _last_renewal(looks, hold).invoked_ns) / 1e9


def _witness(looks: Sequence[Operation], hold: Hold) -> Witness:
    renewal = _last_renewal(looks, hold)
    sentence = (
        f"{hold.client} found {shown(hold.acquire.value)} gone {_unrenewed_s(looks, hold):.3f} s after it had asked for "
        "the last renewal that was confirmed"
    )
    shown_operations = tuple(one for one in (renewal, hold.ending) if one)
    return Witness(anomaly="lock lost", sentence=sentence, operations=shown_operations)


lock_is_never_lost = Guarantee(
    name=NAME,
    promise="A holder that keeps renewing its lock never finds it gone.",
    check=_judge,
    source="houbb, lesson 10: a lock on etcd that is renewed each 0.8 TTL",
    silent_on="who is to blame: a lease that was not renewed in time ends as promised (lease_kept)",
    needs=("acquire", "renew"),
)
