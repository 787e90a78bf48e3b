"""
Operations as checkers see them: what is left out, what is frozen, what is refused.
"""

from typing import Any

import pytest

from chaos.checkers import CHECKERS
from chaos.checkers.calls import NEVER, calls, frozen, modelled
from chaos.errors import UsageError
from chaos.history import Operation, Outcome
from chaos.models import UNKNOWN, Model
from tests.checkers.judging import called
from tests.history.build import op


def test_times_are_doubled_and_ends_are_odd() -> None:
    """So that equal stamps are concurrent."""
    (call,) = called("register", op("a", "write", 5, 1e-9, 2e-9))
    assert (call.begin, call.end, call.f, call.value, call.result) == (2, 7, "write", 5, None)


def test_unfinished_operation_never_ends_and_has_no_result() -> None:
    """Whatever its completion says."""
    (call,) = called("register", op("a", "read", None, 1, 1, result=5, outcome="info"))
    assert (call.end, call.result) == (NEVER, UNKNOWN)


def test_each_kind_says_what_the_model_looks_at() -> None:
    """The rest is left out, so that equal operations look equal."""
    write, read = called("register", op("a", "write", 5, 0, 1, result="OK"), op("a", "read", "x", 2, 1, result=5))
    assert (write.value, write.result, read.value, read.result) == (5, None, None, 5)
    (acquire,) = called("mutex", op("a", "acquire", "lock", 0, 1, result=7))
    assert (acquire.value, acquire.result) == (None, None)
    (contains,) = called("set", op("a", "contains", 5, 0, 1, result=True))
    assert (contains.value, contains.result) == (5, ("bool", True))


def test_calls_are_in_order_of_invocation() -> None:
    """Of each key too."""
    lines = [op("a", "write", ["x", 2], 2, 1), op("a", "write", ["y", 3], 3, 1), op("a", "write", ["x", 1], 0, 1)]
    parts = calls(lines, CHECKERS["register"], names={}, by_key=True)
    assert {key: [call.value for call in part] for key, part in parts.items()} == {"x": [1, 2], "y": [3]}
    free = Model(name="free", init=(), step=lambda state, f, value, result: state)
    assert [call.value for call in modelled(lines, free, names={})[None]] == [("x", 1), ("x", 2), ("y", 3)]
    together = [op("a", "push", 5, 1, 1), op("a", "push", "x", 1, 1), op("a", "push", None, 1, 0.5)]
    assert [call.value for call in modelled(together, free, names={})[None]] == [5, "x", None]


def test_failed_operations_are_left_out_unless_the_type_looks_at_them() -> None:
    """A failed cas counts if asked for, and says only what it expected."""
    cas = op("a", "cas", [1, 2], 0, 1, result=9, outcome="fail")
    assert called("cas-register", cas) == []
    (refused,) = called("cas-register", cas, failed_cas="mismatch")
    assert (refused.f, refused.value, refused.result) == ("cas, failed", (1, 2), None)
    write = op("a", "write", 1, 0, 1, outcome="fail")
    assert called("cas-register", write, failed_cas="mismatch") == []
    later = op("a", "write", 2, 2, 1)
    assert [call.value for call in calls([cas, write, later], CHECKERS["cas-register"], names={})[None]] == [2]
    send = op("a", "send", ["k", 1], 0, 1, outcome="fail")
    assert len(called("append-log", send)) == 1
    free = Model(name="free", init=(), step=lambda state, f, value, result: state)
    assert modelled([write], free, names={}) == {None: []}


def test_foreign_names_are_mapped() -> None:
    """For models of one's own too."""
    line = op("a", "put", 5, 0, 1)
    (call,) = calls([line], CHECKERS["register"], names={"put": "write"})[None]
    assert call.f == "write"
    free = Model(name="free", init=(), step=lambda state, f, value, result: state)
    assert modelled([line], free, names={"put": "push"})[None][0].f == "push"


def test_model_of_ones_own_is_told_everything_and_splits_by_its_key() -> None:
    """Kind, value and result."""
    keyed = Model(
        name="keyed",
        init=(),
        step=lambda state, f, value, result: state,
        key=lambda f, value, result: (f, value, result),
    )
    parts = modelled([op("a", "push", [1], 0, 1, result=True), op("a", "pop", None, 2, None)], keyed, names={})
    assert list(parts) == [("push", (1,), ("bool", True)), ("pop", None, UNKNOWN)]


def test_result_under_a_key_is_a_pair_again_or_bare() -> None:
    """A pair that begins with another key is the value itself."""
    lines = [
        op("a", "read", ["x", None], 0, 1, result=["x", 5]),
        op("a", "read", ["x", None], 2, 1, result=5),
        op("a", "read", ["x", None], 4, 1, result=["y", 5]),
        op("a", "read", ["x", None], 6, 1, result=["x", 5, 6]),
    ]
    (part,) = calls(lines, CHECKERS["register"], names={}, by_key=True).values()
    assert [call.result for call in part] == [5, 5, ("y", 5), ("x", 5, 6)]


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (1, 1),
        (1.5, 1.5),
        ("a", "a"),
        (None, None),
        (True, ("bool", True)),
        (False, ("bool", False)),
        ([1, "a", None], (1, "a", None)),
        ([1, [True, []]], (1, (("bool", True), ()))),
        ({"b": [1], "a": False}, frozenset({("a", ("bool", False)), ("b", (1,))})),
        (UNKNOWN, UNKNOWN),
    ],
)
def test_json_value_can_be_a_key(value: Any, key: Any) -> None:
    """And no two that differ are the same one."""
    assert frozen(value) == key
    hash(frozen(value))


@pytest.mark.parametrize("value", [5, "xy", [1], [1, 2, 3], None])
def test_value_under_a_key_is_a_pair(value: Any) -> None:
    """Key and value."""
    line = op("a", "write", value, 0, 1)
    with pytest.raises(UsageError) as refused:
        calls([line], CHECKERS["register"], names={}, by_key=True)
    assert str(refused.value) == f"{line}: split by key, a value must be a pair of key and value"


def test_other_refusals_say_what_is_wrong() -> None:
    """With the operation."""
    stranger = op("a", "enqueue", 1, 0, 1)
    with pytest.raises(UsageError) as unknown:
        called("register", stranger)
    assert str(unknown.value) == (
        f"{stranger}: the model knows read, write, cas; a foreign name can be mapped to these"
    )
    backwards = op("a", "write", 1, 5, -1)
    with pytest.raises(UsageError) as early:
        called("register", backwards)
    assert str(early.value) == (f"{backwards}: completed at 4000000000 ns, before its invocation at 5000000000 ns")
    assert len(called("register", op("a", "write", 1, 5, 0))) == 1
    endless = Operation(index=0, client="a", f="write", value=1, invoked_ns=0, outcome=Outcome.OK)
    with pytest.raises(UsageError) as endless_refused:
        called("register", endless)
    assert str(endless_refused.value) == f"{endless}: ok without a completion"
