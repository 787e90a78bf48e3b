"""
The names of cycles, said once more as Adya and Elle define them: relations between transactions as sets of pairs, and
what leads back to itself through them.
"""

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

from chaos.history import Operation, Outcome
from chaos.verdict import Verdict

Pairs = frozenset[tuple[int, int]]

LEVELS = ("", "-process", "-realtime")
KINDS = ("G0", "G1c", "G-single", "G-nonadjacent", "G2-item")
CYCLES = {kind + level for kind in KINDS for level in LEVELS}
UNORDERED = {"garbage-read", "duplicate-elements", "incompatible-order", "internal", "future-read"}
"""What makes the order of versions doubtful, and with it the edges."""


def misnamed(operations: Sequence[Operation], verdict: Verdict) -> str | None:
    """What is wrong with the names that a verdict gives, or None."""
    names = _names(verdict)
    if names & UNORDERED:
        return None
    right = worst(operations)
    first = verdict.witness.anomaly if verdict.witness else None
    if right is None:
        return f"there is no cycle, but {verdict}" if names & CYCLES else None
    if right not in names or (not names - CYCLES and first != right):
        return f"the worst cycle is {right}, but {verdict}"
    return None


def _names(verdict: Verdict) -> set[str]:
    if verdict.witness is None:
        return set()
    _, _, others = verdict.reason.removesuffix(")").rpartition("(also ")
    return {verdict.witness.anomaly, *(others.split(", ") if "(also " in verdict.reason else ())}


def worst(operations: Sequence[Operation]) -> str | None:
    """By the least that a cycle needs: data alone, sessions too, time too; then by the least of its dependencies."""
    known = [each for each in operations if each.outcome is not Outcome.FAIL]
    ww, wr, rw = (frozenset(pairs) for pairs in _dependencies(operations, known))
    before = frozenset(
        (one, two)
        for one, two in permutations(range(len(known)), 2)
        if known[one].ok and (known[one].completed_ns or 0) < known[two].invoked_ns
    )
    session = frozenset((one, two) for one, two in before if known[one].client == known[two].client)
    for level, extra in zip(LEVELS, (frozenset[tuple[int, int]](), session, before), strict=True):
        for kind in KINDS:
            if _cyclic(kind, ww, wr, rw, extra):
                return kind + level
    return None


def _cyclic(kind: str, ww: Pairs, wr: Pairs, rw: Pairs, extra: Pairs) -> bool:
    if kind == "G0":
        return _returns(ww, ww | extra)
    if kind == "G1c":
        return _returns(wr, ww | wr | extra)
    if kind == "G-single":
        return _returns(rw, ww | wr | extra)
    if kind == "G-nonadjacent":
        apart = _composed(rw, _closed(ww | wr | extra))
        return any(one == two for one, two in _closed(apart))
    return _returns(rw, ww | wr | rw | extra)


def _returns(edges: Pairs, ways: Pairs) -> bool:
    closed = _closed(ways)
    return any((two, one) in closed for one, two in edges)


def _closed(pairs: Pairs) -> Pairs:
    while True:
        more = pairs | _composed(pairs, pairs)
        if more == pairs:
            return pairs
        pairs = more


def _composed(first: Pairs, second: Pairs) -> Pairs:
    return frozenset((one, three) for one, two in first for other, three in second if two == other)


def _dependencies(
    operations: Sequence[Operation], known: Sequence[Operation]
) -> tuple[set[tuple[int, int]], set[tuple[int, int]], set[tuple[int, int]]]:
    """Who wrote the next version, who read whose version, and whose version was replaced by whom."""
    ww, wr, rw = set[tuple[int, int]](), set[tuple[int, int]](), set[tuple[int, int]]()
    appends = [(place, key, value) for place, each in enumerate(known) for key, value in _appends(each)]
    reads = [(place, key, value) for place, each in enumerate(known) for key, value in _reads(each)]
    for place, key, value in appends:
        previous = _previous(key, value, operations, reads)
        if previous is None:
            continue
        ww |= {(one, place) for one, other, element in appends if other == key and [element] == previous}
        rw |= {(one, place) for one, other, elements in reads if other == key and elements[-1:] == previous}
    for place, key, elements in reads:
        wr |= {(one, place) for one, other, element in appends if other == key and elements[-1:] == [element]}
    return tuple({(one, two) for one, two in pairs if one != two} for pairs in (ww, wr, rw))  # type: ignore[return-value]


def _previous(key: str, value: int, operations: Sequence[Operation], reads: Sequence[Any]) -> list[int] | None:
    """The version before this append: the one before it in the longest read, its last if nobody read the append."""
    longest: list[int] = max((elements for _, other, elements in reads if other == key), key=len, default=[])
    if value in longest:
        place = longest.index(value)
        return list(longest[max(0, place - 1) : place])
    return list(longest[-1:])


def _appends(each: Operation) -> Iterator[tuple[str, int]]:
    return ((key, value) for f, key, value in each.value if f == "append")


def _reads(each: Operation) -> Iterator[tuple[str, list[int]]]:
    return ((key, value) for f, key, value in each.result if f == "r") if each.ok else iter(())
