"""
The sweep of registers: what is open at each moment, what is dropped and when, and how little it looks at.
"""

from collections import Counter
from random import Random
from typing import Any

import pytest

from chaos.checkers import CHECKERS
from chaos.checkers.budget import Budget
from chaos.checkers.calls import NEVER, Call, calls
from chaos.checkers.climb import Climb
from chaos.checkers.engine import Search
from chaos.checkers.moves import CAS, FAILED, READ, WRITE, Plan, plan
from chaos.checkers.sweep import Sweep
from chaos.history import Operation
from chaos.models import register
from tests.checkers.judging import called
from tests.history.build import op
from tests.truth import crashing
from tests.truth.comparing import narrow
from tests.truth.histories import some_history
from tests.truth.kinds import TYPES

S = 2 * 10**9
"""A second, as calls have it."""


def write(value: Any, at: float, took: float | None = 1) -> Operation:
    return op("a", "write", value, at, took)


def read(value: Any, at: float, took: float | None = 1) -> Operation:
    return op("b", "read", None, at, took, result=value)


def cas(old: Any, new: Any, at: float, took: float | None = 1, outcome: str = "ok") -> Operation:
    return op("c", "cas", [old, new], at, took, outcome=outcome)


def planned(*lines: Operation, soft: tuple[int, ...] = ()) -> Plan:
    return plan(called("cas-register", *lines, failed_cas="mismatch"), 0, soft)


def part_of(lines: list[Operation]) -> list[Call]:
    return calls(lines, CHECKERS["cas-register"], names={}, failed_cas="mismatch").get(None, [])


COST = {
    (40, 3, 0.0, 5): (701, 701),
    (60, 3, 0.1, 5): (961, 1647),
    (60, 3, 0.3, 5): (811, 5771),
    (120, 4, 0.2, 5): (1439, 16019),
    (120, 2, 0.4, 6): (1431, 11794),
    (200, 4, 0.12, 5): (2714, 24626),
    (60, 5, 0.5, 8): (704, 14128),
}
"""Configurations for twenty correct histories, measured: greedy first, and by the exact sweep. Size, values, crashes, clients."""


@pytest.mark.parametrize("made", COST)
def test_sweep_costs_no_more_than_it_did(made: tuple[int, int, float, int]) -> None:
    """And explains what is correct, without going back once."""
    size, values, crash, clients = made
    greedy, exact = Budget(60), Budget(60)
    for seed in range(20):
        lines = crashing.register_of(Random(seed), size, values=values, crash=crash, clients=clients)
        known = plan(part_of(lines), 0)
        assert Climb(known, greedy).run() is None
        sweep = Sweep(known, exact)
        assert sweep.advance(len(known.events))
        assert (sweep.dropped, sweep.place) == (False, len(known.events))
    assert greedy.spent <= COST[made][0]
    assert exact.spent <= COST[made][1]


def small(seed: int) -> list[Call]:
    """Half of them of operations that crash, some of medium size."""
    rng = Random(seed)
    if seed % 5 == 0:
        return part_of(crashing.medium(rng))
    return part_of(some_history(TYPES["crashed-register" if seed % 2 else "cas-register"], rng))


@pytest.mark.parametrize("cramped", [False, True])
def test_climb_agrees_with_the_search_for_any_model(cramped: bool) -> None:
    """Also with so little room that it climbs its whole ladder and refutes; and it looks at no more than it did."""
    verdicts, budget = Counter[bool](), Budget(60)
    for seed in range(500):
        part = small(seed)
        right = Search.decide(part, register(0), Budget(60))[1] is None
        if cramped:
            with narrow():
                found = Climb(plan(part, 0), budget).run()
        else:
            found = Climb(plan(part, 0), budget).run()
        assert (found is None) is right, seed
        verdicts[right] += 1
    assert min(verdicts.values()) > 150
    assert budget.spent <= (3019 if cramped else 3005)


def test_calls_become_events_in_order_of_time() -> None:
    """Values by number, the low bits used again, those that never return above them."""
    found = planned(
        write(5, 0), read(5, 0.5, 3), cas(5, 6, 2, None), write(0, 3, 3), write(7, 4, None),
        cas(6, 6, 4.2, None), read(9, 4.3, None), cas(5, 6, 5, 1, "fail"), cas(7, 5, 5.5),
    )  # fmt: skip
    assert found.events == [
        (0, (WRITE, 1, 0, 1, S + 1, 0)),
        (S // 2, (READ, 1, 0, 2, 7 * S // 2 + 1, 1)),
        (S + 1, (WRITE, 1, 0, 1, S + 1, 0)),
        (2 * S, (CAS, 1, 2, 8, NEVER, 2)),
        (3 * S, (WRITE, 0, 0, 1, 6 * S + 1, 3)),
        (7 * S // 2 + 1, (READ, 1, 0, 2, 7 * S // 2 + 1, 1)),
        (4 * S, (WRITE, 3, 0, 16, NEVER, 4)),
        (5 * S, (FAILED, 1, 2, 2, 6 * S + 1, 7)),
        (11 * S // 2, (CAS, 3, 1, 4, 13 * S // 2 + 1, 8)),
        (6 * S + 1, (WRITE, 0, 0, 1, 6 * S + 1, 3)),
        (6 * S + 1, (FAILED, 1, 2, 2, 6 * S + 1, 7)),
        (13 * S // 2 + 1, (CAS, 3, 1, 4, 13 * S // 2 + 1, 8)),
    ]
    assert (found.live, found.crashed, found.crashed_writes, found.counted) == (7, 24, 16, -1)


def test_soft_calls_never_return_and_may_happen_again() -> None:
    """All others that never return can be used once; what changes nothing is left out."""
    lines = [write(1, 0), read(1, 1), write(2, 2, None), cas(2, 3, 3), cas(3, 3, 4), cas(3, 4, 5, 1, "fail")]
    found = planned(*lines, soft=(0, 1, 3, 4, 5))
    assert [(time, move[0], move[3], move[4], move[5]) for time, move in found.events] == [
        (0, WRITE, 1, NEVER, 0),
        (2 * S, WRITE, 2, NEVER, 2),
        (3 * S, CAS, 4, NEVER, 3),
    ]
    assert (found.live, found.crashed, found.crashed_writes, found.counted) == (0, 7, 3, 2)
    assert planned(*lines[:2], soft=(0,)).counted == 0
