"""
The local provider: real server processes in namespaces of this machine, as root or without.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from chaos.errors import ProviderError
from chaos.history.records import empty
from chaos.process import is_root
from chaos.providers.agented import AgentedLab
from chaos.providers.contract import Lab, PartySpec, Provider
from chaos.servers import find

__all__ = ["NO_LINUX", "LocalProvider", "heal", "try_out"]

NO_LINUX = "its namespaces are Linux's; elsewhere parties are containers: --chaos-provider docker"


class LocalProvider:
    """Labs in namespaces of this machine."""

    name = "local"

    def __init__(self) -> None:
        self._user_namespace = not is_root()

    @property
    def abilities(self) -> frozenset[str]:
        """What this machine adds to the contract."""
        powers = {"PacketRules", "Streams", "Workers"}
        if not self._user_namespace:
            powers.add("InProcessData")
        return frozenset(powers)

    def missing(self) -> str | None:
        """Why labs cannot be made here, by making one."""
        return try_out(self, user_namespace=self._user_namespace)

    def open(
        self, *, keep_at: str, mesh: bool = True, warm: Sequence[str] = (), images: Mapping[str, str] = empty()
    ) -> Lab:
        """Make an empty lab."""
        from chaos.providers.local.engine import LocalEngine

        engine = LocalEngine(
            keep_at=Path(keep_at).absolute(),
            proxy_program=str(find("toxiproxy").program) if mesh else "",
            user_namespace=self._user_namespace,
            warm=("chaos.workloads.worker", *warm),
        )
        return AgentedLab(engine, mesh=mesh)


def heal() -> list[str]:
    """End kept and orphaned labs of this user and remove their folders; returns a sentence for each."""
    if sys.platform != "linux":
        return []
    from chaos.providers.local import sweep

    return sweep.heal()


def try_out(provider: Provider, *, user_namespace: bool) -> str | None:
    """Make a lab of one party and say what is in the way; None when nothing is."""
    if sys.platform != "linux":
        return NO_LINUX
    try:
        find("toxiproxy")
        with tempfile.TemporaryDirectory(prefix="chaos-probe-") as folder:
            lab = provider.open(keep_at=folder, mesh=False)
            try:
                lab.place([PartySpec(name="probe")])
            finally:
                lab.close()
    except OSError as problem:
        return f"no temporary folder can be made: {problem.strerror}"
    except ProviderError as problem:
        return _advice(str(problem), user_namespace)
    return None


def _advice(problem: str, user_namespace: bool) -> str:
    if "not permitted" not in problem and "Permission denied" not in problem:
        return problem
    if not user_namespace:
        return f"{problem}; inside a container it needs --privileged (or CAP_SYS_ADMIN and CAP_NET_ADMIN)"
    return (
        f"{problem}; without root the kernel must allow user namespaces: run as root (sudo), or "
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04), "
        "or sysctl kernel.unprivileged_userns_clone=1 (older Debian)"
    )
