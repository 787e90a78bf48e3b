"""
Recording, in the client's process: one line before a request leaves, one after its answer came.
"""

import os
from collections.abc import Mapping
from itertools import count
from json import JSONEncoder
from json.encoder import encode_basestring_ascii
from pathlib import Path
from time import monotonic_ns
from typing import NamedTuple

from chaos.errors import HarnessError
from chaos.history.records import SCHEMA, Outcome, Value

CANCEL = b"\x18"
"""Ends a line that a crash or a full disk tore; never part of JSON text."""

_OUTCOMES: Mapping[str, str] = {outcome.value: f'"{outcome.value}"' for outcome in Outcome}
_encode = JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Invocation(NamedTuple):
    """An operation that was asked and not yet answered: its number within this writer, and when it was asked."""

    number: int
    at_ns: int


class EventWriter:
    """
    One client's append-only event file. Threads of one client may share it; each line is one ``write``.

    :param path: created if missing; an existing file is continued, its open operations stay open for ever.
    :param client: the party whose operations these are.
    """

    __slots__ = ("_descriptor", "_numbers", "_torn", "client", "path")

    def __init__(self, path: str | os.PathLike[str], client: str) -> None:
        self.path = Path(path)
        self.client = client
        self._numbers = count()
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as problem:
            raise HarnessError(f"cannot open the event file {self.path} of {client}: {problem}") from problem
        self._torn = self._ends_torn()
        self._write(f'{{"start":{encode_basestring_ascii(client)},"at_ns":{monotonic_ns()},"schema":{SCHEMA}}}\n')

    def invoke(self, f: str, value: Value = None) -> Invocation:
        """Record that the operation is being asked; the line is in the file before this returns."""
        number = next(self._numbers)
        at_ns = monotonic_ns()
        name = encode_basestring_ascii(f)
        self._write(f'{{"invoke":{number},"at_ns":{at_ns},"f":{name},"value":{self._json(value)}}}\n')
        return Invocation(number, at_ns)

    def complete(
        self,
        invocation: Invocation,
        outcome: Outcome | str,
        *,
        result: Value = None,
        error: str | None = None,
        notes: Mapping[str, Value] | None = None,
    ) -> None:
        """Record what the client knows of the operation now that it ended; the clock is read first."""
        at_ns = monotonic_ns()
        known = _OUTCOMES.get(outcome)
        if known is None:
            raise HarnessError(f"{self.client}: an operation ends ok, fail or info, not {outcome!r}")
        line = f'{{"complete":{invocation.number},"at_ns":{at_ns},"outcome":{known}'
        if result is not None:
            line += f',"result":{self._json(result)}'
        if error is not None:
            line += f',"error":{encode_basestring_ascii(error)}'
        if notes:
            line += f',"notes":{self._json(dict(notes))}'
        self._write(line + "}\n")

    def point(self, name: str) -> None:
        """Record that the client reached a named point."""
        self._write(f'{{"point":{encode_basestring_ascii(name)},"at_ns":{monotonic_ns()}}}\n')

    def observe(self, kind: str, value: Value = None) -> None:
        """Record something the client saw beside its operations."""
        at_ns = monotonic_ns()
        self._write(f'{{"observe":{encode_basestring_ascii(kind)},"at_ns":{at_ns},"value":{self._json(value)}}}\n')

    def broken(self, error: BaseException | str) -> None:
        """Record an error that is the harness' own: an exception outside the outcome table, or a crash."""
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self._write(f'{{"broken":{encode_basestring_ascii(text)},"at_ns":{monotonic_ns()}}}\n')

    def done(self) -> None:
        """Record that the client's workload returned, and close the file."""
        self._write(f'{{"done":true,"at_ns":{monotonic_ns()}}}\n')
        self.close()

    def close(self) -> None:
        """Close the file without a word: what a crash would leave. A second close does nothing."""
        # The number is forgotten first: the kernel reuses it, and a late line must not land in another file.
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _json(self, value: Value) -> str:
        kind = type(value)
        try:
            if kind is int:
                return str(value)
            if value is None:
                return "null"
            return encode_basestring_ascii(value) if kind is str else _encode(value)
        except (TypeError, ValueError, RecursionError) as problem:
            raise HarnessError(f"{self.client} cannot record {value!r}, it is not JSON: {problem}") from problem

    def _write(self, line: str) -> None:
        data = line.encode("ascii")
        if self._torn:
            data = CANCEL + b"\n" + data
        try:
            written = os.write(self._descriptor, data)
            while written < len(data):  # A disk about to be full takes a part; the next attempt says why.
                self._torn = True
                data = data[written:]
                written = os.write(self._descriptor, data)
        except OSError as problem:
            raise HarnessError(f"{self.client} cannot write to its event file {self.path}: {problem}") from problem
        self._torn = False

    def _ends_torn(self) -> bool:
        size = os.fstat(self._descriptor).st_size
        return size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"
