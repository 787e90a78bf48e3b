"""
Images: the sidecar's, which is the project's own, and those of servers, by system and version.

Nothing is fetched during a test run: what is missing is said, with the command that gets it.
"""

import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import ImageNotFound

from chaos import __version__
from chaos.errors import MissingAbilityError, MissingSoftwareError, ProviderError, UsageError, said
from chaos.providers.docker.connection import PREFIX, blamed
from chaos.servers import Installed, find
from chaos.servers.software import matches, version_key

__tracebackhide__ = said

SIDECAR = f"{PREFIX}/sidecar:{__version__}"
BUILD = "chaos install image:"
MIRROR = "CHAOS_DOCKER_MIRROR"
"""Environment variable: a registry's name that is put before the names of official images."""


@dataclass(frozen=True, slots=True)
class Offer:
    """
    A program as an image offers it.

    :param repository: the official image's name without a tag.
    :param program: what to start in it.
    :param prefix: what its tags put before the version.
    """

    repository: str
    program: str
    prefix: str = ""


OFFERS = {
    "redis": Offer("redis", "redis-server"),
    "valkey": Offer("valkey/valkey", "valkey-server"),
    "etcd": Offer("gcr.io/etcd-development/etcd", "/usr/local/bin/etcd", prefix="v"),
}
IN_SIDECAR = {"strace": "strace", "toxiproxy": "toxiproxy-server"}


def sidecar_image(api: APIClient) -> str:
    """The image of every party's sidecar."""
    if not _is_there(api, SIDECAR):
        raise MissingSoftwareError(f"the image {SIDECAR}", f"{BUILD}sidecar")
    return SIDECAR


def resolve(api: APIClient, image: str) -> str:
    """The name under which the engine has an image: as it is, from the mirror, or built here."""
    names = [name for name in (image, _mirrored(image), _local(image)) if name]
    for name in names:
        if _is_there(api, name):
            return name
    raise MissingSoftwareError(f"the image {image}", _how(_mirrored(image) or image, ""))


def software(api: APIClient, name: str, version: str | None) -> Installed:
    """A program as an image has it: the newest version on the engine that answers."""
    if name in IN_SIDECAR:
        return Installed(name, __version__, Path(IN_SIDECAR[name]), f"image {SIDECAR}")
    if (offer := OFFERS.get(name)) is None:
        raise MissingAbilityError(name, f"the docker provider has images of {', '.join(OFFERS)} so far")
    there = _tags(api, offer)
    chosen = [each for each in there if matches(each, version)]
    if not chosen:
        wanted = f"{offer.repository}:{offer.prefix}{version or 'VERSION'}"
        asked = f"{name}={version}" if version else name
        raise MissingSoftwareError(
            f"an image of {name} {version or ''}".rstrip(), _how(_mirrored(wanted) or wanted, asked)
        )
    newest = max(chosen, key=version_key)
    return Installed(name, newest, Path(offer.program), f"image {there[newest]}")


def _how(image: str, asked: str) -> str:
    built = f", or {BUILD}{asked}" if asked.partition("=")[0] in RECIPES else ""
    return f"docker pull {image} (without a registry: docker save it elsewhere and docker load it here{built})"


def _mirrored(image: str) -> str | None:
    mirror = os.environ.get(MIRROR)
    return f"{mirror.rstrip('/')}/{image}" if mirror else None


def _local(image: str) -> str:
    return f"{PREFIX}/{image.rpartition('/')[2]}"


def _is_there(api: APIClient, image: str) -> bool:
    with blamed(f"image {image}"):
        try:
            _inspected(api, image)
        except ImageNotFound:
            return False
        return True


def _inspected(api: APIClient, image: str) -> dict[str, Any]:
    found: dict[str, Any] = api.inspect_image(image)  # type: ignore[no-untyped-call]
    return found


