"""
JSON lines over a stream socket, with file descriptors where the socket can carry them.
"""

import json
import os
import socket
from collections import deque
from typing import Any

Message = dict[str, Any]
CHUNK = 1 << 18
MOST_FDS = 8


class Stream:
    """One end of a conversation. Not for two threads at once."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._fds: deque[int] = deque()
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self.ended = False

    def fileno(self) -> int:
        """For selectors."""
        return self.socket.fileno()

    def send(self, message: Message, fds: tuple[int, ...] = ()) -> None:
        """Send one message whole; ``fds`` are duplicated into the other process."""
        if fds:
            message = {**message, "fds": len(fds)}
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        sent = socket.send_fds(self.socket, [data], list(fds)) if fds else 0
        self.socket.sendall(data[sent:])

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """The next message; None when the other end is gone; ``TimeoutError`` when none comes in time (0: now)."""
        while not self._lines:
            if self.ended:
                return None
            self._fill(timeout_s)
        message: Message = json.loads(self._lines.popleft())
        if "fds" in message:
            message["fds"] = [self._fds.popleft() for _ in range(message["fds"])]
        return message

    def pending(self) -> bool:
        """Whether a whole message is already here."""
        return bool(self._lines)

    def close(self) -> None:
        """Close this end and any descriptor that came and was not taken."""
        for fd in self._fds:
            os.close(fd)
        self._fds.clear()
        self.socket.close()

    def _fill(self, timeout_s: float | None) -> None:
        self.socket.settimeout(timeout_s)
        try:
            data, fds, _, _ = socket.recv_fds(self.socket, CHUNK, MOST_FDS)
        except BlockingIOError as problem:
            raise TimeoutError("no message is waiting") from problem
        except ConnectionError:
            data, fds = b"", []
        finally:
            if self.socket.fileno() >= 0:
                self.socket.settimeout(None)
        self._fds.extend(fds)
        if not data:
            self.ended = True
            return
        *whole, self._rest = (self._rest + data).split(b"\n")
        self._lines.extend(line for line in whole if line)
