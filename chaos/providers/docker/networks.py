"""
A lab's two networks: data, which leads nowhere else, and management, over which the engine publishes ports.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass

from docker import APIClient
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from chaos.errors import ProviderError, said
from chaos.network.mesh import Planes
from chaos.providers.docker.connection import blamed

__tracebackhide__ = said

PLACES = range(1, 128)
"""Third numbers of a lab's networks; the shadow addresses begin at 128."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """Both networks, by the names that the engine knows."""

    planes: Planes
    data: str
    management: str


def lease(api: APIClient, lab: str, labels: dict[str, str]) -> Networks:
    """Make both networks on addresses that no other network of the engine has; whoever comes second tries others."""
    for place in secrets.SystemRandom().sample(PLACES, k=len(PLACES)):
        planes = Planes(data=f"198.18.{place}", management=f"198.19.{place}")
        names = {"data": f"{lab}-data", "management": f"{lab}-management"}
        made: list[str] = []
        try:
            for plane, name in names.items():
                prefix = getattr(planes, plane)
                if not _made(api, name, prefix, labels, internal=plane == "data"):
                    break
                made.append(name)
            else:
                return Networks(planes=planes, **names)
        except BaseException:
            with suppress(ProviderError):  # What went wrong first is what is said.
                _remove(api, made)
            raise
        _remove(api, made)
    raise ProviderError(
        f"the container engine has no free network for a lab: all {len(PLACES)} places in 198.18.0.0/15 overlap with other "
        "networks; run: chaos heal (labs that a crash left), or: docker network prune"
    )


def _made(api: APIClient, name: str, prefix: str, labels: dict[str, str], *, internal: bool) -> bool:
    pool = IPAMPool(subnet=f"{prefix}.0/24", gateway=f"{prefix}.254")
    options = {} if internal else {"com.docker.network.bridge.host_binding_ipv4": "127.0.0.1"}
    with blamed("making a network"):
        try:
            api.create_network(
                name,
                driver="bridge",
                internal=internal,
                labels=labels,
                options=options,
                ipam=IPAMConfig(pool_configs=[pool]),
            )
        except APIError as problem:
            if "overlap" in str(problem).lower():
                return False
            raise
    return True


def _remove(api: APIClient, names: list[str]) -> None:
    for name in names:
        with blamed("removing a network"):
            api.remove_network(name)
