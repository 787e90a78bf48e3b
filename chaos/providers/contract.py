"""
The provider contract: what makes parties exist, and all that an experiment may ask of it.

No process id, path or address of the host crosses it: a party is named, a process is a ``ProcessRef``, a file is a path
inside its party, an address is what ``reach`` returns. What the Docker API alone can do is enough to implement it.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from chaos.history.records import empty
from chaos.network.rules import LinkRule

if TYPE_CHECKING:
    from chaos.providers.apps import Ready, RunningApp, Value
    from chaos.providers.clock import Clock
    from chaos.servers import Installed

Plane = Literal["data", "management"]
OBSERVER = "observer"
"""The name of the test process itself as a source in ``reach``: it reaches the management plane only."""


class Role(StrEnum):
    """What a party is for; faults may act on nodes, clients and apps, and never on a resource."""

    NODE = "node"
    CLIENT = "client"
    APP = "app"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """
    A port that a party's server listens on.

    :param number: as the server itself binds it.
    :param plane: on which plane peers may use it; a data port is put behind the mesh, a management port is for the observer.
    :param ping: bytes that make a healthy server answer something, so that a canary proves more than a connect.
    """

    number: int
    name: str
    plane: Plane | Literal["both"] = "both"
    ping: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartySpec:
    """
    A party to be made.

    :param name: host name inside the lab; ``[a-z][a-z0-9-]*``, unique in its lab.
    :param image: for providers that run containers; others ignore it.
    :param interpreter: the Python that runs this party's workers; None is the test run's own.
    """

    name: str
    role: Role = Role.NODE
    ports: tuple[Port, ...] = ()
    image: str | None = None
    interpreter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRef:
    """A process of a party, by name. A process that is started again under its name is a new life of the same ref."""

    party: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitEvent:
    """A process ended: ``code`` is its exit code, or minus the signal that ended it."""

    ref: ProcessRef
    code: int
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointEvent:
    """A worker stands at a named point and waits to be released."""

    ref: ProcessRef
    point: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectResult:
    """
    What a canary saw: ``answered`` (bytes came back), ``connected`` (nothing to ask, or no answer asked for), ``silent``
    (connected, no answer in time), ``refused``, ``reset``, ``closed`` (end of file), ``timeout`` (no connect in time), ``unreachable``.
    """

    outcome: str
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """One connection attempt from a source party to a peer's data port."""

    source: str
    target: str
    port: int
    ping: bytes | None = None
    within_s: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCounter:
    """
    How many packets a withdrawn rule had caught; None where the mechanism does not count (a stalled stream).

    ``remark`` tells of a harm that the withdrawal itself did: a Toxiproxy that had to be restarted closes its connections.
    """

    rule: LinkRule
    packets: int | None
    remark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """
    A program to start in a party.

    :param argv: the program and its arguments, as the party sees them; a bare program name is looked up there.
    :param files: path inside the party to content, written before the start.
    :param python: call ``module:callable`` in the party's worker interpreter instead of ``argv``, with ``arguments``
        (a JSON object) as its one argument; what it returns is the exit code.
    :param attach: the name of a process of the party; its id takes the place of ``{pid}`` in ``argv``. What attaches to
        another (a tracer) is a tool of the harness: faults on the party pass it by, and ``processes`` leaves it out.
    """

    name: str
    argv: tuple[str, ...] = ()
    python: str | None = None
    arguments: Mapping[str, object] = field(default_factory=empty)
    env: Mapping[str, str] = field(default_factory=empty)
    files: Mapping[str, bytes] = field(default_factory=empty)
    attach: str | None = None


