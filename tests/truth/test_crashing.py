"""
Violations among many crashed operations: found in long histories, and by the refuter that is there for them.
"""

from random import Random

import pytest

from chaos.checkers import check
from chaos.history import Operation
from chaos.verdict import Status
from tests.truth import crashing


def judged(operations: list[Operation], budget_s: float = 20.0) -> Status:
    return check(operations, "cas-register", initial=0, failed_cas="mismatch", shrink=False, budget_s=budget_s).status


def base(seed: int) -> list[Operation]:
    """Two hundred operations, some twenty of them crashed; of these seeds even the narrowest search explains them."""
    return crashing.register_of(Random(seed), 200, values=4, crash=0.12)


@pytest.mark.parametrize("seed", [0, 1, 3])
@pytest.mark.parametrize("name", crashing.PLANTED)
def test_planted_after_a_long_history_it_is_violated(name: str, seed: int) -> None:
    """And its twin, with one crashed operation more, is not."""
    _, bad, good = crashing.PLANTED[name]
    assert judged(crashing.after(base(seed), bad)) is Status.VIOLATED
    assert judged(crashing.after(base(seed), good)) is Status.HOLDS


@pytest.mark.parametrize("seed", [0, 1, 3])
@pytest.mark.parametrize("name", crashing.PLANTED)
def test_each_refuter_proves_what_it_is_there_for(name: str, seed: int) -> None:
    """Where the search itself is too narrow to prove anything; a weaker refuter does not."""
    needed, bad, good = crashing.PLANTED[name]
    with crashing.only_refuted([needed]):
        assert judged(crashing.after(base(seed), bad)) is Status.VIOLATED
        assert judged(crashing.after(base(seed), good), 0.1) is not Status.VIOLATED
    with crashing.only_refuted(range(needed)):
        assert judged(crashing.after(base(seed), bad), 0.1) is Status.UNKNOWN


def test_refuters_and_the_exact_sweep_agree() -> None:
    """On histories of medium size, whose search climbs and refutes; most of them with a read changed."""
    rng, verdicts = Random(5), set[Status]()
    for _ in range(60):
        operations = crashing.medium(rng)
        right = crashing.explained(operations)
        for refuters in (range(0), range(3)):
            with crashing.only_refuted(refuters):
                status = judged(operations, 0.1)
            verdicts.add(status)
            assert status in (Status.HOLDS if right else Status.VIOLATED, Status.UNKNOWN)
    assert verdicts == set(Status)
