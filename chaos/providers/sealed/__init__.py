"""
The sealed provider: local labs whose parties have no more in common with the test process than containers have.

Each party has its own process numbers and its own folders; files go in and out through its agent only, workers are
started and not forked. It exists to keep the contract honest: what works here needs nothing that Docker has not.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from chaos.history.records import empty
from chaos.process import is_root
from chaos.providers.agented import AgentedLab
from chaos.providers.contract import Lab
from chaos.providers.local import try_out
from chaos.servers import find


class SealedProvider:
    """Labs of parties that share no folder and no process numbers with anyone."""

    name = "sealed"

    def __init__(self) -> None:
        self._user_namespace = not is_root()

    @property
    def abilities(self) -> frozenset[str]:
        """What an agent in a container could do as well."""
        return frozenset({"PacketRules", "Streams", "Workers"})

    def missing(self) -> str | None:
        """Why labs cannot be made here, by making one."""
        return try_out(self, user_namespace=self._user_namespace)

    def open(
        self, *, keep_at: str, mesh: bool = True, warm: Sequence[str] = (), images: Mapping[str, str] = empty()
    ) -> Lab:
        """Make an empty lab; nothing can be imported ahead in a sealed party, so ``warm`` is ignored."""
        from chaos.providers.local.engine import LocalEngine

        engine = LocalEngine(
            keep_at=Path(keep_at).absolute(),
            proxy_program=str(find("toxiproxy").program) if mesh else "",
            user_namespace=self._user_namespace,
            sealed=True,
        )
        return AgentedLab(engine, mesh=mesh)
