"""
Who will do what in a run: a client's name, its workload and its arguments, before any process exists.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.history.records import empty

Reach = Callable[[str, int], tuple[str, int]]
"""(party, port) to the (host, port) as this client must use it."""
Arguments = Mapping[str, Any] | Callable[[Reach], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPlan:
    """
    One client of a run.

    :param workload: ``module:function``; the function is called with a ``Worker`` and the arguments.
    :param arguments: JSON values, or a function of ``reach`` that makes them once the client has its place.
    :param hold: named points at which the client waits until the run lets it go.
    :param interpreter: the Python of a virtual environment of its own, for client libraries that exclude each other.
    """

    name: str
    workload: str
    arguments: Arguments = field(default_factory=empty)
    hold: tuple[str, ...] = ()
    interpreter: str | None = None

    def resolved(self, reach: Reach) -> Mapping[str, Any]:
        """The arguments as JSON values."""
        return self.arguments(reach) if callable(self.arguments) else self.arguments