def _tags(api: APIClient, offer: Offer) -> dict[str, str]:
    """The versions that the engine has, with the names of their images."""
    repositories = [offer.repository, _mirrored(offer.repository), _local(offer.repository)]
    with blamed("images"):
        listed = api.images()
    found: dict[str, str] = {}
    for image in listed:
        for full in image.get("RepoTags") or ():
            repository, _, tag = full.rpartition(":")
            version = tag.removeprefix(offer.prefix)
            if repository in repositories and version[:1].isdigit() and version.replace(".", "").isdigit():
                found.setdefault(version, full)
    return found


def environment(api: APIClient, image: str) -> dict[str, str]:
    """The variables that an image gives to its programs."""
    with blamed(f"image {image}"):
        pairs = _inspected(api, image)["Config"].get("Env") or []
    return dict(pair.split("=", 1) for pair in pairs)


# -- built here -----------------------------------------------------------------------------------------------------------

_SIDECAR = """
FROM {base}
RUN apt-get update -q && apt-get install -y -q --no-install-recommends python3 nftables libnftables1 iproute2 strace \\
    busybox-static && rm -rf /var/lib/apt/lists/* && mkdir -p /chaos/own /chaos/kept && cp /bin/busybox /chaos/busybox
COPY toxiproxy-server /usr/local/bin/toxiproxy-server
LABEL {prefix}.image=sidecar
"""
_REDIS = """
FROM {base}
RUN apt-get update -q && apt-get install -y -q --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
LABEL {prefix}.image=redis
"""
_ETCD = """
FROM {base}
COPY etcd /usr/local/bin/etcd
LABEL {prefix}.image=etcd
"""
BASE = "debian:bookworm-slim"
RECIPES = {"sidecar": (_SIDECAR, "toxiproxy"), "redis": (_REDIS, None), "etcd": (_ETCD, "etcd")}
BUILD_S = 900


def build(api: APIClient, name: str, version: str | None = None, *, base: str = BASE) -> str:
    """Build an image from Debian packages and what ``chaos install`` has; returns its name."""
    if name not in RECIPES:
        raise UsageError(f"there is no recipe for an image {name!r}; there are: {', '.join(RECIPES)}")
    recipe, software_name = RECIPES[name]
    if version and (name == "sidecar" or not software_name):
        raise UsageError(f"the image {name} is built in one version only")
    files = {"Dockerfile": recipe.format(base=base, prefix=PREFIX).encode()}
    if software_name:
        program = find(software_name, version).program
        files["toxiproxy-server" if name == "sidecar" else name] = program.read_bytes()
    tag = SIDECAR if name == "sidecar" else f"{PREFIX}/{name}:building"
    with blamed(f"building the image {name}"):
        lines = api.build(
            fileobj=_context(files),
            custom_context=True,
            tag=tag,
            rm=True,
            decode=True,
            network_mode="host",
            timeout=BUILD_S,
        )
        failed = next((line["error"] for line in lines if "error" in line), None)
    if failed:
        raise ProviderError(f"building the image {name}: {failed.strip()}")
    return tag if name == "sidecar" else _tagged(api, name, tag)


def _tagged(api: APIClient, name: str, building: str) -> str:
    """Name it after the version that its program says."""
    offer = OFFERS[name]
    with blamed(f"the image {name}"):
        made = api.create_container(building, [offer.program, "--version"])
        try:
            api.start(made)
            api.wait(made, timeout=30)
            words = api.logs(made).decode(errors="replace").replace("v=", " ").split()
        finally:
            api.remove_container(made, force=True)
        version = next(word.strip(",") for word in words if word[:1].isdigit() and "." in word)
        api.tag(building, f"{PREFIX}/{name}", f"{offer.prefix}{version}")
        api.remove_image(building)
    return f"{PREFIX}/{name}:{offer.prefix}{version}"


def _context(files: dict[str, bytes]) -> io.BytesIO:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    target.seek(0)
    return target
