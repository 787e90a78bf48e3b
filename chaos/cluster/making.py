"""
What a ``make_<system>`` fixture is: a start bound to the test's lab, whose clusters end with the test.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any, Protocol, TypeVar

from chaos.errors import UsageError


class Closing(Protocol):
    """A cluster, for whoever only ends it."""

    def close(self) -> None:
        """Stop watching it; its processes end with the lab."""
        ...


C = TypeVar("C", bound=Closing)


@contextmanager
def making(name: str, start: Callable[..., C], lab: Any) -> Iterator[Callable[..., C]]:
    """
    ``start(lab, ...)`` as a factory; mistyped options are answered with those that there are.

    :param name: the factory's own name, for that answer.
    """
    started: list[C] = []
    options = [option for option in signature(start).parameters if option != "lab"]

    def make(**arguments: Any) -> C:
        for option in arguments:
            if option not in options:
                raise UsageError(f"{name}() has no option {option!r}; it has {', '.join(options)}")
        cluster = start(lab, **arguments)
        started.append(cluster)
        return cluster

    try:
        yield make
    finally:
        for cluster in started:
            cluster.close()
