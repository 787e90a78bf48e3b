"""
What a sequential specification is: an initial state and one pure step.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

State = Hashable


class Sentinel(Enum):
    """Values that no history contains."""

    ILLEGAL = "illegal"
    """The step's answer when the operation cannot have this result in this state."""
    UNKNOWN = "unknown"
    """The result of an operation that never returned."""


ILLEGAL: Final = Sentinel.ILLEGAL
UNKNOWN: Final = Sentinel.UNKNOWN


class Kind(Enum):
    """What a search may assume of an operation with this argument and result, in every state."""

    OBSERVER = "observer"
    """Changes nothing wherever it is legal."""
    OVERWRITER = "overwriter"
    """Always legal, and the state after it does not depend on the state before."""
    TOTAL = "total"
    """Always legal, whatever the state."""
    GENERAL = "general"
    """Nothing may be assumed."""


Step = Callable[[State, str, Any, Any], State]
KindOf = Callable[[str, Any, Any], Kind]


def general(f: str, value: Any, result: Any) -> Kind:
    """The kind that is always right, and slowest."""
    return Kind.GENERAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """
    A sequential specification, for the search of ``chaos.checkers``.

    ``step(state, f, value, result)`` is pure and returns the next state, or ``ILLEGAL``. Values arrive frozen: lists as
    tuples, mappings as frozen sets of pairs. The result of an operation that never returned is ``UNKNOWN``: the step says
    what it does if it happens. ``kind`` may promise more, which makes the search faster; a wrong promise makes it wrong.
    ``key`` names the part of the state that an operation touches, if the parts are independent of each other.

    Example::

        def step(state, f, value, result):
            if f == "write":
                return value
            return state if result == state else ILLEGAL

        register = Model(name="register", init=None, step=step)
    """

    name: str
    init: State
    step: Step
    kind: KindOf = general
    key: Callable[[str, Any, Any], Hashable] | None = None
