"""
What ``check`` promises whatever the type: outcomes, stamps, keys, budgets, bad input.
"""

import re
from typing import Any

import pytest

from chaos.checkers import CHECKERS, check, linearized
from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import calls, frozen
from chaos.checkers.engine import Search
from chaos.checkers.registers import death
from chaos.errors import UsageError
from chaos.history import Operation
from chaos.models import ILLEGAL, UNKNOWN, Model
from chaos.verdict import Status
from tests.history.build import history, op


def judged(model: str, *operations: Operation, **options: Any) -> Status:
    return check(history(operations).operations, model, **options).status


def test_every_type_is_registered_under_its_name() -> None:
    """With what it judges, its source and the operations it accepts."""
    assert set(CHECKERS) == {
        "register",
        "cas-register",
        "versioned-register",
        "mutex",
        "lease",
        "semaphore",
        "set",
        "queue",
        "unordered-queue",
        "total-queue",
        "at-least-once-queue",
        "at-most-once-queue",
        "exactly-once-queue",
        "pairwise-queue",
        "redelivery-queue",
        "counter",
        "text",
        "append-log",
        "session",
        "list-append",
    }
    for name, checker in CHECKERS.items():
        assert checker.name == name
        assert checker.judges
        assert checker.source
        assert checker.kinds


def test_an_empty_history_breaks_no_promise() -> None:
    """It holds, or is unknown where the type wants evidence."""
    assert {check([], name).status for name in CHECKERS} == {Status.HOLDS, Status.UNKNOWN}


def test_a_failed_operation_did_not_happen() -> None:
    """Its value cannot be read."""
    write, read = op("a", "write", 1, 0, 1, outcome="fail"), op("b", "read", None, 2, 1, result=1)
    assert judged("register", write, read) is Status.VIOLATED
    assert judged("register", write, op("b", "read", None, 2, 1)) is Status.HOLDS


def test_an_unfinished_operation_may_happen_late_or_never() -> None:
    """Even one whose client was told ``info`` long before."""
    write = op("a", "write", 1, 0, 1, outcome="info")
    unset, one = op("b", "read", None, 5, 1), op("b", "read", None, 7, 1, result=1)
    assert judged("register", write, unset) is Status.HOLDS
    assert judged("register", write, unset, one) is Status.HOLDS
    assert judged("register", write, unset, one, op("b", "read", None, 9, 1)) is Status.VIOLATED


def test_an_unfinished_read_says_nothing() -> None:
    """Whatever it carries."""
    assert judged("register", op("a", "read", None, 0, 1, result=9, outcome="info")) is Status.HOLDS


def test_equal_stamps_are_concurrent() -> None:
    """Nobody knows which came first."""
    write, read = op("a", "write", 1, 0, 1), op("b", "read", None, 1, 1)
    assert judged("register", write, read) is Status.HOLDS
    assert judged("register", write, op("b", "read", None, 1.1, 1)) is Status.VIOLATED


def test_a_failed_cas_counts_only_if_asked() -> None:
    """Then the value it expected was not always there."""
    write, cas = op("a", "write", 1, 0, 1), op("b", "cas", [1, 2], 2, 1, outcome="fail")
    assert judged("cas-register", write, cas) is Status.HOLDS
    assert judged("cas-register", write, cas, failed_cas="mismatch") is Status.VIOLATED


def test_true_is_not_one() -> None:
    """As it is in JSON, and is not in Python."""
    assert judged("register", op("a", "write", True, 0, 1), op("b", "read", None, 2, 1, result=1)) is Status.VIOLATED
    assert frozen([1, [True], {"a": [2]}]) == (1, (("bool", True),), frozenset({("a", (2,))}))


def test_keys_are_objects_of_their_own() -> None:
    """Results carry the key again, or not."""
    operations = [
        op("a", "write", ["x", 1], 0, 1),
        op("a", "write", ["y", 2], 2, 1),
        op("b", "read", ["x", None], 4, 1, result=["x", 1]),
        op("b", "read", ["y", None], 6, 1, result=2),
    ]
    verdict = check(operations, "register", by_key=True)
    assert verdict.status is Status.HOLDS
    assert verdict.measures["keys_count"] == 2
    stale = op("b", "read", ["x", None], 8, 1, result=["x", 2])
    assert judged("register", *operations, stale, by_key=True) is Status.VIOLATED


def test_names_can_be_mapped() -> None:
    """For histories that call things otherwise."""
    operations = op("a", "put", 1, 0, 1), op("b", "get", None, 2, 1, result=2)
    assert judged("register", *operations, names={"put": "write", "get": "read"}) is Status.VIOLATED


@pytest.mark.parametrize(
    ("model", "operation"),
    [
        ("register", op("a", "enqueue", 1, 0, 1)),
        ("cas-register", op("a", "cas", 1, 0, 1)),
        ("set", op("a", "read", None, 0, 1, result=5)),
        ("queue", op("a", "drain", None, 0, 1)),
        ("queue", op("a", "enqueue", None, 0, 1)),
        ("counter", op("a", "add", "one", 0, 1)),
        ("counter", op("a", "read", None, 0, 1)),
        ("semaphore", op("a", "acquire", -1, 0, 1)),
        ("versioned-register", op("a", "read", None, 0, 1, result=5)),
        ("session", op("a", "read", None, 0, 1, result=5)),
        ("list-append", op("a", "txn", 5, 0, 1, result=5)),
        ("list-append", op("a", "txn", [["w", "x", 1]], 0, 1, result=[["w", "x", 1]])),
        ("list-append", op("a", "txn", [["r", "x", None]], 0, 1, result=[["r", "x", 7]])),
        ("append-log", op("a", "send", 5, 0, 1)),
        ("append-log", op("a", "poll", None, 0, 1, result={"k": [5]})),
        ("append-log", op("a", "poll", None, 0, 1, result={"k": [["x", 5]]})),
    ],
)
def test_a_value_outside_the_model_is_a_sentence(model: str, operation: Operation) -> None:
    """With the operation, and never a traceback of something else."""
    with pytest.raises(UsageError, match="#0 a "):
        check([operation], model)


