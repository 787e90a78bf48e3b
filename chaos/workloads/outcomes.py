"""
Outcome tables: what an exception of a client library says about whether the operation happened.

A table is read from the top; the first rule that matches decides. What no rule names is an error of the harness: a
guess would turn a lost acknowledgement into a harmless refusal, or the other way round.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from chaos.errors import OutcomeTableError
from chaos.history.records import Outcome, Value

Learnt = Literal["fail", "info"]


class Refused(Exception):  # noqa: N818 - it is news from the system under test, not an error of ours.
    """Raised by a workload's action: the operation definitely did not happen (the lock is taken, nothing was sent)."""

    def __init__(self, reason: str, *, result: Value = None) -> None:
        super().__init__(reason)
        self.result = result


class Uncertain(Exception):  # noqa: N818
    """Raised by a workload's action: the operation may have happened (a WAIT that came back short)."""

    def __init__(self, reason: str, *, result: Value = None) -> None:
        super().__init__(reason)
        self.result = result


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One line of an outcome table.

    :param when: the start of the exception's message, or a test on it; None matches every exception of that class.
    """

    exception: type[Exception]
    outcome: Learnt
    when: str | Callable[[Exception], bool] | None = None

    def matches(self, problem: Exception) -> bool:
        """Whether this line speaks of that exception."""
        if not isinstance(problem, self.exception):
            return False
        if self.when is None:
            return True
        return str(problem).startswith(self.when) if isinstance(self.when, str) else self.when(problem)


OutcomeTable = Sequence[Rule]

ALWAYS: OutcomeTable = (Rule(Refused, "fail"), Rule(Uncertain, "info"))
"""What every workload's table says, whatever its client library."""


def classify(problem: Exception, table: OutcomeTable) -> Outcome:
    """The outcome of an operation that ended in this exception; one that no rule names raises ``OutcomeTableError``."""
    for rule in (*ALWAYS, *table):
        if rule.matches(problem):
            return Outcome(rule.outcome)
    kind = type(problem)
    raise OutcomeTableError(
        f"the outcome table has no rule for {kind.__module__}.{kind.__qualname__}: {problem}; "
        "add one that says whether the operation may have happened"
    ) from problem
