"""
Expectations are judged all at once, and unknown or out of range never meets one.
"""

import pytest

from chaos.errors import GuaranteeError, UsageError, VoidRunError
from chaos.guarantees import Guarantee
from chaos.history import History
from chaos.judgement import blame, judge
from chaos.verdict import Verdict, Witness, holds, unknown, violated

WITNESS = Witness(anomaly="lost write", sentence="write 1 is gone")
EMPTY = History()


def promise(verdict: Verdict) -> Guarantee:
    return Guarantee(name=verdict.guarantee, promise="Something is kept.", check=lambda history: verdict)


KEPT = promise(holds("kept", "all there"))
GONE = promise(violated("gone", WITNESS, None, window_s=2.5))
UNSEEN = promise(unknown("unseen", "nothing was asked"))


def problems(**expectations: object) -> list[str | None]:
    return [judged.problem for judged in judge(EMPTY, **expectations)]  # type: ignore[arg-type]


def test_met_expectations_have_no_problem() -> None:
    judged = judge(EMPTY, holds=[KEPT], violated=[GONE])
    assert [(one.expected, one.met) for one in judged] == [("holds", True), ("violated", True)]


def test_everything_is_judged_although_the_first_fails() -> None:
    assert problems(holds=[GONE], violated=[KEPT]) == [
        "expected holds, violated: write 1 is gone",
        "expected violated, holds: all there",
    ]


def test_unknown_meets_no_expectation() -> None:
    for expectations in ({"holds": [UNSEEN]}, {"violated": [UNSEEN]}, {"bounded": {UNSEEN: {"window_s": (1, 2)}}}):
        assert all(problem and "unknown: nothing was asked" in problem for problem in problems(**expectations))


def test_crashing_checker_is_unknown_and_never_a_pass() -> None:
    def crash(history: History) -> Verdict:
        raise KeyError("x")

    (judged,) = judge(EMPTY, holds=[Guarantee(name="crash", promise="Nothing.", check=crash)])
    assert not judged.met
    assert judged.verdict.reason == "the checker failed: KeyError: 'x'"


@pytest.mark.parametrize(
    ("ranges", "problem"),
    [
        ({"window_s": (2, 3)}, None),
        ({"window_s": (2.5, 2.5)}, None),
        ({"window_s": (3, 4)}, "expected window_s in 3 to 4, measured 2.5"),
        ({"window_s": (1, 2)}, "expected window_s in 1 to 2, measured 2.5"),
        ({"lost_count": (1, 2)}, "expected lost_count in 1 to 2, but the verdict has no such measure"),
    ],
)
def test_bounded_means_violated_and_within_the_range(
    ranges: dict[str, tuple[float, float]], problem: str | None
) -> None:
    (judged,) = judge(EMPTY, bounded={GONE: ranges})
    assert judged.problem == problem
    assert judged.met is (problem is None)


def test_bounded_that_holds_is_not_met() -> None:
    (judged,) = judge(EMPTY, bounded={KEPT: {"window_s": (1, 2)}})
    assert judged.expected == "bounded (window_s 1 to 2)"
    assert judged.problem == "expected violated, holds: all there"


@pytest.mark.parametrize(
    ("expectations", "message"),
    [
        ({}, "at least one guarantee"),
        ({"holds": [KEPT], "violated": [KEPT]}, "in two ways at once: kept"),
        ({"bounded": {GONE: {}}}, "needs a measure"),
        ({"bounded": {GONE: {"window_s": (0, 1)}}}, "0 < low <= high"),
        ({"bounded": {GONE: {"window_s": (2, 1)}}}, "0 < low <= high"),
    ],
)
def test_expectations_that_prove_nothing_are_refused(expectations: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        problems(**expectations)


def test_only_a_contradiction_is_the_systems_blame() -> None:
    assert blame(judge(EMPTY, holds=[UNSEEN, KEPT])) is VoidRunError
    assert blame(judge(EMPTY, holds=[UNSEEN, GONE])) is GuaranteeError
    assert blame(judge(EMPTY, violated=[KEPT])) is GuaranteeError
