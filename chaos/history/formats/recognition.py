"""
Which format a file has, by its first bytes; names and endings mean nothing.
"""

import re
from typing import Final

from chaos.errors import HistoryFormatError
from chaos.history.formats.log import EVENT

ARCHIVE: Final = "archive"
"""Our own finished run: a header with the schema, then records."""
LIVE: Final = "live events"
"""Our own record of a single client, as it is written."""
EDN: Final = "Jepsen EDN"
JSON: Final = "JSON op maps"
LOG: Final = "Jepsen log"

_BOM = b"\xef\xbb\xbf"
_BEGINNINGS: Final = (
    (ARCHIVE, re.compile(rb'\{\s*"schema"\s*:')),
    (LIVE, re.compile(rb'\{\s*"start"\s*:')),
    (JSON, re.compile(rb'\[\s*\{\s*["}]|\{\s*"[^"\\]*"\s*:|\[\s*\]|\[\s*\{?\s*$|\{\s*$')),
    (EDN, re.compile(rb'[\[(]?[\s,]*(?:#_|#[\w.:/]+[\s,]*)?\{[\s,]*[:"}#;]|[\[(][\s,]*[\])#;]|\(\s*$')),
)
_EVENT = re.compile(EVENT.encode(), re.MULTILINE)
_COMMENT = re.compile(rb"(?:[\s,]+|;[^\n]*\n)*")


def recognise(beginning: bytes, name: str) -> str:
    """
    The format of a text that begins so.

    :raises HistoryFormatError: if it is none of those known; the message lists them.
    """
    text = beginning.removeprefix(_BOM)
    if not text.strip():
        what = "nothing but white space" if text else "empty"
        raise HistoryFormatError(f"{name}, line 1: the file is {what}")
    lead = _COMMENT.match(text)
    body = text[lead.end() :] if lead else text
    for form, pattern in _BEGINNINGS:
        if pattern.match(body):
            return EDN if form == JSON and body is not text and b";" in text[: len(text) - len(body)] else form
    if b"jepsen" in text or _EVENT.search(text):
        return LOG
    raise HistoryFormatError(f"{name}, line 1: no history that is known here ({known()}): {_start(text)}")


def known() -> str:
    """The formats in words."""
    return f"our own archive, {EDN} as one vector or a map a line, {LOG}, {JSON} as one array or a map a line"


def _start(text: bytes) -> str:
    return repr(text.lstrip()[:60].split(b"\n")[0].decode("utf-8", "replace"))
