"""
What a party's agent does on the network: Toxiproxy's API, canaries, a look at abandoned sockets.
"""

import errno
import http.client
import json
import selectors
import socket
import threading
import time
from pathlib import Path
from typing import Any

API_HOST, API_PORT = "127.0.0.1", 61999
Reply = tuple[int, str, float]


def toxiproxy(requests: list[tuple[str, str, Any]], *, deadline_s: float, side_by_side: bool = False) -> list[Reply]:
    """
    Call the party's own Toxiproxy; each reply is (HTTP status, body, milliseconds), status 0 when none came in time.

    Side by side matters for removals: one removal may hold its proxy's lock for five seconds.
    """
    replies: list[Reply] = [(0, "not asked", 0.0)] * len(requests)

    def ask(number: int) -> None:
        replies[number] = _ask(*requests[number], deadline_s)

    if not side_by_side:
        for number in range(len(requests)):
            ask(number)
        return replies
    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def _ask(method: str, path: str, body: Any, deadline_s: float) -> Reply:
    began = time.monotonic()
    connection = http.client.HTTPConnection(API_HOST, API_PORT, timeout=deadline_s)
    try:
        payload = None if body is None else json.dumps(body)
        connection.request(method, path, payload, {"Content-Type": "application/json", "User-Agent": "chaos"})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace"), (time.monotonic() - began) * 1000
    except (OSError, http.client.HTTPException) as problem:
        return 0, f"{type(problem).__name__}: {problem}", (time.monotonic() - began) * 1000
    finally:
        connection.close()


class _Canary:
    def __init__(self, host: str, port: int, ping: bytes | None, within_s: float) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.ping, self.began = ping, time.monotonic()
        self.deadline = self.began + within_s
        self.connected = False
        self.outcome: str | None = None
        self._note(self.socket.connect_ex((host, port)))

    def _note(self, number: int) -> None:
        if number in (0, errno.EINPROGRESS):
            return
        self._end(_NAMES.get(number, f"error {errno.errorcode.get(number, number)}"))

    def _end(self, outcome: str) -> None:
        self.outcome, self.took_ms = outcome, (time.monotonic() - self.began) * 1000

    def step(self) -> None:
        """The socket is ready: connected or refused, answered or closed."""
        if not self.connected:
            number = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                return self._note(number)
            self.connected = True
            if self.ping is None:
                return self._end("connected")
            self.socket.sendall(self.ping)
            return None
        try:
            self._end("answered" if self.socket.recv(1) else "closed")
        except OSError as problem:
            self._note(problem.errno or errno.EIO)

    def expire(self) -> None:
        """Time is up."""
        if self.outcome is None and time.monotonic() >= self.deadline:
            self._end("silent" if self.connected else "timeout")


_NAMES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
}


def canaries(wanted: list[tuple[str, int, bytes | None, float]]) -> list[tuple[str, float]]:
    """Try connections side by side; each answer is (outcome as ``ConnectResult`` names it, milliseconds)."""
    flying = [_Canary(*one) for one in wanted]
    with selectors.DefaultSelector() as selector:
        for canary in flying:
            if canary.outcome is None:
                selector.register(canary.socket, selectors.EVENT_WRITE, canary)
        while selector.get_map():
            for key, _ in selector.select(0.01):
                canary = key.data
                canary.step()
                if canary.outcome is None:
                    selector.modify(canary.socket, selectors.EVENT_READ, canary)
            for key in list(selector.get_map().values()):
                key.data.expire()
                if key.data.outcome is not None:
                    selector.unregister(key.fileobj)
    for canary in flying:
        canary.socket.close()
    return [(canary.outcome or "error", canary.took_ms) for canary in flying]


def unsettled(shadow: str) -> int:
    """
    Sockets that still hold bytes for a peer although nobody waits for the answer.

    Orphans (inode 0) of this party's processes, and the proxy's own legs to a shadow address that are being sent again.
    """
    count = 0
    for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        queued = int(fields[4].split(":")[0], 16)
        if not queued or _address(fields[2]).startswith("127."):
            continue
        orphan = fields[9] == "0"
        resending = int(fields[6], 16) > 0 and _address(fields[2]).startswith(shadow)
        count += orphan or resending
    return count


def _address(field: str) -> str:
    return socket.inet_ntoa(bytes.fromhex(field.split(":")[0])[::-1])
