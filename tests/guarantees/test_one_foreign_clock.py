"""
All clients under one other kernel, as with Docker Desktop: their order is exact, and only what was seen from outside is in doubt.
"""

from collections.abc import Callable

import pytest

from chaos.guarantees import (
    acked_writes_survive,
    counts_match,
    exclusive_writes,
    fresh_reads,
    lease_kept,
    linearizable,
    lock_is_freed_within,
    lock_is_kept,
    mutual_exclusion,
    only_owner_releases,
)
from chaos.history import History, Operation
from chaos.verdict import Status, Verdict
from tests.history.build import history, ns, op

ERROR = ns(0.5)
CLOSE = 0.01
"""So little lies between what breaks a promise and what keeps it: far less than the clocks may be off."""
Judge = Callable[[History], Verdict]


BROKEN: dict[str, tuple[Judge, list[Operation]]] = {
    "mutual_exclusion": (
        mutual_exclusion,
        [
            op("a", "acquire", "l", 1),
            op("b", "acquire", "l", 2),
            op("a", "release", "l", 2.1 + CLOSE),
            op("b", "release", "l", 3),
        ],
    ),
    "only_owner_releases": (
        only_owner_releases,
        [
            op("a", "acquire", "l", 1),
            op("b", "acquire", "l", 1.1 + CLOSE),
            op("a", "release", "l", 1.2 + 2 * CLOSE, result=1),
        ],
    ),
    "linearizable": (
        linearizable,
        [
            op("a", "write", ["r", [None, "x"]], 1, result=[1, "x"]),
            op("b", "read", ["r", None], 1.1 + CLOSE, result=[0, None]),
        ],
    ),
    "fresh_reads": (fresh_reads, [op("a", "write", at=1, revision=2), op("b", "read", at=1.1 + CLOSE, revision=1)]),
    "exclusive_writes": (
        exclusive_writes,
        [
            op("a", "acquire", "l", 1, result=1),
            op("b", "acquire", "l", 2, result=2),
            op("b", "write", "b:1", 3, holder="b", token=2),
            op("a", "write", "a:1", 3.1 + CLOSE, holder="a", token=1),
        ],
    ),
    "lock_is_kept": (
        lock_is_kept,
        [op("a", "acquire", "l", 1, expires_ns=ns(3)), op("a", "check", "l", 2.9 - CLOSE, result=False)],
    ),
    "lease_kept": (
        lease_kept,
        [
            op("a", "acquire", "l", 1, lease="7", expires_ns=ns(3)),
            op("a", "check", "l", 2.9 - CLOSE, result=False, lease="7"),
        ],
    ),
    "counts_match": (counts_match, [op("a", "incr", at=1), op("b", "final-read", at=1.1 + CLOSE, result=0)]),
    "acked_writes_survive": (
        acked_writes_survive,
        [op("a", "add", 1, 1), op("a", "add", 2, 1.2), op("b", "final-read", at=1.3 + CLOSE, result=[1])],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_clients_of_one_clock_show_of_each_other_is_beyond_doubt(name: str) -> None:
    """And with a clock each it is none: never violated, by so little."""
    judge, operations = BROKEN[name]
    errors = {"a": ERROR, "b": ERROR}
    assert judge(history(operations)).status is Status.VIOLATED
    together = history(operations, clock_error_ns=errors, clocks={"a": "vm", "b": "vm"})
    assert judge(together).status is Status.VIOLATED
    apart = history(operations, clock_error_ns=errors, clocks={"a": "vm", "b": "vm 2"})
    assert judge(apart).status is not Status.VIOLATED or name in ("lock_is_kept", "lease_kept")
    assert judge(history(operations, clock_error_ns=errors)).status is not Status.VIOLATED


def test_what_the_observer_asked_is_in_doubt_beside_them() -> None:
    """It stretches by the error, and they do not."""
    write = op("a", "write", ["r", [None, "x"]], 1, result=[1, "x"])
    for at, status in ((1.2, Status.UNKNOWN), (1.7, Status.VIOLATED)):
        read = op("observer", "read", ["r", None], at, result=[0, None])
        recorded = history([write, read], clock_error_ns={"a": ERROR}, clocks={"a": "vm"})
        assert linearizable(recorded).status is status


def test_a_wait_for_a_lock_that_a_fault_began_is_in_doubt_once() -> None:
    """From the observer's stamp to a client's: one error, not two."""
    operations = [
        op("a", "acquire", "l", 1),
        op("a", "release", "l", 2),
        op("b", "acquire", "l", 2.2, outcome="fail"),
        op("b", "acquire", "l", 4),
    ]
    recorded = history(operations, clock_error_ns={"a": ERROR, "b": ERROR}, clocks={"a": "vm", "b": "vm"})
    assert lock_is_freed_within(1.2)(recorded).status is Status.VIOLATED
    assert lock_is_freed_within(1.5)(recorded).status is Status.UNKNOWN


def test_a_client_that_neither_read_nor_wrote_has_no_part_in_it() -> None:
    """Be its clock what it may."""
    judge, operations = BROKEN["fresh_reads"]
    errors, clocks = {"a": ERROR, "b": ERROR, "c": ERROR}, {"a": "vm", "b": "vm", "c": "vm 2"}
    recorded = history([*operations, op("c", "acquire", "l", 1)], clock_error_ns=errors, clocks=clocks)
    assert judge(recorded).status is Status.VIOLATED
