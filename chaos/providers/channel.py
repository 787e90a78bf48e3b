"""
The test process' end of a party agent's stream: batches out, answers and events in.
"""

import base64
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from chaos.errors import ProviderError, said
from chaos.providers.agent.stream import Message, Stream
from chaos.providers.clock import Clock

__tracebackhide__ = said

DEADLINE_S = 15.0
COMPARED, LOOKED = 8, 3
"""So many exchanges tell what a clock shows at first, and later on."""


class AgentError(ProviderError):
    """An agent could not do what it was told; ``index`` is the command of the batch that failed."""

    def __init__(self, party: str, failed: Message, command: Message) -> None:
        super().__init__(f"{party}: {command.get('op')} failed: {failed['error']}")
        self.index: int = failed["index"]
        self.kind: str = failed["kind"]
        self.reason: str = failed["error"]


class AgentChannel:
    """
    Talks to one agent. Threads take turns; events that arrive in between are kept.

    ``clock`` is that of the party where it is another than ours: every answer tells more of it.
    """

    def __init__(self, party: str, stream: Stream, *, obituary: Callable[[], str] = str) -> None:
        """``obituary`` says what its end knows of an agent that has ended; it is asked once that is so."""
        self.party = party
        self._obituary = obituary
        self.clock: Clock | None = None
        self._stream = stream
        self._lock = threading.RLock()
        self._asked: dict[int, list[Message]] = {}
        self._asked_ns: dict[int, int] = {}
        self._answers: dict[int, Message] = {}
        self._number = 0
        self._events: list[Message] = []
        self._fresh: list[Message] = []
        """Events that bear their party's time still."""

    def send(self, commands: list[Message]) -> int:
        """Send a batch; returns the ticket to collect its answer with."""
        with self._lock:
            self._number += 1
            self._asked[self._number], self._asked_ns[self._number] = commands, time.monotonic_ns()
            try:
                self._stream.send({"id": self._number, "do": commands})
            except OSError as problem:
                raise ProviderError(self._told(f"its agent is gone ({problem.strerror})")) from None
            return self._number

    def collect(self, ticket: int, *, within_s: float = DEADLINE_S) -> list[Any]:
        """Wait for the answer to a batch and return the commands' results."""
        return list(self._collect(ticket, within_s)["results"])

    def call(self, *commands: Message, within_s: float = DEADLINE_S) -> list[Any]:
        """Send a batch and wait for its results."""
        return self.collect(self.send(list(commands)), within_s=within_s)

    def read(self, path: str, offset: int = 0) -> bytes:
        """A file inside the party from a byte offset to its end; an absent file reads as empty."""
        pieces = []
        while piece := base64.b64decode(self.call({"op": "get", "path": path, "offset": offset})[0]):
            pieces.append(piece)
            offset += len(piece)
        return b"".join(pieces)

    def descriptor(self, command: Message) -> int:
        """The result of a command that hands out a file descriptor."""
        return int(self._collect(self.send([command]), DEADLINE_S)["fds"][0])

    def events(self) -> list[Message]:
        """What the agent has told so far, at our clock's times; asks it for nothing but, where need be, its clock."""
        with self._lock:
            self._drain()
            if self._fresh and self.clock is not None:
                with suppress(ProviderError):  # It is gone: what it told before is as sure as its last answer.
                    self.compare(1)
            for event in self._fresh:
                at_ns: int = event["at"]
                self._events.append(event if self.clock is None else {**event, "at": self.clock.observed(at_ns)})
            self._fresh.clear()
            return self._events

    def compare(self, times: int = COMPARED) -> None:
        """Ask the agent for nothing but its time: the shortest of several ways there and back says most."""
        for _ in range(times):
            self.call()

    def compare_if_idle(self) -> bool:
        """The same, unless somebody else talks to the agent just now; returns whether it was done."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self.compare(LOOKED)
        finally:
            self._lock.release()
        return True

    def _drain(self) -> None:
        while True:
            try:
                message = self._stream.receive(0)
            except TimeoutError:
                return
            if message is None:
                return
            self._file(message)

    def close(self) -> None:
        """Let the agent end."""
        with self._lock:
            self._stream.close()

    def _collect(self, ticket: int, within_s: float) -> Message:
        deadline = time.monotonic() + within_s
        with self._lock:
            while ticket not in self._answers:
                self._file(self._next(ticket, deadline, within_s))
            answer, commands = self._answers.pop(ticket), self._asked.pop(ticket)
        if "failed" in answer:
            raise AgentError(self.party, answer["failed"], commands[answer["failed"]["index"]])
        return answer

    def _next(self, ticket: int, deadline: float, within_s: float) -> Message:
        try:
            message = self._stream.receive(max(0.001, deadline - time.monotonic()))
        except TimeoutError:
            wanted = ", ".join(str(command["op"]) for command in self._asked[ticket]) or "what its clock says"
            raise ProviderError(f"{self.party}: its agent did not answer {wanted} within {within_s:g} s") from None
        if message is None:
            raise ProviderError(self._told("its agent has ended"))
        return message

    def _told(self, end: str) -> str:
        return ": ".join(filter(None, (self.party, end, self._obituary())))

    def _file(self, message: Message) -> None:
        if "event" in message:
            self._fresh.append(message)
            return
        asked_ns = self._asked_ns.pop(message["id"])
        if self.clock is not None:
            self.clock.heard(asked_ns, message["at"], time.monotonic_ns())
        self._answers[message["id"]] = message


def call_all(
    batches: Iterable[tuple[AgentChannel, list[Message]]], *, within_s: float = DEADLINE_S
) -> Mapping[str, Any]:
    """Send to all agents first, then collect: they work side by side. The first failure is raised once all have answered."""
    tickets = [(channel, channel.send(commands)) for channel, commands in batches if commands]
    results: dict[str, Any] = {}
    problems: list[ProviderError] = []
    for channel, ticket in tickets:
        try:
            results[channel.party] = channel.collect(ticket, within_s=within_s)
        except ProviderError as problem:
            problems.append(problem)
    if problems:
        raise problems[0]
    return results
