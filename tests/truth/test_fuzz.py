"""
A small seeded slice of the nightly fuzz: the checkers agree with brute force.
"""

import os
from dataclasses import replace
from random import Random

import pytest

from chaos.history import Outcome
from tests.history.build import op
from tests.truth import fuzz
from tests.truth.brute import explains
from tests.truth.comparing import Tally, disagreements
from tests.truth.histories import some_history
from tests.truth.kinds import TYPES

HISTORIES = int(os.environ.get("FUZZ_HISTORIES", "1500"))
"""Mutation testing takes fewer: it runs them thousands of times."""


@pytest.mark.parametrize("name", TYPES)
def test_checker_and_oracle_agree(name: str) -> None:
    """On correct, changed and random histories; witnesses prove, linearizations replay."""
    tally = Tally()
    assert list(disagreements(TYPES[name], range(HISTORIES), 11, tally)) == []
    assert tally.histories == HISTORIES
    assert HISTORIES / 10 < tally.holding < HISTORIES * 0.95


def test_the_oracle_accepts_and_rejects() -> None:
    """By hand: a stale read, and the same read while both writes were open."""
    stale = [op("a", "write", 1, 0, 1), op("a", "write", 2, 2, 1), op("b", "read", None, 4, 1, result=1)]
    assert not explains(TYPES["register"], stale)
    assert explains(TYPES["register"], [op("a", "write", 1, 0, 9), op("c", "write", 2, 2, 9), stale[2]])


def test_the_oracle_lets_an_unfinished_write_happen_late_or_never() -> None:
    """As ``info`` means."""
    crashed = op("a", "write", 1, 0, None)
    reads = [op("b", "read", None, 1, 1, result=None), op("b", "read", None, 3, 1, result=1)]
    assert explains(TYPES["register"], [crashed, *reads])
    assert explains(TYPES["register"], [crashed, reads[0]])
    assert not explains(TYPES["register"], [crashed, *reads, op("b", "read", None, 5, 1, result=None)])


def test_histories_are_of_many_sorts() -> None:
    """Crashes, refusals and equal stamps are all there."""
    found = [each for seed in range(200) for each in some_history(TYPES["cas-register"], Random(seed))]
    assert {each.outcome for each in found} == set(Outcome)
    stamps = [each.invoked_ns for each in some_history(TYPES["cas-register"], Random(3))]
    assert stamps == sorted(stamps)


def test_the_command_says_how_many_agreed_and_how_fast(capsys: pytest.CaptureFixture[str]) -> None:
    """With as many processes as were asked for, and the same histories each time."""
    arguments = ["mutex", "--histories", "1200", "--seed", "5"]
    assert fuzz.main(arguments) == 0
    alone = capsys.readouterr().out
    assert fuzz.main([*arguments, "--processes", "2"]) == 0
    assert [line.split(" disagreements")[0] for line in alone.splitlines()] == [
        line.split(" disagreements")[0] for line in capsys.readouterr().out.splitlines()
    ]
    assert "in all: 1200 histories, 0 disagreements, seed 5" in alone


def test_a_disagreement_is_shown_with_how_to_replay_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And makes the exit code 1: here the oracle believes that the lock was held at first."""
    monkeypatch.setitem(TYPES, "mutex", replace(TYPES["mutex"], initial=True))
    assert fuzz.main(["mutex", "--histories", "200", "--seed", "5"]) == 1
    first = capsys.readouterr().out.splitlines()[0]
    command, _, problem = first.partition(": ")
    assert fuzz.main(command.split()) == 1
    assert problem.split(" (")[0] in capsys.readouterr().out


def test_the_time_ends_the_fuzz() -> None:
    """Whatever is left."""
    assert list(fuzz.chunks(["mutex"], 10**9, 1, until=0.0)) == []
    with pytest.raises(SystemExit):
        fuzz.main(["all", "--replay", "3"])
