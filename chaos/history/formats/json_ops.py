"""
Op maps as JSON: one array of them, or one a line.
"""

from collections.abc import Iterable, Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Final, NoReturn

from chaos.errors import HistoryFormatError
from chaos.history.formats.edn import LONGEST, Form
from chaos.history.reader import refuse_constant

_SPACE: Final = " \t\r\n"
_BLANK = frozenset(_SPACE)


def _map(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a map with the same key twice")
    return made


_decoder = JSONDecoder(parse_constant=refuse_constant, object_pairs_hook=_map)


class JsonReader:
    """The values of an array, or of a text that has one after the other."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._text = ""
        self._at = 0
        self._line = 1
        self._column = 1

    def read(self, texts: Iterable[str]) -> Iterator[Form]:
        """Each value with the line on which it begins, as soon as it is complete."""
        pieces = iter(texts)
        bare = self._next(pieces) != "["
        if not bare:
            self._move(1)
        yield from self._values(pieces, bare=bare)
        if not bare:
            self._move(1)
            if self._next(pieces):
                self._refuse("something follows the end of the array")

    def _values(self, pieces: Iterator[str], *, bare: bool) -> Iterator[Form]:
        between = bare
        while (mark := self._next(pieces)) != "":
            if mark == "]" and not bare and not between:
                return
            yield self._line, self._value(pieces)
            if bare:
                continue
            mark = self._next(pieces)
            if mark == "]":
                return
            if mark == "":
                break
            if mark != ",":
                self._refuse("no comma between two values of the array")
            self._move(1)
            between = True
        if not bare:
            self._refuse("cut short: the array is not closed")

    def _value(self, pieces: Iterator[str]) -> object:
        problem: Exception
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
            except JSONDecodeError as found:
                problem = found
            except (ValueError, RecursionError) as found:
                self._refuse(f"not JSON: {found}")
            else:
                if end < len(self._text) or not self._more(pieces):
                    self._move(end - self._at)
                    return value
                continue  # A number at the end of a piece may go on in the next.
            # A long line that is wrong at its beginning would be read again and again: look no further than needed.
            if "\n" in self._text[self._at : problem.pos] or len(self._text) - self._at > LONGEST:
                self._blame(problem)
            if not self._more(pieces):
                self._blame(problem)

    def _blame(self, problem: Exception) -> NoReturn:
        at = getattr(problem, "pos", self._at)
        began = self._line
        cut = not self._text[at:].strip(_SPACE)
        self._move(at - self._at)
        reason = (
            f"cut short: the value that begins in line {began} does not end" if cut else f"not JSON: {problem.args[0]}"
        )
        self._refuse(reason)

    def _next(self, pieces: Iterator[str]) -> str:
        """The next character that is not white, without taking it; empty at the end."""
        while True:
            at, text = self._at, self._text
            while at < len(text) and text[at] in _BLANK:
                at += 1
            self._move(at - self._at)
            if at < len(text):
                return text[at]
            if not self._more(pieces):
                return ""

    def _more(self, pieces: Iterator[str]) -> bool:
        for piece in pieces:
            if piece:
                self._text = self._text[self._at :] + piece
                self._at = 0
                return True
        return False

    def _move(self, characters: int) -> None:
        passed = self._text[self._at : self._at + characters]
        lines = passed.count("\n")
        self._line += lines
        self._column = len(passed) - passed.rfind("\n") if lines else self._column + characters
        self._at += characters

    def _refuse(self, reason: str) -> NoReturn:
        raise HistoryFormatError(f"{self._name}, line {self._line}, column {self._column}: {reason}")
