"""
Recovery: after the last fault healed, the workload gets answers again.

Definition: an operation of the workload (everything but final reads) that was invoked after the last fault began to
heal completed ``ok``, within the bound if one is given. While a fault is not healed nothing is said.
"""

from collections.abc import Iterator
from itertools import pairwise

from chaos.guarantees.evidence import (
    bound_ns,
    end_ns,
    first_harm_ns,
    heal_ns,
    last_heal_ns,
    last_stamp_ns,
    worst_clock_error_ns,
)
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "recovers"


def recovers_within(bound_s: float) -> Guarantee:
    """The same promise with a bound in seconds, counted from the beginning of the last healing."""
    bound_ns(bound_s)
    return _guarantee(f"{NAME}_within({bound_s:g}s)", bound_s, f" within {bound_s:g} s")


def _guarantee(name: str, bound_s: float | None, within: str) -> Guarantee:
    return Guarantee(
        name=name,
        promise=f"Once the fault heals, operations are acknowledged again{within}.",
        check=lambda history: _judge(history, name, bound_s),
        source="availability as 1 - outage / time: MTBF / (MTBF + MTTR)",
        silent_on="whether the answers are right, and whether every client gets them (narrow it with of_client)",
        per_client=True,
        per_kind=True,
    )


def _judge(history: History, name: str, bound_s: float | None) -> Verdict:
    heal, harm = last_heal_ns(history), first_harm_ns(history)
    if heal is None or harm is None:
        return unknown(name, "no fault was healed")
    harms = sorted({fault.name for fault in history.faults if heal_ns(fault) is None})
    if harms:
        return unknown(name, f"{', '.join(harms)} was never healed")
    verdict, error = _judge_from(history, name, bound_s, harm, heal), worst_clock_error_ns(history)
    if not error:
        return verdict
    moved = [_judge_from(history, name, bound_s, harm, at) for at in (heal - error, heal + error)]
    if any(other.status is not verdict.status for other in moved):
        return unknown(name, f"{verdict.reason}, and the clocks may be off by {error / 1e9:g} s", **verdict.measures)
    return verdict


def _judge_from(history: History, name: str, bound_s: float | None, harm: int, heal: int) -> Verdict:
    never = last_stamp_ns(history)
    work = [operation for operation in history if operation.f != FINAL_READ]
    tried = [operation for operation in work if operation.invoked_ns >= heal]
    if not tried:
        return unknown(name, "nothing was asked after the last fault healed")
    answered = _first_answer(tried)
    until = end_ns(answered) if answered else max(end_ns(operation, never) for operation in tried)
    waited_s = (until - heal) / 1e9
    measures = _measures(work, harm, heal, never, answered)
    if answered and (bound_s is None or waited_s <= bound_s):
        return holds(name, f"the first answer came {waited_s:.3f} s after the last fault healed", **measures)
    if bound_s is not None and waited_s <= bound_s:
        return unknown(
            name, f"no answer, but clients tried for {waited_s:.3f} s only, and the bound is longer", **measures
        )
    return violated(name, _witness(answered or tried[-1], waited_s, len(tried)), **measures)


def _first_answer(operations: list[Operation]) -> Operation | None:
    return min((operation for operation in operations if operation.ok), key=end_ns, default=None)


def _measures(
    work: list[Operation], harm: int, heal: int, never: int, healed: Operation | None
) -> dict[str, float | None]:
    harmed = _first_answer([operation for operation in work if operation.invoked_ns >= harm])
    until = end_ns(healed) if healed else never
    return {
        "first_ok_after_inject_s": (end_ns(harmed) - harm) / 1e9 if harmed else None,
        "first_ok_after_heal_s": (until - heal) / 1e9 if healed else None,
        "outage_s": max(_silences(work, harm, max(harm, until))) / 1e9,
    }


def _silences(work: list[Operation], harm: int, until: int) -> Iterator[int]:
    """The stretches without an answer between the first harm and the first answer after the last healing."""
    within = sorted(min(max(end_ns(operation), harm), until) for operation in work if operation.ok)
    return (later - earlier for earlier, later in pairwise([harm, *within, until]))


def _witness(operation: Operation, waited_s: float, tried: int) -> Witness:
    if operation.ok:
        return Witness(
            anomaly="late recovery",
            sentence=f"the first answer came {waited_s:.3f} s after the last fault healed",
            operations=(operation,),
        )
    sentence = f"none of {tried} operations was acknowledged in the {waited_s:.3f} s after the last fault healed"
    return Witness(anomaly="no recovery", sentence=sentence, operations=(operation,))


recovers = _guarantee(NAME, None, "")
