"""
A lab whose processes do what the test says, and faults that only take notes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from chaos.faults.fault import Evidence, Scene
from chaos.providers.clock import Clock
from chaos.providers.contract import ExitEvent, Lab, PartySpec, PointEvent, ProcessRef, Role, Spawn
from chaos.wait import monotonic_ns


def worker(client: str) -> ProcessRef:
    return ProcessRef(party=client, name="worker")


@dataclass
class FakeLab:
    """What a run asks of a lab, as far as these tests need it."""

    parties: dict[str, PartySpec] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    logs: dict[str, bytes] = field(default_factory=dict)
    states: dict[ProcessRef, str] = field(default_factory=dict)
    ends: list[ExitEvent] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    strays: dict[str, int] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    errors_ns: dict[str, int] = field(default_factory=dict)
    arrived: list[PointEvent] = field(default_factory=list)
    deaf: set[str] = field(default_factory=set)
    """Clients that do not hear the first request to stop."""

    @property
    def as_lab(self) -> Lab:
        return cast("Lab", self)

    def place(self, specs: Sequence[PartySpec]) -> None:
        self.parties.update({spec.name: spec for spec in specs})

    def spawn(self, party: str, spawn: Spawn) -> ProcessRef:
        self.states[ProcessRef(party=party, name=spawn.name)] = "running"
        self.write(party, {"start": party, "schema": 1})
        return ProcessRef(party=party, name=spawn.name)

    def write(self, party: str, *events: Mapping[str, Any]) -> None:
        """Events as a worker writes them."""
        import json

        for event in events:
            line = json.dumps({**event, "at_ns": monotonic_ns()})
            self.files[party] = self.files.get(party, b"") + line.encode() + b"\n"

    def end(self, party: str, code: int, name: str = "worker", at_ns: int | None = None) -> None:
        """A process ends."""
        ref = ProcessRef(party=party, name=name)
        self.states[ref] = "ended"
        self.ends.append(ExitEvent(ref=ref, code=code, at_ns=monotonic_ns() if at_ns is None else at_ns))

    def exits(self) -> Sequence[ExitEvent]:
        return sorted(self.ends, key=lambda event: event.at_ns)

    def arrive(self, party: str, point: str) -> None:
        """A client comes to a point at which it is held."""
        self.arrived.append(PointEvent(ref=worker(party), point=point, at_ns=monotonic_ns()))

    def points(self) -> Sequence[PointEvent]:
        return self.arrived

    def state(self, ref: ProcessRef) -> str:
        return self.states.get(ref, "ended")

    def release(self, ref: ProcessRef, point: str) -> None:
        self.told.append(f"release {ref.party} {point}")

    def ask_to_stop(self, ref: ProcessRef) -> None:
        self.told.append(f"stop {ref.party}")
        if ref.party in self.deaf:
            self.deaf.discard(ref.party)
        elif self.state(ref) == "running":
            self.write(ref.party, {"done": True})
            self.end(ref.party, 0)

    def signal(self, ref: ProcessRef, number: int) -> None:
        self.told.append(f"signal {number} {ref.party}")
        self.end(ref.party, -number, ref.name)

    def kept(self, party: str) -> str:
        return f"/kept/{party}"

    def get(self, party: str, path: str, offset: int = 0) -> bytes:
        return self.files.get(party, b"")[offset:]

    def log(self, ref: ProcessRef) -> bytes:
        return self.logs.get(ref.party, b"")

    def reach(self, source: str, party: str, port: int, plane: str = "data") -> tuple[str, int]:
        return party, port

    def unsettled(self) -> Mapping[str, int]:
        left, self.left = self.left, {party: count - 1 for party, count in self.left.items() if count > 1}
        return left

    def undeclared(self) -> Mapping[str, int]:
        return self.strays

    def clock(self, party: str) -> Clock | None:
        return self.clocks.get(party)

    def clock_error_ns(self, party: str) -> int:
        return self.errors_ns.get(party, 0)


@dataclass
class Noted:
    """A fault that writes down what is done with it, and fails where it is told to."""

    notes: list[str]
    name: str = "harm"
    target: str = "n1"
    mode: str | None = None
    fails_at: str = ""
    evidence: Mapping[str, Any] = field(default_factory=lambda: {"dropped": 3})

    def inject(self, scene: Scene) -> "Noted":
        self._do("inject")
        return self

    def prove(self) -> Evidence:
        self._do("prove")
        return self.evidence

    def heal(self) -> Evidence:
        self._do("heal")
        return {}

    def prove_healed(self) -> Evidence:
        self._do("prove healed")
        return {}

    def _do(self, what: str) -> None:
        self.notes.append(f"{what} {self.target}")
        if what == self.fails_at:
            raise RuntimeError(f"{what} failed")


@dataclass
class FakeCluster:
    """A cluster that agrees after so many looks."""

    looks: int = 0
    system: str = "fake 1.0"
    nodes: tuple[Any, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: {"a": 1})

    def node(self, name: str) -> Any:
        raise KeyError(name)

    def agreed(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    def disagreement(self) -> Sequence[str]:
        return ["n2 follows nobody"] if self.looks >= 0 else []


NODE = PartySpec(name="n1", role=Role.NODE)
APP = PartySpec(name="app", role=Role.APP)
