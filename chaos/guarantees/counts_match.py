"""
Counts match: what was asked once happened once.

Definition: the count starts at 0 and every ``incr`` adds 1. The last acknowledged ``final-read`` (an integer) is at
least the number of ``incr`` that had completed ``ok`` before it began, and at most the number invoked before it ended
that did not ``fail``.
"""

from chaos.guarantees.evidence import (
    apart_ns,
    end_ns,
    final_reads,
    integer,
    missed_faults,
    read_too_early,
)
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.history import History, Operation, Outcome
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "counts_match"


def _judge(history: History) -> Verdict:
    reads, sent = final_reads(history), history.select("incr")
    applied = integer(reads[-1].result) if reads else None
    if applied is None:
        return unknown(NAME, "there is no acknowledged final read with a number")
    read = reads[-1]
    acked, possible = _between(history, read, sent, 0)
    if not acked:
        return unknown(NAME, "no increment was acknowledged before the final read")
    measures = {
        "sent_count": len(sent),
        "acked_count": acked,
        "applied_count": applied,
        "excess_count": max(0, applied - possible),
        "missing_count": max(0, acked - applied),
    }
    missing = read_too_early(history, read)
    if missing:
        return unknown(NAME, missing, **measures)
    least, most = _between(history, read, sent, 1)
    if not least <= applied <= most:
        return violated(NAME, _witness(read, least, most, applied), **measures)
    missing = missed_faults(history, sent)
    least, most = _between(history, read, sent, -1)
    if not least <= applied <= most:
        missing = "whether the increments nearest to the final read came before it is within the error of the clocks"
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"{applied} applied, {acked} acknowledged, {possible} possible", **measures)


def _between(history: History, read: Operation, sent: tuple[Operation, ...], benefit: int) -> tuple[int, int]:
    """The least and the most that may have been applied; ``benefit`` 1 and -1 give the clocks' error that way."""
    acked = possible = 0
    for incr in sent:
        error = benefit * apart_ns(history, incr.client, read.client)
        acked += incr.ok and end_ns(incr) + error <= read.invoked_ns
        possible += incr.outcome is not Outcome.FAIL and incr.invoked_ns - error <= end_ns(read)
    return acked, possible


def _witness(read: Operation, acked: int, possible: int, applied: int) -> Witness:
    if applied > possible:
        sentence = f"{applied} increments were applied and only {possible} asked for: {applied - possible} too many"
        return Witness(anomaly="applied twice", sentence=sentence, operations=(read,))
    sentence = f"{acked} increments were acknowledged and only {applied} applied: {acked - applied} are gone"
    return Witness(anomaly="lost increment", sentence=sentence, operations=(read,))


counts_match = Guarantee(
    name=NAME,
    promise="What was asked once happened once: not lost, not applied twice.",
    check=_judge,
    source="Jepsen's counter workload (bounds); nginx documentation, proxy_next_upstream and non-idempotent requests",
    silent_on="losses and repetitions that cancel each other, and values read in between",
    needs=("incr", FINAL_READ),
)
