"""
The sweep of registers: what is open at each moment, what is dropped and when, and how little it looks at.
"""

from collections import Counter
from functools import cache
from random import Random
from typing import Any

import pytest

from chaos.checkers import CHECKERS
from chaos.checkers.antichain import Configuration, Front, insert, thinned
from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import NEVER, Call, calls
from chaos.checkers.climb import Climb
from chaos.checkers.engine import Search
from chaos.checkers.moves import CAS, FAILED, READ, WRITE, Plan, plan
from chaos.checkers.pending import Pending, first
from chaos.checkers.sweep import UNBOUNDED, Sweep
from chaos.checkers.thinning import thinned_crashed
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
    greedy, exact = Budget(60), Budget(60)
    for known in long(made):
        assert Climb(known, greedy).run() is None
        sweep = Sweep(known, exact)
        assert sweep.advance(len(known.events))
        assert (sweep.dropped, sweep.place) == (False, len(known.events))
    assert greedy.spent <= COST[made][0]
    assert exact.spent <= COST[made][1]


@cache
def small(seed: int) -> tuple[list[Call], bool]:
    """Half of them of operations that crash, some of medium size; and whether the search for any model explains it."""
    rng = Random(seed)
    lines = (
        crashing.medium(rng)
        if seed % 5 == 0
        else some_history(TYPES["crashed-register" if seed % 2 else "cas-register"], rng)
    )
    part = part_of(lines)
    return part, Search.decide(part, register(0), Budget(60))[1] is None


@cache
def long(made: tuple[int, int, float, int]) -> list[Plan]:
    """Twenty correct histories."""
    size, values, crash, clients = made
    return [
        plan(part_of(crashing.register_of(Random(seed), size, values=values, crash=crash, clients=clients)), 0)
        for seed in range(20)
    ]


@pytest.mark.parametrize("cramped", [False, True])
def test_climb_agrees_with_the_search_for_any_model(cramped: bool) -> None:
    """Also with so little room that it climbs its whole ladder and refutes; and it looks at no more than it did."""
    verdicts, budget = Counter[bool](), Budget(60)
    for seed in range(500):
        part, right = small(seed)
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


TABLES = (
    "reads",
    "failed",
    "refused",
    "writes",
    "swaps",
    "completed",
    "crashed",
    "crashed_writes",
    "crashed_swaps",
    "sources",
)


def tables(pending: Pending) -> dict[str, Any]:
    """What is open; two of them keep a value that nothing is open for any more."""
    found = {name: getattr(pending, name) for name in TABLES}
    for name in ("refused", "sources"):
        found[name] = {value: masks for value, masks in found[name].items() if masks}
    return {name: table for name, table in found.items() if table}


OPEN = [
    (READ, 1, 0, 1, 9, 0),
    (READ, 1, 0, 2, 9, 1),
    (FAILED, 1, 2, 4, 9, 2),
    (FAILED, 3, 2, 8, 9, 3),
    (WRITE, 5, 0, 16, 21, 4),
    (WRITE, 5, 0, 32, 11, 5),
    (CAS, 1, 2, 64, 13, 6),
    (CAS, 1, 3, 128, 15, 7),
    (CAS, 1, 3, 256, 9, 8),
    (WRITE, 7, 0, 512, NEVER, 9),
    (WRITE, 7, 0, 1024, NEVER, 10),
    (CAS, 5, 7, 2048, NEVER, 11),
    (CAS, 6, 7, 4096, NEVER, 12),
    (CAS, 6, 7, 8192, NEVER, 13),
]
ALL_OPEN = {
    "reads": {1: 3},
    "failed": 12,
    "refused": {1: 4, 3: 8},
    "writes": {5: [(11, 32), (21, 16)]},
    "swaps": {1: {2: [(13, 64)], 3: [(9, 256), (15, 128)]}},
    "completed": 48,
    "crashed": 512 + 1024 + 2048 + 4096 + 8192,
    "crashed_writes": {7: 1536},
    "crashed_swaps": {5: {7: 2048}, 6: {7: 12288}},
    "sources": {7: {5: 2048, 6: 12288}},
}


