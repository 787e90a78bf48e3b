"""
The worker process: runs one workload, records what it asks and learns, stands at named points, stops when asked.

Standard library only (and the event writer), so that a worker is ready in milliseconds and any interpreter can run it.
A workload is a plain function ``name(worker, *, arguments...)``, named as ``module:function`` with JSON arguments.
"""

import importlib
import json
import random
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from chaos.errors import OutcomeTableError, UsageError
from chaos.history.events import EventWriter
from chaos.history.records import Outcome, Value
from chaos.workloads.outcomes import OutcomeTable, Refused, Uncertain, classify

BROKEN = 70
"""Exit code of a worker that cannot go on honestly: an exception outside its table, or a mistake in the workload."""
ANSWER_BYTES = 65536
TAKES_ANY = 0x08
"""A function's flag that says that it has a ``**`` parameter."""


class WorkerSpec(TypedDict):
    """What the party's agent is told: which workload runs as which client, and where it reports."""

    callable: str
    arguments: Mapping[str, Any]
    client: str
    events: str
    control: str
    ref: str
    hold: list[str]
    seed: int
    sys_path: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How an operation ended, for the workload that asked for it."""

    outcome: Outcome
    value: Any = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the system acknowledged it."""
        return self.outcome is Outcome.OK


class Control:
    """The worker's end of the conversation with its agent: JSON lines over an abstract socket of its own namespace."""

    def __init__(self, name: str, ref: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect("\0" + name)
        self._pending = b""
        self._released: list[str] = []
        self.stopping = False
        self._send({"hello": ref})

    def stand_at(self, point: str) -> None:
        """Say where the worker stands and wait for the release; being asked to stop releases every point."""
        self._send({"point": point})
        while point not in self._released and not self.stopping:
            self._receive()
        if point in self._released:
            self._released.remove(point)

    def listen(self, seconds: float) -> None:
        """Hear the agent for so long; a request to stop ends it early."""
        deadline = time.monotonic() + seconds
        while not self.stopping:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._socket], [], [], left)[0]:
                return
            self._receive()

    def _send(self, message: Mapping[str, str]) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _receive(self) -> None:
        received = self._socket.recv(ANSWER_BYTES)
        if not received:
            self.stopping = True  # The agent is gone, and with it the lab: nobody will release or stop this worker.
            return
        *lines, self._pending = (self._pending + received).split(b"\n")
        for line in lines:
            message = json.loads(line)
            self.stopping = self.stopping or bool(message.get("stop"))
            if "go" in message:
                self._released.append(message["go"])


@dataclass(slots=True)
class Worker:
    """
    What a workload sees of its process.

    :param client: the name under which its operations are recorded.
    :param random: seeded from the run's seed and the client's name; the only source of randomness a workload may use.
    """

    client: str
    random: random.Random
    _events: EventWriter
    _control: Control
    _hold: frozenset[str] = field(default_factory=frozenset)

    def operation(
        self,
        f: str,
        value: Value,
        action: Callable[[], Value],
        outcomes: OutcomeTable,
        notes: Mapping[str, Value] | None = None,
    ) -> Completed:
        """
        Record one operation around ``action``, whose return value becomes the result.

        :param outcomes: says what each exception of the action means; ``Refused`` and ``Uncertain`` need no rule.
        :param notes: read after the action, so that it may fill in what it learns on the way (which address answered).
        """
        invocation = self._events.invoke(f, value)
        try:
            result = action()
        except UsageError:
            raise  # The workload's own mistake says what it is; no table could say what became of the operation.
        except Exception as problem:
            outcome = classify(problem, outcomes)
            error = str(problem) if isinstance(problem, Refused | Uncertain) else f"{type(problem).__name__}: {problem}"
            partial = getattr(problem, "result", None)
            self._events.complete(invocation, outcome, result=partial, error=error, notes=notes or None)
            return Completed(outcome=outcome, value=partial, error=error)
        self._events.complete(invocation, Outcome.OK, result=result, notes=notes or None)
        return Completed(outcome=Outcome.OK, value=result)

    def point(self, name: str) -> None:
        """A named place in the workload: recorded, and where the run holds it, a barrier until the nemesis lets go."""
        self._events.point(name)
        if name in self._hold:
            self._control.stand_at(name)

    def observe(self, kind: str, value: Value = None) -> None:
        """Record something this client saw that is no operation."""
        self._events.observe(kind, value)

    def keep_going(self, pace_s: float) -> bool:
        """Wait for the next turn, or less when asked to stop; False means: end now, after the current operation."""
        self._control.listen(pace_s)
        return not self._control.stopping

    @property
    def stopping(self) -> bool:
        """Whether the run asked this worker to stop."""
        self._control.listen(0)
        return self._control.stopping


def main(spec: WorkerSpec) -> int:
    """
    Run one workload to its end and return the process' exit code: 0, or 70 when the record says what broke.

    The caller ends the process with it; a forked caller uses ``os._exit``.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the test run, which stops workers in its own order.
    _extend_path(spec.get("sys_path", []))
    events = EventWriter(Path(spec["events"]), client=spec["client"])
    try:
        control = Control(spec["control"], spec["ref"])
        worker = Worker(
            spec["client"],
            random.Random(f"{spec['seed']}:{spec['client']}"),
            events,
            control,
            frozenset(spec.get("hold", [])),
        )
        workload = load(spec["callable"])
        _refuse_unknown(spec["callable"], workload, spec["arguments"])
        workload(worker, **spec["arguments"])
    except Exception as problem:
        events.broken(_blame(problem))
        return BROKEN
    events.done()
    return 0


def load(name: str) -> Callable[..., Any]:
    """The function that ``module:function`` names."""
    module, separator, function = name.partition(":")
    if not separator:
        raise UsageError(f"a workload is named as module:function, not {name!r}")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as problem:
        raise UsageError(f"the workload {name!r} cannot be loaded: {problem}") from problem
    return found


def _refuse_unknown(name: str, workload: Callable[..., Any], arguments: Iterable[str]) -> None:
    code = getattr(workload, "__code__", None)
    if code is None or code.co_flags & TAKES_ANY:
        return
    known = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]  # Not inspect, which takes long to import.
    unknown = [argument for argument in arguments if argument not in known]
    if unknown:
        raise UsageError(f"{name} takes no {', '.join(unknown)}; it takes {', '.join(known) or 'no arguments'}")


def _extend_path(folders: Iterable[str]) -> None:
    sys.path.extend(folder for folder in folders if folder not in sys.path)


def _blame(problem: Exception) -> str:
    if isinstance(problem, OutcomeTableError | UsageError):
        return f"{type(problem).__name__}: {problem}"
    return "".join(traceback.format_exception(problem)).strip()