class Lab(Protocol):
    """Everything one test's provider started. Closing it leaves nothing behind but histories and logs."""

    @property
    def name(self) -> str:
        """Unique on this machine while the lab lives."""

    @property
    def parties(self) -> Mapping[str, PartySpec]:
        """The parties that exist, by name."""

    def place(self, specs: Sequence[PartySpec]) -> None:
        """Make parties with their place in both planes and their mesh, before any process of theirs starts."""

    def spawn(self, party: str, spawn: Spawn) -> ProcessRef:
        """Start a program in a party and return at once; its output goes to the log named after it."""

    def processes(self, party: str) -> Sequence[ProcessRef]:
        """The processes that were started in the party and have not ended."""

    def signal(self, ref: ProcessRef, signal: int) -> None:
        """Send a signal to the process and to all it started; one of the ``signal`` module goes by its name."""

    def state(self, ref: ProcessRef) -> str:
        """``running``, ``stopped`` (all of it in state T) or ``ended``."""

    def freeze(self, party: str) -> int:
        """Stop every process of the party and never its mesh; return how many are in state T, after a scan to a fixpoint."""

    def thaw(self, party: str) -> int:
        """Let the party's processes run again; return how many there are."""

    def exits(self) -> Sequence[ExitEvent]:
        """All ends of processes so far, in order."""

    def points(self) -> Sequence[PointEvent]:
        """All arrivals at named points so far, in order."""

    def release(self, ref: ProcessRef, point: str) -> None:
        """Let a worker that stands (or will stand) at the point go on. A stopped process goes on when it is resumed."""

    def ask_to_stop(self, ref: ProcessRef) -> None:
        """Ask a worker to end after its current operation."""

    def apply(self, rules: Sequence[LinkRule]) -> None:
        """Put link rules in force, all parties side by side, each party in one transaction. Fails whole: what was applied is withdrawn."""

    def withdraw(self, rules: Sequence[LinkRule]) -> Sequence[RuleCounter]:
        """Take link rules out of force and say what each had caught. A rule that is not in force is no error."""

    def canaries(self, canaries: Sequence[Canary]) -> Sequence[ConnectResult]:
        """Try these connections side by side; the answers come in the same order."""

    def unsettled(self) -> Mapping[str, int]:
        """Per party: sockets that nobody reads any more and that still hold bytes for a peer (abandoned requests)."""

    def undeclared(self) -> Mapping[str, int]:
        """Per party: packets between parties outside the declared ports. Any makes a run void."""

    def reach(self, source: str, party: str, port: int, plane: Plane = "data") -> tuple[str, int]:
        """The address of a party's port as ``source`` must use it. ``source`` is a party's name or ``OBSERVER``."""

    def put(self, party: str, path: str, content: bytes) -> None:
        """Write a file inside a party; relative paths start at the party's own folder."""

    def get(self, party: str, path: str, offset: int = 0) -> bytes:
        """
        Read a file inside a party from a byte offset; an absent file reads as empty.

        A folder reads as the names in it, one a line.
        """

    def log(self, ref: ProcessRef) -> bytes:
        """What the process has written to stdout and stderr."""

    def folder(self, party: str) -> str:
        """The party's own writable folder, as its processes see it; it goes with the lab."""

    def kept(self, party: str) -> str:
        """A writable folder, as the party's processes see it, whose files survive the lab under ``keep_at``/party."""

    def inside(self, party: str) -> AbstractContextManager[None]:
        """
        Make the calling thread a part of the party's network: sockets it opens meet the party's faults.

        A party of that name is made (an app) if there is none.
        Needs the ability ``InProcessData``; raises ``MissingAbilityError`` without it.
        """

    def app(
        self,
        argv: Sequence[str],
        *,
        name: str = ...,
        env: "Mapping[str, Value]" = ...,
        ports: "Sequence[int | Port]" = ...,
        files: Mapping[str, bytes] = ...,
        ready: "Ready" = ...,
        within_s: float = ...,
    ) -> "RunningApp":
        """Start a program of the user's in a party of its own; see ``chaos.providers.apps.start_app``."""

    def software(self, name: str, version: str | None = None) -> "Installed":
        """A program as this lab's parties have it, for the ``argv`` of a spawn; an error names the way to get it."""

    def keep(self) -> str:
        """Let the lab outlive the test run; returns the command that enters it."""

    def clock(self, party: str) -> "Clock | None":
        """
        What reads a stamp that this party wrote on the observer's clock; None where both read the same kernel clock.

        What the lab itself tells (``exits``, ``points``) is on the observer's clock already; files are as they were written.
        """

    def clock_error_ns(self, party: str) -> int:
        """How far a translated stamp of this party was off at most so far; 0 where both read the same kernel clock."""

    def close(self) -> None:
        """End all processes and remove the parties. Safe to call again."""


@runtime_checkable
class Provider(Protocol):
    """Makes labs."""

    @property
    def name(self) -> str:
        """As ``--chaos-provider`` names it."""

    @property
    def abilities(self) -> frozenset[str]:
        """Optional powers, by name: ``InProcessData``, ``TraceSyscalls``, ``Preload``, ``PacketRules``, ..."""

    def missing(self) -> str | None:
        """Why this provider cannot work here, with the command that helps; None when it can."""

    def open(
        self, *, keep_at: str, mesh: bool = True, warm: Sequence[str] = (), images: Mapping[str, str] = empty()
    ) -> Lab:
        """
        Make an empty lab.

        :param keep_at: host folder for what survives the lab: logs and event files.
        :param mesh: False makes parties without proxies, for comparison with the direct network.
        :param warm: modules that Python workers will import; a provider may import them ahead of time.
        :param images: somebody's own images by the names of software, for providers that run containers; others ignore them.
        """