def opened() -> Pending:
    pending = Pending()
    for move in OPEN:
        pending.enter(move)
    return pending


def test_open_operations_are_kept_by_what_they_could_do() -> None:
    """The first to return first; observers that are legal somewhere are found at once."""
    pending = opened()
    assert tables(pending) == ALL_OPEN
    assert [pending.legal(state) for state in (1, 2, 3)] == [3 | 8, 12, 4]
    waiting = pending.writes[5]
    assert [first(waiting, used) for used in (0, 32, 16, 48)] == [32, 16, 32, 0]


@pytest.mark.parametrize("seed", range(5))
def test_entering_and_leaving_undo_each_other(seed: int) -> None:
    """In any order, so that a sweep can walk backwards."""
    rng = Random(seed)
    for count in range(len(OPEN) + 1):
        pending, left = opened(), rng.sample(OPEN, count)
        for move in left:
            pending.leave(move)
        alone = Pending()
        for move in OPEN:
            if move not in left:
                alone.enter(move)
        assert tables(pending) == tables(alone)
        for move in left:
            pending.enter(move)
        assert tables(pending) == ALL_OPEN
    assert tables(Pending()) == {}


def test_values_are_useful_that_are_read_or_expected_or_on_the_way_there() -> None:
    """By crashed cas, however many."""
    pending = Pending()
    for move in (
        (READ, 1, 0, 1, 9, 0),
        (CAS, 2, 9, 2, 9, 1),
        (CAS, 3, 1, 4, NEVER, 2),
        (CAS, 4, 3, 8, NEVER, 3),
        (CAS, 5, 2, 16, NEVER, 4),
        (CAS, 3, 5, 32, NEVER, 5),
        (CAS, 6, 8, 64, NEVER, 6),
        (WRITE, 7, 0, 128, NEVER, 7),
        (FAILED, 10, 0, 256, 9, 8),
    ):
        pending.enter(move)
    assert pending.useful() == {2, 3, 4, 5}
    assert Pending().useful() == set()


def conf(state: int, sat: int, used: int) -> Configuration:
    return (state, sat, used, None)


def test_a_configuration_that_another_can_stand_in_for_is_not_kept() -> None:
    """It must be in the same state, satisfy no less and have used no more."""
    front: Front = {}
    tried = [(1, 3, 1), (1, 1, 1), (1, 3, 3), (1, 3, 1), (1, 4, 1), (1, 3, 2), (2, 1, 1), (1, 1, 0), (1, 1, 4)]
    kept = [insert(front, conf(*each)) for each in tried]
    assert kept == [True, False, False, False, True, True, True, True, False]
    assert [each[:3] for each in front[1]] == [(1, 3, 1), (1, 4, 1), (1, 3, 2), (1, 1, 0)]


def test_the_antichain_of_all_has_nothing_to_spare() -> None:
    """Whatever came first: the most able are tried first."""
    weak = [conf(1, 1, 6), conf(1, 3, 6), conf(1, 3, 2), conf(2, 0, 7), conf(1, 12, 3)]
    assert sorted(each[:3] for each in thinned({1: [*weak[:3], weak[4]], 2: [weak[3]]})) == [
        (1, 3, 2),
        (1, 12, 3),
        (2, 0, 7),
    ]
    assert thinned({1: [conf(1, 0, 2), conf(1, 7, 2)]}) == [conf(1, 7, 2)]


def sweep_of(width: int, *, counted: int = -1, live: int = 7, crashed: int = 0xF0, writes: int = 0x30) -> Sweep:
    """Of nothing yet; the four crashed operations have the bits 16 to 128."""
    sweep = Sweep(Plan([], live, crashed, writes, counted), Budget(60))
    sweep.width = width
    return sweep


