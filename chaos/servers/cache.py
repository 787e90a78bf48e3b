"""
The per-user cache: one folder a version, with a manifest; installed whole or not at all, by one process at a time.
"""

import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chaos.errors import ProviderError
from chaos.locks import try_lock
from chaos.servers.software import Installed, Software, version_key
from chaos.wait import wait_until

MANIFEST = "manifest.json"
SUMS = "files.sha256"
"""Of a program that is more than one file: the sums of all of them."""
NEW = ".new-"
LOCK_WITHIN_S = 1200.0  # Longer than the slowest installation that another process may be at.


class ChangedSoftwareError(ProviderError):
    """A program in the cache is not the one that was installed, so it is not run."""


def cache_folder() -> Path:
    """Where installed software lies: ``CHAOS_CACHE``, or ``middleware-chaos`` in the user's cache folder."""
    if own := os.environ.get("CHAOS_CACHE"):
        return Path(own).expanduser().absolute()
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser().absolute() / "middleware-chaos"


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Only one process at a time installs ``name``; the lock falls with its process, however that ends."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f".lock-{name}").open("w")
    except OSError as problem:
        raise ProviderError(
            f"the cache {folder} cannot be written ({problem.strerror}); CHAOS_CACHE names another"
        ) from problem
    with lock:
        wanted = f"another process to finish installing {name}"
        wait_until(lambda: try_lock(lock.fileno()), within_s=LOCK_WITHIN_S, wanted=wanted, error=ProviderError)
        yield


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder in the cache that is gone afterwards, unless ``keep`` moved it to its place; if we are killed, the next time."""
    with locked("new"):  # So that nobody takes it for a dead process' before it is held.
        _remove_abandoned()
        folder = Path(tempfile.mkdtemp(prefix=NEW, dir=cache_folder()))
        held = os.open(folder, os.O_RDONLY)  # The lock falls with the process.
        try_lock(held)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _remove_abandoned() -> None:
    """Remove the unfinished work of processes that were killed: a borrowed Go with all it compiled is a gigabyte."""
    for folder in cache_folder().glob(f"{NEW}*"):
        with suppress(OSError):  # Just moved to its place.
            opened = os.open(folder, os.O_RDONLY)
            try:
                if try_lock(opened):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(opened)


def keep(folder: Path, installed: Installed) -> Installed:
    """Make a prepared folder the place of its version, in one rename, and return where the program is now."""
    relative = installed.program.relative_to(folder)
    manifest = {
        "name": installed.name,
        "version": installed.version,
        "source": installed.source,
        "program": str(relative),
        "sha256": _digest(installed.program),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    folder.chmod(0o755)  # mkdtemp's 0700 would hide it from a server that gives up root.
    place = cache_folder() / installed.name / installed.version
    place.parent.mkdir(exist_ok=True)
    if place.exists():
        place.rename(folder.with_name(folder.name + "-old"))
    folder.rename(place)
    shutil.rmtree(folder.with_name(folder.name + "-old"), ignore_errors=True)
    return Installed(installed.name, installed.version, place / relative, installed.source)


def kept(name: str, software: Software) -> list[Installed]:
    """Every version of ``name`` in the cache whose program is still there, newest first; unverified."""
    found = (_read(path, software) for path in (cache_folder() / name).glob(f"*/{MANIFEST}"))
    return sorted(filter(None, found), key=lambda each: version_key(each.version), reverse=True)


def verified(installed: Installed) -> Installed:
    """The same, once the program is known to be the one that was installed."""
    place = cache_folder() / installed.name / installed.version
    if installed.program.is_symlink() or not installed.program.is_relative_to(place):
        return installed  # The machine's own packages vouch for it, and update it.
    recorded = {str(installed.program.relative_to(place)): json.loads((place / MANIFEST).read_text())["sha256"]}
    if (place / SUMS).exists():
        lines = (place / SUMS).read_text(encoding="utf-8").splitlines()
        recorded |= {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    for name, wanted in recorded.items():
        seen = f"sha256 {_digest(place / name)[:12]}…" if (place / name).exists() else "it is gone"
        if seen != f"sha256 {wanted[:12]}…":
            raise ChangedSoftwareError(
                f"{place / name} is not what was installed: {seen} where {wanted[:12]}… was recorded; "
                f"run: chaos install {installed.name}={installed.version}"
            )
    return installed


def sum_up(folder: Path) -> None:
    """Record the sums of all files of a program that is more than one, so that a damaged one is found before it is run."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = (f"{_digest(path)}  {path.relative_to(folder)}\n" for path in files)
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def _read(manifest: Path, software: Software) -> Installed | None:
    try:
        said = json.loads(manifest.read_text())
        program = manifest.parent / said["program"]
        version = said["version"]
        if program.is_symlink() and _digest(program) != said["sha256"]:
            version = software.version_of(program)  # The machine's packages were updated since.
        return Installed(said["name"], version, program, said["source"]) if program.exists() else None
    except (OSError, ValueError, KeyError):
        return None  # Not ours, or being removed at this moment: as if it were not installed.


def _digest(program: Path) -> str:
    status = program.stat()
    return _digest_of(program, status.st_mtime_ns, status.st_size)


@functools.cache
def _digest_of(program: Path, _changed_ns: int, _size: int) -> str:
    with program.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
