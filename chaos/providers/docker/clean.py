"""
Removing what a lab was, by its label, and nothing else.
"""

import os
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from docker import APIClient
from docker.errors import APIError, NotFound

from chaos.errors import ProviderError, said
from chaos.process import lives
from chaos.providers.docker.connection import HOST, LAB, OWNER, blamed, connect
from chaos.wait import wait_until

__tracebackhide__ = said

GONE_S = 20.0
GOING = 409
AT_ONCE = 8


def remove_labelled(api: APIClient, label: str) -> int:
    """Remove all with this label; returns how many there were."""
    chosen = {"label": label}
    with blamed("cleaning up"):
        containers = [one["Id"] for one in api.containers(all=True, filters=chosen)]
        networks = [one["Name"] for one in api.networks(filters=chosen)]
        volumes = [one["Name"] for one in api.volumes(filters=chosen).get("Volumes") or ()]
    remove(api, containers=containers, networks=networks, volumes=volumes)
    return len(containers) + len(networks) + len(volumes)


def remove(
    api: APIClient, *, containers: Sequence[str], networks: Sequence[str] = (), volumes: Sequence[str] = ()
) -> None:
    """Remove these, running or not; what is gone is no error."""

    reasons: dict[str, str] = {}

    def gone(kind: str, name: str) -> bool:
        try:
            if kind == "container":
                api.remove_container(name, force=True, v=True)
            elif kind == "network":
                api.remove_network(name)
            else:
                api.remove_volume(name, force=True)
        except NotFound:
            return True
        except APIError as problem:
            if problem.status_code != GOING and "in use" not in str(problem) and "active endpoints" not in str(problem):
                raise
            reasons[name] = str(problem.explanation)
        return False

    def until_gone(kind: str, name: str) -> None:
        with blamed(f"removing the {kind} {name[:20]}"):
            wait_until(
                lambda: gone(kind, name),
                within_s=GONE_S,
                wanted=f"the {kind} {name} to be gone",
                seen=lambda: reasons.get(name, "it is still there"),
                error=ProviderError,
            )

    for kind, names in (("container", containers), ("network", networks), ("volume", volumes)):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda name, kind=kind: until_gone(kind, name), names))


def heal() -> list[str]:
    """Remove labs whose test process is gone, of this machine; returns a sentence for each, also for one that stays."""
    api = connect()
    with blamed("looking for left-over labs"):
        marked = [
            *api.containers(all=True, filters={"label": LAB}),
            *api.networks(filters={"label": LAB}),
            *(api.volumes(filters={"label": LAB}).get("Volumes") or ()),
        ]
    here = socket.gethostname()  # An engine may serve several machines, and process ids are each machine's own.
    labs = {one["Labels"][LAB]: int(one["Labels"].get(OWNER, 0)) for one in marked if one["Labels"].get(HOST) == here}
    left = sorted(lab for lab, owner in labs.items() if owner != os.getpid() and not lives(owner))
    return [_healed(api, lab) for lab in left]


def _healed(api: APIClient, lab: str) -> str:
    try:
        remove_labelled(api, f"{LAB}={lab}")
    except ProviderError as problem:
        return f"{lab}: not all of it could be removed; {problem}; a restart of the container engine helps"
    return f"{lab}: left-over containers and networks removed"
