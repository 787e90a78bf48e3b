"""
A history in parts that are independent of each other, cheap parts first: one key may be hopeless while another is
violated within a millisecond.

Source: Horn and Kroening, Faster linearizability checking via P-compositionality, 2015.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import Call
from chaos.verdict import Status, Verdict, holds, unknown

FIRST = 150
"""Configurations that each key may cost in the first round."""
STEEP = 8
"""How much more each next round allows."""


def judged(
    parts: Mapping[Any, Sequence[Call]], judge: Callable[[Sequence[Call]], Verdict], name: str, budget: Budget
) -> Verdict:
    """The verdict of all parts: the first violation wins, and no part may starve the others of budget."""
    waiting, rung, doubts = list(parts), FIRST, dict[Any, str]()
    while waiting:
        left = []
        for key in waiting:
            budget.climb(rung if len(waiting) > 1 else math.inf)
            try:
                verdict = judge(parts[key])
            except SpentError as spent:
                left.append(key)
                if budget.over or len(waiting) == 1:
                    return unknown(name, _unfinished(parts, key, str(spent)))
                continue
            if verdict.status is Status.VIOLATED or len(parts) == 1:
                return verdict
            if verdict.status is Status.UNKNOWN:
                doubts[key] = verdict.reason
        waiting, rung = left, rung * STEEP
    for key, reason in doubts.items():
        return unknown(name, _unfinished(parts, key, reason))
    return holds(name, f"holds of each of {len(parts)} keys")


def _unfinished(parts: Mapping[Any, Sequence[Call]], key: Any, reason: str) -> str:
    return reason if len(parts) == 1 else f"key {key}: {reason}"
