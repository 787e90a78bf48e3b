"""
Registers that behave as one copy, and those that do not.
"""

import importlib

import pytest

from chaos.guarantees import linearizable
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told


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
    assert (verdict.guarantee, verdict.status) == ("linearizable", Status.UNKNOWN)
    assert "these are no versioned registers" in verdict.reason


def test_a_fault_that_no_operation_met_proves_nothing() -> None:
    verdict = linearizable(history(GOOD, [fault(20, 21)]))
    assert (verdict.status, verdict.reason) == (Status.UNKNOWN, "no operation was under way during isolate")


def test_every_verdict_is_told_in_full() -> None:
    counts = {"operations_count": 5, "keys_count": 1}
    assert told(linearizable(history(GOOD))) == (
        "linearizable",
        "holds",
        "an order exists that explains all 5 operations",
        counts,
    )
    missed = linearizable(history(GOOD, [fault(20, 21)]))
    assert told(missed) == ("linearizable", "unknown", "no operation was under way during isolate", counts)
    stale = linearizable(history([*GOOD, read(5, 1, "x")]))
    sentence = "no order explains #5 b read ['r', None] -> ok [1, 'x'] (given: #4 b read ['r', None] -> ok [2, 'y'])"
    assert told(stale) == ("linearizable", "violated", sentence, {"operations_count": 6, "keys_count": 1})
    assert proof(stale) == ("not linearizable", sentence, [4, 5])


@pytest.mark.parametrize(
    "lines",
    [
        [read(0.5, 0, None), read(2, 0, None)],
        [write(1, 1, "x"), write(3, 2, "y")],
        [write(1, 1, "x"), op("b", "read", ["r", None], at=2, took=None)],
        [read(0.5, 0, None), op("a", "write", ["r", [None, "x"]], at=2, took=None)],
        [op("a", "write", "a:1", at=1, result=1), op("a", "read", "a:1", at=2, result=1)],
    ],
)
def test_without_an_acknowledged_read_and_write_nothing_is_known(lines: list[Operation]) -> None:
    """Reads alone agree with anything, and so do writes."""
    reason = "no read of a register, or no write of one, was acknowledged"
    assert told(linearizable(history(lines))) == ("linearizable", "unknown", reason, {})


def test_other_operations_beside_registers_are_not_looked_at() -> None:
    """Of other kinds, and with values that name no register."""
    others = [op("c", "add", ["r", 5], at=6), op("c", "write", "c:1", at=7, result=1)]
    verdict = linearizable(history([*GOOD, *others]))
    assert (verdict.status, verdict.measures["operations_count"]) == (Status.HOLDS, 5)


def test_a_compare_and_set_is_a_write() -> None:
    """Enough to be judged."""
    swapped = op("c", "cas", ["r", [None, [None, "z"]]], at=1, result=[1, [None, "z"]])
    assert linearizable(history([read(0.5, 0, None), swapped, read(2, 1, "z")])).status is Status.HOLDS


def test_a_history_that_takes_too_long_is_unknown_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never violated, never held."""
    monkeypatch.setattr(importlib.import_module("chaos.guarantees.linearizable"), "BUDGET_S", 0.05)
    crowd = [op(f"c{n}", "write", ["s", [None, n]], at=5, took=50) for n in range(60)]
    verdict = linearizable(history([*GOOD, *crowd]))
    assert (verdict.status, verdict.guarantee) == (Status.UNKNOWN, "linearizable")
    assert verdict.reason.startswith("key s: the budget of 0.05 s is used up")
    assert verdict.measures == {"operations_count": 65, "keys_count": 2}


@pytest.mark.parametrize(
    ("error_s", "status"), [(0, Status.VIOLATED), (0.1, Status.VIOLATED), (0.5, Status.UNKNOWN), (9, Status.UNKNOWN)]
)
def test_a_violation_within_what_clocks_may_be_off_is_unknown(error_s: float, status: Status) -> None:
    """The old value was read 0.6 s after the new one was written: by two clocks that are off by half a second, perhaps not."""
    old = read(3.7, 1, "x")
    errors = {"a": ns(error_s), "b": ns(error_s)}
    verdict = linearizable(history([*GOOD[:4], old], clock_error_ns=errors))
    assert verdict.status is status
    assert verdict.measures["operations_count"] == 5
    if status is Status.VIOLATED:
        assert verdict.witness is not None
        assert any((one.invoked_ns, one.result) == (old.invoked_ns, [1, "x"]) for one in verdict.witness.operations)
    else:
        assert "lies within what clocks may be off" in verdict.reason


def test_errors_of_clocks_do_not_spoil_what_holds() -> None:
    assert linearizable(history(GOOD, clock_error_ns={"a": ns(9), "b": ns(9)})).status is Status.HOLDS


def test_the_observers_own_stamps_are_not_stretched() -> None:
    """Only operations of clients whose clocks were translated are."""
    verdict = linearizable(history([*GOOD[:4], read(3.7, 1, "x")], clock_error_ns={"c": ns(9)}))
    assert verdict.status is Status.VIOLATED
