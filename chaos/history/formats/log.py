"""
Jepsen's own log: the lines ``... jepsen.util - PROCESS :type :f VALUE`` among all that a run logs.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn

from chaos.errors import HistoryFormatError
from chaos.history.formats.edn import LONGEST, Form, parse
from chaos.history.records import Value

MARK: Final = "jepsen.util"
_EVENT = re.compile(
    r"jepsen\.util(?:\s+-|:)\s+(?P<process>\d+|:nemesis)\s+:(?P<type>\S+)(?:\s+:(?P<f>\S+)(?:\s+(?P<rest>.*))?)?\s*$"
)
_LOOKS_LIKE_ONE = re.compile(r"jepsen\.util(?:\s+-|:)\s+(?:\d+|:nemesis)(?:\s|$)")


class LogReader:
    """The events of a log; lines of other loggers, and stack traces, are passed over."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = 0

    def read(self, texts: Iterable[str]) -> Iterator[Form]:
        """Each event as an op map, with its line."""
        rest = ""
        for text in texts:
            *lines, rest = (rest + text).split("\n")
            yield from self._events(lines)
            if len(rest) > LONGEST:
                self._line += 1
                self._refuse("a line without end")
        yield from self._events([rest])

    def _events(self, lines: Iterable[str]) -> Iterator[Form]:
        for line in lines:
            self._line += 1
            if MARK in line and (event := self._event(line)) is not None:
                yield self._line, event

    def _event(self, line: str) -> dict[str, Any] | None:
        match = _EVENT.search(line)
        if match is None:
            if _LOOKS_LIKE_ONE.search(line):
                self._refuse("damaged: no `process :type :f value`")
            return None
        kind, f, rest = match["type"], match["f"], match["rest"]
        if f is None or rest is None:
            self._refuse("cut short: no `process :type :f value`")
        process: Value = int(match["process"]) if match["process"].isdecimal() else match["process"][1:]
        event = {"type": kind, "process": process, "f": f}
        said = parse(rest, self._name, self._line)
        if not said:
            self._refuse("cut short: no value")
        return {**event, **self._values(said, kind, process)}

    def _values(self, said: list[Value], kind: str, process: Value) -> dict[str, Value]:
        """The value, and behind it what went wrong; of an op that did not succeed the value may be missing."""
        if kind == "ok" and len(said) > 1 and isinstance(process, int):
            self._refuse(f"more than one value: {said!r:.80}")
        if len(said) == 1:
            return {"value": said[0]}
        return {"value": said[0], "error": str(said[-1])}

    def _refuse(self, reason: str) -> NoReturn:
        raise HistoryFormatError(f"{self._name}, line {self._line}: {reason}")
