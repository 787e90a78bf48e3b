"""
Semaphores: what rules decide without a search, what only a search decides, and the fewest operations that prove it.
"""

import pytest

from chaos.checkers import CHECKERS
from chaos.checkers.budget import Budget
from chaos.checkers.permits import judge_semaphore
from chaos.history import Operation
from chaos.verdict import Verdict
from tests.checkers.judging import called
from tests.history.build import op
from tests.telling import proof, told

EXPLAINED = "an order exists that explains all {} operations"


def take(permits: int | None, at: float, took: float | None = 1, client: str = "a") -> Operation:
    return op(client, "acquire", permits, at, took)


def give(permits: int | None, at: float, took: float | None = 1, client: str = "a") -> Operation:
    return op(client, "release", permits, at, took)


def judged(*lines: Operation, permits: int) -> tuple[Verdict, int]:
    """The verdict, and how many configurations it took."""
    budget = Budget(60)
    return judge_semaphore(called("semaphore", *lines), permits, budget), budget.spent


@pytest.mark.parametrize(
    ("lines", "permits", "anomaly", "blamed", "shown"),
    [
        ([take(1, 0), give(1, 2), take(1, 4), take(1, 6)], 1, "too many permits", "acquire 1", [1, 2, 3]),
        ([take(1, 0), give(1, 2), give(1, 4)], 1, "release of a free permit", "release 1", [1, 2]),
        ([take(1, 0), take(2, 2), take(1, 4)], 1, "too many permits", "acquire 2", [1]),
        ([take(1, 0), take(1, 2), take(2, 4)], 3, "too many permits", "acquire 2", [0, 1, 2]),
        ([take(1, 0), give(2, 2)], 3, "release of a free permit", "release 2", [1]),
        ([take(2, 0), give(1, 2), give(2, 4)], 3, "release of a free permit", "release 2", [1, 2]),
    ],
)
def test_sums_that_no_order_can_have_need_no_search(
    lines: list[Operation], permits: int, anomaly: str, blamed: str, shown: list[int]
) -> None:
    """Neither for the verdict nor for the fewest operations that prove it."""
    verdict, spent = judged(*lines, permits=permits)
    assert proof(verdict)[::2] == (anomaly, shown)
    assert told(verdict)[:2] == ("semaphore", "violated")
    assert verdict.reason.startswith(f"no order explains #{shown[-1]} a {blamed} -> ok")
    assert spent == 0


def test_an_order_that_is_found_at_once_is_told_in_full() -> None:
    """With equal permits or not, and without a search."""
    for lines in (
        [take(1, 0), give(1, 2)],
        [take(2, 0), give(1, 2), take(2, 4, 3), give(1, 5)],
        [take(2, 0), give(2, 2), take(1, 4), take(1, 6)],
    ):
        verdict, spent = judged(*lines, permits=2)
        assert (told(verdict), spent) == (("semaphore", "holds", EXPLAINED.format(len(lines)), {}), 0)


CROWD = [take(1, 0, 9), take(2, 0, 10, "b"), give(2, 2, 3, "c")]


def test_an_order_that_only_a_search_finds_is_told_in_full() -> None:
    """The acquire that ends first must wait for the other: it would leave it no room."""
    for lines in (CROWD, [*CROWD, give(1, 3, 4, "d")]):
        verdict, spent = judged(*lines, permits=2)
        assert told(verdict) == ("semaphore", "holds", EXPLAINED.format(len(lines)), {})
        assert spent > 0


def test_what_only_a_search_refutes_is_shown_without_the_rest() -> None:
    """One of two is taken all the time: nobody can have taken two more, so nobody can give them back."""
    lines = [take(1, 0), take(2, 2, 9, "b"), take(2, 3, None, "d"), give(2, 4, client="c")]
    verdict, spent = judged(*lines, permits=2)
    assert proof(verdict)[::2] == ("release of a free permit", [0, 3])
    assert spent > 0


def test_an_operation_that_never_returned_may_still_take_effect() -> None:
    """So it excuses one acquire, and does not two."""
    lines = [take(1, 0), give(1, 1, None, "d"), take(1, 2, client="b"), take(1, 4, client="c")]
    assert judged(*lines[:3], permits=1)[0].status.value == "holds"
    verdict, _ = judged(*lines, permits=1)
    assert proof(verdict)[2] == [0, 2, 3]


def test_registered_judge_is_this_one() -> None:
    """Under its name."""
    assert CHECKERS["semaphore"].judge is judge_semaphore
