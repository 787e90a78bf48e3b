"""
Monotonic tokens: each acquisition's token is higher than those of all acquisitions before it.

Definition: of two ``acquire`` (ok) of one lock, where one completed before the other was invoked, the later one's token
(``result``, or ``notes["token"]``) is higher; no two have the same.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator

from chaos.guarantees.evidence import identity, integer, missed_faults
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.holding import is_acquired
from chaos.guarantees.placing import Placed, by_interval, settled_before
from chaos.history import History, Operation
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "monotonic_tokens"


def _judge(history: History) -> Verdict:
    attempts = history.select("acquire")
    acquired = [acquire for acquire in attempts if is_acquired(acquire)]
    locks: dict[Hashable, list[Operation]] = defaultdict(list)
    for acquire in acquired:
        if _token(acquire) is not None:
            locks[identity(acquire.value)].append(acquire)
    if all(len(acquires) < 2 for acquires in locks.values()):
        return unknown(NAME, "no lock gave out two tokens")
    pairs = [pair for held in locks.values() for pair in (*_repeats(held), *_decreases(by_interval(history, held)))]
    measures = {"token_count": sum(map(len, locks.values())), "disorder_count": len(pairs)}
    if pairs:
        return violated(NAME, _witness(pairs[0]), **measures)
    bare = len(acquired) - int(measures["token_count"])
    missing = f"{bare} of {len(acquired)} acquisitions came without a token" if bare else None
    missing = missing or missed_faults(history, attempts)
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"{measures['token_count']} tokens, each higher than those before", **measures)


def _token(acquire: Operation) -> int | None:
    return integer(acquire.notes.get("token", acquire.result))


def _number(acquire: Operation) -> int:
    return _token(acquire) or 0


def _repeats(acquires: list[Operation]) -> Iterator[tuple[Operation, Operation]]:
    seen: dict[int, Operation] = {}
    for acquire in acquires:
        before = seen.setdefault(_number(acquire), acquire)
        if before is not acquire:
            yield before, acquire


def _decreases(acquires: list[Placed]) -> Iterator[tuple[Operation, Operation]]:
    highest: Operation | None = None
    for acquire, settled in settled_before(acquires):
        known = [one.operation for one in settled] + ([highest] if highest else [])
        highest = max(known, key=_number, default=None)
        if highest is not None and _number(acquire.operation) < _number(highest):
            yield highest, acquire.operation


def _witness(pair: tuple[Operation, Operation]) -> Witness:
    before, after = pair
    anomaly = "token given twice" if _token(before) == _token(after) else "token went back"
    sentence = f"{before.client} was given token {_token(before)}, and {after.client} after it token {_token(after)}"
    return Witness(anomaly=anomaly, sentence=sentence, operations=pair)


monotonic_tokens = Guarantee(
    name=NAME,
    promise="Every acquisition gets a token higher than all before it.",
    check=_judge,
    source="Kleppmann 2016, How to do distributed locking; ZooKeeper's zxid and etcd's revision as tokens",
    silent_on="whether anybody checks the tokens (fenced_writes)",
    needs=("acquire",),
)
