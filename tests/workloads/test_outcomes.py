"""
Outcome tables: the first rule that matches decides, and nothing is guessed.
"""

import pytest

from chaos.errors import OutcomeTableError
from chaos.history import Outcome
from chaos.workloads.outcomes import Refused, Rule, Uncertain, classify

TABLE = (
    Rule(OSError, "fail", "READONLY"),
    Rule(OSError, "fail", lambda problem: getattr(problem, "errno", None) == 111),
    Rule(OSError, "info"),
)


@pytest.mark.parametrize(
    ("problem", "outcome"),
    [
        (OSError("READONLY replica"), Outcome.FAIL),
        (ConnectionRefusedError(111, "refused"), Outcome.FAIL),
        (TimeoutError("no answer"), Outcome.INFO),
        (Refused("taken"), Outcome.FAIL),
        (Uncertain("1 of 2"), Outcome.INFO),
    ],
)
def test_the_first_matching_rule_decides(problem: Exception, outcome: Outcome) -> None:
    assert classify(problem, TABLE) is outcome


def test_what_no_rule_names_is_refused_rather_than_guessed() -> None:
    with pytest.raises(OutcomeTableError, match=r"no rule for builtins\.KeyError: 'x'; add one"):
        classify(KeyError("x"), TABLE)
