"""
Cycles of dependencies, named by the relations that they need. The names are Adya's and Elle's.

G0: only ww. G1c: ww and wr. G-single: exactly one rw. G-nonadjacent: several rw, no two in a row (which snapshot isolation
forbids). G2-item: rw in a row. With ``-process`` or ``-realtime`` if the cycle needs the order of a session or of time.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from chaos.checkers.budget import Budget
from chaos.checkers.dependencies import PROCESS, REALTIME, RW, WR, WW, Dependencies, Graph, components

Step = tuple[int, int, int]
"""From, to, relation."""

LEVELS = ((0, ""), (PROCESS, "-process"), (PROCESS | REALTIME, "-realtime"))
TRIES = 2_000
"""Edges of one sort from which a way back is sought."""


def worst_cycle(dependencies: Dependencies, budget: Budget) -> tuple[str, list[Step], list[str]] | None:
    """
    The first cycle in order of severity, and the names of all sorts that were found, or None: there is no cycle.

    :raises SpentError: if the time was used up before anything was found.
    """
    graph = dependencies.graph
    everything = WW | WR | RW | PROCESS | REALTIME
    nodes = [node for component in components(graph, everything, graph, budget) for node in component]
    if not nodes:
        return None
    for extra, suffix in LEVELS:
        inside = components(graph, WW | WR | RW | extra, nodes)
        if inside:
            found = [
                (name + suffix, cycle)
                for component in inside
                for name, cycle in _sorts(graph, component, extra, budget)
            ]
            if not found:
                return "cycle" + suffix, _some_cycle(graph, inside[0], WW | WR | RW | extra), ["cycle" + suffix]
            found.sort(key=lambda each: (ORDER.index(each[0].removesuffix(suffix)), len(each[1])))
            name, cycle = found[0]
            return name, cycle, list(dict.fromkeys(each for each, _ in found))
    return None


ORDER = ("G0", "G1c", "G-single", "G-nonadjacent", "G2-item")


def _sorts(graph: Graph, component: list[int], extra: int, budget: Budget) -> Iterator[tuple[str, list[Step]]]:
    """The shortest cycle found of each sort within a component."""
    quiet = WW | WR | extra
    searches = (
        ("G0", WW, WW | extra, False),
        ("G1c", WR, quiet, False),
        ("G-single", RW, quiet, False),
        ("G-nonadjacent", RW, quiet, True),
        ("G2-item", RW, quiet | RW, False),
    )
    shown = set[str]()
    for name, start, way, alternating in searches:
        if budget.over or shown & {"G-single", "G-nonadjacent"}:
            return
        for inside in components(graph, start | way, component):
            cycle = _shortest(graph, set(inside), start, way, alternating, budget)
            if cycle is not None:
                shown.add(name)
                yield name, cycle


def _some_cycle(graph: Graph, component: list[int], way: int) -> list[Step]:
    """One through the first of them, for when there was no time to look for the worst: a single walk."""
    inside, source = set(component), min(component)
    target, mask = next((each, mask & way) for each, mask in graph[source].items() if each in inside and mask & way)
    back = _way_back(graph, inside, target, source, way, alternating=False)
    return [(source, target, _lowest(mask)), *(back or [])]


def _shortest(
    graph: Graph, inside: set[int], start: int, way: int, alternating: bool, budget: Budget
) -> list[Step] | None:
    """The shortest cycle that begins with an edge of one relation and comes back by the others."""
    best: list[Step] | None = None
    edges = ((source, target) for source in sorted(inside) for target, mask in graph[source].items() if mask & start)
    starts = ((source, target) for source, target in edges if target in inside)
    for source, target in islice(starts, TRIES):
        if (best is not None and len(best) == 2) or budget.over:
            return best
        back = _way_back(graph, inside, target, source, way, alternating)
        if back is not None and (best is None or len(back) + 1 < len(best)):
            best = [(source, target, start), *back]
    return best


def _way_back(graph: Graph, inside: set[int], begin: int, goal: int, way: int, alternating: bool) -> list[Step] | None:
    """
    A shortest walk, breadth first. ``alternating``: by rw edges too, but never two in a row, nor first or last.
    """
    first = (begin, True)
    came: dict[tuple[int, bool], tuple[tuple[int, bool], Step] | None] = {first: None}
    queue = deque([first])
    while queue:
        node, after_rw = here = queue.popleft()
        for target, mask in graph[node].items():
            if target not in inside:
                continue
            quiet = mask & way
            if not quiet and not (alternating and mask & RW and not after_rw):
                continue
            there = (target, alternating and not quiet)
            if target == goal and not there[1]:
                return _walked(came, here, (node, target, _lowest(quiet)))
            if there not in came:
                came[there] = (here, (node, target, _lowest(quiet) if quiet else RW))
                queue.append(there)
    return None


def _walked(
    came: dict[tuple[int, bool], tuple[tuple[int, bool], Step] | None], here: tuple[int, bool], last: Step
) -> list[Step]:
    steps = [last]
    before = came[here]
    while before is not None:
        steps.append(before[1])
        before = came[before[0]]
    return steps[::-1]


def _lowest(mask: int) -> int:
    """Of several relations the one that says most: data before sessions before time."""
    return mask & -mask
