"""
Which of the party's declared ports a server listens on, told to every peer's packet rules as it changes.

The mesh accepts before it dials, so without this a port on which nothing listens would connect and then close. Peers
keep a set of closed ports, and their gate refuses new connections to it, as the party's own kernel would. The news is
one broadcast datagram (UDP source port = the port, destination port = open or closed) that the peers' rules read in the
kernel, ahead of every fault: no agent of theirs takes part, and it costs 0.1 ms.
"""

import ctypes
import socket
import struct
import time
from contextlib import suppress

from .stream import Message

SOCK_DIAG = 4
BY_FAMILY = 20
DESTROYED_TCP = 1 << 0 | 1 << 2  # IPv4 and IPv6 groups.
LISTENS = 10
ATTACH_FILTER = 26
# Classic BPF: keep messages whose remote port is 0, as a listener's is; else each closed connection would wake the agent.
LISTENERS_ONLY = ((0x28, 0, 0, 22), (0x15, 0, 1, 0), (0x06, 0, 0, 0xFFFFFFFF), (0x06, 0, 0, 0))

EAGER_S, EAGER_FOR_S = 0.002, 5.0
"""While a started server has not opened its ports yet: nothing in the kernel tells of that, so look often."""
PATIENT_S = 0.02
REPEAT_S = 1.0
"""A datagram can be lost under load: say it all again so often."""


class Listening:
    """Watches the ports of one party."""

    def __init__(self, command: Message) -> None:
        self._address, self._everyone = command["address"], command["broadcast"]
        self._news = {True: command["open"], False: command["closed"]}
        self._open = dict.fromkeys(command["ports"], False)
        self._asker = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, SOCK_DIAG)
        self._ends = _ends_of_listeners()
        self._crier = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
        self._crier.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._eager_until = self._repeat_at = 0.0

    def fileno(self) -> int:
        """Readable when a listener has ended."""
        return self._ends.fileno()

    def look(self) -> None:
        """Tell the peers what has changed, and now and then everything."""
        with suppress(OSError):  # A full buffer means that something has ended: the look below sees what.
            while self._ends.recv(4096, socket.MSG_DONTWAIT):
                pass
        repeat = time.monotonic() >= self._repeat_at
        for port, was_open in self._open.items():
            is_open = self._listens(port)
            if is_open != was_open or repeat:
                self._open[port] = is_open
                self._tell(port, is_open)
        if repeat:
            self._repeat_at = time.monotonic() + REPEAT_S

    def repeat(self) -> None:
        """Say it all again, for peers that have just come."""
        self._repeat_at = 0.0
        self.look()

    def expect(self) -> None:
        """A program was started, which may open ports soon."""
        self._eager_until = time.monotonic() + EAGER_FOR_S

    def wait_s(self) -> float:
        """How long until the next look is due."""
        if all(self._open.values()) or not self._eager_until:
            return REPEAT_S
        return EAGER_S if time.monotonic() < self._eager_until else PATIENT_S

    def _listens(self, port: int) -> bool:
        """Ask the kernel who would take a connection to this port; a wildcard or IPv6 listener counts."""
        own = socket.inet_aton(self._address)
        target = struct.pack("!HH16s16sI8s", port, 0, own, b"", 0, b"\xff" * 8)
        wanted = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + target
        self._asker.send(struct.pack("=IHHII", 16 + len(wanted), BY_FAMILY, 1, 0, 0) + wanted)
        answer = self._asker.recv(8192)
        return struct.unpack_from("=H", answer, 4)[0] == BY_FAMILY and answer[17] == LISTENS

    def _tell(self, port: int, is_open: bool) -> None:
        with suppress(OSError):  # The next repetition says it again.
            self._crier.sendto(struct.pack("!HHHH", port, self._news[is_open], 8, 0), (self._everyone, 0))


def _ends_of_listeners() -> socket.socket:
    """A socket on which the kernel tells of listeners that end."""
    ends = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, SOCK_DIAG)
    ends.bind((0, DESTROYED_TCP))
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in LISTENERS_ONLY))
    ends.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HL", len(LISTENERS_ONLY), ctypes.addressof(program)))
    return ends
