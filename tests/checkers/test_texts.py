"""
Texts that are put, appended to and got; many of them in one state; and what a search foresees.
"""

from dataclasses import replace

import pytest

from chaos.checkers import check, linearized
from chaos.checkers.budget import Budget
from chaos.checkers.engine import Search
from chaos.errors import UsageError
from chaos.history import Operation
from chaos.models import keyed, text
from chaos.verdict import Status
from tests.history.build import history, op


def put(key: int, value: str, at: float, took: float | None = 1) -> Operation:
    return op("a", "put", [key, value], at, took)


def append(key: int, value: str, at: float, took: float | None = 1) -> Operation:
    return op("b", "append", [key, value], at, took)


def get(key: int, result: str, at: float, took: float | None = 1) -> Operation:
    return op("c", "get", [key, None], at, took, result=result)


def single(*operations: Operation) -> list[Operation]:
    """The same of one text."""
    return [replace(each, value=each.value[1]) for each in history(operations).operations]


def status(*operations: Operation) -> Status:
    verdict = check(history(operations).operations, keyed(text()))
    assert verdict.status is check(history(operations).operations, "text", by_key=True).status
    return verdict.status


def test_a_text_is_what_was_put_and_appended_in_order() -> None:
    """And nothing before it was put."""
    steps = [put(0, "a", 0), append(0, "b", 2), append(0, "c", 4)]
    assert status(*steps, get(0, "abc", 6)) is Status.HOLDS
    assert status(*steps, get(0, "acb", 6)) is Status.VIOLATED
    assert status(get(0, "", 0)) is Status.HOLDS
    assert check(single(get(0, "before", 0)), "text", initial="before").status is Status.HOLDS


def test_appends_at_the_same_time_come_in_either_order_but_in_one() -> None:
    """Two gets must agree on it."""
    steps = [append(0, "b", 0, 5), append(0, "c", 0, 5)]
    assert status(*steps, get(0, "cb", 6)) is Status.HOLDS
    assert status(*steps, get(0, "cb", 6), get(0, "bc", 8)) is Status.VIOLATED


def test_what_never_returned_may_come_late_or_never() -> None:
    """A put that never returned excuses a text that starts anew."""
    lost = put(0, "x", 0, None)
    assert status(lost, append(0, "b", 1), get(0, "b", 3)) is Status.HOLDS
    assert status(lost, append(0, "b", 1), get(0, "b", 3), get(0, "x", 5)) is Status.HOLDS
    assert status(append(0, "b", 1), get(0, "b", 3), get(0, "x", 5)) is Status.VIOLATED


def test_a_put_that_is_called_later_rescues_a_text_that_leads_nowhere() -> None:
    """So the search must not give up on it."""
    assert status(append(0, "b", 0), get(0, "c", 2, 9), put(0, "c", 5)) is Status.HOLDS
    assert status(append(0, "b", 0), get(0, "c", 2, 2), put(0, "c", 5)) is Status.VIOLATED


def test_texts_under_other_keys_do_not_matter() -> None:
    """Neither to legality nor to the order."""
    others = [append(key, "z", 0, 20) for key in range(1, 12)]
    assert status(*others, append(0, "b", 1), get(0, "b", 3), get(1, "z", 30)) is Status.HOLDS
    assert status(*others, append(0, "b", 1), get(0, "", 3), get(1, "z", 30)) is Status.VIOLATED


def test_a_search_with_foresight_looks_at_far_fewer_configurations() -> None:
    """Ten appends at once under ten keys: without it each subset of them is a configuration."""
    calls = [append(key, "z", 0, 9) for key in range(10)] + [get(key, "z", 10 + key) for key in range(10)]
    operations, model = history(calls).operations, keyed(text())
    blind = check(operations, replace(model, foresight=None))
    seeing = check(operations, model)
    assert blind.status is seeing.status is Status.HOLDS
    assert blind.measures["configurations_count"] > 40 * seeing.measures["configurations_count"]


def test_the_witness_is_found_though_the_search_gave_up_early() -> None:
    """It names the get that nobody can explain, which comes after the append where the search ended."""
    verdict = check(single(append(0, "b", 0), append(0, "c", 2), put(1, "q", 3), get(0, "bx", 4)), "text")
    assert verdict.witness is not None
    assert verdict.witness.operations[-1].f == "get"
    assert "no order explains #3 c get -> ok bx" in verdict.witness.sentence


def test_texts_are_strings() -> None:
    """Anything else is bad input, with the operation."""
    with pytest.raises(UsageError, match="a text is a string"):
        check([op("a", "put", 7)], "text")
    with pytest.raises(UsageError, match="a text is a string"):
        check([op("a", "get", None, result=7)], "text")


def test_a_linearization_of_texts_is_replayed() -> None:
    """Also where the states that no get can tell apart were merged."""
    operations = single(append(0, "b", 0), get(0, "b", 2), append(0, "c", 4), put(0, "d", 6), get(0, "d", 8))
    found = linearized(operations, "text")
    assert found is not None
    assert [each.f for each in found[None]] == ["append", "get", "append", "put", "get"]


def test_a_model_without_foresight_is_searched_as_before() -> None:
    """An empty history too."""
    assert Search([], replace(text(), foresight=None), Budget(1)).run() is None
    assert Search([], keyed(text()), Budget(1)).run() is None


def test_of_equal_appends_that_return_at_once_either_may_be_the_last() -> None:
    """What never returned comes between them; the fuzz found it, one history in 200,000."""
    appends = [append(0, "a", 1), append(0, "a", 2, 3), append(0, "a", 4, 1)]
    assert status(put(0, "d", 0, None), *appends, get(0, "da", 6)) is Status.HOLDS
