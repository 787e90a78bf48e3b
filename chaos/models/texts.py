"""
A text that clients put, append to and get.

Source: the key-value service of MIT's course 6.824 and its test with Porcupine.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

from chaos.models.model import ILLEGAL, Argument, Foresight, Kind, Model, State

_KINDS = {"get": Kind.OBSERVER, "put": Kind.OVERWRITER, "append": Kind.TOTAL}
LOST = None
"""A text that is no beginning of any that was read: only a put leads out of it."""


def _text_step(state: Any, f: str, value: Any, result: Any) -> State:
    if f == "get":
        return state if state == result else ILLEGAL
    if f == "put":
        return value  # type: ignore[no-any-return]
    return LOST if state is LOST else state + value  # type: ignore[no-any-return]


def _text_kind(f: str, value: Any, result: Any) -> Kind:
    return _KINDS[f]


def _beginnings(results: Sequence[Any]) -> Callable[[State], State]:
    """From a text to itself if one of these begins with it, else to ``LOST``."""
    ordered = sorted(set(results))

    def alike(state: State) -> State:
        if state is LOST:
            return LOST
        place = bisect_left(ordered, state)
        return state if place < len(ordered) and ordered[place].startswith(state) else LOST

    return alike


def _begins(state: Any, observer: Argument) -> bool:
    return state is not LOST and observer[2].startswith(state)


def text(initial: State = None) -> Model:
    """One text: get, put, append."""

    def rescues(mutator: Argument, observer: Argument) -> bool:
        return mutator[0] == "put" and observer[2].startswith(mutator[1])

    def alike(observers: Sequence[Argument]) -> Callable[[State], State]:
        return _beginnings([result for _, _, result in observers])

    foresight = Foresight(about=lambda argument: None, leads=_begins, rescues=rescues, alike=alike)
    return Model(name="text", init=initial or "", step=_text_step, kind=_text_kind, foresight=foresight)
