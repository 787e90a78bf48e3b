"""
Replaying an order: what is a proof and what is not.
"""

from typing import Any

from chaos.checkers.calls import Call, modelled
from chaos.checkers.placing import linearization, replays
from chaos.history import Operation
from chaos.models import Kind, Model, State, queue, register, set_of
from tests.checkers.judging import called
from tests.history.build import op


def three() -> list[Call]:
    return called(
        "register", op("a", "write", 1, 0, 1), op("b", "read", None, 2, 1, result=1), op("c", "write", 2, 3, None)
    )


def test_order_that_the_model_allows_is_a_proof() -> None:
    """With or without what may never have happened."""
    first, second, unsure = calls = three()
    assert replays([first, second], calls, register())
    assert replays([first, second, unsure], calls, register())


def test_order_that_leaves_something_out_or_has_it_twice_is_none() -> None:
    """All that completed stands there once."""
    first, second, unsure = calls = three()
    assert not replays([first], calls, register())
    assert not replays([first, first, second], calls, register())
    assert not replays([first, second, unsure, unsure], calls, register())


def test_order_that_the_model_forbids_is_none() -> None:
    """At any step, from the initial value on."""
    first, second, unsure = calls = three()
    assert not replays([first, unsure, second], calls, register())
    (read,) = called("register", op("b", "read", None, 2, 1, result=1))
    assert replays([read], [read], register(1))
    assert not replays([read], [read], register())


def test_order_against_time_is_none() -> None:
    """Nothing stands behind what began after it had ended; not only behind its neighbour."""

    def writes(*times: tuple[float, float]) -> list[Call]:
        return called("register", *(op("a", "write", n, at, took) for n, (at, took) in enumerate(times)))

    early, late = calls = writes((0, 1), (2, 1))
    assert not replays([late, early], calls, register())
    early, late = calls = writes((0, 1), (1, 1))
    assert replays([late, early], calls, register())
    early, long, late = calls = writes((0, 1), (0.5, 9), (2, 1))
    assert not replays([late, long, early], calls, register())
    assert replays([early, late, long], calls, register())


def line(f: str, value: object, at: float, took: float | None, result: object = None) -> Operation:
    return op("a", f, value, at, took, result=result)


def test_what_nobody_saw_is_put_before_the_next_overwriter() -> None:
    """There it changes nothing for anyone."""
    calls = called(
        "register", line("write", 1, 0, 1), line("write", 2, 2, 1), line("read", None, 4, 1, 2), line("write", 3, 1, 9)
    )
    link = ((None, 0, calls[0].begin), 2, calls[2].begin)
    found = linearization(calls, register(), link)
    assert found is not None
    assert [call.value for call in found] == [1, 3, 2, None]


def test_observer_is_put_into_the_first_state_after_its_call_that_fits() -> None:
    """Not into one before, though it would fit."""
    calls = called(
        "set",
        line("add", 1, 0, 20),
        line("contains", 1, 1, 18, False),
        line("remove", 1, 4, 9),
        line("contains", 1, 6, 9, False),
    )
    link = ((None, 0, 2), 2, calls[2].begin)
    found = linearization(calls, set_of(), link)
    assert found is not None
    assert [calls.index(call) for call in found] == [0, 2, 1, 3]


def test_order_that_has_no_place_for_an_operation_is_none() -> None:
    """Neither an observer nor a mutator that is seen."""
    read = called("register", line("read", None, 0, 1, 5))
    assert linearization(read, register(), None) is None
    put = called("queue", line("enqueue", 1, 0, 1))
    assert linearization(put, queue(), None) is None
    assert linearization(put, queue(), (None, 0, put[0].begin)) == put


def test_what_a_model_promises_may_depend_on_argument_and_result() -> None:
    """It is asked with both."""

    def step(state: State, f: str, value: Any, result: Any) -> State:
        return value if f == "write" else state

    def kind(f: str, value: Any, result: Any) -> Kind:
        if f == "write":
            return Kind.OVERWRITER if (value, result) == (2, "done") else Kind.TOTAL
        return Kind.OBSERVER if (value, result) == ("look", "seen") else Kind.GENERAL

    model = Model(name="picky", init=0, step=step, kind=kind)
    lines = [
        op("a", "write", 1, 0, 9, result="done"),
        op("a", "write", 2, 2, 9, result="done"),
        op("b", "look", "look", 4, 9, result="seen"),
    ]
    hidden, shown, look = calls = modelled(lines, model, names={})[None]
    found = linearization(calls, model, (None, 1, shown.begin))
    assert found == [hidden, shown, look]
