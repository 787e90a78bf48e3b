"""
The one bounded polling loop. ``sleep`` appears here and nowhere else.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from chaos.errors import ChaosError, HarnessError, said

T = TypeVar("T")

FAST_S = 0.002
CALM_S = 0.02
__tracebackhide__ = said

Watcher = Callable[[str, float], None]
watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)
"""Told by every wait of this thread what it wants and how many seconds it has left, for a person who watches."""


def monotonic_ns() -> int:
    """The clock of every stamp in a history: the kernel's monotonic clock, the same in all parties of a local lab."""
    return time.monotonic_ns()


def wait_until(
    condition: Callable[[], T | None],
    *,
    within_s: float,
    wanted: str,
    seen: Callable[[], object] | None = None,
    every_s: float = CALM_S,
    error: type[Exception] = HarnessError,
    forgive: tuple[type[Exception], ...] = (),
) -> T:
    """
    Poll ``condition`` until it returns something true, and return that.

    :param within_s: bound in seconds; on expiry ``error`` is raised and says what was wanted and what was last seen.
    :param seen: describes the last observation for the message; without it the condition's last value is shown.
    :param every_s: pause between two tries, in seconds.
    :param forgive: exceptions of a try that count as "not yet"; the last one is shown on expiry.
    """
    if within_s <= 0:
        raise HarnessError(f"a wait needs a positive bound, not {within_s!r} s (wanted: {wanted})")
    deadline = time.monotonic() + within_s
    watching = watcher.get()
    last: object = None
    while True:
        try:
            last = condition()
        except forgive as problem:
            last = problem
        else:
            if last:
                return last
        if time.monotonic() >= deadline:
            raise error(f"wanted: {wanted}, within {within_s:g} s; last seen: {_describe(last, seen)}")
        if watching is not None:
            watching(wanted, deadline - time.monotonic())
        time.sleep(min(every_s, max(0.0, deadline - time.monotonic())))


def _describe(last: object, seen: Callable[[], object] | None) -> object:
    if seen is None:
        return last if last is not None else "nothing"
    try:
        return seen()
    except (OSError, ChaosError) as problem:
        return f"{last!r} (and looking again failed: {problem})"
