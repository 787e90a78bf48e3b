"""
Where a history is read from: a file or standard input, gzipped or not, in chunks.
"""

import codecs
import gzip
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from chaos.errors import HistoryFormatError

CHUNK = 1 << 18
_BEGINNING = 1 << 20
_GZIP = b"\x1f\x8b"
_STDIN = "-"


@dataclass(slots=True)
class Source:
    """Bytes that are read once, from the front, with a look ahead."""

    name: str
    stream: io.BufferedReader
    path: Path | None = None
    """Where it can be opened again; standard input cannot."""
    beginning: bytes | None = None
    told: Callable[[int], None] | None = None
    """Is told after each piece how many bytes have been read."""

    def peek(self) -> bytes:
        """The beginning, which stays unread; a pipe may hand it over in small pieces."""
        if self.beginning is None:
            with self._reading():
                self.beginning = self.stream.read(_BEGINNING)
            self.stream = io.BufferedReader(_Joined(self.beginning, self.stream), CHUNK)
        return self.beginning

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The rest, in pieces of any length."""
        read = 0
        with self._reading():
            while chunk := self.stream.read(size):
                read += len(chunk)
                if self.told is not None:
                    self.told(read)
                yield chunk

    def blocks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The rest, in pieces that end where a line ends; the last one as it is."""
        rest = b""
        for chunk in self.chunks(size):
            end = chunk.rfind(b"\n") + 1
            if not end:
                rest += chunk
                continue
            yield rest + chunk[:end]
            rest = chunk[end:]
        if rest:
            yield rest

    def texts(self, size: int = CHUNK) -> Iterator[str]:
        """
        The rest as text, in pieces of any length, with every end of line as ``\\n``.

        :raises HistoryFormatError: with the line, if it is not UTF-8.
        """
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")(), translate=True)
        lines = 1
        try:
            for chunk in self.chunks(size):
                text = decoder.decode(cast(str, chunk))  # The stubs know the decoder of str only.
                yield text
                lines += text.count("\n")
            yield decoder.decode(cast(str, b""), final=True)
        except UnicodeDecodeError as problem:
            lines += problem.object[: problem.start].count(b"\n")
            raise HistoryFormatError(f"{self.name}, line {lines}: not UTF-8 text: {problem.reason}") from problem

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except EOFError as problem:
            self._refuse("the file is cut short (its gzip stream has no end)", problem)
        except (OSError, zlib.error) as problem:
            self._refuse(f"cannot be read: {problem}", problem)

    def _refuse(self, reason: str, problem: Exception) -> NoReturn:
        raise HistoryFormatError(f"{self.name}: {reason}") from problem


class _Joined(io.RawIOBase):
    """What was read already, then the rest."""

    def __init__(self, beginning: bytes, rest: io.BufferedReader) -> None:
        self._beginning = memoryview(beginning)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._beginning:
            return self._rest.readinto(buffer)
        size = min(len(buffer), len(self._beginning))
        buffer[:size] = self._beginning[:size]
        self._beginning = self._beginning[size:]
        return size


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Source]:
    """A file, or standard input for ``-``; gzip is recognised from the content, whatever the name."""
    name = os.fspath(path)
    if name == _STDIN:
        yield _unzipped("standard input", cast(io.BufferedReader, sys.stdin.buffer))
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - opening may fail, reading says so in its own words.
    except OSError as problem:
        raise HistoryFormatError(f"{name} cannot be read: {problem.strerror}") from problem
    with stream:
        yield _unzipped(name, stream, Path(name))


def _unzipped(name: str, stream: io.BufferedReader, path: Path | None = None) -> Source:
    source = Source(name, stream, path)
    if not source.peek().startswith(_GZIP):
        return source
    plain = gzip.GzipFile(fileobj=cast(IO[bytes], source.stream))
    return Source(name, io.BufferedReader(cast(io.RawIOBase, plain), CHUNK), path)
