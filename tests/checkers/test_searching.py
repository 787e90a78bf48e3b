"""
The search for any model: it agrees with the rules that need none, asks the model once, and looks at few configurations.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest

from chaos.checkers import CHECKERS, searched
from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import Call, calls, frozen, modelled
from chaos.checkers.engine import Search
from chaos.checkers.searched import by_search, death, judge
from chaos.history import Operation
from chaos.models import (
    ILLEGAL,
    UNKNOWN,
    Kind,
    Model,
    bag,
    counter,
    keyed,
    queue,
    register,
    semaphore,
    set_of,
    text,
    versioned_register,
)
from chaos.verdict import Status, Verdict
from tests.history.build import history, op
from tests.telling import proof, told
from tests.truth.histories import correct, some_history
from tests.truth.kinds import TYPES

MODELS: dict[str, Callable[[Any], Model]] = {
    "cas-register": register,
    "crashed-register": register,
    "set": set_of,
    "counter": counter,
    "queue": queue,
    "unordered-queue": bag,
    "semaphore": semaphore,
}
"""By type, the model that is searched where the type has a rule of its own."""


@cache
def part_of(name: str, seed: int) -> list[Call]:
    """A small history as the type's checker sees it."""
    kind = TYPES[name]
    lines = some_history(kind, Random(seed))
    return calls(lines, CHECKERS[str(kind.model)], names={}, failed_cas="mismatch").get(None, [])


@pytest.mark.parametrize("name", MODELS)
def test_search_agrees_with_the_rule_of_the_type(name: str) -> None:
    """On small histories of every sort; the thrifty pass never refutes what the whole search explains."""
    kind, verdicts = TYPES[name], Counter[bool]()
    start = frozen(kind.given)
    for seed in range(400):
        part, model = part_of(name, seed), MODELS[name](start)
        right = CHECKERS[str(kind.model)].judge(part, start, Budget(60)).status is Status.HOLDS
        verdicts[right] += 1
        _, death = Search.decide(part, model, Budget(60))
        assert (death is None) is right, seed
        assert (Search(part, model, Budget(60)).run() is None) is right, seed
    assert min(verdicts.values()) > 40


@cache
def busy(name: str, seed: int, clients: int = 5) -> list[Call]:
    """A longer correct history with crashes."""
    kind = TYPES[name]
    lines = correct(kind, Random(seed), 6, 40, clients, crash=0.15, late=10)
    if isinstance(kind.model, Model):
        return modelled(lines, kind.model, names={})[None]
    return calls(lines, CHECKERS[kind.model], names={}, failed_cas="mismatch").get(None, [])


SEARCHED: dict[str, Callable[[Any], Model]] = {
    "cas-register": register,
    "versioned-register": versioned_register,
    "set": set_of,
    "counter": counter,
    "queue": queue,
    "semaphore": semaphore,
    "text": text,
    "two-texts": lambda initial: keyed(text()),
}


COST = {
    "cas-register": (805, 1184),
    "versioned-register": (445, 1088),
    "set": (1374, 1725),
    "counter": (597, 1467),
    "queue": (6815, 39060),
    "semaphore": (1424, 5377),
    "text": (1953, 2353),
    "two-texts": (1686, 1804),
}
"""Configurations for thirty histories, measured: thrifty first, and by the whole search alone."""


@pytest.mark.parametrize("name", SEARCHED)
def test_search_costs_no_more_than_it_did(name: str) -> None:
    """Of what never returned it tries little; without that it tries more, and explains the same."""
    model = SEARCHED[name](frozen(TYPES[name].given))
    thrifty, whole = Budget(60), Budget(60)
    for seed in range(30):
        part = busy(name, seed)
        assert Search.decide(part, model, thrifty)[1] is None
        assert Search(part, model, whole).run() is None
    assert thrifty.spent <= COST[name][0]
    assert whole.spent <= COST[name][1]


