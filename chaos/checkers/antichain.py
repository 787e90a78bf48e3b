"""
Configurations of a search, and the antichain that keeps only those that no other one can stand in for.
"""

from typing import Any

Link = Any
"""The mutators placed so far, last first: ``(link before, index, time)``, or None."""

Configuration = tuple[Any, int, int, Link]
"""State; mask of open operations that may return; mask of open mutators that cannot be placed any more; what was placed."""

Front = dict[Any, list[Configuration]]
"""By state, configurations of which none dominates another that came later."""


def insert(front: Front, configuration: Configuration) -> bool:
    """Keep it, unless one kept already can do all that it can: the decisive step of the sweep."""
    state, sat, used, _ = configuration
    kept = front.get(state)
    if kept is None:
        front[state] = [configuration]
        return True
    for _, other_sat, other_used, _ in kept:
        if not sat & ~other_sat and not other_used & ~used:
            return False
    kept.append(configuration)
    return True


def _weight(configuration: Configuration) -> int:
    return configuration[2].bit_count() - configuration[1].bit_count()


def thinned(front: Front) -> list[Configuration]:
    """The antichain of all: most able first, so that one pass suffices."""
    left: list[Configuration] = []
    for kept in front.values():
        if len(kept) == 1:
            left += kept
        else:
            kept.sort(key=_weight)
            best: Front = {}
            left += [configuration for configuration in kept if insert(best, configuration)]
    return left
