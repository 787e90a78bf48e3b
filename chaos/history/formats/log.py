"""
Jepsen's own log, and its ``history.txt``: the lines that end in ``PROCESS :type :f VALUE``, whatever stands before it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn

from chaos.errors import HistoryFormatError
from chaos.history.formats.edn import LONGEST, Form, parse
from chaos.history.records import Value

MARK: Final = "jepsen.util"
EVENT: Final = r"(?:^|[\s:>-])(?:\d+|:nemesis)\s+:(?:invoke|ok|fail|info)(?=\s|$)"
"""How an event begins."""
_BEGIN = re.compile(EVENT)
_CLIENTS = re.compile(r"(?P<process>\d+)\s+:(?P<type>\S+)(?:\s+:(?P<f>\S+)(?:\s+(?P<rest>.*))?)?\s*$")
_NEMESIS = re.compile(r":nemesis\s+:(?P<type>\S+)\s*(?P<rest>.*)$")
_LOOKS_LIKE_ONE = re.compile(r"jepsen\.util(?:\s+-|:)?\s+(?:\d+|:nemesis)(?:\s|$)")


class LogReader:
    """The events of a log; lines of other loggers, and stack traces, are passed over."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = 0

    def read(self, texts: Iterable[str]) -> Iterator[Form]:
        """Each event as an op map, with its line."""
        rest, found = "", False
        for text in texts:
            *lines, rest = (rest + text).split("\n")
            for event in self._events(lines):
                found = True
                yield event
            if len(rest) > LONGEST:
                self._line += 1
                self._refuse("a line without end")
        for event in self._events([rest]):
            found = True
            yield event
        if not found:
            self._refuse("the log ends, and no line of it was `process :type :f value`")

    def _events(self, lines: Iterable[str]) -> Iterator[Form]:
        for line in lines:
            self._line += 1
            if (":" in line or MARK in line) and (event := self._event(line)) is not None:
                yield self._line, event

    def _event(self, line: str) -> dict[str, Any] | None:
        begin = _BEGIN.search(line)
        if begin is None:
            if _LOOKS_LIKE_ONE.search(line):
                self._refuse("damaged: no `process :type :f value`")
            return None
        if nemesis := _NEMESIS.search(line, begin.start()):
            return self._of_nemesis(nemesis["type"], nemesis["rest"])
        match = _CLIENTS.search(line, begin.start())
        if match is None or match["f"] is None or match["rest"] is None:
            if MARK not in line and begin.start() > 0:
                return None  # Some other logger's sentence.
            self._refuse("cut short: no `process :type :f value`")
        event = {"type": match["type"], "process": int(match["process"]), "f": match["f"]}
        return {**event, **self._values(match["rest"], match["type"])}

    def _of_nemesis(self, kind: str, rest: str) -> dict[str, Any]:
        """What it did may be called anything, and nothing follows from it."""
        try:
            f, *values = parse(rest, self._name, self._line)
        except (HistoryFormatError, ValueError):
            f, values = rest, []
        return {"type": kind, "process": "nemesis", "f": f if isinstance(f, str) else rest, "value": values[:1]}

    def _values(self, rest: str, kind: str) -> dict[str, Value]:
        """The value, and behind a tab, as it was printed, what went wrong."""
        text, _, error = rest.rstrip().partition("\t")
        if kind in ("fail", "info"):
            return self._unhappy(text, error)
        said = parse(text, self._name, self._line)
        if not said:
            self._refuse("cut short: no value")
        if error or len(said) > 1:
            self._refuse(f"more than one value: {said!r:.80} {error:.80}".rstrip())
        return {"value": said[0]}

    def _unhappy(self, text: str, error: str) -> dict[str, Value]:
        """Of an op that did not succeed the value may be missing, and what went wrong need not be EDN."""
        try:
            said = parse(text, self._name, self._line)
        except HistoryFormatError:
            return {"value": None, "error": f"{text} {error}".rstrip()}
        if not said:
            self._refuse("cut short: no value")
        error = error.removeprefix(":") or (str(said[-1]) if len(said) > 1 else "")
        return {"value": said[0], "error": error} if error else {"value": said[0]}

    def _refuse(self, reason: str) -> NoReturn:
        raise HistoryFormatError(f"{self._name}, line {self._line}: {reason}")