def test_an_operation_that_ends_before_it_begins_is_refused() -> None:
    """A clock ran backwards."""
    with pytest.raises(UsageError, match="before its invocation"):
        check([op("a", "write", 1, 5, -1)], "register")


def test_options_that_make_no_sense_are_refused() -> None:
    """An unknown type, a budget of nothing, a value that is no pair."""
    with pytest.raises(UsageError, match="there is no model"):
        check([], "regster")
    with pytest.raises(UsageError, match="positive number"):
        check([], "register", budget_s=0)
    with pytest.raises(UsageError, match="pair of key and value"):
        check([op("a", "write", 1, 0, 1)], "register", by_key=True)


def test_a_spent_budget_is_unknown_and_says_so() -> None:
    """A violation in another key is found all the same."""
    writes = [op(f"a{n}", "write", [None, n], 0, 50) for n in range(60)]
    assert judged("versioned-register", *writes, budget_s=0.05) is Status.UNKNOWN
    wrong = op("a", "read", ["b", None], 0, 1, result=["b", [5, 5]])
    keyed = [op(each.client, each.f, ["a", each.value], 0, 50) for each in writes]
    assert judged("versioned-register", *keyed, wrong, by_key=True, budget_s=0.5) is Status.VIOLATED


def test_unknown_says_how_far_the_search_got() -> None:
    """In operations that have returned, for the search of any model and for the sweep of registers."""
    crowd = [op(f"a{n}", "write", [None, n], 0, 50) for n in range(60)]
    verdict = check(history(crowd).operations, "versioned-register", budget_s=0.05)
    assert re.search(r"an order exists for the first \d+ of 60 operations to return", verdict.reason)
    writes = history([op("c", "write", place, place, 0.5) for place in range(6)]).operations
    budget = Budget(60)
    budget.climb(3)
    with pytest.raises(SpentError, match="an order exists for the first 3 of 6 operations to return"):
        death(calls(writes, CHECKERS["cas-register"], names={})[None], 0, budget)


def test_a_budget_ends_by_configurations_too() -> None:
    """The ladder of keys depends on it."""
    budget = Budget(60)
    budget.climb(10)
    with pytest.raises(SpentError):
        budget.spend(11)


def _step(state: Any, f: str, value: Any, result: Any) -> Any:
    if f == "push":
        return (*state, value)
    if result is UNKNOWN:
        return state[:-1]
    return state[:-1] if state and state[-1] == result else ILLEGAL


def test_a_model_of_ones_own_is_judged() -> None:
    """A stack: last in, first out."""
    stack = Model(name="stack", init=(), step=_step)
    pushed = [op("a", "push", 1, 0, 1), op("a", "push", 2, 2, 1)]
    assert check([*pushed, op("b", "pop", None, 4, 1, result=2)], stack).status is Status.HOLDS
    verdict = check([*pushed, op("b", "pop", None, 4, 1, result=1)], stack)
    assert verdict.status is Status.VIOLATED
    assert verdict.guarantee == "stack"


def test_a_model_of_ones_own_is_split_by_its_key() -> None:
    """If its parts are independent of each other."""
    stacks = Model(name="stacks", init=(), step=_step, key=lambda f, value, result: value if f == "push" else result)
    verdict = check([op("a", "push", 1, 0, 1), op("a", "push", 2, 2, 1), op("b", "pop", None, 4, 1, result=1)], stacks)
    assert verdict.status is Status.HOLDS
    assert verdict.measures["keys_count"] == 2


def test_a_thrifty_search_admits_what_it_left_out() -> None:
    """A crashed push that is needed is found by the second pass or the first, never missed."""
    stack = Model(name="stack", init=(), step=_step)
    operations = [op("a", "push", 1, 0, None), op("b", "push", 2, 2, 1), op("b", "pop", None, 4, 1, result=1)]
    assert check(operations, stack).status is Status.HOLDS
    assert Search([], stack, Budget(1)).run() is None


def test_a_linearization_is_returned_on_request() -> None:
    """In an order that the model allows; None if there is none."""
    write, read = op("a", "write", 1, 0, 9), op("b", "read", None, 1, 1, result=1)
    found = linearized(history([write, read]).operations, "register")
    assert found is not None
    assert [each.f for each in found[None]] == ["write", "read"]
    assert linearized([op("b", "read", None, 1, 1, result=1)], "register") is None
    with pytest.raises(UsageError, match="not about one order"):
        linearized([], "list-append")


def test_the_witness_can_be_left_unshrunk() -> None:
    """When only the verdict is wanted."""
    operations = [op("a", "write", n % 3, n, 0.5) for n in range(30)] + [op("b", "read", None, 40, 1, result=1)]
    shrunk, whole = check(operations, "cas-register"), check(operations, "cas-register", shrink=False)
    assert shrunk.witness is not None
    assert whole.witness is not None
    assert len(shrunk.witness.operations) < len(whole.witness.operations)
