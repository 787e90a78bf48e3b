"""
Where a test's histories and logs lie: a folder of its own, the one declared survivor of a run.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.errors import ProviderError
from chaos.locks import try_lock

MOST = 100
FULL_BYTES = 64 * 1024
LONGEST = 150


def folder_name(nodeid: str) -> str:
    """A test's name as a folder: readable, and the same every night."""
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in nodeid)
    return kept.replace(".py--", "-").strip("-")[-LONGEST:]


@contextmanager
def folder_of_ones_own(runs: Path, name: str) -> Iterator[Path]:
    """An empty folder that no other test run (another terminal, the same test) writes to meanwhile."""
    locks = runs / ".locks"
    for candidate in (name, *(f"{name}~{number}" for number in range(2, MOST))):
        try:
            locks.mkdir(parents=True, exist_ok=True)
            lock = (locks / candidate).open("w")
        except OSError as problem:
            raise _unusable(runs, problem) from problem
        with lock:
            if not try_lock(lock.fileno()):
                continue
            yield _emptied(runs / candidate)
            return
    raise ProviderError(f"{MOST} runs of {name} at once: is {locks} on a file system without locks?")


def full_disk(folder: Path) -> str:
    """A clause that says so when the disk below the folder is full, the commonest reason why nothing can be recorded."""
    try:
        full = shutil.disk_usage(folder).free < FULL_BYTES
    except OSError:
        return ""
    return f"; the disk below {folder} is full" if full else ""


def _emptied(folder: Path) -> Path:
    try:
        shutil.rmtree(folder, ignore_errors=True)  # Logs of an earlier run beside these would mislead.
        folder.mkdir()
    except OSError as problem:
        raise _unusable(folder, problem) from problem
    return folder


def _unusable(folder: Path, problem: OSError) -> ProviderError:
    return ProviderError(
        f"no histories and logs can be kept in {folder}: {problem.strerror}; choose another folder with --chaos-out"
    )
