"""
Installing software: the only place of the library that fetches anything.
"""

from pathlib import Path

from chaos.errors import ProviderError
from chaos.servers import cache
from chaos.servers.cache import ChangedSoftwareError
from chaos.servers.locate import known, offered, search
from chaos.servers.software import Installed, Offer, Progress, Software, matches


def install(name: str, version: str | None = None, progress: Progress | None = None) -> Installed:
    """
    Make software ready to run and return it; what is there already is left as it is.

    :param progress: told what is being done, a few words at a time.
    """
    software = known(name)
    if (there := _sound(name, software, version)) is not None:
        return there
    offer = offered(name, version)
    if offer is None:
        raise ProviderError(
            f"{name} {version} has changed since it was installed, and there is no offer to repair it from"
        )
    with cache.locked(name):
        # Another process may have installed it while this one waited for the lock.
        return _sound(name, software, version) or _install(name, software, offer, version, progress or _silent)


def _sound(name: str, software: Software, version: str | None) -> Installed | None:
    try:
        found = search(name, software, version)
        return None if found is None else cache.verified(found)
    except ChangedSoftwareError:
        return None


def _install(name: str, software: Software, offer: Offer, wanted: str | None, progress: Progress) -> Installed:
    with cache.new_folder() as folder:
        program = offer.source.fetch(folder, progress)
        version = software.version_of(program)
        if not matches(version, wanted):
            raise ProviderError(f"{offer.source.label} has {name} {version} on this machine, not {wanted}")
        ready = Installed(name, version, program, offer.source.label)
        return ready if offer.source.on_host and not _inside(program, folder) else cache.keep(folder, ready)


def _inside(program: Path, folder: Path) -> bool:
    return program.is_relative_to(folder)


def _silent(_text: str) -> None:
    """The progress of a caller who does not want to hear of it."""
