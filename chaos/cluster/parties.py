"""
The parties of an experiment as values: what faults aim at and histories name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from chaos.errors import UsageError


@dataclass(frozen=True, slots=True)
class Party:
    """Anything with an address in an experiment."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Node(Party):
    """
    One server under test.

    :param process: the name of its server process, as the lab knows it.
    :param port: the data port that peers and clients use.
    """

    process: str = "server"
    port: int = 0


@dataclass(frozen=True, slots=True)
class Client(Party):
    """A process that performs operations, in a party of its own."""

    process: str = "worker"


@dataclass(frozen=True, slots=True)
class App(Party):
    """The user's own program as a party."""

    process: str = "app"


Target = Party | str | Iterable["Target"] | Callable[[], "Target"]
"""Whom a fault aims at: a party, its name, several, or a rule that is asked at injection (``cluster.leader``)."""


def resolve(target: Target) -> tuple[str, ...]:
    """The names of the parties that a target means now, each once, in the order given."""
    names = tuple(dict.fromkeys(_names(target)))
    if not names:
        raise UsageError("the target names no party at this moment: a fault without a target proves nothing")
    return names


def _names(target: Target) -> Iterable[str]:
    if isinstance(target, Party):
        yield target.name
    elif isinstance(target, str):
        yield target
    elif callable(target):
        yield from _names(target())
    elif isinstance(target, Iterable):
        for part in target:
            yield from _names(part)
    else:
        raise UsageError(f"a target is a party, a name, several of them or a function, not {target!r}")
