"""
The memory provider: deterministic systems in simulated time, with bugs to order. It proves checkers in milliseconds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from chaos.history.records import empty
from chaos.providers.contract import Lab
from chaos.providers.memory.lab import MemoryLab
from chaos.providers.memory.simulate import BUGS, SCENARIOS, simulate

__all__ = ["BUGS", "SCENARIOS", "MemoryProvider", "simulate"]


class MemoryProvider:
    """Labs without processes, sockets or waiting."""

    name = "memory"

    @property
    def abilities(self) -> frozenset[str]:
        """What a simulation can do honestly."""
        return frozenset({"PacketRules", "SimulatedTime"})

    def missing(self) -> str | None:
        """It works everywhere."""
        return None

    def open(
        self, *, keep_at: str, mesh: bool = True, warm: Sequence[str] = (), images: Mapping[str, str] = empty()
    ) -> Lab:
        """Make an empty lab; there is nothing to proxy and nothing to warm."""
        return MemoryLab(keep_at=Path(keep_at))
