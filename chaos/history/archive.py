"""
The archival form of a finished run: JSON Lines, gzipped if the name ends in ``.gz``, one line a record.

The first line is the header with the schema and the number of records of each kind, so that a file cut short is seen.
Then come ``{"phase":...}``, ``{"fault":...}``, ``{"operation":...}`` and ``{"observation":...}`` lines, each kind in the
history's order. Fields that have their default value are left out.
"""

import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from itertools import islice
from json import JSONDecoder, JSONEncoder
from pathlib import Path
from typing import Any, NoReturn, TextIO

from chaos.errors import HarnessError, HistoryFormatError
from chaos.history.reader import refuse_constant
from chaos.history.records import SCHEMA, Fault, Header, History, Observation, Operation, Outcome, Phase, empty
from chaos.history.source import Source, opened

Record = dict[str, Any]
Kept = dict[str, list[Any]]

_BATCH = 256
"""Lines decoded in one call: half the time of one call a line, and still a stream."""

_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} is not JSON")


_encode = JSONEncoder(separators=(",", ":"), allow_nan=False, default=_plain).encode
_decode = JSONDecoder(parse_constant=refuse_constant).decode


def save(history: History, path: str | os.PathLike[str]) -> Path:
    """
    Write the history; the file is complete or not there at all. The bytes depend on the history alone.

    :raises HarnessError: if the file cannot be written, or holds values that are not JSON.
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with _writing(partial, zipped=target.suffix == ".gz") as stream:
            stream.writelines(_lines(history))
        partial.replace(target)
    except (OSError, TypeError, ValueError, RecursionError) as problem:
        partial.unlink(missing_ok=True)
        raise HarnessError(f"cannot save the history as {target}: {problem}") from problem
    return target


def load(path: str | os.PathLike[str]) -> History:
    """
    Read a history that ``save`` wrote.

    :raises HistoryFormatError: with the line and the reason, if anything about the file is not as it must be.
    """
    with opened(path) as source:
        return load_from(source)


def load_from(source: Source) -> History:
    """
    Read a history that ``save`` wrote, wherever it comes from; gzip is recognised whatever the name.

    :raises HistoryFormatError: with the line and the reason, if anything about it is not as it must be.
    """
    return _Loading(source).history()


def load_lines(name: str, lines: Iterable[str]) -> tuple[Operation, ...]:
    """The operations of these lines of a file, which has more of them."""
    loading = _Loading(Source(name, io.BufferedReader(io.BytesIO())))
    return loading.operations(list(lines))


@contextmanager
def _writing(path: Path, *, zipped: bool) -> Iterator[TextIO]:
    with path.open("wb") as file:
        if not zipped:
            with io.TextIOWrapper(file, encoding="utf-8", newline="\n") as stream:
                yield stream
            return
        # No file name and no time inside: the same history gives the same bytes.
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6) as compressed,
            io.TextIOWrapper(compressed, encoding="utf-8", newline="\n") as stream,
        ):
            yield stream


def _lines(history: History) -> Iterator[str]:
    kinds = {
        "phase": history.phases,
        "fault": history.faults,
        "operation": history.operations,
        "observation": history.observations,
    }
    counts = {kind: len(records) for kind, records in kinds.items()}
    yield _encode({**_fields(history.header, "schema"), "records": counts}) + "\n"
    for kind, records in kinds.items():
        for record in records:
            yield _encode(_fields(record, kind)) + "\n"


_FIRST = {"operation": "index", "fault": "name", "observation": "kind", "phase": "name", "schema": "schema"}
"""The field whose value stands behind the word that names the record."""


def _fields(record: Any, kind: str) -> Record:
    first = _FIRST[kind]
    line: Record = {kind: getattr(record, first)}
    for name, default in _DEFAULTS[kind]:
        value = getattr(record, name)
        if default is MISSING or (value is not default and value != default):
            line[name] = value
    return line


def _defaults(record: type[Any], first: str) -> tuple[tuple[str, Any], ...]:
    named = [field for field in fields(record) if field.name != first]
    return tuple((field.name, empty() if field.default_factory is not MISSING else field.default) for field in named)


_RECORDS: dict[str, type[Any]] = {
    "operation": Operation,
    "fault": Fault,
    "observation": Observation,
    "phase": Phase,
    "schema": Header,
}
_DEFAULTS = {kind: _defaults(record, _FIRST[kind]) for kind, record in _RECORDS.items()}


class _Loading:
    """One file being read: where we are, and what was found so far."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._line = 0
        self._found: Kept = {"operation": [], "fault": [], "observation": [], "phase": []}
        self._makers: Mapping[str, Callable[[Record], object]] = {
            "operation": _operation,
            "fault": _fault,
            "observation": lambda record: _made(Observation, record, "observation", ("at_ns",), ("party", "kind")),
            "phase": lambda record: _made(Phase, record, "phase", ("at_ns",), ("name",)),
        }

    def history(self) -> History:
        """The whole file."""
        try:
            stream = io.TextIOWrapper(self._source.stream, encoding="utf-8", newline="\n")
            header, counts = self._header(stream)
            while lines := list(islice(stream, _BATCH)):
                self._take(lines)
            stream.detach()
        except EOFError:
            self._refuse("the file is cut short (its gzip stream has no end)", where="after")
        except UnicodeDecodeError as problem:
            self._refuse(f"not UTF-8 text: {problem}", where="after")
        except (OSError, zlib.error) as problem:
            self._refuse(f"cannot be read: {problem}", where="after")
        self._compare(counts)
        return History(
            header=header,
            operations=tuple(self._found["operation"]),
            faults=tuple(self._found["fault"]),
            observations=tuple(self._found["observation"]),
            phases=tuple(self._found["phase"]),
        )

    def operations(self, lines: list[str]) -> tuple[Operation, ...]:
        """Those of some lines."""
        self._take(lines)
        return tuple(self._found["operation"])

    def _header(self, stream: Iterable[str]) -> tuple[Header, Mapping[str, int]]:
        line = next(iter(stream), "")
        self._line = 1
        if not line:
            self._refuse("the file is empty")
        record = self._one(line)
        if record.get("schema") != SCHEMA:
            self._refuse(f"schema {record.get('schema')!r} is not {SCHEMA}, the one this version reads")
        counts = record.pop("records", None)
        if not isinstance(counts, dict):
            self._refuse("the header does not say how many records follow")
        try:
            return _made(Header, record, "schema", ("started_ns", "ended_ns"), ("experiment",)), counts
        except (TypeError, ValueError, KeyError) as problem:
            self._refuse(_reason(problem))

    def _take(self, lines: list[str]) -> None:
        for record in self._decoded(lines):
            self._line += 1
            try:
                kind = next(iter(record))
                self._found[kind].append(self._makers[kind](record))
            except (TypeError, ValueError, KeyError, AttributeError, StopIteration) as problem:
                self._refuse(_reason(problem))

    def _decoded(self, lines: list[str]) -> list[Record]:
        try:
            records = _decode(f"[{','.join(lines)}]")
        except (ValueError, RecursionError):
            records = None
        if isinstance(records, list) and len(records) == len(lines) and lines[-1].endswith("\n"):
            return records
        return self._decoded_singly(lines)  # Something is wrong in there; say where.

    def _decoded_singly(self, lines: list[str]) -> list[Record]:
        before = self._line
        records = []
        for line in lines:
            self._line += 1
            records.append(self._one(line))
        self._line = before
        return records

    def _one(self, line: str) -> Record:
        if not line.endswith("\n"):
            self._refuse("the line has no end: the file is cut short")
        try:
            record = _decode(line)
        except (ValueError, RecursionError) as problem:
            self._refuse(f"not JSON: {problem}")
        if not isinstance(record, dict):
            self._refuse(f"not a record: {line[:80]!r}")
        return record

    def _compare(self, counts: Mapping[str, int]) -> None:
        for kind, records in self._found.items():
            if len(records) != counts.get(kind):
                self._refuse(f"the header announced {counts.get(kind)} {kind} records, {len(records)} are here")

    def _refuse(self, reason: str, where: str = "in") -> NoReturn:
        raise HistoryFormatError(f"{self._source.name}, {where} line {self._line}: {reason}")


