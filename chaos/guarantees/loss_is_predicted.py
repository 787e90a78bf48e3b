"""
Loss is predicted: what is lost is exactly what the replica that took over did not have.

Definition: of the adds acknowledged by the broker that led when the first fault began, before another one was first seen to
lead, those and only those are missing in the last final read whose values the new leader's log lacked when it took over.
"""

from typing import Final

from chaos.guarantees.acked_writes_survive import misread, survival
from chaos.guarantees.evidence import clock_error_ns, end_ns, identity, missed_faults, shown
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.guarantees.leading import names
from chaos.guarantees.takeover import Takeover, takeover
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "loss_is_predicted"
LOST: Final = "lost although the new leader had it"
SURVIVED: Final = "survived although the new leader lacked it"


def _judge(history: History) -> Verdict:
    taken = takeover(history)
    if isinstance(taken, str):
        return unknown(NAME, taken)
    survived = survival(history)
    if isinstance(survived, str):
        return unknown(NAME, survived)
    others = {one.party for one in history.observations if one.kind == "role" and one.party != taken.old}
    acked = [add for add in survived.acked if _early(history, add, taken) and _by_old(add, taken, others)]
    if not acked:
        return unknown(NAME, f"no write was acknowledged by {taken.old} before {taken.new} was seen to lead")
    predicted = {add.index for add in acked if identity(add.value) not in taken.had}
    lost = {add.index for add in acked if identity(add.value) not in survived.found}
    measures = {
        "acked_count": len(acked),
        "predicted_count": len(predicted),
        "lost_count": len(lost),
        "agreeing_count": len(predicted & lost),
        "old_log_end_offset": None if taken.old_log is None else taken.old_log.end,
        "new_log_end_offset": taken.log.end,
    }
    missing = _read_before(history, survived.read, taken) or misread(history, survived)
    if missing:
        return unknown(NAME, missing, **measures)
    for wrong, but in ((lost - predicted, LOST), (predicted - lost, SURVIVED)):
        if wrong:
            return violated(
                NAME, _witness(history, taken, [add for add in acked if add.index in wrong], but), **measures
            )
    missing = missed_faults(history, survived.adds)
    if missing:
        return unknown(NAME, missing, **measures)
    reason = f"{len(lost)} of {len(acked)} acknowledged records are lost, all that {taken.new} lacked when it took over"
    return holds(NAME, reason, **measures)


def _early(history: History, add: Operation, taken: Takeover) -> bool:
    """Whether this was acknowledged before the new leader was seen to lead, whatever the clocks' errors."""
    return _acked_ns(add) + clock_error_ns(history, add.client) < taken.at_ns


def _by_old(add: Operation, taken: Takeover, others: set[str]) -> bool:
    """Whether this is a record of the log, and nothing says that another broker acknowledged it."""
    address = str(add.notes.get("address"))
    of_log = add.notes.get("log", taken.log.log) == taken.log.log
    return of_log and identity(add.value) not in taken.own and not any(names(address, other) for other in others)


def _read_before(history: History, read: Operation, taken: Takeover) -> str | None:
    if read.invoked_ns - clock_error_ns(history, read.client) >= taken.at_ns:
        return None
    return f"the final read came before {taken.new} was seen to lead"


def _witness(history: History, taken: Takeover, wrong: list[Operation], anomaly: str) -> Witness:
    last = max(wrong, key=_acked_ns)
    sentence = (
        f"record {shown(last.value)} was acknowledged at {history.seconds(_acked_ns(last)):.3f} s by {taken.old} and {anomaly}; "
        f"{taken.new} was seen to lead at {history.seconds(taken.at_ns):.3f} s, and so it went with {len(wrong)} records"
    )
    return Witness(anomaly=anomaly, sentence=sentence, operations=(last,))


def _acked_ns(add: Operation) -> int:
    return end_ns(add, add.invoked_ns)


loss_is_predicted = Guarantee(
    name=NAME,
    promise="What is lost is exactly what the replica that took over did not have.",
    check=_judge,
    source="Kafka documentation, Replication: the new leader's log becomes the log, and followers truncate to it; KIP-101",
    silent_on="whether anything should be lost at all (acked_records_survive), what was acknowledged by a later leader, and "
    "losses by a second change of leaders, which it takes for wrong predictions",
    needs=("add", FINAL_READ),
    sees=("replica-log", "role"),
)
