"""
Who must come before whom: dependencies of transactions through data, sessions and time.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from chaos.checkers.calls import NEVER
from chaos.checkers.dirty import named
from chaos.checkers.transactions import Transaction, Versions

WW: Final = 1
WR: Final = 2
RW: Final = 4
PROCESS: Final = 8
REALTIME: Final = 16

Graph = dict[int, dict[int, int]]
"""From place to place: which relations, as a mask."""


class Dependencies:
    """The graph of all relations, with a sentence for each edge."""

    def __init__(self, all_: Sequence[Transaction], versions: Versions) -> None:
        self._all, self._versions = all_, versions
        self.graph: Graph = {each.place: {} for each in all_ if not each.failed}
        self._why: dict[tuple[int, int, int], tuple[Any, Any, Any]] = {}
        for each in all_:
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


def components(graph: Graph, relations: int, nodes: Iterable[int]) -> list[list[int]]:
    """Strongly connected components of more than one transaction, over these relations (Tarjan 1972, without recursion)."""
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
