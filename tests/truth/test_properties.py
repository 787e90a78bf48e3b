"""
What must not change a verdict, and how it may change.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.checkers import check
from chaos.history import Operation
from chaos.verdict import Status, Verdict
from tests.truth.histories import some_history
from tests.truth.kinds import TYPES, Type

SEARCHED = [name for name, kind in TYPES.items() if kind.keeps is None]
OF_VALUES = ["register", "unique-register", "set", "grow-only-set", "queue"]
KEYED = ["register", "cas-register", "mutex", "semaphore", "set", "queue", "counter", "text"]
OBSERVERS = ("read", "contains", "get")

seeds = st.integers(0, 2**32)
quick = settings(max_examples=60, deadline=None)


def judged(kind: Type, operations: list[Operation], **options: Any) -> Verdict:
    return check(operations, kind.model, initial=kind.given, **options)


def everywhere(value: Any, change: Callable[[int], Any]) -> Any:
    """A JSON value with each number changed."""
    if isinstance(value, list):
        return [everywhere(each, change) for each in value]
    return change(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("name", SEARCHED)
@given(seed=seeds)
@quick
def test_who_did_it_does_not_matter(name: str, seed: int) -> None:
    """To what is one order of all operations; transactions have sessions, so there the renaming is one to one."""
    kind = TYPES[name]
    operations = some_history(kind, Random(seed))
    renamed = [replace(each, client=f"another {each.client}") for each in operations]
    assert judged(kind, renamed).status is judged(kind, operations).status


@pytest.mark.parametrize("name", OF_VALUES)
@given(seed=seeds)
@quick
def test_what_values_are_called_does_not_matter(name: str, seed: int) -> None:
    """They are only compared."""
    kind = TYPES[name]
    operations = some_history(kind, Random(seed))
    renamed = [
        replace(
            each,
            value=everywhere(each.value, lambda number: f"v{number}"),
            result=everywhere(each.result, lambda number: f"v{number}"),
        )
        for each in operations
    ]
    assert judged(kind, renamed).status is judged(kind, operations).status


@pytest.mark.parametrize("name", SEARCHED)
@given(seed=seeds, stretch=st.integers(2, 1000), shift=st.integers(0, 10**9))
@quick
def test_when_the_clock_began_does_not_matter(name: str, seed: int, stretch: int, shift: int) -> None:
    """Nor in which unit it counts."""
    kind = TYPES[name]
    operations = some_history(kind, Random(seed))
    moved = [
        replace(
            each,
            invoked_ns=each.invoked_ns * stretch + shift,
            completed_ns=None if each.completed_ns is None else each.completed_ns * stretch + shift,
        )
        for each in operations
    ]
    assert judged(kind, moved).status is judged(kind, operations).status


@pytest.mark.parametrize("name", KEYED)
@given(one=seeds, other=seeds)
@quick
def test_keys_are_judged_each_alone(name: str, one: int, other: int) -> None:
    """Two objects hold exactly if each does, and the witness is of one of them."""
    kind = TYPES[name]
    parts = {key: some_history(kind, Random(seed)) for key, seed in (("x", one), ("y", other))}
    both = [replace(each, value=[key, each.value]) for key, part in parts.items() for each in part]
    verdict = judged(kind, both, by_key=True)
    alone = {judged(kind, part).status for part in parts.values()}
    assert verdict.status is (Status.VIOLATED if Status.VIOLATED in alone else Status.HOLDS)
    if verdict.witness is not None:
        assert len({each.value[0] for each in verdict.witness.operations}) == 1


@pytest.mark.parametrize("name", SEARCHED)
@given(seed=seeds, longer=st.integers(0, 30))
@quick
def test_an_operation_that_took_longer_excuses_more(name: str, seed: int, longer: int) -> None:
    """What held still holds when intervals grow."""
    kind = TYPES[name]
    if kind.model == "list-append":
        return  # Sessions are in order of time too.
    operations = some_history(kind, Random(seed))
    grown = [
        each if each.completed_ns is None else replace(each, completed_ns=each.completed_ns + longer)
        for each in operations
    ]
    if judged(kind, operations).status is Status.HOLDS:
        assert judged(kind, grown).status is Status.HOLDS


@pytest.mark.parametrize(
    "name", [name for name in SEARCHED if name not in ("mutex", "semaphore", "queue", "list-append")]
)
@given(seed=seeds, place=st.integers(0, 20))
@quick
def test_who_asks_less_finds_less(name: str, seed: int, place: int) -> None:
    """Without one of its observers a history that held still holds."""
    kind = TYPES[name]
    operations = some_history(kind, Random(seed))
    reads = [each for each in operations if each.f in OBSERVERS]
    if reads and judged(kind, operations).status is Status.HOLDS:
        operations.remove(reads[place % len(reads)])
        assert judged(kind, operations).status is Status.HOLDS


@pytest.mark.parametrize("name", SEARCHED)
@given(seed=seeds)
@quick
def test_a_witness_is_a_violation_by_itself(name: str, seed: int) -> None:
    """And is not made smaller by asking again."""
    kind = TYPES[name]
    verdict = judged(kind, some_history(kind, Random(seed)))
    if verdict.witness is not None:
        again = judged(kind, list(verdict.witness.operations))
        assert again.status is Status.VIOLATED
