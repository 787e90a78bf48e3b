"""
Fenced writes: the resource never goes back to an older token.

Definition: accepted writes carry ``notes["token"]``. In the store's order (``result``), or where one completed before
another was invoked, tokens never decrease.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator

from chaos.guarantees.evidence import identity, integer, missed_faults, shown
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.placing import Placed, by_store, settled_before
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "fenced_writes"


def _judge(history: History) -> Verdict:
    attempts = history.select("write")
    accepted = [write for write in attempts if write.ok]
    carrying = [write for write in accepted if integer(write.notes.get("token")) is not None]
    resources: dict[Hashable, list[Operation]] = defaultdict(list)
    for write in carrying:
        resources[identity(write.notes.get("resource"))].append(write)
    pairs = [pair for writes in resources.values() for pair in _decreases(by_store(history, writes))]
    measures = {"accepted_count": len(accepted), "decrease_count": len(pairs)}
    if pairs:
        return violated(NAME, _witness(pairs[-1]), **measures)
    missing = _too_little(accepted, carrying) or missed_faults(history, attempts)
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"{len(carrying)} accepted writes, tokens never decrease", **measures)


def _too_little(accepted: list[Operation], carrying: list[Operation]) -> str | None:
    if len(carrying) < len(accepted):
        return f"{len(accepted) - len(carrying)} of {len(accepted)} accepted writes carry no token"
    if len({write.notes["token"] for write in carrying}) < 2:
        return "the resource accepted writes of fewer than two tokens"
    return None


def _decreases(writes: list[Placed]) -> Iterator[tuple[Operation, Operation]]:
    highest: Operation | None = None
    for write, settled in settled_before(writes):
        for other in settled:
            if highest is None or other.operation.notes["token"] > highest.notes["token"]:
                highest = other.operation
        if highest is not None and write.operation.notes["token"] < highest.notes["token"]:
            yield highest, write.operation


def _witness(pair: tuple[Operation, Operation]) -> Witness:
    before, late = pair
    sentence = (
        f"the resource accepted {shown(late.value)} of {late.client} with token {late.notes['token']} after "
        f"{shown(before.value)} of {before.client} with token {before.notes['token']}"
    )
    return Witness(anomaly="token went back", sentence=sentence, operations=pair)


fenced_writes = Guarantee(
    name=NAME,
    promise="The resource accepts no write with a token older than one it has seen.",
    check=_judge,
    source="Kleppmann 2016, How to do distributed locking: fencing tokens; Hazelcast's FencedLock",
    silent_on="whether tokens were given out in order (monotonic_tokens), and who believed to be inside",
    needs=("acquire", "write"),
)
