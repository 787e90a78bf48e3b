"""
An agent under another kernel: it answers over a real socket, and its clock shows something else than ours.
"""

import socket
import threading
import time
from typing import Any

from chaos.providers.agent.stream import Stream
from chaos.providers.channel import AgentChannel


class ForeignAgent:
    """
    Answers every batch with nothing but its time, and tells an event before the answer where one waits.

    :param ahead_ns: how far its clock is ahead of ours.
    """

    def __init__(self, party: str = "n1", ahead_ns: int = 0) -> None:
        ours, theirs = socket.socketpair()
        self.channel = AgentChannel(party, Stream(ours))
        self.ahead_ns, self.asked = ahead_ns, 0
        self.happened: list[tuple[int, int]] = []
        """Of each event that was told: between which times of ours it was stamped."""
        self._stream = Stream(theirs)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def now_ns(self) -> int:
        """What its clock shows."""
        return time.monotonic_ns() + self.ahead_ns

    def tell(self, kind: str = "exit") -> None:
        """Tell an event of its own accord."""
        before = time.monotonic_ns()
        event: dict[str, Any] = {"at": self.now_ns(), "event": kind, "name": f"p{len(self.happened)}", "code": 0}
        self.happened.append((before, time.monotonic_ns()))
        self._stream.send(event)

    def end(self) -> None:
        """Be gone."""
        self._stream.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def close(self) -> None:
        """End both sides."""
        self.channel.close()
        self._thread.join(5)
        self._stream.close()

    def _serve(self) -> None:
        while (message := self._stream.receive(None)) is not None:
            self.asked += 1
            self._stream.send({"id": message["id"], "results": [None for _ in message["do"]], "at": self.now_ns()})
