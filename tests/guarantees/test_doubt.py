"""
A violation counts only if it is there wherever the stamps may really lie.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from chaos.checkers import check
from chaos.guarantees.doubt import judge_in_doubt
from chaos.history import Operation
from chaos.verdict import Status, Verdict, Witness, violated
from tests.history.build import history, ns, op

STALE = history([op("a", "write", 1, at=1), op("a", "write", 2, at=2), op("b", "read", at=2.3, result=1)]).operations


def as_register(operations: Sequence[Operation]) -> Verdict:
    return check(operations, "register")


@pytest.mark.parametrize(
    ("errors", "status"),
    [
        ({}, Status.VIOLATED),
        ({"a": ns(0.05), "b": ns(0.05)}, Status.VIOLATED),
        ({"a": ns(0.2)}, Status.UNKNOWN),
        ({"b": ns(0.2)}, Status.UNKNOWN),
        ({"a": ns(0.1), "b": ns(0.1)}, Status.UNKNOWN),
        ({"z": ns(9)}, Status.VIOLATED),
    ],
)
def test_errors_of_two_clients_add_up(errors: dict[str, int], status: Status) -> None:
    """The write ended 0.2 s before the read that missed it began."""
    assert judge_in_doubt(STALE, errors, as_register).status is status


def test_the_witness_is_as_it_was_written() -> None:
    verdict = judge_in_doubt(STALE, {"a": ns(0.05)}, as_register)
    assert verdict.witness is not None
    assert verdict.witness.operations
    assert all(one in STALE for one in verdict.witness.operations)


def test_what_holds_is_judged_once() -> None:
    """Stretched operations allow more orders: what holds as written holds all the more."""
    times: list[int] = []

    def judge(operations: Sequence[Operation]) -> Verdict:
        times.append(len(operations))
        return as_register(operations)

    good = history([op("a", "write", 1, at=1), op("b", "read", at=2, result=1)]).operations
    assert judge_in_doubt(good, {"a": ns(1)}, judge).status is Status.HOLDS
    assert times == [2]
    assert judge_in_doubt((), {"a": 1}, lambda _: as_register(good)).status is Status.HOLDS


def test_an_open_operation_stays_open() -> None:
    unsure = [*STALE, op("c", "write", 1, at=2.2, took=None)]
    assert judge_in_doubt(history(unsure).operations, {"c": ns(1)}, as_register).status is Status.HOLDS


@pytest.mark.parametrize("place", ["notes", "result"])
@pytest.mark.parametrize(("error_s", "status"), [(0.1, Status.VIOLATED), (0.3, Status.UNKNOWN)])
def test_the_end_of_a_lease_lies_at_its_earliest(place: str, error_s: float, status: Status) -> None:
    """The second client was told that it has the lock 0.4 s before the first one's lease ended."""
    ends: dict[str, Any] = {"token": 1, "expires_ns": ns(3)}
    first = op("a", "acquire", at=1, result=ends) if place == "result" else op("a", "acquire", at=1, **ends)
    held = history([first, op("b", "acquire", "lock", at=2.5, result=2)]).operations
    errors = {"a": ns(error_s), "b": ns(error_s)}
    assert judge_in_doubt(held, errors, lambda these: check(these, "lease")).status is status


def test_doubt_is_told_in_full() -> None:
    """With the greatest error, and what the stamps as written say."""
    verdict = judge_in_doubt(STALE, {"a": ns(0.5), "b": ns(1.5)}, as_register)
    assert verdict.guarantee == "register"
    written = as_register(STALE).reason
    assert verdict.reason == f"what contradicts it lies within what clocks may be off, 1500.000 ms ({written})"
    assert verdict.measures["operations_count"] == 3


def test_an_operation_is_stretched_at_both_ends_by_its_own_clients_error() -> None:
    """Others are what they were, and so are values that are no ends of leases."""
    asked = [
        op("a", "acquire", at=1, result={"expires_ns": 700, "n": 700}, expires_ns=900, ttl_ms=900),
        op("b", "acquire", at=2, took=None),
        op("c", "acquire", at=3, took=None),
    ]
    seen: list[Operation] = []

    def judge(operations: Sequence[Operation]) -> Verdict:
        seen[:] = operations
        return violated("x", Witness(anomaly="x", sentence="x"))

    judge_in_doubt(asked, {"a": 100, "b": 5}, judge)
    one, two, three = seen
    assert (one.invoked_ns, one.completed_ns) == (ns(1) - 100, ns(1.1) + 100)
    assert one.result == {"expires_ns": 600, "n": 700}
    assert one.notes == {"expires_ns": 800, "ttl_ms": 900}
    assert (two.invoked_ns, two.completed_ns, two.result) == (ns(2) - 5, None, None)
    assert three is asked[2]
