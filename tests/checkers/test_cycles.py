"""
Cycles by name: which relations they need, the shortest of each sort, the worst sort first.
"""

from types import SimpleNamespace
from typing import Any

import pytest

from chaos.checkers.budget import Budget
from chaos.checkers.cycles import worst_cycle
from chaos.checkers.dependencies import PROCESS, REALTIME, RW, WR, WW

Edge = tuple[int, int, int]


def worst(*edges: Edge, budget: Budget | None = None) -> tuple[str, list[Edge], list[str]] | None:
    """Of the graph with these edges; an edge named twice has two relations."""
    graph: dict[int, dict[int, int]] = {node: {} for edge in edges for node in edge[:2]}
    for before, after, relation in edges:
        graph[before][after] = graph[before].get(after, 0) | relation
    dependencies: Any = SimpleNamespace(graph=graph)
    return worst_cycle(dependencies, budget or Budget(60))


def test_without_a_cycle_there_is_nothing_to_name() -> None:
    """Whatever the relations."""
    assert worst((0, 1, WW), (1, 2, RW), (0, 2, REALTIME)) is None


@pytest.mark.parametrize(
    ("name", "cycle"),
    [
        ("G0", [(0, 1, WW), (1, 0, WW)]),
        ("G0", [(0, 1, WW), (1, 2, WW), (2, 0, WW)]),
        ("G1c", [(0, 1, WR), (1, 0, WR)]),
        ("G1c", [(0, 1, WR), (1, 2, WW), (2, 0, WW)]),
        ("G-single", [(0, 1, RW), (1, 0, WW)]),
        ("G-single", [(0, 1, RW), (1, 2, WR), (2, 3, WW), (3, 0, WR)]),
        ("G-nonadjacent", [(0, 1, RW), (1, 2, WW), (2, 3, RW), (3, 0, WR)]),
        ("G2-item", [(0, 1, RW), (1, 0, RW)]),
        ("G2-item", [(0, 1, RW), (1, 2, RW), (2, 0, WW)]),
        ("G2-item", [(0, 1, RW), (1, 2, WW), (2, 0, RW)]),
        ("G2-item", [(0, 1, RW), (1, 2, WW), (2, 3, RW), (3, 0, RW)]),
        ("G0-process", [(0, 1, WW), (1, 0, PROCESS)]),
        ("G1c-process", [(0, 1, WR), (1, 0, PROCESS)]),
        ("G-single-process", [(0, 1, RW), (1, 0, PROCESS)]),
        ("G0-realtime", [(0, 1, WW), (1, 0, REALTIME)]),
        ("G1c-realtime", [(0, 1, WR), (1, 0, REALTIME)]),
        ("G-single-realtime", [(0, 1, RW), (1, 2, PROCESS), (2, 0, REALTIME)]),
        ("G-nonadjacent-realtime", [(0, 1, RW), (1, 2, REALTIME), (2, 3, RW), (3, 0, REALTIME)]),
        ("G2-item-realtime", [(0, 1, RW), (1, 2, RW), (2, 0, REALTIME)]),
    ],
)
def test_cycle_is_named_by_what_it_needs(name: str, cycle: list[Edge]) -> None:
    """Two anti-dependencies in a row are worse to allow than two apart; sessions and time come last."""
    assert worst(*cycle) == (name, cycle, [name])


def test_cycle_begins_with_the_relation_that_names_it() -> None:
    """A read of a write before a write of a write."""
    assert worst((0, 1, WW), (1, 0, WR)) == ("G1c", [(1, 0, WR), (0, 1, WW)], ["G1c"])
    assert worst((0, 1, WW), (1, 2, WR), (2, 0, RW)) == ("G-single", [(2, 0, RW), (0, 1, WW), (1, 2, WR)], ["G-single"])


def test_edge_of_several_relations_counts_as_the_one_that_says_most() -> None:
    """Data before sessions before time."""
    both = worst((0, 1, WW), (1, 0, WW), (1, 0, WR), (1, 0, REALTIME))
    assert both == ("G0", [(0, 1, WW), (1, 0, WW)], ["G0", "G1c"])
    assert worst((0, 1, WW), (1, 0, PROCESS), (1, 0, REALTIME)) == (
        "G0-process",
        [(0, 1, WW), (1, 0, PROCESS)],
        ["G0-process"],
    )
    apart = [(0, 1, RW), (1, 2, WW), (1, 2, RW), (2, 3, RW), (3, 0, WR)]
    assert worst(*apart) == ("G-nonadjacent", [(0, 1, RW), (1, 2, WW), (2, 3, RW), (3, 0, WR)], ["G-nonadjacent"])


