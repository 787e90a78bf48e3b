"""Partition shapes are data: they are tested without a cluster."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import UsageError
from chaos.faults import shapes

NAMES = [f"n{number}" for number in range(1, 10)]


def _sees(edges: shapes.Edges, party: str, parties: list[str]) -> set[str]:
    return {
        other for other in parties if other == party or ((party, other) not in edges and (other, party) not in edges)
    }


def test_an_isolated_group_keeps_its_inner_links() -> None:
    """What is cut off together stays together."""
    edges = shapes.isolate(["n1", "c1"], ["n1", "n2", "c1", "c2"])
    assert ("n1", "c1") not in edges
    assert ("n1", "n2") in edges
    assert ("c2", "c1") in edges


def test_a_one_way_partition_leaves_the_way_back_open() -> None:
    """Only the asked direction is an edge."""
    assert shapes.one_way(["n1"], ["n2"]) == {("n1", "n2")}


def test_a_bridge_is_seen_by_both_sides() -> None:
    """The middle has no edge at all."""
    edges = shapes.bridge(["n1", "n2"], "n3", ["n4", "n5"])
    assert not any("n3" in edge for edge in edges)
    assert ("n1", "n4") in edges


@given(st.integers(5, 9))
def test_in_a_ring_each_sees_a_majority_and_no_two_the_same(count: int) -> None:
    """Jepsen's majorities-ring."""
    parties = NAMES[:count]
    edges = shapes.ring(parties)
    views = [frozenset(_sees(edges, party, parties)) for party in parties]
    assert all(len(view) > count / 2 for view in views)
    if not all(len(view) == count for view in views):
        assert len(set(views)) == count


@given(st.sets(st.sampled_from(NAMES), min_size=1, max_size=8))
def test_what_isolates_a_group_isolates_the_rest_as_well(group: set[str]) -> None:
    """A partition has two sides and is the same from both."""
    rest = [name for name in NAMES if name not in group]
    assert shapes.isolate(sorted(group), NAMES) == shapes.isolate(rest, NAMES)


def test_halves_split_everybody_into_two_groups_without_a_link() -> None:
    """Of five, two stand against three."""
    edges = shapes.halves(NAMES[:5])
    assert edges == set(product(NAMES[:2], NAMES[2:5])) | set(product(NAMES[2:5], NAMES[:2]))


def test_nobody_stands_on_both_sides() -> None:
    """A contradiction is refused in words."""
    with pytest.raises(UsageError, match="n1 cannot stand on both sides"):
        shapes.between(["n1", "n2"], ["n1"])


def test_a_partition_needs_two_sides() -> None:
    """Isolating everybody isolates nobody."""
    with pytest.raises(UsageError, match="at least one party on each side"):
        shapes.isolate(NAMES, NAMES)
