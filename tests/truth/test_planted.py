"""
A correct system's history holds; with one anomaly planted, it is violated by that name.
"""

from dataclasses import replace
from random import Random

import pytest

from chaos.checkers import check
from chaos.history import Operation
from chaos.verdict import Status
from tests.truth.histories import correct
from tests.truth.kinds import TYPES
from tests.truth.planted import ALL, Line, planted

NAMES = [f"{name}, {anomaly}, {place}" for place, (name, anomaly, _) in enumerate(ALL)]


def base(name: str, seed: int, size: int = 60) -> list[Operation]:
    """A correct history, its queue drained, its lock free at the end."""
    rng = Random(seed)
    kind = TYPES[name]
    if name == "mutex" or name == "equal-semaphore":
        return []
    if not name.endswith("queue"):
        return correct(kind, rng, 5, size, 5, crash=0.1)
    final = None if name == "redelivery-queue" else ("drain", None)
    kind = replace(kind, apply=TYPES["queue"].apply, invent=TYPES["queue"].invent, final=final)
    return correct(replace(kind, initial=()), rng, 5, size, 5, crash=0.0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "anomaly", "lines"),
    ALL,
    ids=[f"{name}, {anomaly}, {place}" for place, (name, anomaly, _) in enumerate(ALL)],
)
def test_a_planted_anomaly_is_found_by_its_name(name: str, anomaly: str, lines: list[Line], seed: int) -> None:
    """And without it the verdict is holds, so it is this anomaly that was found."""
    kind = TYPES[name]
    before = base(name, seed)
    assert check(before, kind.model, initial=kind.given).status is Status.HOLDS or not before
    verdict = check(planted(before, lines), kind.model, initial=kind.given)
    assert verdict.status is Status.VIOLATED
    assert verdict.witness is not None
    assert verdict.witness.anomaly == anomaly
    assert {each.client for each in verdict.witness.operations if each.client.startswith("planted")}


@pytest.mark.parametrize("name", TYPES)
def test_longer_correct_histories_hold(name: str) -> None:
    """With crashes, up to a few hundred operations."""
    kind = TYPES[name]
    if kind.crashing or kind.keeps is not None:
        return
    for seed in range(3):
        operations = correct(kind, Random(seed), 5, 200, 6, crash=0.05, late=20)
        verdict = check(operations, kind.model, initial=kind.given, budget_s=20, failed_cas="mismatch")
        assert verdict.status is Status.HOLDS, (seed, str(verdict))
