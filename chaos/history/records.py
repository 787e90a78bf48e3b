"""
What a run is made of: operations, faults, observations and phases, on one clock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

SCHEMA = 1

Value = Any
"""A JSON value: None, bool, int, float, str, list or dict of them."""


def empty() -> Mapping[str, Any]:
    """The default of every optional mapping: nothing, and not to be written to."""
    return MappingProxyType({})


class Outcome(StrEnum):
    """What the client knows of an operation after it ended."""

    OK = "ok"
    """It happened: the server acknowledged it."""
    FAIL = "fail"
    """It definitely did not happen."""
    INFO = "info"
    """It may have happened, now or later: a timeout, a lost connection, a client that died waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One invocation with its completion.

    ``value`` is the argument of the invocation, ``result`` what the completion returned. ``completed_ns`` is None when
    the client never saw an end (it was killed); the outcome is ``info`` then.
    ``notes`` carries what the workload knows beside the value: the address that answered, a fencing token, a revision.
    """

    index: int
    client: str
    f: str
    value: Value = None
    invoked_ns: int
    outcome: Outcome
    completed_ns: int | None = None
    result: Value = None
    error: str | None = None
    notes: Mapping[str, Value] = field(default_factory=empty)

    @property
    def ok(self) -> bool:
        """Whether the operation was acknowledged."""
        return self.outcome is Outcome.OK

    def __str__(self) -> str:
        """As a line of a witness: what was asked, what came back. Times are added by who knows the run's start."""
        asked = self.f if self.value is None else f"{self.f} {self.value}"
        came = self.outcome.value if self.result is None else f"{self.outcome.value} {self.result}"
        return f"#{self.index} {self.client} {asked} -> {came}" + (f" ({self.error})" if self.error else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One harm as it was really done: target as resolved, when it began, bit, began to heal and was healed."""

    name: str
    target: str
    begun_ns: int
    effective_ns: int | None = None
    healing_ns: int | None = None
    healed_ns: int | None = None
    mode: str | None = None
    evidence: Mapping[str, Value] = field(default_factory=empty)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Something seen from outside: a role, a leader, an offset, a Sentinel event, a named point a client reached."""

    at_ns: int
    party: str
    kind: str
    value: Value = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """The start of a named stretch of the run: steady state, fault, recovery, settle, final reads."""

    at_ns: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What must be known to read a history: schema, experiment, seed, systems with settings and versions, clocks."""

    experiment: str = ""
    seed: int = 0
    started_ns: int = 0
    ended_ns: int = 0
    schema: int = SCHEMA
    systems: Mapping[str, Value] = field(default_factory=empty)
    clock_error_ns: Mapping[str, int] = field(default_factory=empty)
    """Per party whose clock is not the observer's: how far its stamps may be off after correction, in nanoseconds."""
    clocks: Mapping[str, str] = field(default_factory=empty)
    """Per such party the name of its clock: between parties of one clock the order is exact, whatever the error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The ordered record of one run: operations by invocation, faults included."""

    header: Header = field(default_factory=Header)
    operations: tuple[Operation, ...] = ()
    faults: tuple[Fault, ...] = ()
    observations: tuple[Observation, ...] = ()
    phases: tuple[Phase, ...] = ()

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def select(
        self,
        f: str | Iterable[str] | None = None,
        *,
        client: str | None = None,
        outcome: Outcome | None = None,
        where: Callable[[Operation], bool] | None = None,
    ) -> tuple[Operation, ...]:
        """The operations of these kinds, of this client, with this outcome, in order of invocation."""
        kinds = None if f is None else {f} if isinstance(f, str) else set(f)
        return tuple(
            operation
            for operation in self.operations
            if (kinds is None or operation.f in kinds)
            and (client is None or operation.client == client)
            and (outcome is None or operation.outcome is outcome)
            and (where is None or where(operation))
        )

    def seconds(self, at_ns: int) -> float:
        """A stamp as seconds since the run started, as reports show it."""
        return (at_ns - self.header.started_ns) / 1e9
