"""
Sets. Element by element without full reads; a chain of growing reads without removals; else both by search.

Sources: element-wise partition is Horn and Kroening 2015; the chain is the rule of checkers.md 3.4, compared with brute
force. All else would be Jepsen's ``set-full``, which knows no duplicates (they are looked for and never found).
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import NEVER, Call
from chaos.checkers.registers import judge_register
from chaos.checkers.searched import death
from chaos.checkers.searched import judge as search
from chaos.models import set_of
from chaos.models.collections import TRUE
from chaos.verdict import Status, Verdict, Witness, holds, violated

NAME = "set"
EACH = 4
"""Configurations that the first search may cost for each operation."""
Birth = tuple[int, int, Call, Call]
"""The first begin and the first end among an element's adds, and whose they are."""


def judge_set(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether one order of all adds, removals and reads explains every result."""
    known = [call for call in calls if call.f in ("add", "remove") or call.end != NEVER]
    doubled = next((call for call in known if call.f == "read" and len(set(call.result)) < len(call.result)), None)
    if doubled is not None:
        return violated(NAME, _duplicate(doubled))
    kinds = {call.f for call in known}
    start = frozenset(initial or ())
    if kinds <= {"add", "read"}:
        return _Chain(known, start).judge()
    if "read" in kinds and _explained(known, start, budget):
        return holds(NAME, f"an order exists that explains all {len(known)} operations")
    verdict = _by_element(known, start, budget)
    if verdict.status is not Status.HOLDS or "read" not in kinds:
        return verdict
    return search(known, set_of(start), budget)


def _explained(calls: Sequence[Call], start: frozenset[Any], budget: Budget) -> bool:
    """Whether a short search finds an order: where few operations are concurrent that costs less than each element."""
    side = budget.part(EACH * len(calls))
    try:
        return death(calls, set_of(start), side) is None
    except SpentError:
        return False
    finally:
        budget.spend(side.spent)


def _duplicate(read: Call) -> Witness:
    times = Counter(read.result)
    twice = next(each for each in read.result if times[each] > 1)
    sentence = f"{read.operation.client} read {twice!r} {times[twice]} times in one set"
    return Witness(anomaly="duplicate element", sentence=sentence, operations=(read.operation,))


def _by_element(calls: Sequence[Call], start: frozenset[Any], budget: Budget) -> Verdict:
    """Each element is a register that is in or out; a full read says it of every element."""
    parts: dict[Any, list[Call]] = defaultdict(list)
    for call in calls:
        if call.f != "read":
            parts[call.value].append(_as_register(call))
    reads = [(call, frozenset(call.result)) for call in calls if call.f == "read"]
    for read, _ in reads:
        for element in read.result:
            parts[element] += []
    for done, (element, part) in enumerate(parts.items()):
        told = part + [read._replace(result=element in found) for read, found in reads]
        told.sort(key=lambda call: call.begin)
        try:
            budget.look()
            verdict = judge_register(told, element in start, budget)
        except SpentError as spent:
            raise SpentError(f"{spent}; an order exists for each of {done} of {len(parts)} elements") from None
        if verdict.status is not Status.HOLDS:
            return _named(verdict, element)
    return holds(NAME, f"an order exists for each of {len(parts)} elements")


def _as_register(call: Call) -> Call:
    if call.f == "contains":
        return call._replace(f="read", value=None, result=call.result in TRUE)
    return call._replace(f="write", value=call.f == "add")


def _named(verdict: Verdict, element: Any) -> Verdict:
    if verdict.witness is None:
        return verdict
    shown = verdict.witness.operations
    given = "; ".join(map(str, shown)) if len(shown) < 8 else f"{len(shown)} operations"
    sentence = f"no order explains what was seen of element {element!r}: {given}"
    return violated(NAME, Witness(anomaly=verdict.witness.anomaly, sentence=sentence, operations=shown))


class _Chain:
    """Reads of a set that only grows, the smallest first, each placed as early as possible."""

    def __init__(self, calls: Sequence[Call], start: frozenset[Any]) -> None:
        self._start = start
        self._births: dict[Any, Birth] = {}
        for call in calls:
            if call.f == "add":
                begin, end, first, ended = self._births.get(call.value, (call.begin, call.end, call, call))
                if call.end < end:
                    end, ended = call.end, call
                self._births[call.value] = (begin, end, first, ended)
        self._groups: dict[frozenset[Any], list[Call]] = {}
        for call in calls:
            if call.f == "read":
                self._groups.setdefault(frozenset(call.result), []).append(call)
        self._now, self._blame = -2, ()  # type: tuple[int, tuple[Call, ...]]

    def judge(self) -> Verdict:
        """Walk the chain."""
        before, seen_by = self._start, list[Call]()
        for elements in sorted(self._groups, key=len):
            reads = self._groups[elements]
            wrong = self._forked(before, seen_by, elements, reads) or self._born(elements - before, reads)
            wrong = wrong or self._read(reads)
            if wrong is not None:
                return violated(NAME, wrong)
            before, seen_by = elements, reads
        lost = self._born(self._births.keys() - before, [])
        if lost is not None:
            return violated(NAME, lost)
        reads_count, elements_count = sum(map(len, self._groups.values())), len(self._births.keys() | self._start)
        return holds(NAME, f"an order exists that explains {reads_count} reads of {elements_count} elements")

    def _forked(
        self, before: frozenset[Any], seen_by: list[Call], elements: frozenset[Any], reads: list[Call]
    ) -> Witness | None:
        if before <= elements:
            return None
        only, two = next(iter(before - elements)), reads[0].operation
        if not seen_by:
            sentence = f"{two.client} did not read {only!r}, which was there from the beginning"
            return Witness(anomaly="lost element", sentence=sentence, operations=(two,))
        other, one = next(iter(elements - before)), seen_by[0].operation
        sentence = f"{one.client} read {only!r} without {other!r}, {two.client} read {other!r} without {only!r}"
        return Witness(anomaly="long fork", sentence=sentence, operations=(one, two))

    def _born(self, elements: Any, reads: list[Call]) -> Witness | None:
        """New elements: after everything placed so far, and before these reads."""
        moment, blame = self._now, self._blame
        for element in elements:
            birth = self._births.get(element)
            if birth is None:
                sentence = f"{reads[0].operation.client} read {element!r}, which nobody added"
                return Witness(anomaly="phantom element", sentence=sentence, operations=(reads[0].operation,))
            begin, end, first, ended = birth
            if end < self._now:
                return self._missed(element, ended, bool(reads))
            if begin > moment:
                moment, blame = begin, (first, *reads[:1])
        self._now, self._blame = moment, blame
        return None

    def _missed(self, element: Any, add: Call, later: bool) -> Witness:
        anomaly = "stale read" if later else "lost element"
        sentence = f"{add.operation.client} had added {element!r}, and a later read did not have it"
        shown = sorted({id(call): call for call in (add, *self._blame)}.values(), key=lambda call: call.begin)
        return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(call.operation for call in shown))

    def _read(self, reads: list[Call]) -> Witness | None:
        """These reads, all after the births before them."""
        for read in reads:
            if read.end < self._now:
                shown = sorted({id(call): call for call in (read, *self._blame)}.values(), key=lambda call: call.begin)
                cause = self._blame[0]
                anomaly = "read from the future" if cause.f == "add" else "stale read"
                sentence = f"{read.operation} ended before {cause.operation} began, which must come first"
                return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(call.operation for call in shown))
        last = max(reads, key=lambda read: read.begin)
        if last.begin > self._now:
            self._now, self._blame = last.begin, (last,)
        return None
