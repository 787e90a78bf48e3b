"""
A lab whose parties have agents: everything the contract asks, said in agent commands.

What differs between providers is behind ``Engine``; what concerns links is in ``Wires``.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from chaos.errors import MissingAbilityError, ProviderError, UsageError, said
from chaos.network.rules import LinkRule
from chaos.providers.apps import RunningApp, start_app
from chaos.providers.channel import AgentError
from chaos.providers.clock import Clock
from chaos.providers.contract import (
    OBSERVER,
    Canary,
    ConnectResult,
    ExitEvent,
    PartySpec,
    Plane,
    PointEvent,
    ProcessRef,
    Role,
    RuleCounter,
    Spawn,
)
from chaos.providers.engine import Engine
from chaos.providers.roster import Roster
from chaos.providers.signals import as_parties_number
from chaos.providers.wires import Wires
from chaos.servers import Installed

__tracebackhide__ = said

_NAMED = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
"""A function as a spawn names it: what a worker is to run stands in its arguments."""


class AgentedLab:
    """The contract's ``Lab`` over agents."""

    def __init__(self, engine: Engine, *, mesh: bool = True) -> None:
        self._engine = engine
        self._roster = Roster(engine.name, engine.planes)
        self._wires = Wires(self._roster, proxy_program=engine.proxy_program if mesh else None)
        self._spawned: list[ProcessRef] = []
        self._observed: dict[tuple[str, int], tuple[str, int]] = {}

    # -- parties -----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Unique on this machine while the lab lives."""
        return self._engine.name

    @property
    def parties(self) -> Mapping[str, PartySpec]:
        """The parties that exist, by name."""
        return dict(self._roster.specs)

    def place(self, specs: Sequence[PartySpec]) -> None:
        """Make parties; those that exist learn of the new ones without a connection of theirs being touched."""
        seats = self._roster.seat_all(specs)
        self._roster.add(specs, seats, self._engine.place(seats, specs))
        self._wires.join(seats)

    # -- processes ---------------------------------------------------------------------------------------------------

    def spawn(self, party: str, spawn: Spawn) -> ProcessRef:
        """Start a program or a Python callable in a party."""
        if bool(spawn.argv) == bool(spawn.python):
            raise UsageError(f"{party}: {spawn.name} needs either argv or python")
        self._roster.channel(party)
        try:
            self._roster.call(party, **self._order(party, spawn))
        except AgentError as problem:
            if problem.kind == "PreloadError":
                raise MissingAbilityError("Preload", f"{party}: {problem.reason}") from None
            if problem.kind != "ProgramError":
                raise
            raise ProviderError(f"{party}: {problem.reason}") from None
        ref = ProcessRef(party=party, name=spawn.name)
        if ref not in self._spawned and spawn.attach is None:
            self._spawned.append(ref)
        return ref

    def _order(self, party: str, spawn: Spawn) -> dict[str, Any]:
        argv, variables = self._engine.program(self._roster.specs[party], spawn.argv)
        return {
            "op": "spawn",
            "name": spawn.name,
            "argv": list(argv),
            "python": spawn.python,
            "interpreter": self._engine.interpreter(self._roster.specs[party]),
            "arguments": dict(spawn.arguments),
            "env": {**variables, **spawn.env},
            "files": {path: base64.b64encode(content).decode() for path, content in spawn.files.items()},
            "sys_path": self._python_path(party, spawn),
            "attach": spawn.attach,
        }

    def _python_path(self, party: str, spawn: Spawn) -> list[str]:
        if not spawn.python:
            return []
        named = [spawn.python, *filter(_NAMED.fullmatch, map(str, spawn.arguments.values()))]
        modules = [name.partition(":")[0] for name in named]
        return list(self._engine.python_path(self._roster.specs[party], modules))

    def processes(self, party: str) -> Sequence[ProcessRef]:
        """The processes that were started in the party and have not ended."""
        return [ref for ref in self._spawned if ref.party == party and self.state(ref) != "ended"]

    def app(self, argv: Sequence[str], **options: Any) -> RunningApp:
        """Start a program of the user's in a party of its own."""
        return start_app(self, argv, **options)

    def signal(self, ref: ProcessRef, signal: int) -> None:
        """Send a signal to the process and to all it started."""
        self._roster.call(ref.party, op="signal", name=ref.name, signal=as_parties_number(signal))

    def state(self, ref: ProcessRef) -> str:
        """``running``, ``stopped`` or ``ended``."""
        return str(self._roster.call(ref.party, op="state", name=ref.name))

    def freeze(self, party: str) -> int:
        """Stop every process of the party and never its mesh."""
        return int(self._roster.call(party, op="freeze"))

    def thaw(self, party: str) -> int:
        """Let the party's processes run again."""
        return int(self._roster.call(party, op="thaw"))

    def exits(self) -> Sequence[ExitEvent]:
        """All ends of processes so far. A mesh that broke down shows as the end of ``toxiproxy``."""
        return [
            ExitEvent(ref=ProcessRef(party=party, name=event["name"]), code=event["code"], at_ns=event["at"])
            for party, event in self._roster.events("exit")
        ]

    def points(self) -> Sequence[PointEvent]:
        """All arrivals at named points so far."""
        return [
            PointEvent(ref=ProcessRef(party=party, name=event["name"]), point=event["point"], at_ns=event["at"])
            for party, event in self._roster.events("point")
        ]

    def release(self, ref: ProcessRef, point: str) -> None:
        """Let a worker that stands (or will stand) at the point go on."""
        self._roster.call(ref.party, op="release", name=ref.name, point=point)

    def ask_to_stop(self, ref: ProcessRef) -> None:
        """Ask a worker to end after its current operation."""
        self._roster.call(ref.party, op="stop", name=ref.name)

    # -- links -------------------------------------------------------------------------------------------------------

    def apply(self, rules: Sequence[LinkRule]) -> None:
        """Put link rules in force, or none of them."""
        self._wires.apply(rules)

    def withdraw(self, rules: Sequence[LinkRule]) -> Sequence[RuleCounter]:
        """Take link rules out of force and say what each had caught."""
        return self._wires.withdraw(rules)

    def canaries(self, canaries: Sequence[Canary]) -> Sequence[ConnectResult]:
        """Try these connections side by side."""
        return self._wires.canaries(canaries)

    def unsettled(self) -> Mapping[str, int]:
        """Per party: abandoned sockets that still hold bytes for a peer."""
        return self._wires.unsettled()

    def undeclared(self) -> Mapping[str, int]:
        """Per party: packets outside the declared ports."""
        return self._wires.undeclared()

    def reach(self, source: str, party: str, port: int, plane: Plane = "data") -> tuple[str, int]:
        """The address of a party's port as ``source`` must use it."""
        seat = self._roster.seat(party)
        if plane == "data":
            if source == OBSERVER:
                raise UsageError("the observer reaches the management plane only: a fault must never blind a probe")
            return seat.data, port
        if source == OBSERVER:
            if (party, port) not in self._observed:
                self._observed[party, port] = self._engine.observe(seat, port)
            return self._observed[party, port]
        if source == party:
            return seat.management, port
        raise UsageError(f"{source} must not reach {party} on the management plane: no fault acts there")

    def inside(self, party: str) -> AbstractContextManager[None]:
        """Make the calling thread a part of the party's network; a party of that name is made if there is none."""
        if party not in self._roster.specs:
            self.place([PartySpec(name=party, role=Role.APP)])
        return self._engine.inside(self._roster.channel(party))

    # -- files, clock, end -------------------------------------------------------------------------------------------

    def put(self, party: str, path: str, content: bytes) -> None:
        """Write a file inside a party."""
        self._roster.call(party, op="put", path=path, content=base64.b64encode(content).decode())

    def get(self, party: str, path: str, offset: int = 0) -> bytes:
        """Read a file inside a party from a byte offset to its end."""
        return self._roster.channel(party).read(path, offset)

    def log(self, ref: ProcessRef) -> bytes:
        """What the process has written to stdout and stderr."""
        return self.get(ref.party, f"{self._engine.kept(ref.party)}/{ref.name}.log")

    def folder(self, party: str) -> str:
        """The party's own writable folder, as its processes see it."""
        self._roster.channel(party)
        return self._engine.folder(party)

    def kept(self, party: str) -> str:
        """The party's folder whose files survive the lab."""
        self._roster.channel(party)
        return self._engine.kept(party)

    def software(self, name: str, version: str | None = None) -> Installed:
        """A program as this lab's parties have it."""
        return self._engine.software(name, version)

    def clock(self, party: str) -> Clock | None:
        """What reads this party's stamps on our clock; None where both read the same kernel clock."""
        return self._roster.channel(party).clock

    def clock_error_ns(self, party: str) -> int:
        """0 where both read the same kernel clock."""
        clock = self._roster.channel(party).clock
        return 0 if clock is None else clock.error_ns

    def keep(self) -> str:
        """Let the lab outlive the test process."""
        return self._engine.keep()

    def close(self) -> None:
        """End all processes and remove the parties."""
        if self._roster.closed:
            return
        self._roster.closed = True
        try:
            self._engine.save(self._roster.channels)
        finally:
            self._engine.close()
            for channel in self._roster.channels.values():
                channel.close()
