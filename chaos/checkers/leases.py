"""
Leased locks: nobody else inside while a client believes to hold it, and fencing tokens that only grow.

A hold lasts from the return of an acquire to the call of the client's next release or acquire, or to the moment its lease
expires. What the client believes while it is stopped is what a lease cannot help: that is why tokens are judged too.
Source: Kleppmann 2016, How to do distributed locking; Jepsen's Hazelcast tests.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chaos.checkers.budget import Budget
from chaos.checkers.calls import NEVER, Call
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "lease"


class Hold(NamedTuple):
    """A client inside, as it believes."""

    acquire: Call
    until: int


def judge_lease(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Exclusion first, then tokens."""
    acquired = [call for call in calls if call.f == "acquire" and call.end != NEVER]
    if not acquired:
        return unknown(NAME, "no acquire succeeded")
    overlaps = _overlaps(_holds(calls))
    regressions = _regressions(acquired)
    measures = {"acquired_count": len(acquired), "overlaps_count": len(overlaps), "regressions_count": len(regressions)}
    for found in (overlaps, regressions):
        if found:
            return violated(NAME, found[0], **measures)
    tokens = sum(_token(call) is not None for call in acquired)
    return holds(NAME, f"{len(acquired)} holds do not overlap, {tokens} tokens grow", **measures)


def _detail(call: Call, name: str) -> Any:
    result = call.operation.result
    if isinstance(result, Mapping) and name in result:
        return result[name]
    return call.operation.notes.get(name)


def _token(call: Call) -> int | None:
    """The fencing token: the result itself, or ``token`` in the result or the notes."""
    result = call.operation.result
    token = result if isinstance(result, int) else _detail(call, "token")
    return token if isinstance(token, int) and not isinstance(token, bool) else None


def _holds(calls: Sequence[Call]) -> list[Hold]:
    found: list[Hold] = []
    current: dict[str, Call] = {}

    def end(client: str, at: int) -> None:
        acquire = current.pop(client, None)
        if acquire is not None:
            expires = _detail(acquire, "expires_ns")
            until = at if expires is None else min(at, 2 * expires)
            if until > acquire.end:
                found.append(Hold(acquire, until))

    for call in calls:
        end(call.operation.client, call.begin)
        if call.f == "acquire" and call.end != NEVER:
            current[call.operation.client] = call
    for client in list(current):
        end(client, NEVER)
    return sorted(found, key=lambda hold: hold.acquire.end)


def _overlaps(found: Sequence[Hold]) -> list[Witness]:
    overlaps: list[Witness] = []
    last: Hold | None = None
    for hold in found:
        if last is not None and hold.acquire.end < last.until:
            one, other = last.acquire.operation, hold.acquire.operation
            sentence = f"{other.client} acquired the lock while {one.client} held it"
            overlaps.append(Witness(anomaly="two holders", sentence=sentence, operations=(one, other)))
        if last is None or hold.until > last.until:
            last = hold
    return overlaps


def _regressions(acquired: Sequence[Call]) -> list[Witness]:
    """Tokens that did not grow from one acquire to one that began after it."""
    tokens = [(call, token) for call in acquired if (token := _token(call)) is not None]
    ended = sorted(tokens, key=lambda pair: pair[0].end)
    found: list[Witness] = []
    used: dict[int, Call] = {}
    place, highest = 0, None
    for call, token in tokens:
        while ended[place][0].end < call.begin:
            highest = ended[place] if highest is None or ended[place][1] > highest[1] else highest
            place += 1
        if highest is not None and token <= highest[1]:
            found.append(_regression(highest[0], highest[1], call, token))
        elif token in used:
            found.append(_regression(used[token], token, call, token))
        used.setdefault(token, call)
    return found


def _regression(one: Call, before: int, other: Call, token: int) -> Witness:
    if before == token:
        anomaly, how = "token given twice", f"the token {token} too"
    else:
        anomaly, how = "token went back", f"the token {token} after token {before}"
    sentence = f"{other.operation.client} got {how} of {one.operation.client}"
    return Witness(anomaly=anomaly, sentence=sentence, operations=(one.operation, other.operation))
