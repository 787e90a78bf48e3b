"""
Session guarantees, from versions: what each client may rely on even where other clients see old states.

Source: Terry et al., Session guarantees for weakly consistent replicated data, PDIS 1994. Values carry the version that
the store gave them; one object (split by key for several). Nothing is said of what clients see of each other.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from chaos.checkers.budget import Budget
from chaos.checkers.calls import NEVER, Call
from chaos.errors import UsageError
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "session"
BROKEN = {
    ("write", "read"): "read your writes",
    ("read", "read"): "monotonic reads",
    ("write", "write"): "monotonic writes",
    ("read", "write"): "writes follow reads",
}
"""By the earlier and the later operation of a session."""


class Seen(NamedTuple):
    """An operation and the version that it saw or made."""

    call: Call
    version: int


def judge_session(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """All four guarantees, and that a version has one value."""
    known = [Seen(call, _version(call)) for call in calls if call.end != NEVER]
    if not known:
        return unknown(NAME, "no operation completed")
    sessions: dict[str, list[Seen]] = defaultdict(list)
    for seen in known:
        sessions[seen.call.operation.client].append(seen)
    found = [*_ambiguous(known), *(witness for session in sessions.values() for witness in _broken(session))]
    if found:
        names = dict.fromkeys(witness.anomaly for witness in found)
        reason = found[0].sentence + (f" (broken: {', '.join(names)})" if len(names) > 1 else "")
        return violated(NAME, found[0], reason, broken_count=len(found))
    return holds(NAME, f"{len(sessions)} sessions keep all four guarantees over {len(known)} operations")


def _pair(call: Call) -> tuple[Any, Any]:
    pair = call.result
    if pair is None and call.f == "read":
        return (None, None)
    if not isinstance(pair, tuple) or len(pair) != 2 or not (pair[0] is None or isinstance(pair[0], int)):
        raise UsageError(f"{call.operation}: the result must be a pair of version and value, not {pair!r}")
    return pair


def _version(call: Call) -> int:
    """Before the first write there is version 0."""
    return _pair(call)[0] or 0


def _broken(session: Sequence[Seen]) -> Iterator[Witness]:
    """What a later operation shows to be older than an earlier one of the same client saw."""
    ended = sorted(session, key=lambda seen: seen.call.end)
    newest: dict[str, Seen] = {}
    place = 0
    for seen in session:
        while ended[place].call.end < seen.call.begin:
            kind = _kind(ended[place].call)
            if kind not in newest or ended[place].version > newest[kind].version:
                newest[kind] = ended[place]
            place += 1
        for kind, before in newest.items():
            later = _kind(seen.call)
            if seen.version < before.version or (later == "write" and seen.version == before.version):
                yield _older(BROKEN[(kind, later)], before, seen)


def _kind(call: Call) -> str:
    return "read" if call.f == "read" else "write"


def _older(anomaly: str, before: Seen, seen: Seen) -> Witness:
    verbs = {"read": "read", "write": "wrote"}
    sentence = (
        f"{seen.call.operation.client} {verbs[_kind(seen.call)]} version {seen.version} "
        f"after it {verbs[_kind(before.call)]} version {before.version}"
    )
    return Witness(anomaly=anomaly, sentence=sentence, operations=(before.call.operation, seen.call.operation))


def _ambiguous(known: Sequence[Seen]) -> Iterator[Witness]:
    """Versions seen with two values, or made by two writes."""
    values: dict[int, Seen] = {}
    makers: dict[int, Seen] = {}
    for seen in known:
        if not seen.version:
            continue
        if _kind(seen.call) == "write":
            maker = makers.setdefault(seen.version, seen)
            if maker is not seen:
                sentence = f"two writes were given the version {seen.version}"
                yield Witness(
                    anomaly="version given twice",
                    sentence=sentence,
                    operations=(maker.call.operation, seen.call.operation),
                )
        first = values.setdefault(seen.version, seen)
        if _value(first.call) != _value(seen.call):
            sentence = (
                f"version {seen.version} had the value {_value(first.call)!r} and the value {_value(seen.call)!r}"
            )
            yield Witness(
                anomaly="ambiguous version",
                sentence=sentence,
                operations=(first.call.operation, seen.call.operation),
            )


def _value(call: Call) -> Any:
    value = _pair(call)[1]
    return value[1] if call.f == "cas" and isinstance(value, tuple) and len(value) == 2 else value
