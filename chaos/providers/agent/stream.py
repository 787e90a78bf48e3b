"""
JSON lines over a stream socket, with file descriptors where the socket can carry them, or over two pipes.
"""

import json
import os
import select
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
        self._take(data)

    def _take(self, data: bytes) -> None:
        if not data:
            self.ended = True
            return
        *whole, self._rest = (self._rest + data).split(b"\n")
        self._lines.extend(line for line in whole if line)


class Pipes(Stream):
    """The same over a pipe in and a pipe out, as a container has them; they carry no descriptors."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._lines, self._rest, self.ended = deque(), b"", False

    def fileno(self) -> int:
        """For selectors."""
        return self._incoming

    def send(self, message: Message, fds: tuple[int, ...] = ()) -> None:
        """Send one message whole."""
        if fds:
            raise OSError("no file descriptor leaves a container")
        data = memoryview(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        while data:
            data = data[os.write(self._outgoing, data) :]

    def close(self) -> None:
        """Close both pipes."""
        os.close(self._incoming)
        os.close(self._outgoing)

    def _fill(self, timeout_s: float | None) -> None:
        if timeout_s is not None and not select.select([self._incoming], [], [], timeout_s)[0]:
            raise TimeoutError("no message is waiting")
        self._take(os.read(self._incoming, CHUNK))
