"""
What a checker is: the kinds of operations it accepts, and a pure function from their calls to a verdict.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.checkers.budget import Budget
from chaos.checkers.calls import Call, Says
from chaos.verdict import Verdict

Judge = Callable[[Sequence[Call], Any, Budget], Verdict]
"""From the calls of one part, the initial value (None: the type's own) and the budget. May raise ``SpentError``."""


Shape = Callable[[Call], str | None]


def _any_shape(call: Call) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """
    The judge of one type.

    :param name: as ``--model`` and the verdict call it.
    :param judges: one sentence: what "holds" means.
    :param kinds: accepted operations, and which part of each the type looks at.
    :param source: the paper or program that the rule comes from.
    :param shape: what is wrong with a call's values, or None.
    :param aborted: whether it also looks at operations that did not happen, for what others saw of them.
    """

    name: str
    judges: str
    judge: Judge
    kinds: Mapping[str, Says]
    source: str = ""
    aborted: bool = False
    shape: Shape = _any_shape
