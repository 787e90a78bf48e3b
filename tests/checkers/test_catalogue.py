"""
Shapes of values that each type accepts, and what is said of others.
"""

from typing import Any

import pytest

from chaos.checkers.catalogue import CHECKERS, LINEARIZABLE, _checker
from chaos.checkers.checker import Checker
from chaos.errors import UsageError
from chaos.history import Operation
from tests.checkers.judging import called
from tests.history.build import op

PAIR = "a cas needs [expected, new]"
VERSIONS = "a value is [version, value], and of a cas [version, [expected, new]]; with a key before it, judge by key"
PERMITS = "the number of permits is positive, or left out for one"
LIST = "a read of a set returns a list"
NOTHING = "nothing cannot be enqueued: a dequeue of it would look like an empty queue"
DRAIN = "a drain returns a list"
AMOUNT = "an amount is a number"
COUNT = "a read of a counter returns a number"


def line(f: str, value: Any = None, result: Any = None, took: float | None = 1) -> Operation:
    return op("a", f, value, 0, took, result=result)


@pytest.mark.parametrize(
    ("model", "operation", "message"),
    [
        ("register", line("cas", 1), PAIR),
        ("cas-register", line("cas", [1]), PAIR),
        ("cas-register", line("cas", [1, 2, 3]), PAIR),
        ("cas-register", line("cas", 12, took=None), PAIR),
        ("versioned-register", line("read", None, 5), VERSIONS),
        ("versioned-register", line("read", None, [5]), VERSIONS),
        ("versioned-register", line("read", None, ["5", 5]), VERSIONS),
        ("versioned-register", line("read", None, [1.5, 5]), VERSIONS),
        ("versioned-register", line("write", 5), VERSIONS),
        ("versioned-register", line("write", ["1", 5]), VERSIONS),
        ("versioned-register", line("write", [None, 5], ["1", 5]), VERSIONS),
        ("versioned-register", line("write", [None, 5], 7), VERSIONS),
        ("versioned-register", line("cas", [None, 5]), VERSIONS),
        ("versioned-register", line("cas", [None, [5, 6]], [1, 6]), VERSIONS),
        ("versioned-register", line("cas", ["1", [5, 6]], took=None), VERSIONS),
        ("semaphore", line("acquire", 0), PERMITS),
        ("semaphore", line("acquire", -1), PERMITS),
        ("semaphore", line("release", "2"), PERMITS),
        ("set", line("read", None, 5), LIST),
        ("set", line("read", None, None), LIST),
        ("queue", line("enqueue", None), NOTHING),
        ("queue", line("drain", None, 5), DRAIN),
        ("counter", line("add", "one"), AMOUNT),
        ("counter", line("add", None, took=None), AMOUNT),
        ("counter", line("read", None, "one"), COUNT),
        ("counter", line("read", None, None), COUNT),
    ],
)
def test_value_of_another_shape_is_refused_with_the_right_one(model: str, operation: Operation, message: str) -> None:
    """And with the operation."""
    with pytest.raises(UsageError) as refused:
        called(model, operation)
    assert str(refused.value) == f"{operation}: {message}"


@pytest.mark.parametrize(
    ("model", "operation"),
    [
        ("register", line("write", 1)),
        ("cas-register", line("cas", [1, 2])),
        ("versioned-register", line("read", None, [None, None])),
        ("versioned-register", line("read", None, [1, "x"])),
        ("versioned-register", line("read", None, 5, took=None)),
        ("versioned-register", line("write", [None, 5])),
        ("versioned-register", line("write", [1, 5], [])),
        ("versioned-register", line("write", [None, 5], [1, 5])),
        ("versioned-register", line("write", [None, 5], 7, took=None)),
        ("versioned-register", line("cas", [None, [5, 6]], [2, [5, 6]])),
        ("versioned-register", line("cas", 5, [2, [5, 6]])),
        ("semaphore", line("acquire")),
        ("semaphore", line("acquire", 1)),
        ("set", line("read", None, [])),
        ("set", line("read", None, None, took=None)),
        ("set", line("add", 5)),
        ("queue", line("enqueue", 0)),
        ("queue", line("dequeue", None, None)),
        ("queue", line("drain", None, [])),
        ("queue", line("drain", None, None, took=None)),
        ("counter", line("add", 1.5)),
        ("counter", line("read", None, 2.5)),
        ("counter", line("read", None, None, took=None)),
    ],
)
def test_value_of_the_right_shape_is_accepted(model: str, operation: Operation) -> None:
    """An unfinished operation has no result yet."""
    assert len(called(model, operation)) == 1


def test_checker_judges_one_order_of_operations_unless_it_says_otherwise() -> None:
    """All else that it is given it keeps."""
    register = CHECKERS["register"]
    short = _checker("x", register.judge, register.kinds, "source")
    assert short == Checker(
        name="x", judges=LINEARIZABLE, judge=register.judge, kinds=register.kinds, source="source", shape=short.shape
    )
    other = _checker("x", register.judge, register.kinds, "source", judges="else", aborted=True)
    assert (other.judges, other.aborted) == ("else", True)
    assert {name for name, one in CHECKERS.items() if one.judges == LINEARIZABLE} >= {"register", "mutex", "queue"}
    assert {name for name, one in CHECKERS.items() if one.aborted} == {
        "append-log",
        "list-append",
        "total-queue",
        "at-least-once-queue",
        "at-most-once-queue",
        "exactly-once-queue",
    }
