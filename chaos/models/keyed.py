"""
Many objects of one type in one state, for operations about one of them each.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from chaos.models.model import ILLEGAL, Argument, Foresight, Kind, Model, State


def keyed(model: Model) -> Model:
    """
    The objects of a store, each as the model says; values are ``[key, value]``, results those of the model.

    A history is judged faster in parts (``Model.key``, or ``check(..., by_key=True)``). This is for stores whose operations
    are not all about one key: it is where a model of such a store begins.
    """
    name = f"{model.name} by key"
    ahead = None if model.foresight is None else _foresight(model, model.foresight)
    return Model(name=name, init=(), step=_step(model), kind=_kind(model), foresight=ahead)


def _split(argument: Argument) -> tuple[Hashable, Argument]:
    f, (key, value), result = argument
    return key, (f, value, result)


def _at(state: Any, key: Hashable, otherwise: State) -> State:
    return next((each for own, each in state if own == key), otherwise)


def _with(state: Any, key: Hashable, after: State, init: State) -> State:
    others = [pair for pair in state if pair[0] != key]
    return tuple(sorted([*others, (key, after)] if after != init else others, key=repr))


def _step(model: Model) -> Callable[[State, str, Any, Any], State]:
    def step(state: State, f: str, value: Any, result: Any) -> State:
        key, argument = _split((f, value, result))
        before = _at(state, key, model.init)
        after = model.step(before, *argument)
        return ILLEGAL if after is ILLEGAL else _with(state, key, after, model.init)

    return step


def _kind(model: Model) -> Callable[[str, Any, Any], Kind]:
    def kind(f: str, value: Any, result: Any) -> Kind:
        found = model.kind(*_split((f, value, result))[1])
        return Kind.TOTAL if found is Kind.OVERWRITER else found

    return kind


def _foresight(model: Model, inner: Foresight) -> Foresight:
    def about(argument: Argument) -> Hashable:
        return argument[1][0]  # type: ignore[no-any-return]

    def leads(state: State, observer: Argument) -> bool:
        key, argument = _split(observer)
        return inner.leads(_at(state, key, model.init), argument)

    def rescues(mutator: Argument, observer: Argument) -> bool:
        (key, doing), (other, seeing) = _split(mutator), _split(observer)
        return key == other and inner.rescues(doing, seeing)

    return Foresight(about=about, leads=leads, rescues=rescues, alike=_alike(model, inner))


def _alike(model: Model, inner: Foresight) -> Callable[[Sequence[Argument]], Callable[[State], State]] | None:
    single = inner.alike
    if single is None:
        return None

    def alike(observers: Sequence[Argument]) -> Callable[[State], State]:
        seen: dict[Hashable, list[Argument]] = {}
        for observer in observers:
            key, argument = _split(observer)
            seen.setdefault(key, []).append(argument)
        by_key = {key: single(arguments) for key, arguments in seen.items()}
        nothing = single([])

        def of(state: Any) -> State:
            return tuple((key, by_key.get(key, nothing)(each)) for key, each in state)

        return of

    return alike
