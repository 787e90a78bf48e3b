"""
What a guarantee is: a named promise with the pure function that judges it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from chaos.history import History
from chaos.verdict import Verdict

Check = Callable[[History], Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """
    A promise and its judge. Calling it judges a history; it reads nothing else, so a saved history can be judged again.

    :param name: as verdicts, reports and the command line show it.
    :param promise: one sentence: what the system would have to keep.
    :param source: where the promise is defined (paper, server documentation).
    :param silent_on: what a "holds" of this guarantee does not say.
    """

    name: str
    promise: str
    check: Check
    source: str = ""
    silent_on: str = ""

    def __call__(self, history: History) -> Verdict:
        """Judge this history."""
        return self.check(history)
