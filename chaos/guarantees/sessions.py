"""
What one client may rely on from one of its operations to a later one, judged by revisions.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

from chaos.guarantees.evidence import end_ns, missed_faults
from chaos.guarantees.revisions import WRITES, Revised, reads
from chaos.history import History
from chaos.verdict import Verdict, Witness, holds, unknown, violated


def judge_sessions(history: History, name: str, before: Callable[[History], list[Revised]], words: str) -> Verdict:
    """Whether every read of a client is as new as what it was told before: by its reads, or by its writes."""
    looks = reads(history)
    earlier = _by_client(before(history))
    pairs = [pair for client, own in _by_client(looks).items() for pair in _pairs(earlier.get(client, []), own)]
    broken = [(one, read) for one, read in pairs if read.revision < one.revision]
    measures = {
        "read_count": len(looks),
        "broken_count": len(broken),
        "back_revisions_count": max((one.revision - read.revision for one, read in broken), default=None),
    }
    if broken:
        return violated(name, _witness(name, *broken[0], words), **measures)
    missing = None if pairs else f"no client {words}"
    missing = missing or missed_faults(history, history.select(("read", *WRITES)))  # Unanswered ones met it as well.
    if missing:
        return unknown(name, missing, **measures)
    return holds(name, f"{len(pairs)} times a client {words}, and it was never older", **measures)


def _by_client(found: list[Revised]) -> dict[str, list[Revised]]:
    grouped: dict[str, list[Revised]] = defaultdict(list)
    for one in found:
        grouped[one.operation.client].append(one)
    return grouped


def _pairs(earlier: list[Revised], own: list[Revised]) -> Iterator[tuple[Revised, Revised]]:
    """Each read with the newest of what its client had been told before it was asked."""
    ended = sorted(earlier, key=lambda one: one.end_ns)
    newest: Revised | None = None
    place = 0
    for read in own:
        # Stamps of one client are of one clock: its error moves both and is no doubt.
        while place < len(ended) and end_ns(ended[place].operation) < read.operation.invoked_ns:
            newest = ended[place] if newest is None or ended[place].revision > newest.revision else newest
            place += 1
        if newest is not None:
            yield newest, read


def _witness(name: str, one: Revised, read: Revised, words: str) -> Witness:
    where = f" at {read.operation.notes['address']}" if "address" in read.operation.notes else ""
    sentence = f"{read.operation.client} {words}: revision {read.revision}{where} after revision {one.revision}"
    return Witness(anomaly=name.replace("_", " "), sentence=sentence, operations=(one.operation, read.operation))
