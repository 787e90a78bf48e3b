"""
The test process' end of a container's pipes: what the engine weaves together is taken apart again.
"""

import json
import struct
from collections import deque
from typing import Any

from chaos.providers.agent.stream import CHUNK, Message, Stream

STDERR = 2
HEADER = struct.Struct(">BxxxL")
WORDS = 40


class AttachStream(Stream):
    """
    The conversation with the agent of a sidecar.

    Without a terminal the engine puts eight bytes before each piece: whether it is of stdout or stderr, and how long.
    Only stdout is the conversation; the last lines of stderr are kept for an error to quote.
    """

    def __init__(self, attached: Any) -> None:
        super().__init__(getattr(attached, "_sock", attached))
        self._attached = attached  # What the socket belongs to closes it when nobody holds it any more.
        self._raw = b""
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
        self._raw += data
        while len(self._raw) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._raw)
            if len(self._raw) < HEADER.size + length:
                return
            piece = self._raw[HEADER.size : HEADER.size + length]
            self._raw = self._raw[HEADER.size + length :]
            if kind == STDERR:
                self.words.extend(piece.decode(errors="replace").splitlines())
            elif piece:
                self._take(piece)
