"""
Keys are judged cheapest first, and what could not be decided is said of its key.
"""

import math

import pytest

from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import Call
from chaos.checkers.parts import FIRST, STEEP, judged
from chaos.verdict import Verdict, Witness, holds, unknown, violated
from tests.telling import told

WRONG = Witness(anomaly="wrong", sentence="it is wrong")


class Judge:
    """Says of each key what it is told to; a number is what the key costs."""

    def __init__(self, budget: Budget, **keys: int | Verdict) -> None:
        self.budget, self.keys, self.asked = budget, keys, list[tuple[str, float]]()

    def __call__(self, part: list[str]) -> Verdict:
        (key,) = part
        self.asked.append((key, self.budget.rung - self.budget.spent))
        said = self.keys[key]
        if isinstance(said, Verdict):
            return said
        self.budget.spend(said)
        return holds("of a key", f"{key} holds")

    def judged(self) -> Verdict:
        parts: dict[str, list[Call]] = {key: [key] for key in self.keys}  # type: ignore[list-item]
        return judged(parts, self, "model", self.budget)  # type: ignore[arg-type]


def test_all_keys_holding_is_told_in_full() -> None:
    """One key alone speaks for itself."""
    assert told(Judge(Budget(60), x=1, y=2).judged()) == ("model", "holds", "holds of each of 2 keys", {})
    assert told(Judge(Budget(60), x=1).judged()) == ("of a key", "holds", "x holds", {})


def test_first_violation_is_the_verdict() -> None:
    """Before any doubt, and nobody is asked after it."""
    judge = Judge(Budget(60), x=unknown("m", "no idea"), y=violated("of y", WRONG), z=1)
    assert told(judge.judged()) == ("of y", "violated", "it is wrong", {})
    assert [key for key, _ in judge.asked] == ["x", "y"]


def test_doubt_of_a_key_is_told_with_the_key() -> None:
    """The first of them; all others were asked."""
    judge = Judge(Budget(60), x=1, y=unknown("m", "no idea"), z=unknown("m", "neither"), q=1)
    assert told(judge.judged()) == ("model", "unknown", "key y: no idea", {})
    assert len(judge.asked) == 4
    assert told(Judge(Budget(60), x=unknown("m", "no idea")).judged()) == ("m", "unknown", "no idea", {})


def test_each_round_allows_more_and_the_last_key_everything() -> None:
    """So that no hopeless key starves the others."""
    judge = Judge(Budget(60), x=FIRST + 1, y=FIRST * STEEP + 1, z=FIRST)
    assert told(judge.judged())[1:3] == ("holds", "holds of each of 3 keys")
    assert judge.asked == [
        ("x", FIRST),
        ("y", FIRST),
        ("z", FIRST),
        ("x", FIRST * STEEP),
        ("y", FIRST * STEEP),
        ("y", math.inf),
    ]


def test_violation_is_found_behind_a_key_that_costs_too_much() -> None:
    """Within the first round."""
    judge = Judge(Budget(60), x=10**9, y=violated("of y", WRONG))
    assert told(judge.judged())[1] == "violated"
    assert len(judge.asked) == 2


def test_when_no_time_is_left_the_key_is_told_and_nobody_is_asked_any_more() -> None:
    """By the reason that the budget gave."""
    judge = Judge(Budget(0), x=FIRST + 1, y=1)
    reason = "key x: the configurations allowed for one key are used up"
    assert told(judge.judged()) == ("model", "unknown", reason, {})
    assert len(judge.asked) == 1


def test_key_that_is_left_alone_and_still_costs_too_much_is_told() -> None:
    """By time, as it may spend what it likes."""

    def hopeless(part: object) -> Verdict:
        raise SpentError("too much")

    assert told(judged({"x": [], "y": []}, hopeless, "model", Budget(0))) == ("model", "unknown", "key x: too much", {})
    assert told(judged({None: []}, hopeless, "model", Budget(60))) == ("model", "unknown", "too much", {})


@pytest.mark.parametrize("count", [1, 2])
def test_hopeless_key_ends_the_judgement_when_it_is_the_last(count: int) -> None:
    """Not before: the others have their turn."""
    asked = []

    def one_hopeless(part: list[str]) -> Verdict:
        asked.append(part[0])
        if part[0] == "x":
            raise SpentError("too much")
        return holds("m", "fine")

    parts = {key: [key] for key in ["x", "y"][:count]}
    verdict = judged(parts, one_hopeless, "model", Budget(60))  # type: ignore[arg-type]
    assert told(verdict) == ("model", "unknown", "too much" if count == 1 else "key x: too much", {})
    assert asked == ["x"] if count == 1 else ["x", "y", "x"]
