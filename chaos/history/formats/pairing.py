"""
From events, a line each, to operations: every completion finds its invocation, or the line is refused.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn

from chaos.errors import HistoryFormatError
from chaos.history.records import Header, History, Observation, Operation, Outcome, Value

NEMESIS = "nemesis"
LATE_NS = 10_000_000
"""
Recorders of old stamped an event before they queued for the history, so stamps of different processes may stand in the
wrong order by as much as a thread can be held up. The order of the lines is the real one then.
"""
_KINDS = {"invoke": None, **{outcome.value: outcome for outcome in Outcome}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    A history of foreign origin, and what must be known to speak of it.

    :param invoked: for each operation the line of its invocation.
    :param completed: that of its completion, 0 if it has none.
    :param timed: whether stamps are nanoseconds; else they are positions in the file.
    :param keyed: whether each op said beside its value which key it is about; values are ``[key, value]`` then.
    :param remarks: sentences that a reader of the verdict should see.
    """

    history: History
    format: str
    invoked: Sequence[int]
    completed: Sequence[int]
    timed: bool
    keyed: bool = False
    remarks: tuple[str, ...] = ()


class _Open(NamedTuple):
    ordinal: int
    f: str
    value: Value
    at_ns: int
    stamp: int
    """What the file says; ``at_ns`` is a little later where lines stand out of order."""


UNINDEXED = -1
"""What Jepsen's ops have as their index until they are part of a history."""


