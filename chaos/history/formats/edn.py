"""
EDN as Jepsen writes it, read in chunks: the op maps of a history one by one, with the line on which each begins.

The whole notation: collections, tagged literals (``#jepsen.history.Op{...}`` is its map, ``#object[...]`` its vector),
namespaced maps, comments, discards, and Clojure's unreadable ``#<...>``. Lists, vectors and sets become lists.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from operator import length_hint
from typing import Any, Final, NoReturn

from chaos.errors import HistoryFormatError
from chaos.history.formats.edn_atoms import Atoms
from chaos.history.records import Value

DEEPEST = 200
"""Collections inside each other: nobody's history needs more, and what reads the values recurses."""
LONGEST = 1 << 24
"""Characters of one string or comment."""

Form = tuple[int, Value]
"""A value, and the line on which it begins."""

_tokens: Final = re.compile(
    r"""(?xs) [ \t\r\f\v,]*+ (
    \n
    | [\[\](){}] | \#\{ | \#_
    | \#?"(?>[^"\\]+|\\.)*(?:"|\\?\Z)   # Without an end only at the end of a chunk.
    | ;[^\n]*
    | \#<[^>\n]*>?
    | \\(?:[a-zA-Z]+[0-9a-fA-F]*|.|\Z)
    | [^\s,\[\](){}";\\]+
    | [^\s,]
    )"""
).findall
_matches: Final = re.compile(r"(?s)[ \t\r\f\v,]*([^ \t\r\f\v,])")
_CLOSED_BY = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_MARKS = frozenset({"\n", "#_", *_CLOSED_BY, *"])}"})
_COMPLETE = frozenset({"\n", "[", "(", "{", "#{", "]", ")", "}"})


class _Mark(str):
    """A tag or a discard: it is about the next form of the same collection."""

    __slots__ = ()


_DISCARD = _Mark("#_")
_UNSEEN: Final = object()


class _IncompleteError(ValueError):
    def __init__(self) -> None:
        super().__init__("a tag or a discard without its form")


class _Words(Atoms):
    """Atoms, tags and unreadable objects."""

    def __missing__(self, token: str) -> Value:
        if token.startswith("#") and token[1:2] not in ("#", ""):
            if token[1] == '"':
                return super().__missing__(token[1:].replace("\\", "\\\\"))  # A regular expression is its text.
            return token if token[1] == "<" else _Mark(token)
        return super().__missing__(token)