def _operation(record: Record) -> Operation:
    index, invoked, completed = record.pop("operation"), record["invoked_ns"], record.get("completed_ns")
    if type(index) is not int or type(invoked) is not int:
        raise ValueError("an operation needs an index and invoked_ns, whole numbers")
    if type(record["client"]) is not str or type(record["f"]) is not str or type(record.get("notes", {})) is not dict:
        raise ValueError(f"operation {index} needs a client and a name as text, and notes by name")
    if completed is not None and (type(completed) is not int or completed < invoked):
        raise ValueError(f"operation {index} completed at {completed!r}, before its invocation at {invoked}")
    outcome = _OUTCOMES.get(record["outcome"])
    if outcome is None:
        raise ValueError(f"{record['outcome']!r} is no outcome; there are ok, fail and info")
    if completed is None and outcome is not Outcome.INFO:
        raise ValueError(f"operation {index} is {outcome.value} and never completed")
    record["outcome"] = outcome
    return Operation(index=index, **record)


def _fault(record: Record) -> Fault:
    stamps = [record[name] for name in ("begun_ns", "effective_ns", "healing_ns", "healed_ns") if name in record]
    if any(type(stamp) is not int for stamp in stamps):
        raise ValueError(f"the stamps of fault {record['fault']!r} are not whole numbers")
    if stamps and min(stamps) < record["begun_ns"]:
        raise ValueError(f"the clock runs backwards within fault {record['fault']!r}")
    fault: Fault = _made(Fault, record, "fault", ("begun_ns",), ("name", "target"))
    return fault


def _made(record_type: type[Any], record: Record, kind: str, numbers: tuple[str, ...], words: tuple[str, ...]) -> Any:
    made = record_type(**{_FIRST[kind]: record.pop(kind), **record})
    for name in numbers:
        if type(getattr(made, name)) is not int:
            raise ValueError(f"{name} is not a whole number: {getattr(made, name)!r}")
    for name in words:
        if type(getattr(made, name)) is not str:
            raise ValueError(f"{name} is not text: {getattr(made, name)!r}")
    return made


def _reason(problem: Exception) -> str:
    if isinstance(problem, KeyError):
        return f"{problem} is missing, or no kind of record"
    return str(problem) or "an empty record"
