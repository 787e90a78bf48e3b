"""
The test process' end of a container's pipes: what the engine weaves together is taken apart again.
"""

import json
import struct
from collections import deque
from collections.abc import Iterator
from typing import Any

from chaos.providers.agent.stream import CHUNK, Message, Stream

STDERR = 2
HEADER = struct.Struct(">BxxxL")
WORDS = 40
LINES = 3


class Frames:
    """Without a terminal the engine puts eight bytes before each piece: whether it is of stdout or stderr, and how long."""

    def __init__(self) -> None:
        self._raw = b""

    def fed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The pieces that are whole now, each with its kind."""
        self._raw += data
        while len(self._raw) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._raw)
            if len(self._raw) < HEADER.size + length:
                return
            piece = self._raw[HEADER.size : HEADER.size + length]
            self._raw = self._raw[HEADER.size + length :]
            yield kind, piece


class AttachOutput:
    """What a container writes, and whether it has ended: for an error to quote."""

    def __init__(self, attached: Any) -> None:
        self._attached, self._socket = attached, getattr(attached, "_sock", attached)
        self._frames, self._said = Frames(), b""

    def ended(self) -> bool:
        """Take in what has arrived; true once there will be no more."""
        self._socket.settimeout(0)
        while True:
            try:
                data = self._socket.recv(CHUNK)
            except BlockingIOError:
                return False
            except OSError:
                return True
            if not data:
                return True
            self._said += b"".join(piece for _, piece in self._frames.fed(data))

    def last_words(self) -> str:
        """The last lines, in one."""
        return "; ".join(self._said.decode(errors="replace").split("\n")[-LINES:]).strip("; ")

    def close(self) -> None:
        """Hear no more."""
        self._attached.close()
        self._socket.close()


class AttachStream(Stream):
    """
    The conversation with the agent of a sidecar.

    Only stdout is the conversation; the last lines of stderr are kept for an error to quote.
    """

    def __init__(self, attached: Any) -> None:
        super().__init__(getattr(attached, "_sock", attached))
        self._attached = attached  # What the socket belongs to closes it when nobody holds it any more.
        self._frames = Frames()
        self.words: deque[str] = deque(maxlen=WORDS)

    def send(self, message: Message, fds: tuple[int, ...] = ()) -> None:
        """Send one message whole."""
        if fds:
            raise OSError("no file descriptor goes to a container")
        self.socket.settimeout(None)
        self.socket.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Close; the container's input ends."""
        self._attached.close()
        self.socket.close()

    def _fill(self, timeout_s: float | None) -> None:
        self.socket.settimeout(timeout_s)
        try:
            data = self.socket.recv(CHUNK)
        except (BlockingIOError, TimeoutError) as problem:
            raise TimeoutError("no message is waiting") from problem
        except OSError:
            data = b""
        if not data:
            self._take(b"")
            return
        for kind, piece in self._frames.fed(data):
            if kind == STDERR:
                self.words.extend(piece.decode(errors="replace").splitlines())
            elif piece:
                self._take(piece)
