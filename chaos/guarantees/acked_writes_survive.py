"""
Acknowledged writes survive: what a client was told is stored is there when all is over.

Definition: every ``add`` that completed ``ok`` before the last acknowledged ``final-read`` began is in its result.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from chaos.guarantees.evidence import (
    apart_ns,
    end_ns,
    final_reads,
    first_harm_ns,
    identity,
    last_heal_ns,
    missed_faults,
    read_too_early,
    shown,
)
from chaos.guarantees.guarantee import FINAL_READ, Guarantee, of_client
from chaos.history import History, Operation, Outcome
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "acked_writes_survive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """
    What the last acknowledged final read says of the writes that were acknowledged before it began.

    :param found: the identities of the values that were read.
    :param gone: the acknowledged writes that are not among them, in order of their ends.
    :param lost: those of them that were acknowledged before the read began whatever the clocks' errors.
    """

    read: Operation
    adds: tuple[Operation, ...]
    found: frozenset[Hashable]
    acked: list[Operation]
    gone: list[Operation]
    lost: list[Operation]


def survival(history: History) -> Survival | str:
    """What became of the acknowledged writes, or why nobody can say."""
    reads = final_reads(history)
    if reads and reads[-1].result is None:
        return "the final read found nothing (null); where all may be gone, let it answer an empty list"
    if not reads or not isinstance(reads[-1].result, list):
        return "there is no acknowledged final read with a list of values"
    read, adds = reads[-1], history.select("add")
    acked = [add for add in adds if add.ok and _end(add) <= read.invoked_ns]
    if not acked:
        return "no write was acknowledged before the final read"
    found = frozenset(identity(value) for value in read.result)
    gone = sorted((add for add in acked if identity(add.value) not in found), key=_end)
    lost = [add for add in gone if _end(add) + _error(history, add, read) <= read.invoked_ns]
    return Survival(read=read, adds=adds, found=found, acked=acked, gone=gone, lost=lost)


def misread(history: History, survived: Survival) -> str | None:
    """Why this final read proves nothing of what is not in it: it came too early, or shows other types. None when it does."""
    return read_too_early(history, survived.read) or _strangers(survived.acked, survived.lost, survived.found)


def _judge(history: History) -> Verdict:
    survived = survival(history)
    if isinstance(survived, str):
        return unknown(NAME, survived)
    measures = _counts(survived) | _times(history, survived.lost)
    missing = misread(history, survived)
    if missing:
        return unknown(NAME, missing, **measures)
    if survived.lost:
        return violated(NAME, lost_witness(history, survived), **measures)
    missing = missed_faults(history, survived.adds)
    if survived.gone:
        missing = (
            f"{len(survived.gone)} lost writes may, by their clocks, have been acknowledged after the final read began"
        )
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"all {len(survived.acked)} acknowledged writes are in the final read", **measures)


def _end(add: Operation) -> int:
    return end_ns(add, add.invoked_ns)


def _error(history: History, add: Operation, read: Operation) -> int:
    return apart_ns(history, add.client, read.client)


def _counts(survived: Survival) -> dict[str, float | None]:
    unsure = [add for add in survived.adds if add.outcome is Outcome.INFO]
    return {
        "acked_count": len(survived.acked),
        "lost_count": len(survived.lost),
        "lost_share": len(survived.lost) / len(survived.acked),
        "info_count": len(unsure),
        "info_survived_count": sum(identity(add.value) in survived.found for add in unsure),
    }


def _times(history: History, lost: list[Operation]) -> dict[str, float | None]:
    if not lost:
        return {}
    last, harm, heal = _end(lost[-1]), first_harm_ns(history), last_heal_ns(history)
    # Losses that all lie before the fault (a crash takes what was not yet replicated) end at the fault.
    begin = lost[0].invoked_ns if harm is None or harm >= last else harm
    end = last if harm is None else max(harm, last)
    return {
        "window_s": (end - begin) / 1e9,
        "last_lost_after_fault_s": None if harm is None else (last - harm) / 1e9,
        "last_lost_after_heal_s": None if heal is None else (last - heal) / 1e9,
    }


def _strangers(acked: list[Operation], lost: list[Operation], found: frozenset[Hashable]) -> str | None:
    """All writes gone and their doubles of another type there: "17" was read where 17 was written."""
    if len(lost) < len(acked) or not found:
        return None
    written, read = shown(acked[0].value), sorted(map(str, found))[0]
    if {str(identity(add.value)) for add in acked}.isdisjoint(map(str, found)):
        return None
    return f"the final read shows values of another type than those written: {written} was written, {read!r} read"


def lost_witness(history: History, survived: Survival, noun: str = "write", kinds: str = "") -> Witness:
    """The last of the lost writes, and how many there are; of some systems with how they were lost."""
    last = survived.lost[-1]
    by = f" by {last.notes['address']}" if "address" in last.notes else ""
    sentence = (
        f"{noun} {shown(last.value)} was acknowledged at {history.seconds(_end(last)):.3f} s{by} and is not in the final "
        f"read; {len(survived.lost)} of {len(survived.acked)} acknowledged {noun}s are gone{kinds}"
    )
    return Witness(anomaly=f"lost {noun}", sentence=sentence, operations=(last,))


acked_writes_survive = Guarantee(
    name=NAME,
    promise="A write that was acknowledged is there when all is over.",
    check=_judge,
    source="Jepsen's set workload (jepsen.checker/set); the durability half of every store's acknowledgement",
    silent_on="when a value could be read in between, in which order values arrived, and writes nobody acknowledged",
    needs=("add", FINAL_READ),
    per_client=True,
)


def acked_writes_survive_for(client: str) -> Guarantee:
    """The same promise, kept to the writes of one client: the one on the losing side of a partition."""
    return of_client(acked_writes_survive, client)
