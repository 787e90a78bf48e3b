"""
Images: the sidecar's, which is the project's own, and those of servers, by system and version.

Nothing is fetched during a test run: what is missing is said, with the command that gets it.
"""

import base64
import os
from collections.abc import Mapping
from pathlib import Path

from docker import APIClient

from chaos import __version__
from chaos.errors import MissingAbilityError, MissingSoftwareError, said
from chaos.history.records import empty
from chaos.providers.docker.asking import asked, inspected, is_there, version_in
from chaos.providers.docker.connection import PREFIX, blamed
from chaos.providers.docker.recipes import BUILD, RECIPES, SIDECAR
from chaos.servers import SOFTWARE, Installed
from chaos.servers.software import Image, Software, matches, version_key

__tracebackhide__ = said

MIRROR = "CHAOS_DOCKER_MIRROR"
"""Environment variable: a registry's name that is put before the names of official images."""
IN_SIDECAR = {"strace": "strace", "toxiproxy": "toxiproxy-server"}
FULL = 2
"""Dots in a version that needs no asking: a tag 7.0 is some 7.0.x."""


def sidecar_image(api: APIClient) -> str:
    """The image of every party's sidecar."""
    if not is_there(api, SIDECAR):
        raise MissingSoftwareError(f"the image {SIDECAR}", f"{BUILD}sidecar")
    return SIDECAR


def resolve(api: APIClient, image: str) -> str:
    """The name under which the engine has an image: as it is, from the mirror, or built here."""
    names = [name for name in (image, _mirrored(image), _local(image)) if name]
    for name in names:
        if is_there(api, name):
            return name
    raise MissingSoftwareError(f"the image {image}", _how(_mirrored(image) or image))


def software(api: APIClient, name: str, version: str | None, chosen: Mapping[str, str] = empty()) -> Installed:
    """
    A program as an image has it: somebody's own choice, else the default version, else the newest on the engine that answers.

    :param chosen: images by the names of software, for every request that their version answers.
    """
    if name in IN_SIDECAR:
        return Installed(name, __version__, Path(IN_SIDECAR[name]), f"image {SIDECAR}")
    entry = SOFTWARE.get(name)
    if entry is None or entry.image is None:
        raise MissingAbilityError(name, "the docker provider has no image of it")
    passed_by = ""
    if name in chosen:
        own = resolve(api, chosen[name])
        if entry.serves(seen := version_in(api, own, entry.image), version):
            return _installed(api, name, seen, own, entry.image)
        passed_by = f" ({own} was chosen, and is {seen})"
    there = _tags(api, entry.image)
    tag = _best(there, entry, version)
    if tag is None:
        raise _missing(name, entry, version, passed_by)
    image = there[tag]
    seen = tag if tag.count(".") >= FULL else version_in(api, image, entry.image)
    return _installed(api, name, seen, image, entry.image)


def taken(api: APIClient) -> dict[tuple[str, str], str]:
    """For each system and offered version the image of the engine that is taken for it."""
    found: dict[tuple[str, str], str] = {}
    for name, entry in SOFTWARE.items():
        there = _tags(api, entry.image) if entry.image else {}
        for offer in entry.offers:
            if (tag := _best(there, entry, offer.version)) is not None:
                found[name, offer.version] = there[tag]
    return found


def _best(there: Mapping[str, str], entry: Software, version: str | None) -> str | None:
    """The tag of the default version if that is asked for, else the newest that answers."""
    answering = [tag for tag in there if entry.serves(tag, version)]
    default = [tag for tag in answering if version is None and matches(tag, entry.offers[0].version)]
    return max(default or answering, key=version_key, default=None)


def _missing(name: str, entry: Software, version: str | None, passed_by: str) -> MissingSoftwareError:
    assert entry.image is not None
    offer = entry.choose(version)
    wanted = entry.image.official(offer) if offer else f"{entry.image.repository}:{entry.image.prefix}{version}"
    recipe = RECIPES.get(name)
    asked = name
    if recipe and recipe.software:
        asked = f"{name}={version}" if version else name
    elif version and not matches(entry.offers[0].version, version):
        recipe = None  # Debian's package has one version.
    built = f"{BUILD}{asked}" if recipe else ""
    return MissingSoftwareError(
        f"an image of {name} {version or ''}".rstrip() + passed_by, _how(_mirrored(wanted) or wanted, built)
    )


def _how(image: str, built: str = "") -> str:
    or_built = f", or {built}" if built else ""
    return f"docker pull {image} (without a registry: docker save it elsewhere and docker load it here{or_built})"


def _mirrored(image: str) -> str | None:
    mirror = os.environ.get(MIRROR)
    return f"{mirror.rstrip('/')}/{image}" if mirror else None


def _local(image: str) -> str:
    return f"{PREFIX}/{image.rpartition('/')[2]}"


def _tags(api: APIClient, image: Image) -> dict[str, str]:
    """The versions of a program that the engine has, with the names of their images."""
    repositories = [image.repository, _mirrored(image.repository), _local(image.repository)]
    with blamed("images"):
        listed = api.images()
    found: dict[str, str] = {}
    for each in listed:
        for full in each.get("RepoTags") or ():
            repository, _, tag = full.rpartition(":")
            version = tag.removeprefix(image.prefix)
            if repository in repositories and version[:1].isdigit() and version.replace(".", "").isdigit():
                found.setdefault(version, full)
    return found


def environment(api: APIClient, image: str) -> dict[str, str]:
    """The variables that an image gives to its programs."""
    pairs = inspected(api, image)["Config"].get("Env") or []
    return dict(pair.split("=", 1) for pair in pairs)


def _installed(api: APIClient, name: str, version: str, image: str, entry: Image) -> Installed:
    program, *leading = entry.argv
    made = {file: base64.b64decode(asked(api, image, asks)) for file, asks in entry.makes.items()}
    return Installed(name, version, Path(program), f"image {image}", tuple(leading), image, made)
