"""
A type's own verdict on a history by hand, before ``check`` adds what it cost.
"""

from typing import Any

from chaos.checkers import CHECKERS
from chaos.checkers.budget import Budget
from chaos.checkers.calls import Call, FailedCas, calls, frozen
from chaos.history import Operation
from chaos.verdict import Verdict
from tests.history.build import history


def called(model: str, *operations: Operation, failed_cas: FailedCas = "dropped") -> list[Call]:
    """The operations as this type sees them."""
    numbered = history(operations).operations
    return calls(numbered, CHECKERS[model], names={}, failed_cas=failed_cas).get(None, [])


def judge(model: str, *operations: Operation, initial: Any = None, failed_cas: FailedCas = "dropped") -> Verdict:
    """What its judge says."""
    return CHECKERS[model].judge(called(model, *operations, failed_cas=failed_cas), frozen(initial), Budget(60))
