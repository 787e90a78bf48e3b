"""
Gapless polls: a consumer is shown every record of the log that it passes.

Definition: a consumer passes the offsets from the lowest that it asked from or was shown up to the last record that it was shown
and that is in the log in the end. Each record that is there in the end is in one of its ``poll`` (ok) results, at that offset.
Where it asks from elsewhere than where its last poll ended, it moves by itself and passes anew. The log's end is that of the
replicas' last ``replica-log``, without those that are down. What lies below the first record that was shown after a poll without
an answer (all, if there is none) may have been shown by that poll, and is not skipped for sure.
"""

from dataclasses import dataclass

from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.polling import NULL, Consumer, FinalLog, Reading, consumers, final_logs, named, unproven
from chaos.history import History
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "gapless_polls"


@dataclass(frozen=True, slots=True)
class Passage:
    """
    What one consumer passed of a log, by offset.

    :param skipped: what it was never shown.
    :param unsure: what it was not seen to be shown, and may have been.
    """

    consumer: Consumer
    log: FinalLog
    passed: list[int]
    skipped: list[int]
    unsure: list[int]


def _judge(history: History) -> Verdict:
    read, logs = consumers(history), final_logs(history)
    if not read:
        return unknown(NAME, "no consumer was shown a record")
    passages = [_passage(one, logs[one.log]) for one in read if one.log in logs]
    measures = {
        "passed_count": sum(len(one.passed) for one in passages),
        "skipped_count": sum(len(one.skipped) for one in passages),
        "unsure_count": sum(len(one.unsure) for one in passages),
    }
    if measures["skipped_count"]:
        return violated(NAME, _witness(history, max(passages, key=lambda one: len(one.skipped))), **measures)
    missing = _unsettled(read, logs) or _unsure(passages) or unproven(history, read)
    if missing:
        return unknown(NAME, missing, **measures)
    if not measures["passed_count"]:
        return unknown(NAME, "no consumer passed a record that is in its log in the end", **measures)
    reason = f"all {measures['passed_count']} records that consumers passed were shown to them"
    return holds(NAME, reason, **measures)


def _passage(consumer: Consumer, log: FinalLog) -> Passage:
    ranges = [_range(reading, log) for reading in consumer.readings]
    passed = sorted({n for offsets in ranges for n in offsets if log.values.get(n, NULL) != NULL})
    seen = {record for record, _ in consumer.records()}
    missing = [n for n in passed if (n, log.values[n]) not in seen]
    unsure = [n for n in missing if consumer.unsure(n)]
    return Passage(consumer, log, passed, [n for n in missing if not consumer.unsure(n)], unsure)


def _range(reading: Reading, log: FinalLog) -> range:
    """The offsets that it passed. What it was shown and is gone says nothing: it may yet be told, and go back."""
    last = next((record[0] for record, _ in reversed(reading.shown) if log.has(record)), -1)
    return range(reading.start, last + 1)


def _unsettled(read: list[Consumer], logs: dict[str, FinalLog]) -> str | None:
    """Whose way cannot be told to its end."""
    for one in read:
        (offset, value), _ = one.records()[-1]
        if one.log not in logs:
            return f"what is in {one.log} in the end, which {one.client} read, no replica says"
        log = logs[one.log]
        if log.differs is not None and offset >= log.differs:
            return f"the replicas of {one.log} have different values at offset {log.differs} in the end"
        if not log.has((offset, value)):
            return f"{one.client} was last shown {named(value)} at offset {offset} of {one.log}, which is not there in the end"
    return None


def _unsure(passages: list[Passage]) -> str | None:
    for one in passages:
        if one.unsure:
            said = f"{len(one.unsure)} records that {one.consumer.client} passed in {one.consumer.log}"
            return f"{said} may have been shown to it by a poll without an answer"
    return None


def _witness(history: History, one: Passage) -> Witness:
    consumer, offset = one.consumer, one.skipped[0]
    reading = next(each for each in consumer.readings if offset in _range(each, one.log))
    polls = [poll for record, poll in reading.shown if record[0] > offset and one.log.has(record)]
    before = [poll for _, poll in reading.shown if poll.index < polls[0].index]
    instead = next((named(value) for (at, value), _ in consumer.records() if at == offset), "nothing")
    sentence = (
        f"{consumer.client} passed offset {offset} of {consumer.log} at {history.seconds(polls[0].invoked_ns):.3f} s; it was "
        f"shown {instead} there and never {named(one.log.values[offset])}, which is there in the end; "
        f"it skipped {len(one.skipped)} of {len(one.passed)} records"
    )
    return Witness(anomaly="skipped records", sentence=sentence, operations=(*before[-1:], polls[0]))


gapless_polls = Guarantee(
    name=NAME,
    promise="A consumer is shown every record of the log that it passes.",
    check=_judge,
    source="KIP-320: consumers detect log truncation; Jepsen's Kafka workload (poll-skip)",
    silent_on="what is before the offset that a consumer first asked from and after the last that it was shown, what it left "
    "out by asking from elsewhere, order, and what was shown and is gone",
    needs=("poll",),
    notes=("log",),
    sees=("replica-log",),
    per_client=True,
)
