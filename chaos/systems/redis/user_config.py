"""
A user's own redis.conf as the lab can use it: what the lab itself decides is left out, and its password is found.

A file from production says where to listen, where to write and whom to follow; a server obeys some of that as it reads
it (``dir``, ``logfile``), so that later lines would come too late.
"""

import re
from collections.abc import Iterable

OWNED = frozenset(
    {
        *("port", "bind", "protected-mode", "unixsocket", "unixsocketperm"),
        *("daemonize", "supervised", "pidfile", "logfile", "syslog-enabled", "dir"),
        *("replicaof", "slaveof", "requirepass", "masterauth", "primaryauth"),
    }
)
"""Directives that mean something else in a lab, or that the lab gives itself."""

_PLAIN = re.compile(r"[\w.+/=:@*,~-]+", re.ASCII)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "a": "\a"}
_ESCAPED = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)


def adopted(text: str) -> str:
    """The user's file, each line in its place, without what the lab itself decides."""
    return "".join(_adopted(line) for line in text.splitlines(keepends=True))


def _adopted(line: str) -> str:
    name = _name(line)
    return f"# {name}: decided by the lab\n" if name in OWNED else line


def password_in(text: str) -> str | None:
    """The password that a user's own redis.conf asks for, so that the lab can talk to that server."""
    found: str | None = None
    for line in text.splitlines():
        if _name(line) == "requirepass":
            found = _unquoted(line.strip().partition(" ")[2].strip()) or None
    return found


def quoted(secret: str) -> str:
    """A value that may contain anything, as one word of a redis.conf."""
    if _PLAIN.fullmatch(secret):
        return secret
    return '"' + "".join(_escaped(letter) for letter in secret) + '"'


def _name(line: str) -> str:
    words: Iterable[str] = line.split(maxsplit=1)
    return next(iter(words), "").lower()


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else "".join(f"\\x{byte:02x}" for byte in letter.encode())


def _unquoted(word: str) -> str:
    if len(word) < 2 or word[0] != word[-1] or word[0] not in "\"'":
        return word
    if word[0] == "'":
        return word[1:-1].replace("\\'", "'")
    return _ESCAPED.sub(lambda found: _meant(found[1]), word[1:-1])


def _meant(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) == 3 else _ESCAPES.get(escape, escape)
