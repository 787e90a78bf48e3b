"""
Gapless polls: a consumer is shown every record of the log that it passes.

Definition: for each client and log, every record of the log's end state (the longest of the replicas' last ``replica-log``) at an
offset from the first that the client was shown up to its last position is in one of its ``poll`` (ok) results, at that offset.
"""

from chaos.guarantees.evidence import missed_faults, shown
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.polling import Record, consumers, final_logs
from chaos.history import History
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "gapless_polls"


def _judge(history: History) -> Verdict:
    read, logs = consumers(history), final_logs(history)
    known = {key: one for key, one in read.items() if key[1] in logs}
    if not known:
        return unknown(NAME, "no consumer was shown a record of a log whose end is known from its replicas")
    skipped: dict[tuple[str, str], list[Record]] = {}
    passed = 0
    for (client, log), one in known.items():
        there = [record for record in logs[log] if one.first <= record[0] < one.position]
        passed += len(there)
        if missing := [record for record in there if record not in one.polls]:
            skipped[client, log] = missing
    measures = {"passed_count": passed, "skipped_count": sum(map(len, skipped.values()))}
    if skipped:
        return violated(NAME, _witness(skipped), **measures)
    if not passed:
        return unknown(NAME, "no consumer passed a record that is in its log in the end", **measures)
    missing_fault = missed_faults(history, history.select("poll"))
    if missing_fault:
        return unknown(NAME, missing_fault, **measures)
    return holds(NAME, f"all {passed} records that consumers passed were shown to them", **measures)


def _witness(skipped: dict[tuple[str, str], list[Record]]) -> Witness:
    (client, log), missing = max(skipped.items(), key=lambda item: len(item[1]))
    offset, value = missing[0]
    said = shown(value[0]) if isinstance(value, tuple) else shown(value)
    sentence = f"{client} went past offset {offset} of {log} and was never shown {said} there; it skipped {len(missing)} records"
    return Witness(anomaly="skipped records", sentence=sentence)


gapless_polls = Guarantee(
    name=NAME,
    promise="A consumer is shown every record of the log that it passes.",
    check=_judge,
    source="KIP-320: consumers detect log truncation; Jepsen's Kafka workload (poll-skip)",
    silent_on="records before the first and after the last that a consumer was shown, order, and what was shown and is gone",
    needs=("poll",),
    notes=("log",),
    sees=("replica-log",),
    per_client=True,
)
