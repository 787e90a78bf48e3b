"""
What a sequential specification is: an initial state and one pure step.
"""

from collections.abc import Callable, Hashable, Sequence
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


Argument = tuple[str, Any, Any]
"""An operation as a model sees it: kind, value, result."""

Step = Callable[[State, str, Any, Any], State]
KindOf = Callable[[str, Any, Any], Kind]


def general(f: str, value: Any, result: Any) -> Kind:
    """The kind that is always right, and slowest."""
    return Kind.GENERAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """
    What a search may conclude from the observers that are still to come. A wrong promise makes the verdict wrong.

    It pays for states that grow, such as texts that are appended to: most orders lead to a text that no read returned,
    and the search need not wait for that read to know it.

    :param about: the one part of the state that an operation looks at and changes, so that the order of operations about
        different parts does not matter; None: any part.
    :param leads: ``(state, observer)``: whether the observer could be legal here, or after more operations that do not
        ``rescue`` it. A part of the state that has nothing to do with the observer must not count.
    :param rescues: ``(mutator, observer)``: whether the mutator may turn a state that does not lead to the observer into one
        that does.
    :param alike: given all observers of the history, the state that stands for a state and all others that none of them can
        tell from it, now or after any operations.
    """

    about: Callable[[Argument], Hashable | None]
    leads: Callable[[State, Argument], bool]
    rescues: Callable[[Argument, Argument], bool]
    alike: Callable[[Sequence[Argument]], Callable[[State], State]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """
    A sequential specification, for the search of ``chaos.checkers``.

    ``step(state, f, value, result)`` is pure and returns the next state, or ``ILLEGAL``. Values arrive frozen: lists as
    tuples, mappings as frozen sets of pairs. The result of an operation that never returned is ``UNKNOWN``: the step says
    what it does if it happens. ``kind`` may promise more, which makes the search faster; a wrong promise makes it wrong.
    ``key`` names the part of the state that an operation touches, if the parts are independent of each other.
    ``foresight`` is for states that grow; see there.

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
    foresight: Foresight | None = None
