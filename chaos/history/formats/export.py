"""
A history as Jepsen would have written it: EDN, a map a line, in the order of events.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from chaos.errors import HarnessError
from chaos.history.records import Fault, History, Operation, Outcome, Value

_KEYWORD = re.compile(r"[A-Za-z*!_?<>=+-][\w*!?<>=+./-]*")
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})
_WORDS = {None: "nil", True: "true", False: "false"}
_NEMESIS = ":nemesis"


class _Event(NamedTuple):
    at_ns: int
    kind: str
    process: int | str
    f: str
    value: Value
    error: str | None = None


def save_edn(history: History, path: str | os.PathLike[str]) -> Path:
    """
    Write the history for Jepsen's, Knossos' and Elle's readers.

    :raises HarnessError: if the file cannot be written, or holds values that EDN has not.
    """
    target = Path(path)
    try:
        with target.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(f"{line}\n" for line in edn_lines(history))
    except (OSError, TypeError, RecursionError) as problem:
        raise HarnessError(f"cannot save the history as {target}: {problem}") from problem
    return target


def edn_lines(history: History) -> Iterator[str]:
    """
    One op map a line.

    A client is a process by number; after an unknown outcome it goes on as a fresh one, since Jepsen never uses a crashed
    process again. Faults are ops of ``:nemesis``. Answers stand before questions of the same nanosecond only if they
    belong to an earlier operation of the same client.
    """
    events = sorted((*_of_clients(history), *_of_faults(history.faults)), key=lambda event: event.at_ns)
    for index, event in enumerate(events):
        error = "" if event.error is None else f", :error {_text(event.error)}"
        yield (
            f"{{:type :{event.kind}, :f {_name(event.f)}, :value {edn(event.value)}, :process {event.process}, "
            f":time {event.at_ns - history.header.started_ns}, :index {index}{error}}}"
        )


def edn(value: Value) -> str:
    """
    A JSON value as EDN; texts stay texts.

    :raises TypeError: for anything else.
    """
    if value is None or value is True or value is False:
        return _WORDS[value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _real(value)
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(edn, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{edn(name)} {edn(each)}' for name, each in value.items())}}}"
    raise TypeError(f"{value!r} is not EDN")


def _real(value: float) -> str:
    if value != value:
        return "##NaN"
    if value in (float("inf"), float("-inf")):
        return "##Inf" if value > 0 else "##-Inf"
    return repr(value)


def _text(value: str) -> str:
    return f'"{value.translate(_ESCAPES)}"'


def _name(f: str) -> str:
    return f":{f}" if _KEYWORD.fullmatch(f) else _text(f)


def _of_clients(history: History) -> Iterator[_Event]:
    """Each client's events; stable sorting keeps an answer ahead of the next question of the same client."""
    clients: dict[str, list[Operation]] = {}
    for operation in history.operations:
        clients.setdefault(operation.client, []).append(operation)
    for number, operations in enumerate(clients.values()):
        process = number
        for operation in operations:
            yield from _of_operation(operation, process)
            if operation.outcome is Outcome.INFO:
                process += len(clients)


def _of_operation(operation: Operation, process: int) -> Iterator[_Event]:
    yield _Event(operation.invoked_ns, "invoke", process, operation.f, operation.value)
    if operation.completed_ns is not None:
        value: Any = operation.value if operation.result is None and operation.f not in _ASKING else operation.result
        value = value if operation.ok else operation.value
        yield _Event(operation.completed_ns, operation.outcome.value, process, operation.f, value, operation.error)


_ASKING = frozenset({"read", "dequeue", "poll", "contains"})
"""Kinds whose answer may be nothing; of all others, no answer means that the argument was taken."""


def _of_faults(faults: Iterable[Fault]) -> Iterator[_Event]:
    for fault in faults:
        value = {"fault": fault.name, "target": fault.target}
        yield _Event(fault.begun_ns, "info", _NEMESIS, "inject", value)
        if fault.healed_ns is not None:
            yield _Event(fault.healed_ns, "info", _NEMESIS, "heal", value)
