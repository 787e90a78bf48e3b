"""
A promise narrowed to some clients or one kind says so in its name and in its words.
"""

import pytest

from chaos.errors import UsageError
from chaos.guarantees import acked_writes_survive, among, mutual_exclusion, of_client, of_kind, recovers
from tests.history.build import fault, history, op


def test_narrowed_promise_says_to_whom() -> None:
    """In the words of the promise itself."""
    survive = "A write that was acknowledged is there when all is over."
    assert of_client(acked_writes_survive, "c1").promise == f"{survive} (operations of c1)"
    exclusion = "At no instant do two clients believe that they hold one lock."
    assert among(mutual_exclusion, "a", "b").promise == f"{exclusion} (among a and b)"
    again = "Once the fault heals, operations are acknowledged again."
    assert of_kind(recovers, "acquire").promise == f"{again} ('acquire' operations)"


def test_final_reads_count_whoever_asked_them() -> None:
    """The one client's writes are looked for in them."""
    recorded = history([op("a", "add", 1), op("b", "add", 2), op("o", "final-read", at=9, result=[1, 2])])
    verdict = of_client(acked_writes_survive, "a")(recorded)
    assert (verdict.guarantee, verdict.reason) == (
        "acked_writes_survive[a]",
        "all 1 acknowledged writes are in the final read",
    )


def test_refusals_to_narrow_say_why() -> None:
    """And whom they are about."""
    with pytest.raises(UsageError) as alone:
        of_client(mutual_exclusion, "a")
    assert str(alone.value) == "mutual_exclusion is a promise between clients: it cannot be judged for a alone"
    with pytest.raises(UsageError) as few:
        among(mutual_exclusion, "a", "a")
    assert str(few.value) == "a promise between clients needs two of them, not a, a"
    with pytest.raises(UsageError) as none:
        among(mutual_exclusion)
    assert str(none.value) == "a promise between clients needs two of them, not none"
    with pytest.raises(UsageError) as group:
        among(recovers, "a", "b")
    assert str(group.value) == "recovers cannot be judged among some clients: it depends on what the others did"
    with pytest.raises(UsageError) as kind:
        of_kind(mutual_exclusion, "acquire")
    assert str(kind.value) == "mutual_exclusion needs all its operations: it cannot be judged for 'acquire' alone"


def test_promise_applies_where_all_it_needs_was_done() -> None:
    """One kind of two is not enough."""
    assert not acked_writes_survive.applies(history([op("a", "add", 1)]))
    assert acked_writes_survive.applies(history([op("a", "add", 1), op("o", "final-read"), op("a", "get")]))
    assert recovers.applies(history([], [fault(1, 2)]))
