"""
Looking for software without ever fetching it.
"""

from collections.abc import Iterator

from chaos.errors import MissingSoftwareError, UsageError
from chaos.servers import cache
from chaos.servers.catalogue import SOFTWARE
from chaos.servers.software import Installed, Offer, Software, matches, version_key, which


def find(name: str, version: str | None = None) -> Installed:
    """
    The software an experiment asks for, or an error that names the command to install it.

    :param version: ``7.0`` means any 7.0.x; None is the default version, else what is on PATH, else the newest installed.
    """
    software = known(name)
    if (found := search(name, software, version)) is not None:
        return cache.verified(found)
    offered(name, version)
    asked = name if version is None else f"{name}={version}"
    raise MissingSoftwareError(asked.replace("=", " "), f"chaos install {asked}")


def installed() -> list[Installed]:
    """All that ``find`` could find, the default of each name first."""
    return [each for name, software in SOFTWARE.items() for each in candidates(name, software)]


def known(name: str) -> Software:
    """The registered software of this name."""
    if (software := SOFTWARE.get(name)) is None:
        raise UsageError(f"unknown software {name!r}; there is {', '.join(SOFTWARE)}")
    return software


def offered(name: str, version: str | None) -> Offer | None:
    """How to get this version; None where it need not be got, because it is at hand."""
    software = known(name)
    if (offer := software.choose(version)) is not None or search(name, software, version) is not None:
        return offer
    offers = ", ".join(offer.version for offer in software.offers)
    elsewhere = f", and no {software.on_path[0]} of that version is on PATH" if software.on_path else ""
    raise UsageError(f"{name} {version} is not offered (there is {offers}){elsewhere}")


def search(name: str, software: Software, version: str | None) -> Installed | None:
    """The best match, unverified."""
    return next((each for each in candidates(name, software) if software.serves(each.version, version)), None)


def candidates(name: str, software: Software) -> Iterator[Installed]:
    """All versions at hand, in order of preference: the default offer, PATH, the rest of the cache from the newest."""
    kept = cache.kept(name, software)
    default = next((each for each in kept if matches(each.version, software.offers[0].version)), None)
    if default is not None:
        yield default
    if (there := _on_path(name, software)) is not None:
        yield there
    yield from (each for each in kept if each is not default)


def _on_path(name: str, software: Software) -> Installed | None:
    if (program := which(*software.on_path)) is None:
        return None
    version = software.version_of(program)
    new_enough = version_key(version) >= version_key(software.oldest)
    return Installed(name, version, program, "PATH") if new_enough else None
