"""
What each client may rely on, told by name; and that a version has one value.
"""

from typing import Any

import pytest

from chaos.errors import UsageError
from chaos.history import Operation
from tests.checkers.judging import judge
from tests.history.build import op
from tests.telling import Told, proof, told


def read(client: str, at: float, version: int | None, value: Any = 1, took: float = 1) -> Operation:
    return op(client, "read", None, at, took, result=[version, value])


def write(client: str, at: float, version: int, value: Any = 1) -> Operation:
    return op(client, "write", value, at, 1, result=[version, value])


def test_sessions_that_keep_all_are_told_in_full() -> None:
    """Unfinished operations belong to none."""
    lines = [write("a", 0, 1), read("a", 2, 1), read("b", 4, 1), op("c", "read", None, 6, None)]
    reason = "2 sessions keep all four guarantees over 3 operations"
    assert told(judge("session", *lines)) == ("session", "holds", reason, {})
    none: Told = ("session", "unknown", "no operation completed", {})
    assert told(judge("session", op("c", "read", None, 6, None))) == none


def test_broken_guarantees_are_told_in_full() -> None:
    """The first with its operations, the others by name."""
    one = judge("session", read("a", 0, 3), read("a", 2, 2))
    sentence = "a read version 2 after it read version 3"
    assert told(one) == ("session", "violated", sentence, {"broken_count": 1})
    assert proof(one) == ("monotonic reads", sentence, [0, 1])
    lines = [write("a", 0, 3, 7), read("a", 2, 2), op("a", "cas", [1, 9], 4, 1, result=[1, [1, 9]])]
    several = judge("session", *lines)
    sentence = "a read version 2 after it wrote version 3"
    names = "read your writes, monotonic writes, writes follow reads"
    assert told(several) == ("session", "violated", f"{sentence} (broken: {names})", {"broken_count": 3})
    assert proof(several) == ("read your writes", sentence, [0, 1])
    two = judge("session", read("a", 0, 3), read("a", 2, 3), read("a", 4, 2), write("a", 6, 1))
    sentence = "a read version 2 after it read version 3"
    assert two.reason == f"{sentence} (broken: monotonic reads, writes follow reads)"
    assert proof(two) == ("monotonic reads", sentence, [0, 2])
    again = judge("session", read("a", 0, 3), write("a", 2, 3))
    assert proof(again) == ("writes follow reads", "a wrote version 3 after it read version 3", [0, 1])


def test_same_version_may_be_read_again() -> None:
    """A write makes a new one."""
    assert told(judge("session", write("a", 0, 3), read("a", 2, 3), read("a", 4, 3)))[1] == "holds"


def test_newest_version_so_far_is_the_one_to_keep_up_with() -> None:
    """Also when an older one was seen after it."""
    verdict = judge("session", read("a", 0, 9), read("a", 2, 5), read("a", 4, 7))
    assert told(verdict)[3] == {"broken_count": 2}


def test_operations_of_one_client_that_overlap_promise_nothing() -> None:
    """A client with several connections; the order of their ends counts."""
    assert told(judge("session", read("a", 0, 9, took=5), read("a", 1, 5)))[1] == "holds"
    lines = [read("a", 0, 9, took=9), read("a", 1, 5), read("a", 3, 4)]
    assert proof(judge("session", *lines)) == ("monotonic reads", "a read version 4 after it read version 5", [1, 2])


def test_nothing_read_is_version_zero() -> None:
    """As null, or as a pair of nulls."""
    for nothing in (None, [None, None], [0, None]):
        late = op("a", "read", None, 2, 1, result=nothing)
        assert proof(judge("session", write("a", 0, 1), late))[1] == "a read version 0 after it wrote version 1"


def test_version_with_two_values_is_told_in_full() -> None:
    """Whoever saw it."""
    verdict = judge("session", read("a", 0, 3, 1), read("b", 2, 3, 2))
    sentence = "version 3 had the value 1 and the value 2"
    assert proof(verdict) == ("ambiguous version", sentence, [0, 1])
    assert told(judge("session", read("a", 0, 0, 1), read("b", 2, 0, 2)))[1] == "holds"


def test_version_given_to_two_writes_is_told_in_full() -> None:
    """Even of the same value."""
    verdict = judge("session", write("a", 0, 3), write("b", 2, 3))
    assert proof(verdict) == ("version given twice", "two writes were given the version 3", [0, 1])


def test_cas_wrote_the_second_of_its_values() -> None:
    """A read may see that one and no other."""
    cas = op("a", "cas", [1, 9], 0, 1, result=[2, [1, 9]])
    assert told(judge("session", cas, read("b", 2, 2, 9)))[1] == "holds"
    sentence = "version 2 had the value 9 and the value 1"
    assert proof(judge("session", cas, read("b", 2, 2, 1))) == ("ambiguous version", sentence, [0, 1])
    single = op("a", "cas", [1, 9], 0, 1, result=[2, 9])
    assert told(judge("session", single, read("b", 2, 2, 9)))[1] == "holds"
    pair = op("a", "write", [1, 9], 0, 1, result=[2, [1, 9]])
    assert proof(judge("session", pair, read("b", 2, 2, [5, 9])))[0] == "ambiguous version"
    assert told(judge("session", pair, read("b", 2, 2, [1, 9])))[1] == "holds"


@pytest.mark.parametrize("result", [5, None, [1], [1, 2, 3], ["1", 2], ["1", None]])
def test_write_without_its_version_is_refused(result: Any) -> None:
    """Nothing could be said of it."""
    with pytest.raises(UsageError) as refused:
        judge("session", op("a", "write", 1, 0, 1, result=result))
    assert "#0 a write 1 -> ok" in str(refused.value)
    assert "the result must be a pair of version and value, not " in str(refused.value)
