"""
Which configurations a sweep keeps after a return when operations crashed: the few that spent the fewest of them.
"""

from typing import TYPE_CHECKING

from chaos.checkers.antichain import Configuration, Front, thinned

if TYPE_CHECKING:
    from chaos.checkers.sweep import Sweep

Ranked = tuple[int, int, int, int, Configuration]


def thinned_crashed(front: Front, sweep: "Sweep") -> list[Configuration]:
    """The antichain of all, also across states where a crashed write can cross over, cut to the sweep's width."""
    every = [configuration for kept in front.values() for configuration in kept]
    if len(every) == 1:
        return every
    spent = _differing(every) & sweep.plan.crashed
    if not spent and sweep.plan.counted < 0:
        return thinned(front)
    return _cut(_ranked(every, spent, sweep.plan.crashed_writes), sweep)


def _differing(every: list[Configuration]) -> int:
    """The mutators that some have used and others have not."""
    some, all_ = 0, -1
    for _, _, used, _ in every:
        some |= used
        all_ &= used
    return some & ~all_


def _ranked(every: list[Configuration], spent: int, writes: int) -> list[Ranked]:
    """Most able first."""
    ranked: list[Ranked] = []
    for configuration in every:
        state, sat, used, _ = configuration
        weight, own = used.bit_count() - sat.bit_count(), used & spent
        if own:
            weight += 4 * own.bit_count() + 2 * (own & writes).bit_count()
        ranked.append((weight, state, sat, used, configuration))
    ranked.sort(key=_rank)
    return ranked


def _rank(ranked: Ranked) -> tuple[int, int, int, int]:
    return ranked[:4]


def _cut(ranked: list[Ranked], sweep: "Sweep") -> list[Configuration]:
    pending, plan = sweep.pending, sweep.plan
    kept: list[Configuration] = []
    best: Front = {}
    able: list[tuple[int, int, int]] = []
    counts: dict[tuple[int, int, int], int] = {}
    for _, state, sat, used, configuration in ranked:
        if _dominated(best.get(state, ()), sat, used):
            continue
        if _crossed(able, pending.crashed_writes.get(state, 0), state, sat, used, plan.counted):
            continue
        group = (state, sat, used & plan.live)
        counts[group] = counts.get(group, 0) + 1
        if sweep.width and counts[group] > sweep.width:
            sweep.dropped = True
            continue
        best.setdefault(state, []).append(configuration)
        kept.append(configuration)
        able.append((state, sat | pending.legal(state) | pending.completed, used))
    return kept


def _dominated(kept: list[Configuration] | tuple[()], sat: int, used: int) -> bool:
    return any(not sat & ~other_sat and not other_used & ~used for _, other_sat, other_used, _ in kept)


def _crossed(able: list[tuple[int, int, int]], writes: int, state: int, sat: int, used: int, counted: int) -> bool:
    """Whether one kept in another state can come here by a crashed write of this state, and be no worse off."""
    if not used & writes and not writes & ~counted:
        return False
    for other, other_sat, other_used in able:
        if other == state or sat & ~other_sat:
            continue
        free = writes & ~other_used
        if free and not (other_used | (free & -free & counted)) & ~used:
            return True
    return False
