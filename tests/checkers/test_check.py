"""
What ``check`` promises whatever the type: outcomes, stamps, keys, budgets, bad input.
"""

from typing import Any

import pytest

from chaos.checkers import CHECKERS, check, linearized
from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import frozen
from chaos.checkers.engine import Search
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
        "counter",
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
    assert judged("semaphore", *_permits("a", 16), initial=8, budget_s=0.001) is Status.UNKNOWN
    wrong = [op("a", "release", ["b", 1], 0, 1)]
    keyed = [op(each.client, each.f, ["a", each.value], 0, 50) for each in _permits("a", 16)]
    assert judged("semaphore", *keyed, *wrong, initial=8, by_key=True, budget_s=0.5) is Status.VIOLATED


def _permits(key: str, count: int) -> list[Operation]:
    """Acquires and releases of many sizes, all at once: too many orders to try."""
    return [op(f"{key}{n}", "acquire" if n % 2 else "release", 1 + n // 2, 0, 50) for n in range(count)]


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


def test_verdict_says_what_it_cost() -> None:
    """Whatever judged it, under the name that was asked for."""
    lines = [op("a", "write", 1, 0, 1), op("a", "write", 1, 2, 1), op("b", "read", None, 4, 1, result=1)]
    verdict = check(lines, "cas-register")
    measures = dict(verdict.measures)
    assert 0 <= measures.pop("spent_s") < 60
    assert measures.pop("configurations_count") > 0
    assert (verdict.guarantee, measures) == ("cas-register", {"operations_count": 3, "keys_count": 1})
    keyed = [op("a", "acquire", [key, None], 0, 1, result=[key, n]) for n, key in enumerate("xy")]
    lease = check(keyed, "lease", by_key=True)
    assert (lease.measures["operations_count"], lease.measures["keys_count"]) == (2, 2)
    alone = check(keyed[:1], "lease", by_key=True).measures
    assert {"acquired_count", "operations_count", "keys_count", "configurations_count", "spent_s"} <= set(alone)
    stack = Model(name="stack", init=(), step=_step)
    own = check([op("a", "push", 1, 0, 1), op("b", "pop", None, 2, 1, result=1)], stack).measures
    assert (own["operations_count"], own["keys_count"], own["configurations_count"] > 0) == (2, 1, True)


def test_foreign_names_and_keys_are_those_of_ones_own_model_too() -> None:
    """Mapped before the model sees them."""
    stack = Model(name="stack", init=(), step=_step)
    lines = [op("a", "put", 1, 0, 1), op("b", "pop", None, 2, 1, result=1)]
    assert check(lines, stack, names={"put": "push"}).status is Status.HOLDS


def test_search_has_a_minute_unless_it_is_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is asked for otherwise."""
    asked: list[tuple[float, bool]] = []

    def budget(allowed_s: float, *, shrink: bool = True) -> Budget:
        asked.append((allowed_s, shrink))
        return Budget(allowed_s, shrink=shrink)

    monkeypatch.setattr("chaos.checkers.Budget", budget)
    monkeypatch.setattr("chaos.checkers.linearizing.Budget", budget)
    check([], "register")
    check([], "register", budget_s=0.5, shrink=False)
    linearized([], "register")
    linearized([], "register", budget_s=7)
    assert asked == [(60, True), (0.5, False), (60, True), (7, True)]


@pytest.mark.parametrize("budget_s", [0, -1.5, float("inf"), float("nan")])
def test_budget_that_is_none_is_refused(budget_s: float) -> None:
    """In the words of the option."""
    with pytest.raises(UsageError) as refused:
        check([], "register", budget_s=budget_s)
    assert str(refused.value) == f"a budget is a positive number of seconds, not {budget_s!r}"


def test_unknown_model_is_refused_with_those_there_are() -> None:
    """In their order."""
    with pytest.raises(UsageError) as refused:
        check([], "regster")
    assert str(refused.value) == f"there is no model 'regster', only {', '.join(CHECKERS)}"