@pytest.mark.parametrize("name", SEARCHED)
def test_model_is_asked_once_for_each_operation_in_each_state(name: str) -> None:
    """And its foresight once for each state or mutator with each observer."""
    model, asked = SEARCHED[name](frozen(TYPES[name].given)), list[Any]()

    def once(what: Callable[..., Any]) -> Callable[..., Any]:
        def of(*arguments: Any) -> Any:
            asked.append((what, arguments))
            return what(*arguments)

        return of

    foresight = model.foresight and replace(
        model.foresight, leads=once(model.foresight.leads), rescues=once(model.foresight.rescues)
    )
    watched = replace(model, step=once(model.step), foresight=foresight)
    for seed in range(10):
        asked.clear()
        Search(busy(name, seed), watched, Budget(60)).run()
        assert len(asked) == len(set(asked)) > 0


def stack_step(state: Any, f: str, value: Any, result: Any) -> Any:
    if f == "top":
        return state if state[-1:] == (result,) else ILLEGAL
    if f == "push":
        return (*state, value)
    if result is UNKNOWN:
        return state[:-1]
    return state[:-1] if state and state[-1] == result else ILLEGAL


STACK = Model(name="stack", init=(), step=stack_step)


def told_of(f: str, at: float, took: float | None = 1, value: Any = None, result: Any = None) -> Operation:
    return op("a", f, value, at, took, result=result)


def stacked(*lines: Operation, shrink: bool = True, model: Model = STACK) -> Verdict:
    part = modelled(history(lines).operations, model, names={})[None]
    return judge(part, model, Budget(60, shrink=shrink))


def test_verdicts_of_a_search_are_told_in_full() -> None:
    """With the operation that nobody can explain and up to six others."""
    pushes = [told_of("push", 2 * number, value=number) for number in range(8)]
    explained = stacked(pushes[0], told_of("pop", 2, result=0))
    assert told(explained) == ("stack", "holds", "an order exists that explains all 2 operations", {})
    alone = stacked(told_of("pop", 0, result=7))
    assert told(alone) == ("stack", "violated", "no order explains #0 a pop -> ok 7", {})
    assert proof(alone)[0] == "not linearizable"
    pop = told_of("pop", 40, result=0)
    six = stacked(*pushes[:6], pop, told_of("push", 50, value=9), shrink=False)
    given = "; ".join(f"#{number} a push {number} -> ok" for number in range(6))
    assert told(six)[2] == f"no order explains #6 a pop -> ok 0 (given: {given})"
    assert proof(six)[2] == [0, 1, 2, 3, 4, 5, 6]
    seven = stacked(*pushes[:7], pop, shrink=False)
    assert told(seven)[2] == "no order explains #7 a pop -> ok 0"
    assert proof(seven)[2] == list(range(8))


def test_what_is_left_out_of_a_proof_may_have_happened() -> None:
    """Unless it is an observer by its result."""
    observing = replace(STACK, kind=lambda f, value, result: Kind.OBSERVER if f == "top" and result else Kind.GENERAL)
    lines = [told_of("push", 0, value=1), told_of("top", 2, result=1), told_of("pop", 4, result=2)]
    assert proof(stacked(*lines, model=observing))[2] == [2]
    pushed = [told_of("push", 0, None, value=2), told_of("push", 1, value=1), told_of("pop", 3, result=2)]
    assert told(stacked(*pushed))[1] == "holds"
    again = stacked(*pushed, told_of("pop", 5, result=2))
    assert proof(again)[2] == [2, 3]


