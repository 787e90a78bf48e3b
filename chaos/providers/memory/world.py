"""
A world in simulated time: parties, processes as generators, messages between them. Same seed, same world.

A process is a generator that yields what it waits for (``sleep``, ``ask``, ``point``). A server also has a handler for
requests. Each request is a connection of its own: behind a drop it is never executed, and its asker gives up in time.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

from chaos.errors import UsageError
from chaos.network.rules import Closed, Gate, LinkRule, Loss, Stream, Wire, is_limited, refuses
from chaos.network.toxics import Latency
from chaos.providers.contract import ExitEvent, PointEvent, ProcessRef

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
TRAVEL_NS = (200_000, 800_000)
"""How long a message travels, at least and at most."""

Resume = Callable[[Any], None]
Wait = Callable[[Resume], None]
Program = Generator[Wait, Any, int | None]
Respond = Callable[[Any], None]
Handler = Callable[[Any, Respond], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a request ended: ``answered`` with a value, ``refused``, or ``silent`` (``reached`` says whether it arrived)."""

    outcome: str
    value: Any = None
    reached: bool = False

    def seen(self, *, asked: bool) -> str:
        """As a canary tells it, that asked for bytes or only for a connection."""
        if self.outcome == "silent":
            return "timeout" if not self.reached else "silent" if asked else "connected"
        return "refused" if self.outcome == "refused" else "answered" if asked else "connected"


class World:
    """Everything of one simulation."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now_ns = SECOND
        self.rules: Counter[LinkRule] = Counter()
        self.caught: Counter[LinkRule] = Counter()
        self.listeners: dict[tuple[str, int], tuple[Process, Handler]] = {}
        self.processes: dict[ProcessRef, Process] = {}
        self.disks: dict[str, dict[str, Any]] = {}
        self.exits: list[ExitEvent] = []
        self.points: list[PointEvent] = []
        self.released: Counter[tuple[ProcessRef, str]] = Counter()
        self.held: set[ProcessRef] = set()
        """Processes whose points are barriers."""
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._number = count()

    # -- time --------------------------------------------------------------------------------------------------------

    def later(self, delay_ns: int, action: Callable[[], None]) -> None:
        """Do something after a while."""
        heapq.heappush(self._queue, (self.now_ns + delay_ns, next(self._number), action))

    def advance(self, for_ns: int) -> None:
        """Let so much time pass."""
        self.run_until(lambda: False, within_ns=for_ns)

    def run_until(self, condition: Callable[[], bool], *, within_ns: int) -> bool:
        """Let time pass until the condition holds; False when the time is up."""
        until = self.now_ns + within_ns
        while not condition():
            if not self._queue or self._queue[0][0] > until:
                self.now_ns = until
                return condition()
            self.now_ns, _, action = heapq.heappop(self._queue)
            action()
        return True

    # -- links -------------------------------------------------------------------------------------------------------

    def apply(self, rule: LinkRule) -> None:
        """Put a rule in force."""
        if isinstance(rule, Stream) and not isinstance(rule.toxic, Latency):
            raise UsageError(f"the memory provider has no byte streams, so no {rule.toxic.kind}")
        self.rules[rule] += 1

    def withdraw(self, rule: LinkRule) -> None:
        """Take it out of force; one that is not is no error."""
        self.rules[rule] -= 1
        if self.rules[rule] <= 0:
            del self.rules[rule]

    def fate(self, source: str, target: str, port: int, *, opening: bool) -> tuple[str, int]:
        """
        What becomes of a message on this link: (``pass``, ``drop`` or ``reject``), and the delay it suffers.

        :param port: of the conversation's server, which is the target when ``opening`` and the source when it answers.
        """
        fate, delay_ns = "pass", self.random.randint(*TRAVEL_NS)
        for rule in self.rules:
            if (rule.source, rule.target) != (source, target) or not _concerns(rule, port, opening=opening):
                continue
            if isinstance(rule, Stream):
                delay_ns += _delay_ms(rule) * MILLISECOND
                continue
            harm = self._harm(rule, opening=opening)
            if harm and fate != "drop":
                fate = harm
                self.caught[rule] += 1
        return fate, delay_ns

    def _harm(self, rule: LinkRule, *, opening: bool) -> str | None:
        if isinstance(rule, Loss):
            return "drop" if self.random.randrange(1000) < rule.per_mille else None
        if isinstance(rule, Closed):
            return "reject" if opening else None
        if isinstance(rule, Gate):
            return ("drop" if rule.action == "drop-new" else rule.action) if opening else None
        return rule.action if isinstance(rule, Wire) else None

    def ask(
        self, source: str, target: str, port: int, request: Any, *, within_ns: int, then: Callable[[Answer], None]
    ) -> None:
        """Send a request; ``then`` hears how it ended, once."""
        call = _Call(self, source, target, port, then)
        self.later(within_ns, call.give_up)
        fate, delay_ns = self.fate(source, target, port, opening=True)
        if fate == "reject":
            self.later(delay_ns, lambda: call.end(Answer(outcome="refused")))
        elif fate == "pass":
            self.later(delay_ns, lambda: call.arrive(request))


@dataclass(slots=True)
class _Call:
    world: World
    source: str
    target: str
    port: int
    then: Callable[[Answer], None]
    ended: bool = False
    reached: bool = False

    def arrive(self, request: Any) -> None:
        """At the target: nobody listens, or the server takes it (when it is not stopped)."""
        process, handler = self.world.listeners.get((self.target, self.port), (None, None))
        if process is None or handler is None or not process.alive:
            self.world.later(TRAVEL_NS[0], lambda: self.end(Answer(outcome="refused")))
            return
        self.reached = True
        process.do(lambda: handler(request, self.respond))

    def respond(self, value: Any) -> None:
        """The server's answer travels back."""
        fate, delay_ns = self.world.fate(self.target, self.source, self.port, opening=False)
        if fate == "pass":
            self.world.later(delay_ns, lambda: self.end(Answer(outcome="answered", value=value, reached=True)))
        elif fate == "reject":
            self.world.later(delay_ns, lambda: self.end(Answer(outcome="silent", reached=True)))

    def give_up(self) -> None:
        self.end(Answer(outcome="silent", reached=self.reached))

    def end(self, answer: Answer) -> None:
        if not self.ended:
            self.ended = True
            self.then(answer)


