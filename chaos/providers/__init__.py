"""
Providers make parties exist. ``PROVIDERS`` is the one list of them.
"""

from collections.abc import Callable

from chaos.errors import ProviderError, UsageError
from chaos.providers.contract import Provider


def _local() -> Provider:
    from chaos.providers.local import LocalProvider

    return LocalProvider()


def _sealed() -> Provider:
    from chaos.providers.sealed import SealedProvider

    return SealedProvider()


def _docker() -> Provider:
    from chaos.providers.docker import DockerProvider

    return DockerProvider()


def _memory() -> Provider:
    from chaos.providers.memory import MemoryProvider

    return MemoryProvider()


PROVIDERS: dict[str, Callable[[], Provider]] = {
    "local": _local,
    "sealed": _sealed,
    "docker": _docker,
    "memory": _memory,
}

AUTO = ("local", "docker")
"""What ``auto`` tries, in this order: providers of real servers, as users know them."""


def choose(name: str = "auto") -> tuple[Provider, str]:
    """
    The provider of this name, and why it was chosen.

    ``auto`` takes the first that this machine can do.
    """
    if name != "auto":
        if name not in PROVIDERS:
            raise UsageError(f"there is no provider {name!r}; there are: auto, {', '.join(PROVIDERS)}")
        return PROVIDERS[name](), "asked for"
    reasons: list[str] = []
    for known in AUTO:
        provider = PROVIDERS[known]()
        missing = provider.missing()
        if missing is None:
            return provider, "; ".join(["the first that works here", *reasons])
        reasons.append(f"{known}: {missing}")
    raise ProviderError(f"no provider works here; {'; '.join(reasons)}; see: chaos doctor")