def test_with_foresight_the_operation_is_blamed_that_a_search_without_it_blames(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or, if that costs too much, the last to return."""
    lines = [
        op("a", "append", "b", 0, 1),
        op("c", "get", None, 2, 1, result="x"),
        op("a", "append", "c", 4, 1),
        op("c", "get", None, 6, 1, result="bc"),
        op("a", "append", "d", 6.5, None),
    ]
    part = calls(history(lines).operations, CHECKERS["text"], names={})[None]
    whole = judge(part, text(), Budget(60, shrink=False))
    assert proof(whole)[1].startswith("no order explains #1 c get -> ok x (given: ")
    assert proof(whole)[2] == [0, 1, 2, 3, 4]
    monkeypatch.setattr(searched, "CONFIGURATIONS", 0)
    costly = judge(part, text(), Budget(60, shrink=False))
    assert proof(costly)[1].startswith("no order explains #3 c get -> ok bc (given: ")


def test_search_that_foresees_a_dead_end_does_not_blame_who_met_it() -> None:
    """It ends at the second append, whatever the get that nobody can explain; what comes later is shown too."""
    lines = [
        op("a", "append", "b", 0, 1),
        op("d", "append", "e", 0, None),
        op("a", "append", "c", 2, 1),
        op("c", "get", None, 4, 1, result="bx"),
        op("a", "append", "d", 6, 1),
    ]
    part = calls(history(lines).operations, CHECKERS["text"], names={})[None]
    assert death(part, text(), Budget(60)) == 2
    assert proof(judge(part, text(), Budget(60, shrink=False)))[1].startswith("no order explains #3 c get -> ok bx")


def test_an_observer_that_was_still_open_is_no_part_of_a_proof() -> None:
    """It proves nothing before it returns; another operation may have helped."""
    observing = replace(STACK, kind=lambda f, value, result: Kind.OBSERVER if f == "top" and result else Kind.GENERAL)
    lines = [told_of("push", 0, value=1), told_of("top", 2, 9, result=1), told_of("pop", 4, result=2)]
    assert proof(stacked(*lines, model=observing, shrink=False))[2] == [0, 2]
    assert proof(stacked(*lines, shrink=False))[2] == [0, 1, 2]


def test_search_says_how_far_it_got() -> None:
    """In operations that returned before the one it was at."""
    lines = [op("a", "add", 1, 2 * place, 1) for place in range(4)] + [op("a", "add", 1, 9, None)]
    part = calls(history(lines).operations, CHECKERS["counter"], names={})[None]
    budget = Budget(60)
    budget.climb(2)
    with pytest.raises(SpentError, match=r"an order exists for the first 2 of 4 operations to return$"):
        Search(part, counter(), budget).run()


def test_what_nobody_dropped_is_not_searched_again() -> None:
    """A thrifty pass without operations that never return is the whole search."""
    lines = [told_of("push", 0, 3, value=1), told_of("push", 0, 3, value=2), told_of("pop", 4, result=3)]
    part, once, twice = modelled(history(lines).operations, STACK, names={})[None], Budget(60), Budget(60)
    search, found = Search.decide(part, STACK, once)
    assert (found, search.dropped) == (2, False)
    assert Search(part, STACK, twice, thrifty=True).run() == 2
    assert once.spent == twice.spent > 0


def test_equal_operations_are_each_placed_once() -> None:
    """Also where nothing else is open: two adds of one are two."""
    for counted, status in ((2, Status.HOLDS), (1, Status.VIOLATED)):
        lines = [op("a", "add", 1, 0, 3), op("b", "add", 1, 0, 4), op("c", "read", None, 6, 1, result=counted)]
        part = calls(history(lines).operations, CHECKERS["counter"], names={})[None]
        assert judge(part, counter(), Budget(60)).status is status
    for seen, status in ((1, Status.HOLDS), (0, Status.VIOLATED)):
        lines = [op("a", "write", 1, 0, 3), op("b", "write", 1, 0, 4), op("c", "read", None, 6, 1, result=seen)]
        part = calls(history(lines).operations, CHECKERS["cas-register"], names={})[None]
        assert judge(part, register(0), Budget(60)).status is status


def test_judge_of_a_type_searches_the_model_that_it_makes() -> None:
    """From the initial value, within the budget."""
    part = calls([op("a", "get", None, 0, 1, result="b")], CHECKERS["text"], names={})[None]
    assert told(by_search(text)(part, "b", Budget(60))) == (
        "text",
        "holds",
        "an order exists that explains all 1 operations",
        {},
    )
    assert by_search(text)(part, "c", Budget(60)).status is Status.VIOLATED
    nothing = Budget(60)
    nothing.climb(0)
    with pytest.raises(SpentError):
        by_search(text)(busy("text", 0), None, nothing)
