"""
Who is in a lab: each party with its specification, its seat in the mesh and the channel to its agent.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from chaos.errors import HarnessError, UsageError, said
from chaos.network.mesh import ALONE, Planes, Seat
from chaos.providers.agent.stream import Message
from chaos.providers.channel import AgentChannel, call_all
from chaos.providers.contract import OBSERVER, PartySpec

__tracebackhide__ = said

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
CALL_S = 15.0


class Roster:
    """The parties of one lab, in the order in which they came."""

    def __init__(self, lab: str, planes: Planes) -> None:
        self.lab, self._planes = lab, planes
        self.closed = False
        self.specs: dict[str, PartySpec] = {}
        self.seats: dict[str, Seat] = {}
        self.channels: dict[str, AgentChannel] = {}

    def seat_all(self, specs: Sequence[PartySpec]) -> list[Seat]:
        """Seats for newcomers; they are not in the roster until ``add``."""
        return seat_specs(specs, self.specs, self._planes)

    def add(self, specs: Sequence[PartySpec], seats: Sequence[Seat], channels: Mapping[str, AgentChannel]) -> None:
        """Take newcomers in, in the order of their seats, however the engine came to make them."""
        self.channels.update({seat.name: channels[seat.name] for seat in seats})
        self.seats.update({seat.name: seat for seat in seats})
        self.specs.update({spec.name: spec for spec in specs})

    def peers(self, name: str) -> list[Seat]:
        """The seats of all the others."""
        return [seat for seat in self.seats.values() if seat.name != name]

    def channel(self, party: str) -> AgentChannel:
        """The way to a party's agent."""
        if self.closed:
            raise HarnessError(f"lab {self.lab} is closed")
        if party not in self.channels:
            raise UsageError(f"there is no party named {party!r}; there are: {', '.join(self.channels) or 'none'}")
        return self.channels[party]

    def seat(self, party: str) -> Seat:
        """A party's place in the mesh."""
        self.channel(party)
        return self.seats[party]

    def call(self, party: str, **command: Any) -> Any:
        """One command to one agent; returns its result."""
        return self.channel(party).call(command)[0]

    def call_each(self, batches: Mapping[str, list[Message]], *, within_s: float = CALL_S) -> Mapping[str, list[Any]]:
        """A batch to each of these agents, side by side; returns their results."""
        return call_all(((self.channel(name), batch) for name, batch in batches.items()), within_s=within_s)

    def call_all(self, **command: Any) -> dict[str, Any]:
        """One command to all agents; returns each one's result."""
        return {name: answer[0] for name, answer in self.call_each({name: [command] for name in self.channels}).items()}

    def events(self, kind: str) -> Iterator[tuple[str, Message]]:
        """What the agents have told so far, in order of time."""
        found = []
        for party, channel in self.channels.items():
            found += [(party, event) for event in channel.events() if event["event"] == kind]
        yield from sorted(found, key=lambda item: item[1]["at"])


def seat_specs(specs: Sequence[PartySpec], known: Collection[str], planes: Planes = ALONE) -> list[Seat]:
    """Seats for newcomers, in the order in which they come; names that cannot be, or are taken, are refused."""
    names = [spec.name for spec in specs]
    for name in names:
        if not _NAME.fullmatch(name) or name in (OBSERVER, "localhost"):
            raise UsageError(f"a party's name is a short host name such as n1, not {name!r}")
        if name in known or names.count(name) > 1:
            raise UsageError(f"there is a party named {name} already")
    return [
        Seat(name=spec.name, index=len(known) + number, ports=_data_ports(spec), planes=planes)
        for number, spec in enumerate(specs, start=1)
    ]


def _data_ports(spec: PartySpec) -> tuple[int, ...]:
    return tuple(port.number for port in spec.ports if port.plane in ("data", "both"))
