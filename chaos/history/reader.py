"""
Reading one client's event file while it is being written.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from json import JSONDecoder
from typing import Any, NamedTuple, NoReturn, Protocol

from chaos.errors import HistoryFormatError
from chaos.history.records import SCHEMA, Observation, Operation, Outcome, Value, empty
from chaos.history.writer import CANCEL

POINT = "point"
"""The kind of observation that a named point becomes; its value is the point's name."""
BROKEN = "broken"
"""The kind of observation that a client's harness error becomes; its value is the message."""

INSTANTS = ("expires_ns",)
"""What is an instant of the client's clock, in notes and in results."""

_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
Event = dict[str, Any]


def refuse_constant(name: str) -> NoReturn:
    """NaN and the infinities, which Python's reader takes and JSON does not know."""
    raise ValueError(f"{name} is not JSON")


_decode = JSONDecoder(parse_constant=refuse_constant).decode


class Clock(Protocol):
    """A client's clock that is not the history's. Order is kept by both ways to read it."""

    def observed(self, at_ns: int) -> int:
        """A stamp as the history's clock would have shown it: the same whenever it is asked for."""

    def foreseen(self, at_ns: int) -> int:
        """The same for an instant that may lie ahead: nearer to the truth the later it is asked for."""


class News(NamedTuple):
    """What one chunk added: operations that ended, observations that were made."""

    operations: list[Operation]
    observations: list[Observation]


class _Open(NamedTuple):
    ordinal: int
    f: str
    value: Value
    at_ns: int


class EventReader:
    """
    One client's events, fed in chunks as they are found; a torn last line waits for its rest.

    Indexes of its operations count this client's invocations. Not thread-safe; ``LiveHistory`` locks.
    """

    def __init__(self, client: str) -> None:
        self.client = client
        self.ended = False
        """Whether the client said that its workload returned, asked to stop or not."""
        self.broken: list[str] = []
        """The harness errors that the client reported."""
        self.observations: list[Observation] = []
        """Everything the client saw, named points and harness errors included."""
        self._completed: list[Operation] = []
        self._open: dict[int, _Open] = {}
        self._abandoned: list[_Open] = []
        self._invoked = 0
        self._line = 0
        self._rest = b""
        self._news = News([], [])
        self._clock: Clock | None = None
        self._handlers: dict[str, Callable[[Event], None]] = {
            "start": self._on_start,
            "invoke": self._on_invoke,
            "complete": self._on_complete,
            "point": lambda event: self._see(event, POINT, event["point"]),
            "observe": lambda event: self._see(event, event["observe"], event.get("value")),
            "broken": self._on_broken,
            "done": self._on_done,
        }

    @property
    def points(self) -> list[Observation]:
        """The named points that the client reached, in order."""
        return [observation for observation in self.observations if observation.kind == POINT]

    def operations(self) -> tuple[Operation, ...]:
        """Completed operations and, as ``info`` without an end, those still open; in order of invocation."""
        completed = map(self._with_instants, self._completed)
        return tuple(sorted((*completed, *self.open_operations()), key=lambda operation: operation.index))

    def open_operations(self) -> tuple[Operation, ...]:
        """Operations that were asked and not answered so far."""
        return tuple(
            Operation(
                index=asked.ordinal,
                client=self.client,
                f=asked.f,
                value=asked.value,
                invoked_ns=asked.at_ns,
                outcome=Outcome.INFO,
            )
            for asked in (*self._abandoned, *self._open.values())
        )

    def feed(self, chunk: bytes, clock: Clock | None = None) -> News:
        """Take the next bytes of the file, and say what they added; all of its stamps are read by ``clock``."""
        self._news, self._clock = News([], []), clock
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._line += 1
            if not line.endswith(CANCEL):
                self._take(line)
        return self._news

    def _take(self, line: bytes) -> None:
        try:
            event = _decode(line.decode("utf-8"))
            handler = self._handlers[next(iter(event))]
            if type(event["at_ns"]) is not int:
                raise ValueError(f"at_ns is not a number of nanoseconds: {event['at_ns']!r}")
            handler(event if self._clock is None else {**event, "at_ns": self._clock.observed(event["at_ns"])})
        except KeyError as problem:
            self._refuse(f"{problem} is missing or unknown", line)
        except (ValueError, TypeError, StopIteration, RecursionError) as problem:
            self._refuse(str(problem) or "an empty event", line)

    def _refuse(self, reason: str, line: bytes) -> NoReturn:
        shown = line[:120].decode("utf-8", "replace")
        raise HistoryFormatError(f"events of {self.client}, line {self._line}: {reason}: {shown}")

    def _on_start(self, event: Event) -> None:
        if event["start"] != self.client:
            raise ValueError(f"these are the events of {event['start']!r}, not of {self.client!r}")
        if event["schema"] != SCHEMA:
            raise ValueError(f"schema {event['schema']!r} is not {SCHEMA}, the one this version reads")
        self._abandoned.extend(self._open.values())
        self._open.clear()
        self.ended = False

    def _on_invoke(self, event: Event) -> None:
        number, f = event["invoke"], event["f"]
        if number in self._open:
            raise ValueError(f"invocation {number} is already open")
        if type(number) is not int or type(f) is not str:
            raise ValueError("an invocation needs a number and a name")
        self._open[number] = _Open(self._invoked, f, event.get("value"), event["at_ns"])
        self._invoked += 1

    def _on_complete(self, event: Event) -> None:
        asked = self._open.pop(event["complete"], None)
        if asked is None:
            raise ValueError(f"a completion of {event['complete']}, which is not open")
        if event["at_ns"] < asked.at_ns:
            raise ValueError(f"the completion of {event['complete']} lies before its invocation")
        operation = Operation(
            index=asked.ordinal,
            client=self.client,
            f=asked.f,
            value=asked.value,
            invoked_ns=asked.at_ns,
            outcome=_OUTCOMES[event["outcome"]],
            completed_ns=event["at_ns"],
            result=event.get("result"),
            error=event.get("error"),
            notes=event.get("notes") or empty(),
        )
        self._completed.append(operation)
        self._news.operations.append(self._with_instants(operation))

    def _on_broken(self, event: Event) -> None:
        self.broken.append(str(event["broken"]))
        self._see(event, BROKEN, event["broken"])

    def _on_done(self, event: Event) -> None:
        self.ended = True

    def _see(self, event: Event, kind: str, value: Value) -> None:
        observation = Observation(at_ns=event["at_ns"], party=self.client, kind=kind, value=value)
        self.observations.append(observation)
        self._news.observations.append(observation)

    def _with_instants(self, operation: Operation) -> Operation:
        """With the instants in its result and notes read by our clock; as well as is known by now."""
        if self._clock is None:
            return operation
        result, notes = _instants(operation.result, self._clock), _instants(operation.notes, self._clock)
        if result is operation.result and notes is operation.notes:
            return operation
        return replace(operation, result=result, notes=notes)


def _instants(said: Any, clock: Clock) -> Any:
    if not isinstance(said, Mapping):
        return said
    found = {name: clock.foreseen(said[name]) for name in INSTANTS if type(said.get(name)) is int}
    return {**said, **found} if found else said