class Process:
    """One life of a program in a party."""

    def __init__(self, world: World, ref: ProcessRef) -> None:
        self.world, self.ref, self.party = world, ref, ref.party
        self.random = random.Random(f"{world.random.random()}:{ref.party}")
        self.disk = world.disks.setdefault(ref.party, {})
        """What survives the process."""
        self.log = bytearray()
        self.alive, self.stopped, self.stopping = True, False, False
        self._parked: list[Callable[[], None]] = []
        self._program: Program | None = None
        world.processes[ref] = self

    def start(self, program: Program) -> None:
        """Begin."""
        self._program = program
        self.do(lambda: self._resume(None))

    def do(self, action: Callable[[], None]) -> None:
        """Something happens to the process: now, when it is continued, or never when it is dead."""
        if self.stopped:
            self._parked.append(action)
        elif self.alive:
            action()

    def stop(self) -> None:
        """SIGSTOP."""
        self.stopped = True

    def go_on(self) -> None:
        """SIGCONT: all that it missed happens now, in order."""
        self.stopped, parked, self._parked = False, self._parked, []
        for action in parked:
            self.do(action)

    def end(self, code: int) -> None:
        """It is gone, with its listeners."""
        if self.alive:
            self.alive = self.stopped = False
            self._parked.clear()
            for at in [at for at, (owner, _) in self.world.listeners.items() if owner is self]:
                del self.world.listeners[at]
            self.world.exits.append(ExitEvent(ref=self.ref, code=code, at_ns=self.world.now_ns))

    def _resume(self, value: Any) -> None:
        assert self._program is not None
        try:
            wait = self._program.send(value)
        except StopIteration as end:
            self.end(int(end.value or 0))
            return
        wait(lambda answer: self.do(lambda: self._resume(answer)))

    # -- what a program may yield ------------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> Wait:
        """Go on later."""
        return lambda resume: self.world.later(int(seconds * SECOND), lambda: resume(None))

    def ask(self, target: str, port: int, request: Any, *, within_s: float = 0.1) -> Wait:
        """Ask a server; the answer is an ``Answer``."""
        within_ns = int(within_s * SECOND)
        return lambda resume: self.world.ask(self.party, target, port, request, within_ns=within_ns, then=resume)

    def point(self, name: str) -> Wait:
        """Stand at a named point: a barrier when the process is held, else only a note."""
        return lambda resume: self._stand(name, resume)

    def _stand(self, name: str, resume: Resume) -> None:
        key = (self.ref, name)
        self.world.points.append(PointEvent(ref=self.ref, point=name, at_ns=self.world.now_ns))

        def look() -> None:
            if self.ref not in self.world.held or self.world.released[key] > 0 or self.stopping:
                self.world.released[key] = max(0, self.world.released[key] - 1)
                self.world.later(0, lambda: resume(None))  # So that who watches the point can stop it right there.
            elif self.alive:
                self.world.later(MILLISECOND, look)

        look()

    # -- what a program may do ---------------------------------------------------------------------------------------

    def listen(self, port: int, handler: Handler) -> None:
        """Serve a port."""
        self.world.listeners[self.party, port] = (self, handler)

    def send(
        self, target: str, port: int, request: Any, then: Callable[[Answer], None], *, within_s: float = 0.1
    ) -> None:
        """Ask without waiting; a server's way."""
        heard: Callable[[Answer], None] = lambda answer: self.do(lambda: then(answer))  # noqa: E731
        self.world.ask(self.party, target, port, request, within_ns=int(within_s * SECOND), then=heard)

    def say(self, text: str) -> None:
        """Write a line to the log."""
        self.log += text.encode() + b"\n"

    @property
    def now_ns(self) -> int:
        """The clock, the same for all."""
        return self.world.now_ns


def _concerns(rule: LinkRule, port: int, *, opening: bool) -> bool:
    """Whether a rule acts on conversations with this port."""
    answers = isinstance(rule, Wire) and port in rule.source_ports
    return not is_limited(rule) or (refuses(rule, port) if opening else answers)


def _delay_ms(rule: Stream) -> int:
    return rule.toxic.latency_ms if isinstance(rule.toxic, Latency) else 0


def listing(folder: str, files: Iterable[str]) -> bytes:
    """The names in a folder, a line each, by the paths of all files."""
    below = (file.removeprefix(f"{folder}/") for file in files)
    return "\n".join(sorted({name.partition("/")[0] for name in below if not name.startswith("/")})).encode()
