"""
Registers that behave as one copy, and those that do not.
"""

from chaos.guarantees import linearizable
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, op


def write(at: float, version: int, value: str, client: str = "a", key: str = "r") -> Operation:
    return op(client, "write", [key, [None, value]], at=at, result=[version, value])


def read(at: float, version: int, value: str | None, client: str = "b", key: str = "r") -> Operation:
    return op(client, "read", [key, None], at=at, result=[version, value])


GOOD = [read(0.5, 0, None), write(1, 1, "x"), read(2, 1, "x"), write(3, 2, "y"), read(4, 2, "y")]


def test_reads_that_follow_the_writes_hold() -> None:
    verdict = linearizable(history(GOOD))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {"operations_count": 5, "keys_count": 1}


def test_a_read_of_what_was_overwritten_is_violated() -> None:
    verdict = linearizable(history([*GOOD, read(5, 1, "x")]))
    assert verdict.status is Status.VIOLATED
    assert verdict.witness is not None
    assert any(one.result == [1, "x"] for one in verdict.witness.operations)


def test_each_register_is_judged_by_itself() -> None:
    other = [write(6, 1, "z", key="s"), read(7, 1, "z", key="s")]
    assert linearizable(history([*GOOD, *other])).measures["keys_count"] == 2
    assert linearizable(history([*GOOD, *other, read(8, 0, None, key="s")])).status is Status.VIOLATED


def test_a_write_without_an_answer_may_have_happened_later() -> None:
    unsure = op("c", "write", ["r", [None, "z"]], at=5, took=None)
    assert linearizable(history([*GOOD, unsure, read(6, 2, "y"), read(9, 3, "z")])).status is Status.HOLDS


def test_a_compare_and_set_that_was_refused_changed_nothing() -> None:
    refused = op("c", "cas", ["r", [None, ["x", "z"]]], at=5, outcome="fail")
    assert linearizable(history([*GOOD, refused, read(6, 2, "y")])).status is Status.HOLDS


def test_writes_to_a_guarded_resource_are_no_registers() -> None:
    guarded = [op("a", "write", "a:1", at=1, result=1, holder="a"), op("a", "read", "a:1", at=2, result=1)]
    assert linearizable(history(guarded)).status is Status.UNKNOWN


def test_a_value_of_another_shape_is_unknown_and_said() -> None:
    verdict = linearizable(history([*GOOD, op("b", "read", ["r", None], at=5, result="x")]))
    assert verdict.status is Status.UNKNOWN
    assert "these are no versioned registers" in verdict.reason


def test_a_fault_that_no_operation_met_proves_nothing() -> None:
    verdict = linearizable(history(GOOD, [fault(20, 21)]))
    assert (verdict.status, verdict.reason) == (Status.UNKNOWN, "no operation was under way during isolate")
