"""
What a type may hold before the first operation: whatever else is said is a mistake, and must not decide a verdict.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from chaos.checkers.calls import frozen
from chaos.errors import UsageError

_FALSE, _TRUE = ("bool", False), ("bool", True)


def _anything(value: Any) -> bool:
    return True


def _list(value: Any) -> bool:
    return isinstance(value, tuple) and value not in (_FALSE, _TRUE)


def _whole(value: Any) -> bool:
    return isinstance(value, int)


def _number(value: Any) -> bool:
    return not isinstance(value, str | tuple | frozenset)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _held(value: Any) -> bool:
    return value in (_FALSE, _TRUE)


_QUEUES = ("queue", "unordered-queue", "total-queue", "at-least-once-queue", "at-most-once-queue", "exactly-once-queue")
_ALLOWED: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    **dict.fromkeys(("register", "cas-register", "versioned-register"), (_anything, "any value")),
    **dict.fromkeys(("set", *_QUEUES), (_list, "a list of what is in it")),
    "mutex": (_held, "true (held) or false (free)"),
    "semaphore": (lambda value: _whole(value) and value >= 0, "a number of permits"),
    "counter": (_number, "a number"),
    "text": (_text, "a string"),
}


def check_initial(model: str, initial: object) -> None:
    """
    Refuse an initial value that the type has no place for.

    :raises UsageError: which says what the type may begin with.
    """
    if initial is None:
        return
    if model not in _ALLOWED:
        raise UsageError(f"a {model} has no other initial value than its own")
    allowed, what = _ALLOWED[model]
    if not allowed(frozen(initial)):
        raise UsageError(f"the initial value of a {model} is {what}, not {initial!r}")
