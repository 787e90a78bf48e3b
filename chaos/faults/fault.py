"""
What a fault is: a value that can be injected, proves that it bit, is healed, and proves that it healed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol, runtime_checkable

from chaos.cluster.parties import Target, resolve
from chaos.errors import UsageError
from chaos.history.records import Value
from chaos.providers.contract import Lab, PartySpec, Port, Role

Evidence = Mapping[str, Value]
Restart = Callable[[str], None]
Ports = str | int | Sequence[str | int]
"""Which declared ports a fault is limited to, by name or number; an empty sequence means all."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The ports that a fault is limited to, as found in its parties; of nobody when it is not limited."""

    by_party: Mapping[str, tuple[Port, ...]] = field(default_factory=dict)

    def numbers(self, party: str) -> tuple[int, ...]:
        """The chosen ports of a party; none also when the fault is not limited."""
        return tuple(port.number for port in self.by_party.get(party, ()))

    def concerns(self, party: str) -> bool:
        """Whether conversations with a server in this party are meant."""
        return not self.by_party or bool(self.by_party.get(party))

    def mode(self, mode: str | None) -> str | None:
        """A fault's mode as it is recorded: with the ports, when it is limited to some."""
        if not self.by_party:
            return mode
        return " ".join([*([mode] if mode else []), "on", _told(self.by_party.values())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """
    What faults act on.

    :param restarts: per party how to start its servers again; a party without an entry stays down when it is killed.
    :param taken_down: the parties whose processes a fault has ended: elsewhere a sudden end is nobody's plan.
    """

    lab: Lab
    restarts: Mapping[str, Restart] = field(default_factory=dict)
    taken_down: set[str] = field(default_factory=set)

    def resolve(self, target: Target) -> tuple[str, ...]:
        """The parties that a target means now; refuses strangers and resources."""
        names = resolve(target)
        for name in names:
            spec = self.spec(name)
            if spec.role is Role.RESOURCE:
                raise UsageError(f"{name} is the resource store that verdicts are read from; faults must not touch it")
        return names

    def spec(self, party: str) -> PartySpec:
        """What a party is."""
        parties = self.lab.parties
        if party not in parties:
            raise UsageError(f"there is no party named {party!r} in this lab; there are: {', '.join(parties)}")
        return parties[party]

    def faultable(self) -> tuple[str, ...]:
        """All parties that faults may act on."""
        return tuple(name for name, spec in self.lab.parties.items() if spec.role is not Role.RESOURCE)

    def ports(self, party: str) -> Sequence[Port]:
        """The party's data ports."""
        return [port for port in self.spec(party).ports if port.plane != "management"]

    def choose(self, ports: Ports, of: Iterable[str]) -> Chosen:
        """What a fault's ``ports`` mean in these parties; a port that none of them declares is refused."""
        wanted = (ports,) if isinstance(ports, str | int) else tuple(ports)
        if not wanted:
            return Chosen()
        declared = {party: self.ports(party) for party in dict.fromkeys(of)}
        for each in wanted:
            if not any(each in (port.name, port.number) for own in declared.values() for port in own):
                there = _told(declared.values()) or "none"
                raise UsageError(f"no port of {', '.join(declared)} is called {each!r}; there are: {there}")
        return Chosen(
            {
                party: tuple(port for port in own if port.name in wanted or port.number in wanted)
                for party, own in declared.items()
            }
        )


def _told(of: Iterable[Sequence[Port]]) -> str:
    """Ports in words: each name with its numbers."""
    found: dict[str, set[int]] = {}
    for port in chain.from_iterable(of):
        found.setdefault(port.name, set()).add(port.number)
    return ", ".join(f"{name} ({', '.join(map(str, sorted(found[name])))})" for name in sorted(found))


@runtime_checkable
class Injection(Protocol):
    """A fault in force."""

    @property
    def target(self) -> str:
        """Whom it hit, as resolved at injection."""
        ...

    @property
    def mode(self) -> str | None:
        """Its variant, where it has some."""
        ...

    def prove(self) -> Evidence:
        """Show that it bites; ``VoidRunError`` when it does not."""
        ...

    def heal(self) -> Evidence:
        """Take it back. Called once, on every way out."""
        ...

    def prove_healed(self) -> Evidence:
        """Wait until what it harmed works again; ``VoidRunError`` when it does not."""
        ...


@runtime_checkable
class StampsItself(Protocol):
    """An injection that knows better than the nemesis from when on it bit: its block begins after the harm."""

    @property
    def effective_ns(self) -> int:
        """When the harm was in force."""
        ...


@runtime_checkable
class FaultPlan(Protocol):
    """A harm as a value, before it is done."""

    @property
    def name(self) -> str:
        """As reports and histories name it."""
        ...

    def inject(self, scene: Scene) -> Injection:
        """Resolve the target and do the harm; what was begun is taken back when it fails."""
        ...