def test_cycle_through_data_alone_is_told_before_any_that_needs_time() -> None:
    """Of which nothing is said then."""
    found = worst((0, 1, RW), (1, 0, RW), (2, 3, WW), (3, 2, REALTIME))
    assert found == ("G2-item", [(0, 1, RW), (1, 0, RW)], ["G2-item"])


def test_worst_sort_of_all_components_is_told_first() -> None:
    """Then all the others, each once."""
    skew, lost, dirty = [(0, 1, RW), (1, 0, RW)], [(2, 3, RW), (3, 2, WW)], [(4, 5, WW), (5, 4, WW)]
    assert worst(*skew, *lost, *dirty) == ("G0", dirty, ["G0", "G-single", "G2-item"])
    again = [(6, 7, RW), (7, 6, RW)]
    assert worst(*skew, *again) == ("G2-item", skew, ["G2-item"])


def test_shortest_cycle_of_all_components_is_told() -> None:
    """Wherever it is."""
    long, short = [(0, 1, WW), (1, 2, WW), (2, 0, WW)], [(3, 4, WW), (4, 3, WW)]
    assert worst(*long, *short) == ("G0", short, ["G0"])


def test_component_with_one_antidependency_is_not_searched_for_more() -> None:
    """One explains it."""
    found = worst((0, 1, RW), (1, 0, WW), (1, 2, RW), (2, 1, RW))
    assert found == ("G-single", [(0, 1, RW), (1, 0, WW)], ["G-single"])
    apart = [(0, 1, RW), (1, 2, WW), (2, 3, RW), (3, 0, WR)]
    assert worst(*apart, (3, 2, RW)) == ("G-nonadjacent", apart, ["G-nonadjacent"])


@pytest.mark.parametrize("longer", [3, 4])
def test_shortest_cycle_of_a_component_is_told(longer: int) -> None:
    """Though a longer one begins at an earlier transaction."""
    ring = [(n, (n + 1) % longer, WW) for n in range(longer)]
    short = [(longer - 1, longer, WW), (longer, longer - 1, WW)]
    assert worst(*ring, *short) == ("G0", short, ["G0"])


def test_cycle_one_step_shorter_is_shorter() -> None:
    """And of equal ones the first is kept."""
    four = [(0, 1, WW), (1, 2, WW), (2, 3, WW), (3, 0, WW)]
    three = [(3, 4, WW), (4, 5, WW), (5, 3, WW)]
    assert worst(*four, *three) == ("G0", three, ["G0"])
    other = [(2, 3, WW), (3, 4, WW), (4, 2, WW)]
    first = [(0, 1, WW), (1, 2, WW), (2, 0, WW)]
    assert worst(*first, *other) == ("G0", first, ["G0"])


def test_way_back_is_sought_past_edges_that_lead_nowhere() -> None:
    """Out of the component, or of another relation."""
    found = worst((0, 1, WR), (1, 9, WW), (1, 8, RW), (8, 1, REALTIME), (1, 2, WW), (2, 0, WW))
    assert found == ("G1c", [(0, 1, WR), (1, 2, WW), (2, 0, WW)], ["G1c"])


def test_when_no_time_is_left_there_is_a_cycle_all_the_same() -> None:
    """Of a coarser name."""
    spent = Budget(0)
    assert worst((0, 1, WW), (1, 0, WW), budget=spent) == ("cycle", [(0, 1, WW), (1, 0, WW)], ["cycle"])
    assert worst((0, 1, WW), (1, 0, PROCESS), budget=spent) == (
        "cycle-process",
        [(0, 1, WW), (1, 0, PROCESS)],
        ["cycle-process"],
    )
    assert worst((0, 1, RW), (1, 0, REALTIME), budget=spent) == (
        "cycle-realtime",
        [(0, 1, RW), (1, 0, REALTIME)],
        ["cycle-realtime"],
    )


def test_way_back_is_sought_past_edges_of_another_relation() -> None:
    """Though they lead inside."""
    found = worst((0, 1, WR), (1, 2, RW), (1, 3, WW), (3, 2, WW), (2, 0, WW))
    assert found == ("G1c", [(0, 1, WR), (1, 3, WW), (3, 2, WW), (2, 0, WW)], ["G1c", "G-single"])


def test_session_is_no_antidependency() -> None:
    """It does not set two of them apart."""
    skew = [(0, 1, RW), (1, 2, WW), (2, 4, RW), (4, 3, RW), (3, 0, WR)]
    assert worst((2, 3, PROCESS), *skew) == ("G2-item", skew, ["G2-item"])
