"""
Debian and Ubuntu packages.
"""

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from chaos import process
from chaos.errors import MissingSoftwareError, ProviderError
from chaos.servers.software import Progress, which

WITHIN_S = 900.0
INSTALL = ("apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300")
UPDATE = ("apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=300")


@dataclass(frozen=True, slots=True)
class AptPackage:
    """
    A program of a Debian package.

    :param program: its name in the package.
    :param run_as: the name to run it under, where the program decides by its own name what it is: a link in the cache.
    """

    package: str
    program: str
    run_as: str | None = None

    @property
    def label(self) -> str:
        """Where it comes from, in words."""
        return f"apt {self.package}"

    @property
    def on_host(self) -> bool:
        """A package is a part of the machine."""
        return self.run_as is None

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Install the package unless the program is there already."""
        program = which(self.program) or self._install(progress)
        if self.run_as is None:
            return program
        link = folder / self.run_as
        link.symlink_to(program)
        return link

    def _install(self, progress: Progress) -> Path:
        install_packages([self.package], progress)
        if (program := which(self.program)) is None:
            raise ProviderError(f"the package {self.package} of this machine's distribution has no {self.program}")
        return program


@dataclass(frozen=True, slots=True)
class AptArchive:
    """
    A program taken out of a Debian package's archive: nothing is installed on the machine, so no service of it starts.

    :param program: its path in the package.
    """

    package: str
    program: str

    @property
    def label(self) -> str:
        """Where it comes from, in words."""
        return f"apt {self.package}, unpacked"

    @property
    def on_host(self) -> bool:
        """It is unpacked into the cache."""
        return False

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Download the archive and unpack the program."""
        if which("apt-get") is None or which("dpkg-deb") is None:
            raise MissingSoftwareError(self.package, "your distribution's package manager (no apt-get here)")
        download = ("apt-get", "download", "-q", self.package)
        progress(" ".join(download))
        if not _is_listed(self.package) or _run((), download, check=False, cwd=folder).returncode != 0:
            _update(_as_root(f"{self.package} (its package list)", "sudo apt-get update"), progress)
            _run((), download, cwd=folder)
        archive = next(folder.glob(f"{self.package}_*.deb"))
        process.run(["dpkg-deb", "-x", archive, folder / "package"], timeout_s=WITHIN_S)
        archive.unlink()
        program = folder / "package" / self.program
        if not program.is_file():
            raise ProviderError(f"the package {self.package} of this machine's distribution has no {self.program}")
        return program


def install_packages(packages: list[str], progress: Progress) -> None:
    """Install packages as root or through sudo; where neither can be, say the command."""
    command = f"sudo {shlex.join(('apt-get', 'install', '-y', '--no-install-recommends', *packages))}"
    if which("apt-get") is None:
        raise MissingSoftwareError(" and ".join(packages), "your distribution's package manager (no apt-get here)")
    before = _as_root(" and ".join(packages), command)
    if not all(_is_listed(package) for package in packages):
        _update(before, progress)
    progress(f"apt-get install {' '.join(packages)}")
    if _run(before, (*INSTALL, *packages), check=False).returncode != 0:
        _update(before, progress)  # The lists were older than the archive.
        _run(before, (*INSTALL, *packages))


def _as_root(what: str, command: str) -> tuple[str, ...]:
    if os.geteuid() == 0:
        return ()
    if which("sudo") is None:
        raise MissingSoftwareError(what, f"{command} (as root: you are not, and there is no sudo)")
    if not sys.stdin.isatty() and process.run(["sudo", "-n", "true"], timeout_s=30, check=False).returncode != 0:
        raise MissingSoftwareError(what, f"{command} (sudo wants a password, and there is no terminal to ask on)")
    return ("sudo",)


def _is_listed(package: str) -> bool:
    return process.run(["apt-cache", "show", "--no-all-versions", package], timeout_s=60, check=False).returncode == 0


def _update(before: tuple[str, ...], progress: Progress) -> None:
    progress("apt-get update")
    _run(before, UPDATE)


def _run(
    before: tuple[str, ...], argv: tuple[str, ...], *, check: bool = True, cwd: Path | None = None
) -> process.Done:
    quiet = ("env", "DEBIAN_FRONTEND=noninteractive")  # As a program, since sudo drops the caller's environment.
    return process.run([*before, *quiet, *argv], timeout_s=WITHIN_S, check=check, cwd=cwd)
