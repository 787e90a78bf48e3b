"""
Partitions as directed graphs: an edge (source, target) says that the target gets nothing of what the source sends.

Pure functions of names, so that a shape can be tested and printed without a cluster. The vocabulary is Jepsen's.
"""

from collections.abc import Iterable, Sequence
from itertools import product

from chaos.errors import UsageError

Edge = tuple[str, str]
Edges = frozenset[Edge]


def between(one: Iterable[str], other: Iterable[str]) -> Edges:
    """Cut everything between two groups, both ways."""
    left, right = tuple(one), tuple(other)
    if not left or not right:
        raise UsageError("a partition needs at least one party on each side")
    if common := set(left) & set(right):
        raise UsageError(f"{', '.join(sorted(common))} cannot stand on both sides of a partition")
    return frozenset(product(left, right)) | frozenset(product(right, left))


def isolate(group: Iterable[str], parties: Iterable[str]) -> Edges:
    """Cut a group off from everybody else; inside the group all stays as it is."""
    inside = tuple(group)
    return between(inside, [party for party in parties if party not in inside])


def one_way(source: Iterable[str], target: Iterable[str]) -> Edges:
    """The target group gets nothing from the source group; the other way stays open."""
    edges = frozenset(product(tuple(source), tuple(target)))
    if not edges or any(a == b for a, b in edges):
        raise UsageError("a one-way partition needs two different groups")
    return edges


def halves(parties: Sequence[str]) -> Edges:
    """The first half against the second; of an odd number the second half is the larger."""
    middle = len(parties) // 2
    return between(parties[:middle], parties[middle:])


def bridge(left: Iterable[str], middle: str, right: Iterable[str]) -> Edges:
    """Two groups cut from each other, and one party that sees both."""
    a, b = tuple(left), tuple(right)
    if middle in a or middle in b:
        raise UsageError(f"{middle} is the bridge and stands on neither side")
    return between(a, b)


def ring(parties: Sequence[str]) -> Edges:
    """
    Each party sees a majority that no other party sees: its neighbours on a ring.

    For four or fewer parties a ring of neighbours is no partition or no majority.
    """
    count = len(parties)
    if count < 5:
        raise UsageError(f"a ring of majorities needs at least five parties, not {count}")
    reach = (count // 2 + 1) // 2  # Itself and so many neighbours on each side are a majority.
    linked = {(parties[i], parties[(i + step) % count]) for i in range(count) for step in range(-reach, reach + 1)}
    return frozenset(
        (a, b) for a, b in product(parties, repeat=2) if a != b and (a, b) not in linked and (b, a) not in linked
    )