def kept(sweep: Sweep, *configurations: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    front: Front = {}
    for each in configurations:
        front.setdefault(each[0], []).append(conf(*each))
    return [each[:3] for each in thinned_crashed(front, sweep)]


def test_of_configurations_that_differ_in_crashed_operations_the_cheapest_are_kept() -> None:
    """For each state and live part as many as the width allows; what that cuts off is known."""
    narrow_, wide = sweep_of(1), sweep_of(0)
    several = [(1, 1, 0x40), (1, 1, 0x30), (1, 1, 0x10), (1, 1, 0x80), (1, 1, 0x21), (2, 1, 0xC0)]
    assert kept(wide, *several) == [(1, 1, 0x40), (1, 1, 0x80), (1, 1, 0x10), (1, 1, 0x21), (2, 1, 0xC0)]
    assert not wide.dropped
    assert kept(narrow_, *several) == [(1, 1, 0x40), (1, 1, 0x21), (2, 1, 0xC0)]
    assert narrow_.dropped is True
    two = sweep_of(2)
    assert kept(two, *several) == [(1, 1, 0x40), (1, 1, 0x80), (1, 1, 0x21), (2, 1, 0xC0)]
    exact = sweep_of(3)
    assert kept(exact, *several) == kept(wide, *several)
    assert exact.dropped is False


def test_what_all_have_used_counts_for_nothing() -> None:
    """Nor does what is no crashed operation: then it is the antichain alone."""
    same = [(1, 1, 0x11), (1, 1, 0x12), (1, 1, 0x10), (2, 0, 0x13)]
    sweep = sweep_of(1)
    assert sorted(kept(sweep, *same)) == [(1, 1, 0x10), (2, 0, 0x13)]
    assert sweep.dropped is False
    assert kept(sweep, (1, 3, 0xF0)) == [(1, 3, 0xF0)]
    odd = sweep_of(0, crashed=0xF1, writes=0x31)
    assert kept(odd, (1, 0, 0x06), (2, 0, 0x0A)) == [(1, 0, 0x06), (2, 0, 0x0A)]
    assert kept(odd, (2, 0, 0x47), (1, 1, 0x89)) == [(1, 1, 0x89), (2, 0, 0x47)]


def test_bits_that_nobody_or_everybody_used_make_no_difference() -> None:
    """Here the first bit is one of a crashed operation, and the width would cut one off."""
    for one, other in ((0x06, 0x0A), (0x07, 0x0B)):
        sweep = sweep_of(1, live=0, crashed=0xF1, writes=0x31)
        assert kept(sweep, (1, 0, one), (1, 0, other)) == [(1, 0, one), (1, 0, other)]
        assert sweep.dropped is False


def test_of_equal_configurations_one_is_kept_however_it_came_about() -> None:
    """What was placed is not compared."""
    front: Front = {1: [conf(1, 0, 0x40), (1, 0, 0x40, (None, 1, 2))], 2: [conf(2, 0, 0x80)]}
    assert [each[:3] for each in thinned_crashed(front, sweep_of(0))] == [(1, 0, 0x40), (2, 0, 0x80)]


def test_a_crowd_of_configurations_is_counted_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that neither time nor memory ends unnoticed."""
    asked = list[int]()

    def room(budget: Budget, alive: int) -> int:
        asked.append(alive)
        return alive + 100

    monkeypatch.setattr(Budget, "room", room)
    crowd = [line for value in range(9) for line in (write(value, 0, 50), read(value, 0, 50))]
    known = planned(*crowd, write(99, 1))
    assert Sweep(known, Budget(60)).advance(len(known.events))
    assert len(asked) > 2


def test_the_rank_of_what_differs_is_of_crashed_operations_first() -> None:
    """A crashed cas costs five, a crashed write seven, what returns one; the lower state first of equals."""
    assert kept(sweep_of(0), (2, 0, 0x43), (1, 0, 0x10)) == [(1, 0, 0x10), (2, 0, 0x43)]
    assert kept(sweep_of(0), (2, 0, 0x10F), (1, 0, 0x40)) == [(1, 0, 0x40), (2, 0, 0x10F)]
    ranked = [(3, 0, 0x41), (3, 0, 0x10), (2, 0, 0x07), (4, 1, 0x10), (1, 0, 0x10), (3, 0, 0x80), (3, 0, 0x4F)]
    assert kept(sweep_of(0), *ranked) == [
        (2, 0, 0x07),
        (3, 0, 0x80),
        (3, 0, 0x41),
        (4, 1, 0x10),
        (1, 0, 0x10),
        (3, 0, 0x10),
    ]


def test_a_configuration_is_dropped_if_another_can_come_to_its_state_by_a_crashed_write() -> None:
    """And is no worse off then: what it used must have been used by the other too, with the write."""
    sweep = sweep_of(0)
    sweep.pending.enter((WRITE, 2, 0, 0x10, NEVER, 0))
    sweep.pending.enter((READ, 1, 0, 1, 9, 1))
    sweep.pending.enter((WRITE, 5, 0, 2, 9, 2))
    sweep.pending.enter((FAILED, 2, 0, 4, 9, 3))
    assert kept(sweep, (1, 0, 0x40), (2, 0, 0x50)) == [(1, 0, 0x40)]
    assert kept(sweep, (1, 0, 0x40), (2, 7, 0x50)) == [(1, 0, 0x40)]
    assert kept(sweep, (1, 0, 0x40), (2, 15, 0x50)) == [(1, 0, 0x40), (2, 15, 0x50)]
    assert kept(sweep, (1, 0, 0x40), (2, 0, 0x40)) == [(1, 0, 0x40), (2, 0, 0x40)]
    assert kept(sweep, (1, 0, 0x40), (2, 0, 0x90)) == [(1, 0, 0x40), (2, 0, 0x90)]
    assert kept(sweep, (1, 0, 0x50), (2, 0, 0x90), (2, 0, 0xD0)) == [(1, 0, 0x50), (2, 0, 0x90)]
    assert kept(sweep, (3, 0, 0x40), (2, 1, 0x50)) == [(3, 0, 0x40), (2, 1, 0x50)]
    assert kept(sweep, (1, 0, 0x40), (2, 0, 0x50), (3, 0, 0xF0)) == [(1, 0, 0x40), (3, 0, 0xF0)]
    assert kept(sweep_of(0), (1, 0, 0x40), (2, 0, 0x51)) == [(1, 0, 0x40), (2, 0, 0x51)]
    again = sweep_of(0, counted=0xE0)
    again.pending.enter((WRITE, 2, 0, 0x10, NEVER, 0))
    assert kept(again, (1, 0, 0x40), (2, 0, 0x40)) == [(1, 0, 0x40)]
    assert kept(again, (1, 0, 0x40), (2, 0, 0x20)) == [(1, 0, 0x40), (2, 0, 0x20)]


def test_where_crashed_operations_are_tried_the_cheapest_are_tried_on() -> None:
    """For each state, live part and what is satisfied; without a bound all, in their order."""
    several = [
        conf(1, 1, 0x40),
        conf(1, 1, 0x30),
        conf(1, 1, 0x10),
        conf(1, 3, 0x80),
        conf(2, 1, 0xC0),
        conf(1, 1, 0x21),
    ]
    assert sweep_of(0)._narrowed(list(several)) == several
    one = sweep_of(1)
    assert one._narrowed(several[:1]) == several[:1]
    assert [each[:3] for each in one._narrowed(several[3:])] == [(1, 3, 0x80), (1, 1, 0x21), (2, 1, 0xC0)]
    assert one.dropped is False
    two = sweep_of(2)
    cut = [(1, 3, 0x80), (1, 1, 0x40), (1, 1, 0x10), (1, 1, 0x21), (2, 1, 0xC0)]
    assert [each[:3] for each in two._narrowed(list(several))] == cut
    assert two.dropped is True
    three = sweep_of(3)
    assert len(three._narrowed(list(several))) == 6
    assert three.dropped is False


@pytest.mark.parametrize(
    ("sat", "used", "cost"),
    [(0, 0, 0), (7, 0, -3), (0, 7, 3), (0, 0xC0, 10), (0, 0x30, 14), (1, 0x51, 4 * 2 + 2 + 3 - 1)],
)
def test_a_crashed_write_costs_more_than_a_crashed_cas(sat: int, used: int, cost: int) -> None:
    """And either more than what returns; what is satisfied counts for it."""
    assert sweep_of(1)._cost(conf(1, sat, used)) == cost


def refuting(*lines: Operation) -> tuple[Climb, Plan]:
    known = planned(*lines)
    climb = Climb(known, Budget(60))
    climb._died = len(known.events) - 1
    return climb, known


def test_each_refuter_holds_more_crashed_operations_to_once() -> None:
    """First none; then what sets the value that was read; then every cas as well."""
    lines = [
        write(5, 0, None), write(6, 1, None), cas(6, 5, 2, None), cas(5, 6, 3, None), cas(7, 5, 4), write(5, 6), read(5, 8),
    ]  # fmt: skip
    climb, known = refuting(*lines)
    bits = {move[5]: move[3] for _, move in known.events}
    assert climb._counted(0) == 0
    assert climb._counted(1) == bits[0] | bits[2]
    assert climb._counted(2) == bits[0] | bits[2] | bits[3]
    soft = Climb(plan(called("cas-register", *lines), 0, (2,)), Budget(60))
    soft._died = len(known.events) - 1
    assert soft._counted(2) == bits[0] | bits[3]


def test_a_sweep_that_goes_back_has_open_what_was_open_then() -> None:
    """And explains what follows as it did."""
    known = planned(write(1, 0), read(1, 0.5, 3), write(2, 2, None), write(3, 4), read(3, 6), read(2, 8), read(3, 10))
    sweep = Sweep(known, Budget(60))
    assert sweep.advance(5)
    place, configurations, before = sweep.place, list(sweep.configurations), tables(sweep.pending)
    assert not sweep.advance(len(known.events))
    assert (sweep.place, sweep.configurations) == (12, [])
    sweep.dropped = True
    sweep.rewind(place, configurations, False)
    assert (sweep.place, sweep.configurations, sweep.dropped) == (5, configurations, False)
    assert tables(sweep.pending) == before
    assert sweep.advance(12)
    assert not sweep.advance(13)


def test_a_sweep_whose_budget_ends_knows_where_it_was() -> None:
    """At the return that it was at."""
    known, budget = planned(write(1, 0), write(2, 2), write(3, 4), read(3, 6)), Budget(60)
    budget.climb(1)
    sweep = Sweep(known, budget)
    with pytest.raises(SpentError):
        sweep.advance(len(known.events))
    assert (sweep.place, sweep.spent) == (3, 2)
    assert (sweep.width, sweep.slack, sweep.plan) == (0, UNBOUNDED, known)


@pytest.mark.parametrize(
    "lines",
    [
        [
            write(0, 2, 12),
            cas(0, 0, 7, 3, "fail"),
            cas(0, 1, 9, None),
            cas(0, 0, 15, 6, "fail"),
            read(1, 59, 25),
        ],
        [
            write(2, 8, 6),
            cas(0, 2, 9, None),
            cas(2, 1, 15, None),
            write(2, 20, 25),
            cas(2, 0, 30, 3, "fail"),
            cas(1, 2, 31, 12, "fail"),
            write(2, 49, 25),
            read(1, 51, 6),
            cas(1, 0, 52, 3, "fail"),
        ],
    ],
)
def test_a_write_of_the_value_that_is_there_may_have_to_go_first(lines: list[Operation]) -> None:
    """Before the only crashed cas that leads out of it: a refusal needs another value, and the write must not undo that."""
    part = called("cas-register", *lines, failed_cas="mismatch")
    assert Search.decide(part, register(0), Budget(60))[1] is None
    assert Climb(plan(part, 0), Budget(60)).run() is None
    assert Sweep(plan(part, 0), Budget(60)).advance(2 * len(lines) - sum(line.completed_ns is None for line in lines))
