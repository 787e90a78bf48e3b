"""
Removing what a lab was, by its label, and nothing else.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docker import APIClient
from docker.errors import APIError, NotFound

from chaos.errors import ProviderError, said
from chaos.process import lives
from chaos.providers.docker.connection import HOST, LAB, OWNER, blamed, connect, here
from chaos.wait import wait_until

__tracebackhide__ = said

GONE_S = 20.0
GOING = 409
IN_USE, ENDPOINTS = "in use", "active endpoints"
AT_ONCE = 8


class HeldOnError(ProviderError):
    """The engine keeps networks on which there is no container any more: it has lost count of what was attached to them."""


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
    held = list[str]()

    def away(kind: str, name: str) -> None:
        try:
            _until_gone(api, kind, name)
        except HeldOnError as problem:
            held.append(str(problem))  # Said once all else is gone.

    for kind, names in (("container", containers), ("network", networks), ("volume", volumes)):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda name, kind=kind: away(kind, name), names))
    if held:
        raise HeldOnError("; ".join(held))


def _until_gone(api: APIClient, kind: str, name: str) -> None:
    refused = "it is there"

    def gone() -> bool:
        nonlocal refused
        try:
            _remove_one(api, kind, name)
        except NotFound:
            return True
        except APIError as problem:
            refused = str(problem.explanation)
            if problem.status_code != GOING and not any(reason in str(problem) for reason in (IN_USE, ENDPOINTS)):
                raise
        return False

    with blamed(f"removing the {kind} {name[:20]}"):
        try:
            wait_until(
                gone,
                within_s=GONE_S,
                wanted=f"the {kind} {name} to be gone",
                seen=lambda: refused,
                error=ProviderError,
            )
        except ProviderError as problem:
            if kind != "network" or ENDPOINTS not in refused or _attached(api, name):
                raise
            raise HeldOnError(
                f"{problem}, though no container is on it; it goes when the engine is restarted"
            ) from None


def _remove_one(api: APIClient, kind: str, name: str) -> None:
    if kind == "container":
        api.remove_container(name, force=True, v=True)
    elif kind == "network":
        api.remove_network(name)
    else:
        api.remove_volume(name, force=True)


def _attached(api: APIClient, network: str) -> bool:
    return bool(api.inspect_network(network)["Containers"])


def heal() -> list[str]:
    """Remove labs whose test process is gone, of this machine; returns a sentence for each. What stays is an error, once all was tried."""
    api = connect()
    with blamed("looking for left-over labs"):
        containers = [one for one in api.containers(all=True, filters={"label": OWNER}) if not _is_ghost(api, one)]
        others = [
            *api.networks(filters={"label": LAB}),
            *(api.volumes(filters={"label": LAB}).get("Volumes") or ()),
        ]
    labs = {one["Labels"][LAB] for one in (*containers, *others) if LAB in one["Labels"] and _is_orphan(one["Labels"])}
    found, stayed = list[str](), list[str]()
    for lab in sorted(labs):
        try:
            remove_labelled(api, f"{LAB}={lab}")
            found.append(f"{lab}: left-over containers and networks removed")
        except ProviderError as problem:
            stayed.append(f"{lab}: not all of it could be removed; {problem}")
    # A running one is a janitor that is at it, or ends by itself.
    lone = [one for one in containers if LAB not in one["Labels"] and one["State"] != "running"]
    strays = [one["Id"] for one in lone if _is_orphan(one["Labels"])]
    remove(api, containers=strays)
    found += [f"{one[:12]}: container of a run that was killed before its lab was made, removed" for one in strays]
    if stayed:
        raise ProviderError("; ".join([*stayed, *found]))
    return found


def _is_orphan(labels: Mapping[str, str]) -> bool:
    """Whether it is this machine's and its test process is gone: an engine may serve several, and each has ids of its own."""
    owner = int(labels.get(OWNER, 0))
    return labels.get(HOST) == here() and owner != os.getpid() and not lives(owner)


def _is_ghost(api: APIClient, container: dict[str, Any]) -> bool:
    """An engine that was killed in the middle of a removal may go on listing a container that it does not have any more."""
    try:
        return container["State"] == "dead" and not api.inspect_container(container["Id"])
    except NotFound:
        return True
