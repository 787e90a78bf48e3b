"""
Anomalies of list-append transactions that need no cycle. The names are Elle's.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from chaos.checkers.transactions import Transaction, Versions
from chaos.verdict import Witness


def direct(all_: Sequence[Transaction], versions: Versions) -> Iterator[Witness]:
    """All of them, those that say most first."""
    yield from _aborted_reads(all_, versions)
    yield from _intermediate_reads(all_, versions)
    yield from _internal(all_)
    yield from _duplicates(all_)
    yield from _incompatible(versions)
    yield from _dirty_updates(versions)
    yield from _lost_updates(all_)


def _witness(anomaly: str, sentence: str, *shown: Transaction) -> Witness:
    distinct = {each.place: each.operation for each in sorted(shown, key=lambda each: each.place)}
    return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(distinct.values()))


def named(each: Transaction) -> str:
    """A transaction in a sentence."""
    return f"T{each.operation.index} of {each.operation.client}"


def _aborted_reads(all_: Sequence[Transaction], versions: Versions) -> Iterator[Witness]:
    seen: set[tuple[Any, Any]] = set()
    longest: dict[Any, tuple[Any, ...]] = {}
    for each in all_:
        for key, elements in each.reads():
            before = longest.get(key, ())
            if before[: len(elements)] == elements:
                continue
            grown = elements[: len(before)] == before
            for element in elements[len(before) :] if grown else elements:
                if (key, element) not in seen:
                    seen.add((key, element))
                    yield from _unwritten(each, key, element, versions)
            if grown:
                longest[key] = elements


def _unwritten(each: Transaction, key: Any, element: Any, versions: Versions) -> Iterator[Witness]:
    writer = versions.writers.get((key, element))
    if writer is None:
        yield _witness("garbage-read", f"{named(each)} read {element!r} in {key!r}, which nobody appended", each)
    elif writer.failed:
        sentence = f"{named(each)} read {element!r} in {key!r}, appended by {named(writer)}, which aborted"
        yield _witness("G1a", sentence, writer, each)


def _intermediate_reads(all_: Sequence[Transaction], versions: Versions) -> Iterator[Witness]:
    later: dict[tuple[Any, Any], Any] = {}
    for each in all_:
        last: dict[Any, Any] = {}
        for key, value in each.appends():
            if key in last:
                later[(key, last[key])] = value
            last[key] = value
    for each in all_:
        for key, elements in each.reads():
            if elements and (key, elements[-1]) in later:
                writer = versions.writers[(key, elements[-1])]
                if writer is not each:
                    sentence = (
                        f"{named(each)} read {key!r} up to {elements[-1]!r}, "
                        f"to which {named(writer)} also appended {later[(key, elements[-1])]!r}"
                    )
                    yield _witness("G1b", sentence, writer, each)


def _internal(all_: Sequence[Transaction]) -> Iterator[Witness]:
    for each in all_:
        if not each.ok:
            continue
        known: dict[Any, tuple[bool, tuple[Any, ...]]] = {}
        seen: dict[Any, set[Any]] = {}
        for f, key, value in each.micros:
            complete, expected = known.get(key, (False, ()))
            if f == "append":
                if value in seen.get(key, ()):
                    yield _witness("future-read", f"{named(each)} read {value!r} in {key!r} before appending it", each)
                known[key] = (complete, (*expected, value))
                continue
            if value != expected if complete else value[len(value) - len(expected) :] != expected:
                sentence = f"{named(each)} read {list(value)} in {key!r}, but knew it to end with {list(expected)}"
                yield _witness("internal", sentence, each)
            known[key] = (True, value)
            seen.setdefault(key, set()).update(value)


def _duplicates(all_: Sequence[Transaction]) -> Iterator[Witness]:
    for each in all_:
        for key, elements in each.reads():
            if len(set(elements)) < len(elements):
                times = Counter(elements)
                element = max(times, key=times.__getitem__)
                sentence = f"{named(each)} read {element!r} {times[element]} times in {key!r}; it was appended once"
                yield _witness("duplicate-elements", sentence, each)


def _incompatible(versions: Versions) -> Iterator[Witness]:
    for key, reads in versions.shorter.items():
        ordered = sorted(reads, key=len)
        for one, other in pairwise(ordered):
            if other[: len(one)] != one:
                sentence = (
                    f"{named(reads[one])} read {list(one)} in {key!r}, {named(reads[other])} read {list(other)}: "
                    "neither is the beginning of the other"
                )
                yield _witness("incompatible-order", sentence, reads[one], reads[other])


def _dirty_updates(versions: Versions) -> Iterator[Witness]:
    for key, order in versions.orders.items():
        aborted: Transaction | None = None
        for element in order:
            writer = versions.writers.get((key, element))
            if writer is None:
                continue
            if writer.failed:
                aborted = aborted or writer
            elif writer.ok and aborted is not None:
                sentence = (
                    f"{named(writer)} committed an append to {key!r} on top of one by {named(aborted)}, which aborted"
                )
                yield _witness("dirty-update", sentence, aborted, writer)
                aborted = None


def _lost_updates(all_: Sequence[Transaction]) -> Iterator[Witness]:
    bases: dict[tuple[Any, Any], Transaction] = {}
    for each in all_:
        if not each.ok:
            continue
        first: dict[Any, Any] = {}
        written: set[Any] = set()
        for f, key, value in each.micros:
            if f == "r":
                first.setdefault(key, value)
            elif key in first and key not in written:
                written.add(key)
                other = bases.setdefault((key, first[key]), each)
                if other is not each:
                    sentence = (
                        f"{named(other)} and {named(each)} both read {list(first[key])} in {key!r} and appended to it"
                    )
                    yield _witness("lost-update", sentence, other, each)
