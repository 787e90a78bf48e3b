"""
An election ends in time: when a fault takes the leader, another one leads within a bound.

Definition: from the instant at which a fault bit the party that led, to the first observation of another party in a
leader's role (``role``: ``leader``, ``master``, ...), no more than the bound passes. Observed, so as exact as the probe's period.
A fault that was over within the bound, and by all that was seen did not cost the leader its lead, proves nothing.
"""

from chaos.guarantees.evidence import bound_ns, harmed_ns, heal_ns, last_stamp_ns
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.leading import Loss, losses
from chaos.history import History
from chaos.verdict import Verdict, Witness, holds, unknown, violated


def election_within(bound_s: float) -> Guarantee:
    """When a fault takes the leader, another one is seen to lead within so many seconds."""
    name, _ = f"election_within({bound_s:g}s)", bound_ns(bound_s)
    return Guarantee(
        name=name,
        promise=f"When a fault takes the leader, another one leads within {bound_s:g} s.",
        check=lambda history: _judge(history, name, bound_s),
        source="Ongaro and Ousterhout 2014, In search of an understandable consensus algorithm: election timeouts",
        silent_on="whether clients notice (recovers), and elections that no fault caused (leader_is_kept)",
    )


def _judge(history: History, name: str, bound_s: float) -> Verdict:
    found = list(losses(history))
    if not found:
        return unknown(name, "no fault hit a party that was seen to lead")
    took = [loss.took_s for loss in found if loss.took_s is not None]
    measures = {"election_s": max(took, default=None), "elections_count": len(took)}
    kept = [loss for loss in found if loss.kept and _lasted_s(history, loss) <= bound_s]
    late = [loss for loss in found if loss not in kept and _waited_s(history, loss) > bound_s]
    if late:
        return violated(name, _witness(history, late[0], bound_s), **measures)
    if kept:
        return unknown(name, f"{kept[0].fault.name} on {kept[0].old} was over before anybody else led", **measures)
    if len(took) < len(found):
        return unknown(name, "the run ended before the bound, and nobody else led yet", **measures)
    return holds(name, f"another leader was seen after {max(took):.3f} s at most", **measures)


def _lasted_s(history: History, loss: Loss) -> float:
    over = heal_ns(loss.fault)
    return ((last_stamp_ns(history) if over is None else over) - harmed_ns(loss.fault)) / 1e9


def _waited_s(history: History, loss: Loss) -> float:
    if loss.took_s is not None:
        return loss.took_s
    return (last_stamp_ns(history) - harmed_ns(loss.fault)) / 1e9


def _witness(history: History, loss: Loss, bound_s: float) -> Witness:
    ended = f"{loss.new.party} led" if loss.new else "the run ended"
    sentence = (
        f"{loss.fault.name} took {loss.old} at {history.seconds(harmed_ns(loss.fault)):.3f} s; it was "
        f"{_waited_s(history, loss):.3f} s until {ended}, and {bound_s:g} s were allowed"
    )
    return Witness(anomaly="late election", sentence=sentence)
