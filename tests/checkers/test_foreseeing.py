"""
What a search knows beforehand: states and operations by number, and the observers that are still to come.
"""

from dataclasses import replace

import pytest

from chaos.checkers import foreseeing
from chaos.checkers.calls import modelled
from chaos.checkers.foreseeing import Outlook
from chaos.checkers.numbering import Numbered
from chaos.history import Operation
from chaos.models import Foresight, Model, text
from tests.checkers.test_searching import STACK, told_of
from tests.history.build import history, op


def numbered(*lines: Operation, model: Model) -> Numbered:
    return Numbered(modelled(history(lines).operations, model, names={})[None], model)


def test_states_are_numbered_as_they_are_reached() -> None:
    """The initial one is 0; an operation that is not legal leads nowhere."""
    known = numbered(told_of("top", 0, result=1), told_of("push", 2, value=1), model=STACK)
    assert (known.legal(0, 0), known.step(1, 0), known.legal(0, 1), known.step(0, 1)) == (False, 1, True, 1)
    empty = numbered(told_of("pop", 0, None), told_of("push", 2, value=1), model=STACK)
    assert (empty.legal(0, 0), empty.step(0, 0), empty.states) == (True, 0, [()])
    lost = numbered(op("a", "get", None, 0, 1, result="b"), model=text("x"))
    assert lost.states == [None]
    assert numbered(op("a", "get", None, 0, 1, result="xy"), model=text("x")).states == ["x"]


ABOUT = Foresight(
    about=lambda argument: argument[1],
    leads=lambda state, observer: False,
    rescues=lambda mutator, observer: mutator[2] == observer[2],
)


def outlook(*lines: Operation) -> Outlook:
    """Every operation a class of its own; ``see`` observes."""
    part = modelled(history(lines).operations, replace(STACK, foresight=ABOUT), names={})[None]
    arguments = [(call.f, call.value, call.result) for call in part]
    found = Outlook(ABOUT, part, range(len(part)), arguments)
    for index, call in enumerate(part):
        found.enter(index, call.begin, observing=call.f == "see")
    return found


def test_mutators_wait_for_a_return_about_their_own_part() -> None:
    """Unless one of them, or the return, is about any part."""
    apart = outlook(told_of("push", 0, value="x"), told_of("push", 1, value="y"), told_of("push", 2, value=None))
    assert apart.together("x", [0, 1]) == [0]
    assert apart.together(None, [0, 1]) == [0, 1]
    assert apart.together("x", [0, 1, 2]) == [0, 1, 2]


def test_observers_are_watched_that_nobody_called_later_rescues(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are open, and the next to be called; with the open mutators that may."""
    found = outlook(
        told_of("push", 0, 30, value="x", result=1),
        told_of("push", 1, 30, value="x", result=1),
        told_of("push", 1, 30, value="x", result=2),
        told_of("push", 1, 30, value="y", result=1),
        told_of("see", 2, 30, value="x", result=1),
        told_of("see", 6, 3, value="x", result=2),
        told_of("see", 7, 1, value="x", result=1),
        told_of("push", 10, 1, value="x", result=2),
    )
    now, open_ = 8_000_000_000, {0: [(9, 0, 1)], 1: [(9, 1, 2)], 2: [(9, 2, 4)], 3: [(9, 3, 8)]}
    watched = found.watched("x", now, [(4, 16, 64_000_000_001)], open_)
    assert watched == [(4, 16, 3), (5, 0, 4)]
    assert found.watched("y", now, [(4, 16, 64_000_000_001)], open_) == []
    assert found.watched("x", 14_000_000_000, [], open_) == []
    longer = [(5, 32, 22_000_000_001)]
    assert found.watched("x", 14_000_000_000, longer, open_) == []
    monkeypatch.setattr(foreseeing, "FARTHEST", 1)
    assert found.watched("x", now, [(4, 16, 64_000_000_001)], open_) == watched
    monkeypatch.setattr(foreseeing, "FARTHEST", 0)
    assert found.watched("x", now, [(4, 16, 64_000_000_001)], open_) == watched[1:]
