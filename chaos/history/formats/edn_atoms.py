"""
What stands between the brackets of EDN: nil, booleans, numbers, strings, characters, keywords, symbols.
"""

import re
from fractions import Fraction
from typing import Any, Final

from chaos.history.records import Value

MOST_KEPT = 1 << 16
"""Atoms remembered; a file of unique strings must not grow a table without end."""

WORDS: Final[dict[str, Value]] = {
    "nil": None,
    "true": True,
    "false": False,
    "##Inf": float("inf"),
    "##-Inf": float("-inf"),
}
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]*)N?")
_HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]+")
"""In unreadable objects: ``#object[java.lang.Object 0x4f2b503c "..."]``."""
_FLOAT = re.compile(
    r"[+-]?(0|[1-9][0-9]*)((\.[0-9]*)?([eE][+-]?[0-9]+)?M|(\.[0-9]*)([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)"
)
_RATIO = re.compile(r"([+-]?[0-9]+)/([0-9]+)")
_NUMERIC = re.compile(r"[+-]?[0-9]")
_SYMBOL = re.compile(r"[^\W\d]|[.*+!?$%&=<>/#_-]")
_STRING = re.compile(r'(?s)"(?>[^"\\]+|\\.)*"')
_ESCAPE = re.compile(r"(?s)\\(u[0-9a-fA-F]{4}|[0-7]{1,3}|.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/", "'": "'"}
_CHARACTERS = {"newline": "\n", "space": " ", "tab": "\t", "return": "\r", "formfeed": "\f", "backspace": "\b"}


class Atoms(dict[str, Value]):
    """
    Token to value; those that come again are looked up.

    Keywords and symbols become their names without the colon, as in Jepsen's own JSON: ``:append`` and ``"append"`` are one.
    """

    def __init__(self) -> None:
        super().__init__(WORDS)

    def __missing__(self, token: str) -> Value:
        first = token[0]
        if first in "123456789" and token.isdecimal() and token.isascii():
            return int(token) if len(token) > 4 else self._kept(token, int(token))
        if first == ":" and len(token) > 1:
            return self._kept(token, token[1:])
        if _NUMERIC.match(token):
            return number(token) if len(token) > 4 else self._kept(token, number(token))
        return self._kept(token, _other(first, token))

    def _kept(self, token: str, value: Value) -> Value:
        if "\n" in token:
            return value  # Whoever counts lines must see it each time.
        if len(self) >= MOST_KEPT:
            self.clear()
            self.update(WORDS)
        self[token] = value
        return value


def closed(token: str) -> bool:
    """Whether a token that begins like a string also ends like one."""
    return _STRING.fullmatch(token) is not None


def number(token: str) -> Value:
    """
    A number: exact where EDN is.

    :raises ValueError: if it is none, or longer than Python reads.
    """
    if _INTEGER.fullmatch(token):
        return int(token.rstrip("N"))
    if _HEXADECIMAL.fullmatch(token):
        return int(token, 16)
    if _FLOAT.fullmatch(token):
        return float(token.rstrip("M"))
    if ratio := _RATIO.fullmatch(token):
        numerator, denominator = int(ratio[1]), int(ratio[2])
        if denominator:
            return _whole(Fraction(numerator, denominator))
    raise ValueError(f"not a number: {token[:40]}")


def _whole(fraction: Fraction) -> Any:
    return int(fraction) if fraction.denominator == 1 else fraction


def _other(first: str, token: str) -> Value:
    if first == '"':
        return _string(token)
    if first == "\\":
        return _character(token)
    if token == "##NaN":
        raise ValueError("##NaN equals nothing, so nothing can be said of it")
    if _SYMBOL.match(token) and not token.startswith("##"):
        return token
    raise ValueError(f"not EDN: {token[:40]!r}")


def _string(token: str) -> str:
    if not closed(token):
        raise ValueError("the string does not end")
    if "\\" not in token:
        return token[1:-1]
    text = _ESCAPE.sub(_escaped, token[1:-1])
    return text if "\\u" not in token else _joined(text)


def _joined(text: str) -> str:
    """Pairs of escapes that are one character, as Java writes what is beyond 16 bits."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _escaped(match: re.Match[str]) -> str:
    said = match[1]
    if said[0] == "u" and len(said) == 5:
        return chr(int(said[1:], 16))
    if said.isdigit():
        return chr(int(said, 8)) if said[0] in "01234567" else _no_escape(said)
    return _ESCAPES.get(said) or _no_escape(said)


def _no_escape(said: str) -> str:
    raise ValueError(f"no escape of EDN: \\{said}")


def _character(token: str) -> str:
    name = token[1:]
    if len(name) == 1:
        return name
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    if len(name) == 5 and name[0] == "u":
        return chr(int(name[1:], 16))
    raise ValueError(f"no character of EDN: {token}")
