"""
What differs between providers whose parties have agents: how a party comes to be, and how the observer reaches it.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from chaos.network.mesh import Planes, Seat
from chaos.providers.channel import AgentChannel
from chaos.providers.contract import PartySpec
from chaos.servers import Installed


class Engine(Protocol):
    """How one provider makes parties and lets the observer reach them."""

    @property
    def name(self) -> str:
        """The lab's name."""
        ...

    @property
    def planes(self) -> Planes:
        """The addresses of this lab."""
        ...

    @property
    def proxy_program(self) -> str:
        """Toxiproxy's program, as a party sees it."""
        ...

    def place(self, seats: Sequence[Seat], specs: Sequence[PartySpec]) -> Mapping[str, AgentChannel]:
        """Make the parties' namespaces with a cable into both planes, and their agents."""
        ...

    def observe(self, seat: Seat, port: int) -> tuple[str, int]:
        """The address at which the test process reaches a port on the management plane."""
        ...

    def inside(self, channel: AgentChannel) -> AbstractContextManager[None]:
        """Move the calling thread into a party's network."""
        ...

    def folder(self, party: str) -> str:
        """The party's own folder, as it sees it."""
        ...

    def kept(self, party: str) -> str:
        """The party's folder that survives, as it sees it."""
        ...

    def interpreter(self, spec: PartySpec) -> str | None:
        """The program that runs a party's workers; None where its agent forks them, with their imports done."""
        ...

    def python_path(self, spec: PartySpec, modules: Sequence[str]) -> Sequence[str]:
        """Where a party's worker interpreter finds this library and these modules, with what they import."""
        ...

    def program(self, spec: PartySpec, argv: Sequence[str]) -> tuple[Sequence[str], Mapping[str, str]]:
        """A command as the party can run it, with variables that it needs; what it names on this machine is brought along."""
        ...

    def software(self, name: str, version: str | None) -> Installed:
        """A program as the parties have it."""
        ...

    def keep(self) -> str:
        """Let the lab outlive the test process."""
        ...

    def save(self, channels: Mapping[str, AgentChannel]) -> None:
        """Bring out the kept files of parties that do not share a folder with the test process."""
        ...

    def close(self) -> None:
        """End everything."""
        ...
