"""
The way of the observer into the lab: listeners made outside, connections made inside.

A socket belongs to the network namespace it was made in, whoever holds it. The test process makes a listener on its own
loopback and hands it in; what is accepted there is connected, from inside the lab, to a party's management address. So
no lab needs an address, a route or a device on the host, as root or without.
"""

import os
import selectors
import socket
from contextlib import suppress

from .stream import Stream

PIECE = 1 << 16
MOST_BUFFERED = 1 << 20


class _Half:
    """One direction of a relayed connection."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source, self.target = source, target
        self.buffer = bytearray()
        self.source_ended = self.target_told = False

    def wants_read(self) -> bool:
        return not self.source_ended and len(self.buffer) < MOST_BUFFERED

    def wants_write(self) -> bool:
        return bool(self.buffer) or (self.source_ended and not self.target_told)

    def read(self) -> None:
        try:
            data = self.source.recv(PIECE)
        except BlockingIOError:
            return
        self.buffer += data
        self.source_ended = not data

    def write(self) -> None:
        if self.buffer:
            with suppress(BlockingIOError):
                del self.buffer[: self.target.send(self.buffer)]
        if self.source_ended and not self.buffer and not self.target_told:
            self.target.shutdown(socket.SHUT_WR)
            self.target_told = True


class _Pair:
    def __init__(self, outside: socket.socket, inside: socket.socket) -> None:
        self.ends = (outside, inside)
        self.halves = (_Half(outside, inside), _Half(inside, outside))

    def events(self, end: socket.socket) -> int:
        reads = any(half.source is end and half.wants_read() for half in self.halves)
        writes = any(
            half.target is end and (half.buffer or (half.source_ended and not half.target_told)) for half in self.halves
        )
        return (selectors.EVENT_READ if reads else 0) | (selectors.EVENT_WRITE if writes else 0)

    def move(self, end: socket.socket, events: int) -> None:
        for half in self.halves:
            if events & selectors.EVENT_READ and half.source is end:
                half.read()
            if events & selectors.EVENT_WRITE and half.target is end:
                half.write()

    def done(self) -> bool:
        return all(half.target_told for half in self.halves)


class Relay:
    """Serves all listeners of one lab in one process, until the stream that hands them in ends."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._selector = selectors.DefaultSelector()
        self._selector.register(stream, selectors.EVENT_READ, None)

    def serve(self) -> None:
        """Work until the stream ends."""
        while True:
            for key, events in self._selector.select():
                if key.fileobj is self._stream:
                    if not self._take():
                        return
                elif isinstance(key.data, _Pair):
                    self._move(key.data, key.fileobj, events)  # type: ignore[arg-type]
                else:
                    self._accept(key.fileobj, key.data)  # type: ignore[arg-type]

    def _take(self) -> bool:
        message = self._stream.receive()
        if message is None:
            return False
        listener = socket.socket(fileno=message["fds"][0])
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, tuple(message["to"]))
        self._stream.send({"ok": True})
        return True

    def _accept(self, listener: socket.socket, target: tuple[str, int]) -> None:
        try:
            outside, _ = listener.accept()
        except OSError:
            return
        inside = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        for end in (outside, inside):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        inside.connect_ex(target)
        pair = _Pair(outside, inside)
        self._selector.register(outside, selectors.EVENT_READ, pair)
        self._selector.register(inside, selectors.EVENT_READ, pair)

    def _move(self, pair: _Pair, end: socket.socket, events: int) -> None:
        try:
            pair.move(end, events)
            broken = pair.done()
        except OSError:
            broken = True
        if broken:
            self._drop(pair)
            return
        for one in pair.ends:
            self._watch(one, pair)

    def _watch(self, end: socket.socket, pair: _Pair) -> None:
        wanted = pair.events(end)
        if end.fileno() in self._selector.get_map():
            if wanted:
                self._selector.modify(end, wanted, pair)
            else:
                self._selector.unregister(end)
        elif wanted:
            self._selector.register(end, wanted, pair)

    def _drop(self, pair: _Pair) -> None:
        for end in pair.ends:
            with suppress(KeyError, ValueError):
                self._selector.unregister(end)
            end.close()


def main(stream: Stream) -> None:
    """Run in a process of its own."""
    with suppress(KeyboardInterrupt):
        Relay(stream).serve()
    os._exit(0)
