"""
Acknowledgements stop: who is cut off stops saying yes.

Definition: no operation of the workload (everything but final reads) that was invoked later than the bound after the first
fault bit is acknowledged before the last fault begins to heal, and at least one was sent then. ``acked_count`` counts those
asked for and acknowledged after the fault bit.
"""

from chaos.guarantees.evidence import bound_ns, clock_error_ns, end_ns, first_harm_ns, last_heal_ns
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated


def acks_stop_within(bound_s: float) -> Guarantee:
    """Nothing that is asked later than so many seconds after the fault bit is acknowledged while it lasts."""
    name, _ = f"acks_stop_within({bound_s:g}s)", bound_ns(bound_s)
    return Guarantee(
        name=name,
        promise=f"What is asked later than {bound_s:g} s after the fault began is not acknowledged while it lasts.",
        check=lambda history: _judge(history, name, bound_s),
        source="Gilbert and Lynch 2002: a minority that stays consistent must refuse; etcd: check quorum",
        silent_on="what becomes of the acknowledged writes (acked_writes_survive)",
        per_client=True,
        per_kind=True,
    )


def _judge(history: History, name: str, bound_s: float) -> Verdict:
    harm, heal = first_harm_ns(history), last_heal_ns(history)
    if harm is None or heal is None:
        return unknown(name, "no fault bit and healed")

    work = [one for one in history if one.f != FINAL_READ]

    def asked_during(one: Operation, after_s: float) -> bool:
        error = clock_error_ns(history, one.client)
        return one.invoked_ns - error > harm + after_s * 1e9 and end_ns(one) + error < heal

    acked = [one for one in work if one.ok and asked_during(one, 0.0)]
    late = [one for one in acked if asked_during(one, bound_s)]
    asked = [one for one in work if harm + bound_s * 1e9 < one.invoked_ns < heal]
    tried = [one for one in asked if one.notes.get("sent") is not False]
    measures = {
        "acked_count": len(acked),
        "tried_count": len(tried),
        "last_ack_after_fault_s": max(((end_ns(one) - harm) / 1e9 for one in acked), default=None),
    }
    if late:
        sentence = (
            f"{late[-1].client} was acknowledged {len(acked)} operations that it asked for while cut off, the last "
            f"{(end_ns(late[-1]) - harm) / 1e9:.3f} s after the fault began"
        )
        witness = Witness(anomaly="acknowledged in isolation", sentence=sentence, operations=(late[-1],))
        return violated(name, witness, **measures)
    if asked and not tried:
        return unknown(name, "nothing that was asked for after the bound was sent: there was no connection", **measures)
    if not tried:
        return unknown(name, "nobody asked for anything while the fault lasted, after the bound", **measures)
    return holds(name, f"{len(tried)} operations were asked for after the bound, and none was acknowledged", **measures)