class EdnReader:
    """
    Top-level forms of a text that comes in pieces.

    :param name: what error messages call the text.
    :param line: the number of its first line.
    :param unwrap: if the text begins with one vector or list around everything, give out its elements.
    """

    def __init__(self, name: str, *, line: int = 1, unwrap: bool = True) -> None:
        self._name = name
        self._line = line
        self._column = 1
        self._rest = ""
        self._atoms = _Words()
        self._stack: list[tuple[str, list[Value], int]] = []
        self._items: list[Value] = []
        self._floor = 0
        self._unwrap = unwrap
        self._ended = False
        self._marked = False

    def read(self, texts: Iterable[str]) -> Iterator[Form]:
        """All forms of the text; a form is given out as soon as it is complete."""
        for text in texts:
            yield from self._feed(text)
        yield from self._feed("", final=True)
        if self._stack:
            bracket, _, line = self._stack[-1]
            self._refuse(f"cut short: the {bracket} of line {line} is not closed")
        if self._items:
            self._refuse(f"cut short: {_IncompleteError()}")

    def _feed(self, text: str, *, final: bool = False) -> list[Form]:
        text = self._rest + text
        tokens = _tokens(text)
        self._rest = "" if final else self._held_back(text, tokens)
        began = self._line
        forms: list[Form] = []
        going = iter(tokens)
        try:
            self._take(going, forms)
        except (ValueError, TypeError, IndexError) as problem:
            self._line = began
            self._locate(text, tokens[: len(tokens) - length_hint(going)])
            self._refuse(str(problem))
        used = text[: len(text) - len(self._rest)]
        last = used.rfind("\n")
        self._column = len(used) - last if last >= 0 else self._column + len(used)
        return forms

    def _held_back(self, text: str, tokens: list[str]) -> str:
        """The last token, if the next piece may go on with it."""
        if not tokens or tokens[-1] in _COMPLETE:
            return ""
        last = tokens[-1]
        if text[-1] in " \t,\r" and text[-1] != last[-1]:
            return ""
        if len(last) > LONGEST:
            self._refuse(f"what begins with {last[:40]!r} does not end")
        tokens.pop()
        return last

    def _take(self, tokens: Iterator[str], forms: list[Form]) -> None:
        atoms, stack, items = self._atoms, self._stack, self._items
        known, append = atoms.get, items.append
        for token in tokens:
            value = known(token, _UNSEEN)
            if value is not _UNSEEN:
                append(value)
            elif token not in _MARKS:
                if token[0] != ";":
                    append(atoms[token])
                    self._line += token.count("\n")
                    self._marked = self._marked or token[0] == "#"
            elif token == "\n":
                self._line += 1
            elif token in _CLOSED_BY:
                if self._opens_all(token, items):
                    continue
                self._check_depth()
                stack.append((token, items, self._line))
                items = []
                append = items.append
            elif token == "#_":
                append(_DISCARD)
                self._marked = True
            elif len(stack) == self._floor:
                self._close_all(token, items, forms)
            else:
                value, items, line = self._closed(token, items)
                append = items.append
                append(value)
                if len(stack) == self._floor:
                    self._give_out(items, line, forms)
        self._items = items
        if len(stack) == self._floor and items:
            self._give_out(items, self._line, forms)

    def _closed(self, token: str, items: list[Value]) -> tuple[Value, list[Value], int]:
        opening, outer, line = self._stack[-1]
        if _CLOSED_BY[opening] != token:
            raise ValueError(f"{token} closes the {opening} of line {line}")
        if self._marked:
            items = _resolved(items)
        value = _mapping(items) if opening == "{" else items
        self._stack.pop()
        return value, outer, line

    def _opens_all(self, token: str, items: list[Value]) -> bool:
        if not self._unwrap or items or self._stack:
            return False
        self._unwrap = False
        if token not in "[(":
            return False
        self._stack.append((token, [], self._line))
        self._floor = 1
        return True

    def _close_all(self, token: str, items: list[Value], forms: list[Form]) -> None:
        if not self._floor or _CLOSED_BY[self._stack[0][0]] != token:
            raise ValueError(f"{token} closes nothing")
        if items:
            self._give_out(items, self._line, forms)
        if items:
            raise _IncompleteError
        self._stack.pop()
        self._floor = 0
        self._ended = True

    def _check_depth(self) -> None:
        if len(self._stack) >= DEEPEST:
            raise ValueError(f"more than {DEEPEST} collections inside each other")

    def _give_out(self, items: list[Value], line: int, forms: list[Form]) -> None:
        if self._ended:
            raise ValueError("something follows the end of the history's vector")
        try:
            given = _resolved(items) if self._marked else items
        except _IncompleteError:
            return
        forms.extend([(line, value) for value in given])
        items.clear()
        self._marked = False

    def _locate(self, text: str, consumed: list[str]) -> None:
        """Move line and column to the last of these tokens."""
        at = 0
        for token in consumed:
            match = _matches.match(text, at)
            at = (match.start(1) if match else at) + len(token)
        at -= len(consumed[-1])
        self._line += text.count("\n", 0, at)
        last = text.rfind("\n", 0, at)
        self._column = at - last if last >= 0 else self._column + at

    def _refuse(self, reason: str) -> NoReturn:
        raise HistoryFormatError(f"{self._name}, line {self._line}, column {self._column}: {reason}")


def parse(text: str, name: str, line: int = 1) -> list[Value]:
    """All forms of a short text."""
    return [value for _, value in EdnReader(name, line=line, unwrap=False).read([text])]


def _mapping(items: list[Value]) -> dict[Any, Value]:
    names, values = items[::2], items[1::2]
    if len(names) != len(values):
        raise ValueError("a map with a key that has no value")
    try:
        made = dict(zip(names, values, strict=True))
    except TypeError:
        made = dict(zip(map(_key, names), values, strict=True))
    if len(made) != len(names):
        raise ValueError("a map with the same key twice")
    return made


def _key(value: Value) -> Any:
    if isinstance(value, list):
        return tuple(map(_key, value))
    return frozenset((_key(name), _key(each)) for name, each in value.items()) if isinstance(value, dict) else value


def _resolved(items: Iterable[Value]) -> list[Value]:
    """The items with tags and discards carried out."""
    going = iter(items)
    return [_tagged(item, going) for item in _kept(going)]


def _kept(going: Iterator[Value]) -> Iterator[Value]:
    for item in going:
        if item is _DISCARD:
            _form(going)
        else:
            yield item


def _form(going: Iterator[Value]) -> Value:
    for item in _kept(going):
        return _tagged(item, going)
    raise _IncompleteError


def _tagged(item: Value, going: Iterator[Value]) -> Value:
    if type(item) is not _Mark:
        return item
    form = _form(going)
    if not item.startswith("#:"):
        return form
    if not isinstance(form, Mapping):
        raise ValueError(f"{item} is no map")
    return {f"{item[2:]}/{name}": value for name, value in form.items()}
