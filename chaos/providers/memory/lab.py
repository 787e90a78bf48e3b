"""
The contract over a simulated world. Time passes only while somebody looks: each look lets a millisecond go by.
"""

import importlib
import inspect
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from chaos.errors import HarnessError, MissingAbilityError, UsageError, said
from chaos.network.rules import LinkRule, check_ports
from chaos.providers.apps import RunningApp
from chaos.providers.contract import (
    OBSERVER,
    Canary,
    ConnectResult,
    ExitEvent,
    PartySpec,
    Plane,
    PointEvent,
    ProcessRef,
    RuleCounter,
    Spawn,
)
from chaos.providers.memory.world import MILLISECOND, SECOND, Answer, Process, World, listing
from chaos.providers.roster import seat_specs
from chaos.providers.signals import Signal, as_parties_number
from chaos.servers import Installed

__tracebackhide__ = said

CANARY = "canary"


class MemoryLab:
    """A lab of in-process programs: ``Spawn.python`` names a generator function ``program(process, **arguments)``."""

    def __init__(self, *, keep_at: Path, seed: int = 0) -> None:
        self.name = f"memory-{secrets.token_hex(4)}"
        self.world = World(seed)
        self._keep_at = keep_at
        self._specs: dict[str, PartySpec] = {}
        self._addresses: dict[str, str] = {}
        self._files: dict[tuple[str, str], bytes] = {}
        self._frozen: set[str] = set()
        self._closed = False

    @property
    def parties(self) -> Mapping[str, PartySpec]:
        """The parties that exist, by name."""
        return dict(self._specs)

    def place(self, specs: Sequence[PartySpec]) -> None:
        """Make parties."""
        self._open()
        for seat, spec in zip(seat_specs(specs, self._specs), specs, strict=True):
            self._specs[spec.name] = spec
            self._addresses[spec.name] = seat.data

    def _open(self) -> None:
        if self._closed:
            raise HarnessError(f"lab {self.name} is closed")

    def _known(self, party: str) -> str:
        self._open()
        if party not in self._specs:
            raise UsageError(f"there is no party named {party!r}; there are: {', '.join(self._specs) or 'none'}")
        return party

    def _look(self) -> None:
        self._open()
        self.world.advance(MILLISECOND)

    # -- processes ---------------------------------------------------------------------------------------------------

    def spawn(self, party: str, spawn: Spawn) -> ProcessRef:
        """Start a program by its generator function."""
        self._known(party)
        if spawn.python is None or spawn.argv:
            raise MissingAbilityError("Programs", "the memory provider runs Python generators only")
        module, _, function = spawn.python.partition(":")
        program = getattr(importlib.import_module(module), function)
        if not inspect.isgeneratorfunction(program):
            raise UsageError(f"{spawn.python} is not a generator function, so it cannot run in simulated time")
        ref = ProcessRef(party=party, name=spawn.name)
        if self.state(ref) != "ended":
            raise UsageError(f"{spawn.name} is already running")
        for path, content in spawn.files.items():
            self.put(party, path, content)
        process = Process(self.world, ref)
        if party in self._frozen:
            process.stop()
        if spawn.arguments.get("hold"):
            self.world.held.add(ref)
        arguments = {name: value for name, value in spawn.arguments.items() if name != "hold"}
        process.start(program(process, **arguments))
        return ref

    def app(self, argv: Sequence[str], **options: Any) -> RunningApp:
        """Not in memory."""
        raise MissingAbilityError("Programs", "the memory provider runs Python generators only")

    def _life(self, ref: ProcessRef) -> Process:
        self._known(ref.party)
        if ref not in self.world.processes:
            raise UsageError(f"no process named {ref.name!r} was started in {ref.party}")
        return self.world.processes[ref]

    def processes(self, party: str) -> Sequence[ProcessRef]:
        """The processes of a party that have not ended."""
        return [ref for ref, process in self.world.processes.items() if ref.party == party and process.alive]

    def signal(self, ref: ProcessRef, signal: int) -> None:
        """Stop, continue, or end it: a program in memory handles no signal."""
        process, number = self._life(ref), as_parties_number(signal)
        if number == Signal.SIGSTOP:
            process.stop()
        elif number == Signal.SIGCONT:
            process.go_on()
        else:
            process.end(-number)

    def state(self, ref: ProcessRef) -> str:
        """``running``, ``stopped`` or ``ended``."""
        self._look()
        process = self.world.processes.get(ref)
        if process is None or not process.alive:
            return "ended"
        return "stopped" if process.stopped else "running"

    def freeze(self, party: str) -> int:
        """Stop every process of the party."""
        self._frozen.add(self._known(party))
        return self._each(party, Process.stop)

    def thaw(self, party: str) -> int:
        """Let them go on."""
        self._frozen.discard(self._known(party))
        return self._each(party, Process.go_on)

    def _each(self, party: str, act: Any) -> int:
        lives = [self.world.processes[ref] for ref in self.processes(party)]
        for process in lives:
            act(process)
        return len(lives)

    def exits(self) -> Sequence[ExitEvent]:
        """All ends of processes so far."""
        self._look()
        return list(self.world.exits)

    def points(self) -> Sequence[PointEvent]:
        """All arrivals at named points so far."""
        self._look()
        return list(self.world.points)

    def release(self, ref: ProcessRef, point: str) -> None:
        """Let a process that stands (or will stand) at the point go on."""
        self._known(ref.party)
        self.world.released[ref, point] += 1

    def ask_to_stop(self, ref: ProcessRef) -> None:
        """Ask a program to end; it looks at ``process.stopping``."""
        self._life(ref).stopping = True

    # -- links -------------------------------------------------------------------------------------------------------

    def apply(self, rules: Sequence[LinkRule]) -> None:
        """Put link rules in force, or none of them."""
        for rule in rules:
            self._known(rule.source), self._known(rule.target)
            if rule.source == rule.target:
                raise UsageError(f"a link needs two parties, not {rule.source} twice")
            check_ports(rule, lambda party: [port.number for port in self._specs[party].ports])
        for number, rule in enumerate(rules):
            try:
                self.world.apply(rule)
            except UsageError:
                self.withdraw(rules[:number])
                raise

    def withdraw(self, rules: Sequence[LinkRule]) -> Sequence[RuleCounter]:
        """Take link rules out of force and say what each had caught."""
        counters = []
        for rule in rules:
            known = rule in self.world.rules
            self.world.withdraw(rule)
            counters.append(RuleCounter(rule=rule, packets=self.world.caught.pop(rule, 0) if known else None))
        return counters

    def canaries(self, canaries: Sequence[Canary]) -> Sequence[ConnectResult]:
        """Try these connections side by side, in simulated time."""
        found: dict[int, ConnectResult] = {}
        began = self.world.now_ns
        for number, canary in enumerate(canaries):
            self._known(canary.source), self._known(canary.target)

            def note(answer: Answer, number: int = number, canary: Canary = canary) -> None:
                took_ms = (self.world.now_ns - began) / MILLISECOND
                found[number] = ConnectResult(outcome=answer.seen(asked=canary.ping is not None), took_ms=took_ms)

            ping = {"do": CANARY, "ping": canary.ping}
            within_ns = int(canary.within_s * SECOND)
            self.world.ask(canary.source, canary.target, canary.port, ping, within_ns=within_ns, then=note)
        longest = max((canary.within_s for canary in canaries), default=0)
        self.world.run_until(lambda: len(found) == len(canaries), within_ns=int(longest * SECOND) + MILLISECOND)
        return [found[number] for number in range(len(canaries))]

    def unsettled(self) -> Mapping[str, int]:
        """Nothing is abandoned in memory: a request behind a drop is never sent."""
        return dict.fromkeys(self._specs, 0)

    def undeclared(self) -> Mapping[str, int]:
        """A program can only ask ports by number, and none is outside the links."""
        return dict.fromkeys(self._specs, 0)

    def reach(self, source: str, party: str, port: int, plane: Plane = "data") -> tuple[str, int]:
        """An address in name only: programs ask parties by name."""
        self._known(party)
        if source == OBSERVER:
            if plane == "data":
                raise UsageError("the observer reaches the management plane only: a fault must never blind a probe")
            raise MissingAbilityError("Sockets", "nothing in memory listens on a socket")
        if plane == "management" and source != party:
            raise UsageError(f"{source} must not reach {party} on the management plane: no fault acts there")
        return self._addresses[party], port

    # -- files, clock, end -------------------------------------------------------------------------------------------

    def put(self, party: str, path: str, content: bytes) -> None:
        """Write a file of a party."""
        self._files[self._known(party), self._inside(party, path)] = content

    def get(self, party: str, path: str, offset: int = 0) -> bytes:
        """Read a file of a party from a byte offset; a folder reads as the names in it."""
        self._known(party)
        if (party, wanted := self._inside(party, path)) in self._files:
            return self._files[party, wanted][offset:]
        return listing(wanted, [file for owner, file in self._files if owner == party])[offset:]

    def _inside(self, party: str, path: str) -> str:
        return path if path.startswith("/") else f"{self.folder(party)}/{path}"

    def log(self, ref: ProcessRef) -> bytes:
        """What the program has said."""
        self._look()
        return bytes(self._life(ref).log)

    def folder(self, party: str) -> str:
        """A folder in name only."""
        return f"/memory/{self._known(party)}"

    def kept(self, party: str) -> str:
        """A folder whose files are written out at the end."""
        return f"/kept/{self._known(party)}"

    def inside(self, party: str) -> AbstractContextManager[None]:
        """Not in memory."""
        raise MissingAbilityError("lab.inside", f"{party} has no network that a thread could enter")

    def software(self, name: str, version: str | None = None) -> Installed:
        """Not in memory."""
        raise MissingAbilityError("Programs", "the memory provider runs Python generators only")

    def keep(self) -> str:
        """Not in memory."""
        raise MissingAbilityError("Keep", "a lab in memory ends with the test process")

    def clock(self, party: str) -> None:
        """There is one clock."""
        self._known(party)

    def clock_error_ns(self, party: str) -> int:
        """0: there is one clock."""
        self._known(party)
        return 0

    def close(self) -> None:
        """Write out what is kept."""
        if self._closed:
            return
        self._closed = True
        for (party, path), content in self._files.items():
            if path.startswith(f"/kept/{party}/"):
                _write(self._keep_at / party / path.removeprefix(f"/kept/{party}/"), content)
        for ref, process in self.world.processes.items():
            _write(self._keep_at / ref.party / f"{ref.name}.log", bytes(process.log))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
