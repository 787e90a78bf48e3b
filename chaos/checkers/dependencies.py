"""
Who must come before whom: dependencies of transactions through data, sessions and time.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from chaos.checkers.budget import Budget
from chaos.checkers.calls import NEVER
from chaos.checkers.dirty import named
from chaos.checkers.transactions import Transaction, Versions

WW: Final = 1
WR: Final = 2
RW: Final = 4
PROCESS: Final = 8
REALTIME: Final = 16

MOST: Final = 500_000
"""Pairs of a read and an append that it did not see and that nobody read: with their reasons about 150 MB."""
STRIDE: Final = 1_000
"""Steps between two looks at the clock."""

Graph = dict[int, dict[int, int]]
"""From place to place: which relations, as a mask."""


class Dependencies:
    """
    The graph of all relations, with a sentence for each edge.

    :raises SpentError: if there is no time to build it.
    """

    def __init__(self, all_: Sequence[Transaction], versions: Versions, budget: Budget) -> None:
        self._all, self._versions = all_, versions
        self._linked = _Linked(all_, versions)
        self.cut = self._linked.cut
        """Whether relations were left out, so that no cycle is no proof."""
        self.graph: Graph = {each.place: {} for each in all_ if not each.failed}
        self._why: dict[tuple[int, int, int], tuple[Any, Any, Any]] = {}
        for each in all_:
            if not each.place % STRIDE:
                budget.look()
            if not each.failed:
                self._data(each)
        for before, after in _sessions(all_):
            self._link(before, after, PROCESS)
        for before, after in _realtime(all_):
            self._link(before, after, REALTIME)

    def _link(
        self, before: Transaction, after: Transaction, relation: int, why: tuple[Any, Any, Any] | None = None
    ) -> None:
        if before is after or before.failed:
            return
        edges = self.graph[before.place]
        edges[after.place] = edges.get(after.place, 0) | relation
        if why is not None:
            self._why.setdefault((before.place, after.place, relation), why)

    def _data(self, each: Transaction) -> None:
        writers, readers = self._versions.writers, self._versions.readers
        for key, elements in each.reads():
            writer = writers.get((key, elements[-1])) if elements else None
            if writer is not None:
                self._link(writer, each, WR, (key, elements[-1], None))
        for key, value in each.appends():
            before = self._versions.before(key, value)
            writer = writers.get((key, before[0])) if before else None
            if writer is not None:
                self._link(writer, each, WW, (key, before[0], value))
            if not self._linked.to(each, key, value):
                continue
            for reader in readers.get((key, before), ()):
                self._link(reader, each, RW, (key, None, value))

    def sentence(self, before: int, after: int, relation: int) -> str:
        """Why one must come before the other."""
        one, two = named(self._all[before]), named(self._all[after])
        if relation == PROCESS:
            return f"{two} followed {one} in its session"
        if relation == REALTIME:
            return f"{one} completed before {two} began"
        key, element, value = self._why[(before, after, relation)]
        if relation == WR:
            return f"{two} read {one}'s append of {element!r} to {key!r}"
        if relation == WW:
            return f"{two} appended {value!r} to {key!r} after {one} appended {element!r}"
        return f"{one} did not read {two}'s append of {value!r} to {key!r}"

    def shown(self, before: int, after: int, relation: int) -> set[int]:
        """The places of the transactions that show this edge: both, and one whose read shows the order of appends."""
        found = {before, after}
        if relation in (WW, RW):
            key, _, value = self._why[(before, after, relation)]
            found.add(self._versions.revealing(key, value).place)
        return found


class _Linked:
    """
    Which appends that nobody read are linked with the reads before them: each with each is too many of a key whose last
    state many read and to which many appended.

    Those of transactions that never returned and of which nothing was seen are before nobody, so in no cycle. Of the others
    the first to return are the likeliest that a read should have seen.
    """

    def __init__(self, all_: Sequence[Transaction], versions: Versions) -> None:
        self._seen = versions.positions
        unread: dict[Any, list[Transaction]] = {}
        self._inert = set[int]()
        for each in all_:
            keys = [key for key, value in each.appends() if (key, value) not in self._seen]
            if not each.ok and len(keys) == sum(1 for _ in each.appends()):
                self._inert.add(each.place)
            elif not each.failed:
                for key in keys:
                    unread.setdefault(key, []).append(each)
        self._left_out = set[tuple[Any, int]]()
        self._choose(unread, versions)

    @property
    def cut(self) -> bool:
        """Whether some were left out that could be in a cycle."""
        return bool(self._left_out)

    def _choose(self, unread: dict[Any, list[Transaction]], versions: Versions) -> None:
        room = MOST
        for key, writers in unread.items():
            readers = len(versions.readers.get((key, versions.orders.get(key, ())[-1:]), ()))
            if readers * len(writers) > room:
                writers.sort(key=lambda each: each.end)
                self._left_out.update((key, each.place) for each in writers[max(1, room // readers) :])
            room = max(0, room - readers * len(writers))

    def to(self, each: Transaction, key: Any, value: Any) -> bool:
        """Whether this append is linked with the reads that did not see it."""
        return (key, value) in self._seen or (each.place not in self._inert and (key, each.place) not in self._left_out)


def _sessions(all_: Sequence[Transaction]) -> Iterator[tuple[Transaction, Transaction]]:
    """What one client did one after the other; what overlaps, or never returned, does not break the chain."""
    clients: dict[str, list[Transaction]] = {}
    for each in all_:
        clients.setdefault(each.operation.client, []).append(each)
    for session in clients.values():
        yield from _realtime(session)


def _realtime(all_: Sequence[Transaction]) -> Iterator[tuple[Transaction, Transaction]]:
    """Without edges that others imply: only completions that no later one has made superfluous."""
    known = [each for each in all_ if not each.failed]
    stamps = [(each.begin, each) for each in known] + [(each.end, each) for each in known if each.end != NEVER]
    frontier: list[Transaction] = []
    for stamp, each in sorted(stamps, key=lambda pair: pair[0]):
        if stamp == each.begin:
            yield from ((before, each) for before in frontier)
        else:
            frontier = [before for before in frontier if before.end > each.begin]
            frontier.append(each)


def components(graph: Graph, relations: int, nodes: Iterable[int], budget: Budget | None = None) -> list[list[int]]:
    """
    Strongly connected components of more than one transaction, over these relations (Tarjan 1972, without recursion).

    :raises SpentError: if there is a budget and its time is used up.
    """
    inside = set(nodes)
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: list[list[int]] = []
    for root in inside:
        if root in index:
            continue
        work = [(root, _targets(graph, root, relations, inside))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            target = next(targets, None)
            if target is None:
                if budget is not None and not (index[node] + 1) % STRIDE:
                    budget.look()
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = _popped(stack, node)
                    on_stack.difference_update(component)
                    if len(component) > 1:
                        found.append(component)
            elif target not in index:
                index[target] = low[target] = len(index)
                stack.append(target)
                on_stack.add(target)
                work.append((target, _targets(graph, target, relations, inside)))
            elif target in on_stack:
                low[node] = min(low[node], index[target])
    return found


def _popped(stack: list[int], last: int) -> list[int]:
    component = [stack.pop()]
    while component[-1] != last:
        component.append(stack.pop())
    return component


def _targets(graph: Graph, node: int, relations: int, inside: set[int]) -> Iterator[int]:
    return (target for target, mask in graph[node].items() if mask & relations and target in inside)
