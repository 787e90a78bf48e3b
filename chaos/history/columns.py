"""
Our archival form as columns of numbers: a million operations in half a second and 60 MB, with numpy and msgspec.

For histories whose values are whole numbers, or nothing. Everything else, and everything that looks wrong, is left to
``archive.load``, which takes longer and says what is wrong.
"""

import importlib
import importlib.util
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import compress
from typing import Any, Final

from chaos.history.archive import load_lines
from chaos.history.records import SCHEMA, Header, Operation
from chaos.history.source import Source

NONE: Final = -(1 << 63)
"""Stands for a missing value or stamp."""
OUTCOMES: Final = {"ok": 0, "fail": 1, "info": 2}
OTHERS: Final = ("phase", "fault", "observation")
_HEADER: Final = {"schema", "records", *(field.name for field in fields(Header))}
_OPERATION = b'{"operation":'


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """
    One entry an operation, in the order of the file.

    :param kind: the code of what was done, by the table that ``load_columns`` was given.
    :param lists: results that are lists, by row.
    """

    invoked: Any
    completed: Any
    kind: Any
    outcome: Any
    value: Any
    result: Any
    lists: Mapping[int, Any]
    started_ns: int = 0

    def __len__(self) -> int:
        return len(self.invoked)


class UnfitError(Exception):
    """This file is not for columns."""


def available() -> bool:
    """Whether numpy and msgspec are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("numpy", "msgspec"))


def load_columns(source: Source, kinds: Mapping[str, int]) -> Columns:
    """
    Read a history that ``archive.save`` wrote.

    :param kinds: a code for each name of an operation.
    :raises UnfitError: if the file has anything that columns have no place for.
    """
    loading = _Loading(kinds)
    try:
        return loading.columns(source)
    except (loading.problem, ValueError, TypeError, KeyError, OverflowError, StopIteration) as problem:
        raise UnfitError(str(problem)) from problem


def load_rows(source: Source, rows: Sequence[int]) -> tuple[Operation, ...]:
    """The operations of these rows alone."""
    wanted = set(rows)
    lines = (line for block in source.blocks() for line in block.splitlines(keepends=True))
    operations = (line for line in lines if line.startswith(_OPERATION))
    chosen = compress(operations, (row in wanted for row in range(max(wanted) + 1)))
    return load_lines(source.name, (line.decode() for line in chosen))


class _Loading:
    def __init__(self, kinds: Mapping[str, int]) -> None:
        msgspec = importlib.import_module("msgspec")
        self.problem: type[Exception] = msgspec.MsgspecError
        self._numpy = importlib.import_module("numpy")
        self._kinds = kinds
        optional = int | None
        columns = [
            ("operation", int),
            ("client", str),
            ("f", str),
            ("invoked_ns", int),
            ("outcome", str),
            ("completed_ns", optional, None),
            ("value", optional, None),
            ("result", int | list[int] | None, None),
            ("error", str | None, None),
            ("notes", dict | None, None),
        ]
        line = msgspec.defstruct("Line", columns, gc=False, forbid_unknown_fields=True)
        self._decoder = msgspec.json.Decoder(line)
        self._decoded = msgspec.json.decode
        self._numbers = {name: array("q") for name in ("invoked", "completed", "value", "result")}
        self._codes = {name: array("b") for name in ("kind", "outcome")}
        self._lists: dict[int, Any] = {}
        self._others = Counter[str]()

    def columns(self, source: Source) -> Columns:
        blocks = source.blocks()
        first, _, rest = next(blocks).partition(b"\n")
        header = self._decoded(first)
        self._take(rest)
        for block in blocks:
            self._take(block)
        self._check(header)
        as_array = self._numpy.frombuffer
        return Columns(
            **{name: as_array(column, dtype="int64") for name, column in self._numbers.items()},
            **{name: as_array(column, dtype="int8") for name, column in self._codes.items()},
            lists=self._lists,
            started_ns=header.get("started_ns", 0),
        )

    def _check(self, header: Mapping[str, Any]) -> None:
        """What ``archive.load`` checks, without saying where it is wrong."""
        if not header.keys() <= _HEADER:
            raise UnfitError("a header with something unknown in it")
        if header.get("clock_error_ns"):
            raise UnfitError("stamps of several clocks, whose errors columns have no place for")
        records = header["records"]
        count = len(self._numbers["invoked"])
        if header["schema"] != SCHEMA or not count:
            raise UnfitError("not the records that were announced")
        others = {kind: self._others[kind] for kind in {*OTHERS, *self._others}}
        if records != {**others, "operation": count}:
            raise UnfitError("not the records that were announced")
        as_array = self._numpy.frombuffer
        invoked, completed = (as_array(self._numbers[name], dtype="int64") for name in ("invoked", "completed"))
        unfinished = completed == NONE
        unknown = as_array(self._codes["outcome"], dtype="int8") == OUTCOMES["info"]
        if bool((unfinished & ~unknown).any()) or bool(((completed < invoked) & ~unfinished).any()):
            raise UnfitError("an operation without end, or with one before its beginning")

    def _take(self, block: bytes) -> None:
        if not block:
            return
        if not block.endswith(b"\n"):
            raise UnfitError("the file is cut short")
        try:
            lines = self._decoder.decode_lines(block)
            if len(lines) != block.count(b"\n"):
                raise UnfitError("not one record a line")
        except self.problem:  # At the beginning and the end other records stand between operations.
            lines = [self._decoder.decode(line) for line in self._operations(block)]
        self._append(lines)

    def _operations(self, block: bytes) -> Iterator[bytes]:
        for line in block.splitlines():
            if line.startswith(_OPERATION):
                yield line
            else:
                self._others[next(iter(self._decoded(line)), "")] += 1

    def _append(self, lines: Sequence[Any]) -> None:
        kinds, numbers, codes = self._kinds, self._numbers, self._codes
        results = [NONE if line.result is None else line.result for line in lines]
        try:
            numbers["result"].extend(results)
        except TypeError:  # Some result is a list; those before it were taken.
            del numbers["result"][len(numbers["invoked"]) :]
            numbers["result"].extend(self._without_lists(results))
        numbers["invoked"].extend([line.invoked_ns for line in lines])
        numbers["completed"].extend([NONE if line.completed_ns is None else line.completed_ns for line in lines])
        numbers["value"].extend([NONE if line.value is None else line.value for line in lines])
        codes["kind"].extend([kinds[line.f] for line in lines])
        codes["outcome"].extend([OUTCOMES[line.outcome] for line in lines])

    def _without_lists(self, results: Sequence[Any]) -> Iterator[int]:
        for row, result in enumerate(results, len(self._numbers["invoked"])):
            if isinstance(result, list):
                self._lists[row] = self._numpy.array(result, dtype="int64")
                yield NONE
            else:
                yield result