class Pairing:
    """
    Events in the order of the file.

    Stamps become strictly increasing, by a nanosecond where two are equal: the order of the lines is the order of events.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = 0
        self._open: dict[str, _Open] = {}
        self._draining: dict[str, _Open] = {}
        self._dequeued: set[str] = set()
        self._operations: list[Operation | None] = []
        self._invoked = array("Q")
        self._completed = array("Q")
        self._observations: list[Observation] = []
        self._timed: bool | None = None
        self._keyed: bool | None = None
        self._index = -1
        self._first_ns = 0
        self._last_ns = 0
        self._stamp = 0
        self._highest = 0
        self._late: tuple[int, int] = (0, 0)

    def take(self, line: int, event: Any) -> None:
        """One op map: type, process, f, value, and if it has them time, index, error."""
        self._line = line
        if not isinstance(event, Mapping):
            self._refuse(f"not an op map: {_shown(event)}")
        try:
            kind, process = event["type"], event["process"]
            f = event["f"] if "f" in event or not _transacts(event.get("value")) else "txn"
        except KeyError as problem:
            self._refuse(f"an op without {problem.args[0]!r}: {_shown(event)}")
        if not isinstance(kind, str) or kind not in _KINDS:
            self._refuse(f"{_shown(kind)} is no type of an op; there are invoke, ok, fail and info")
        if process == NEMESIS:
            self._check_index(event.get("index"))
            self._observe(f if isinstance(f, str) else _shown(f), event)
            return
        if not isinstance(f, str):
            self._refuse(f"an op whose f is no name: {_shown(f)}")
        self._check_index(event.get("index"))
        client = self._client(process)
        self._tell_time(event.get("time"))
        outcome = _KINDS[kind]
        if outcome is None:
            self._invoke(client, f, self._asked(event))
        else:
            self._complete(client, f, outcome, event)

    def finish(self, form: str) -> Reading:
        """The history; what is still open stays open."""
        late_ns, line = self._late
        span_ns = self._last_ns - self._first_ns
        remarks: tuple[str, ...] = ()
        if late_ns:
            if late_ns > min(LATE_NS, span_ns // 100):
                self._line = line
                self._refuse(f"the clock runs backwards: the stamp is {late_ns} ns before one that stands above it")
            remarks = (
                f"stamps of different processes stand up to {late_ns} ns out of order; the order of lines decided",
            )
        for client, asked in (*self._open.items(), *self._draining.items()):
            self._operations[asked.ordinal] = _operation(client, asked, Outcome.INFO)
        operations = tuple(operation for operation in self._operations if operation is not None)
        return Reading(
            history=History(
                header=Header(experiment=self._name, started_ns=self._first_ns, ended_ns=self._last_ns),
                operations=operations,
                observations=tuple(self._observations),
            ),
            format=form,
            invoked=self._invoked,
            completed=self._completed,
            timed=bool(self._timed),
            keyed=bool(self._keyed),
            remarks=remarks,
        )

    def _invoke(self, client: str, f: str, value: Value) -> None:
        before = self._open.get(client)
        if before is not None and before.f == "drain" and f == "dequeue":
            self._draining[client] = before  # Jepsen's older clients record each dequeue of a drain.
        elif before is not None:
            line = self._invoked[before.ordinal]
            self._refuse(
                f"{client} invokes {f} while its {before.f} of line {line} is open; a process waits for its answer"
            )
        self._open[client] = _Open(len(self._operations), f, value, self._last_ns, self._stamp)
        self._operations.append(None)
        self._invoked.append(self._line)
        self._completed.append(0)

    def _complete(self, client: str, f: str, outcome: Outcome, event: Mapping[str, Any]) -> None:
        asked = self._open.pop(client, None)
        if asked is None:
            self._refuse(f"{client} completes {f} ({outcome.value}), but has nothing open")
        line = self._invoked[asked.ordinal]
        if asked.f != f:
            self._refuse(f"{client} completes {f}, but what is open since line {line} is {asked.f}")
        if self._stamp < asked.stamp:
            self._refuse(f"the clock runs backwards: {f} completes before its invocation in line {line}")
        if client in self._draining and f == "dequeue":
            self._open[client] = self._draining.pop(client)
            self._dequeued.add(client)
        if event.get("key") is not None and (not self._keyed or event["key"] != asked.value[0]):
            self._refuse(f"{client} completes {f} of another key than it began in line {line}")
        result = event.get("value") if outcome is Outcome.OK else None
        if f == "drain" and client in self._dequeued:
            self._dequeued.discard(client)
            result = [] if outcome is Outcome.OK else None  # What it took is recorded already; it found no more.
        if self._keyed and outcome is Outcome.OK:
            result = [asked.value[0], result]
        error = event.get("error")
        self._operations[asked.ordinal] = _operation(client, asked, outcome, self._last_ns, result, error)
        self._completed[asked.ordinal] = self._line

    def _observe(self, f: str, event: Mapping[str, Any]) -> None:
        at_ns = event.get("time") if self._timed is not False else None
        stamp = max(at_ns, self._last_ns) if type(at_ns) is int else self._last_ns
        self._observations.append(Observation(at_ns=stamp, party=NEMESIS, kind=f, value=event.get("value")))

    def _client(self, process: Any) -> str:
        if type(process) is not int and (not isinstance(process, str) or not process):
            self._refuse(f"{_shown(process)} is no process")
        return f"process {process}" if isinstance(process, int) else process

    def _check_index(self, index: Any) -> None:
        if index is None or index == UNINDEXED:
            return
        if type(index) is not int or index <= self._index:
            self._refuse(f"index {_shown(index)} after {self._index}: the lines are not in the order of the history")
        self._index = index

    def _tell_time(self, time: Any) -> None:
        timed = time is not None
        if self._timed is None:
            self._timed = timed
            self._first_ns = self._highest = self._nanoseconds(time) if timed else 1
            self._last_ns = self._first_ns - 1
        elif timed is not self._timed:
            self._refuse(
                "an op without time among such that have one" if self._timed else "an op with time among such without"
            )
        self._stamp = self._nanoseconds(time) if timed else self._last_ns + 1
        if self._stamp < self._highest:
            self._late = max(self._late, (self._highest - self._stamp, self._line))
        self._highest = max(self._stamp, self._highest)
        self._last_ns = max(self._stamp, self._last_ns + 1)

    def _asked(self, event: Mapping[str, Any]) -> Value:
        """The value of an invocation, with its key if the ops of this file name theirs."""
        value, key = event.get("value"), event.get("key")
        if self._keyed is None:
            self._keyed = key is not None
        elif self._keyed is (key is None):
            self._refuse(
                "an op without key among such that have one" if self._keyed else "an op with key among such without"
            )
        return [key, value] if self._keyed else value

    def _nanoseconds(self, time: Any) -> int:
        if type(time) is float and time.is_integer():
            return int(time)
        if type(time) is not int:
            self._refuse(f"{_shown(time)} is no time in nanoseconds")
        return time

    def _refuse(self, reason: str) -> NoReturn:
        raise HistoryFormatError(f"{self._name}, line {self._line}: {reason}")


def _transacts(value: Any) -> bool:
    """Whether these are micro-operations: Elle's own histories do not say f."""
    micros = value if isinstance(value, list) else []
    return bool(micros) and all(isinstance(each, list) and each[:1] in (["append"], ["r"]) for each in micros)


SHOWN: Final = 80


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _operation(
    client: str,
    asked: _Open,
    outcome: Outcome,
    at_ns: int | None = None,
    result: Value = None,
    error: Any = None,
) -> Operation:
    return Operation(
        index=asked.ordinal,
        client=client,
        f=asked.f,
        value=asked.value,
        invoked_ns=asked.at_ns,
        outcome=outcome,
        completed_ns=at_ns,
        result=result,
        error=error if error is None or isinstance(error, str) else _shown(error),
    )
