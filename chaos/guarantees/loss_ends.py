"""
The loss ends in time: writes acknowledged later than a stated moment after the fault began are there when all is over.

A bound that may also hold with no loss at all, unlike ``bounded``, which wants the guarantee broken.
"""

from dataclasses import replace

from chaos.guarantees.acked_writes_survive import acked_writes_survive
from chaos.guarantees.evidence import bound_ns, clock_error_ns, end_ns, first_harm_ns
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.history import History, Operation
from chaos.verdict import Status, Verdict, unknown


def loss_ends_within(seconds: float) -> Guarantee:
    """
    Writes acknowledged later than so many seconds after the first fault took effect survive.

    :param seconds: how long the system may go on acknowledging what it will lose.
    """
    name, bound = f"loss_ends_within({seconds:g}s)", bound_ns(seconds)

    def judge(history: History) -> Verdict:
        harm = first_harm_ns(history)
        if harm is None:
            return unknown(name, "there was no fault, so there is no moment to count from")
        verdict = acked_writes_survive(_acked_after(history, harm + bound, 1))
        if verdict.status is Status.VIOLATED:
            return replace(verdict, guarantee=name)
        measures = {**verdict.measures, "bound_s": seconds}
        if acked_writes_survive(_acked_after(history, harm + bound, -1)).status is Status.VIOLATED:
            return unknown(name, "whether the last lost write came within the bound is within the error of the clocks")
        return replace(verdict, guarantee=name, measures=measures)

    return Guarantee(
        name=name,
        promise=f"What is acknowledged later than {seconds:g} s after the fault began survives.",
        check=judge,
        source="redis.conf min-replicas-max-lag; Redis Sentinel documentation, Example 2",
        silent_on="what was acknowledged before that moment",
        needs=("add", FINAL_READ),
        per_client=True,
    )


def _acked_after(history: History, limit_ns: int, certain: int) -> History:
    """Without the writes acknowledged until then, which may be lost or not; ``certain`` 1 leaves out those in doubt too."""

    def early(operation: Operation) -> bool:
        error = certain * clock_error_ns(history, operation.client)
        return operation.f == "add" and operation.ok and end_ns(operation) - error <= limit_ns

    return replace(history, operations=tuple(operation for operation in history if not early(operation)))
