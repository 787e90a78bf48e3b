"""
Acknowledged records survive: what a producer was told is in the log is there when all is over, and if not, how it was lost.

Definition: that of ``acked_writes_survive``. Each lost record is one of four, as the snapshots of the replicas' logs show:
``not consumed`` (a replica that answered at the end has it in its last snapshot; only the final read lacks it),
``never replicated`` (only one replica ever had it), ``truncated`` (several had it), ``unexplained`` (no snapshot shows it).
A replica that is down when the final read begins (``probe-error``) gives nothing back, so what its disk has is no survivor.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from typing import Final

from chaos.guarantees.acked_writes_survive import Survival, acked_writes_survive, lost_witness, survival
from chaos.guarantees.evidence import identity
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.guarantees.replica_logs import down, last_of_each, snapshots
from chaos.history import History
from chaos.verdict import Verdict

NAME = "acked_records_survive"
KINDS: Final = ("never replicated", "truncated", "not consumed", "unexplained")


def _judge(history: History) -> Verdict:
    verdict, survived = replace(acked_writes_survive(history), guarantee=NAME), survival(history)
    if isinstance(survived, str):
        return verdict
    kinds = _kinds(history, survived)
    measures = {**verdict.measures, **{f"{kind.replace(' ', '_')}_count": kinds[kind] for kind in KINDS}}
    if verdict.witness is None:
        return replace(verdict, measures=measures)
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind])
    witness = lost_witness(history, survived, "record", f": {told}")
    return replace(verdict, witness=witness, reason=witness.sentence, measures=measures)


def _kinds(history: History, survived: Survival) -> Counter[str]:
    taken = snapshots(history)
    had: dict[Hashable, set[str]] = {}
    for one in taken:
        for _, value in one.records():
            had.setdefault(value, set()).add(one.party)
    gone = down(history, survived.read.invoked_ns)
    kept = {value for one in last_of_each(taken) if one.party not in gone for _, value in one.records()}
    lost = [identity(add.value) for add in survived.lost]
    return Counter(_kind(len(had.get(value, ())), value in kept) for value in lost)


def _kind(replicas: int, kept: bool) -> str:
    if kept:
        return "not consumed"
    if replicas > 1:
        return "truncated"
    return "never replicated" if replicas else "unexplained"


acked_records_survive = Guarantee(
    name=NAME,
    promise="A record that was acknowledged is in the log when all is over.",
    check=_judge,
    source="Kafka documentation, Replication: committed messages, acks and unclean leader election; Jepsen: Kafka (2013)",
    silent_on="records that came and went between two snapshots, and those that nobody acknowledged; kinds are not proofs",
    needs=("add", FINAL_READ),
    sees=("replica-log",),
    per_client=True,
)
