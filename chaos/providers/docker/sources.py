"""
What goes into a container as an archive: the agent's source, and what a Python workload imports.
"""

import io
import site
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from chaos.errors import ProviderError
from chaos.providers.docker.imports import LIBRARY

AGENT, CODE = "/opt/chaos", "/opt/chaos/code"
_AGENT_SOURCE = LIBRARY / "providers" / "agent"

SKIPPED = {"__pycache__", "node_modules", "build", "dist", "site-packages"}
MOST_BYTES = 64 << 20
LEFT_OUT = {".pyc", ".pyi"}
DATA_BYTES = 64 << 10


@cache
def agent_archive() -> bytes:
    """The party agent, to be unpacked at the root."""
    return _archive((f"{AGENT[1:]}/agent/{path.name}", path) for path in sorted(_AGENT_SOURCE.glob("*.py")))


@cache
def code_archive(path: tuple[str, ...]) -> bytes:
    """This library and the test run's own modules, with small files that lie in their packages."""
    return _archive((f"{CODE[1:]}/{name}", file) for name, file in _own(path))


@cache
def libraries_archive(distributions: frozenset[str], *, compiled: bool) -> bytes:
    """
    What is installed under these names.

    :param compiled: with its compiled parts, which only the same Python on the same kind of machine can load.
    """
    return _archive((f"{CODE[1:]}/{name}", file) for one in distributions for name, file in _installed(one, compiled))


def file_archive(script: Path) -> bytes:
    """One file, beside the modules."""
    return _archive([(f"{CODE[1:]}/{script.name}", script)])


def own_path() -> tuple[str, ...]:
    """Where this test process finds modules, apart from the standard library."""
    standard = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    entries = [str(Path(entry).absolute()) for entry in sys.path if entry]
    return tuple(e for e in dict.fromkeys(entries) if not any(e == s or e == f"{s}/lib-dynload" for s in standard))


def _own(path: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    yield from _tree(LIBRARY, LIBRARY.name)
    installed = {str(Path(entry).absolute()) for entry in (*site.getsitepackages(), site.getusersitepackages())}
    for entry in (Path(one) for one in path if one not in installed):
        if not entry.is_dir():
            continue
        for top in sorted(entry.iterdir()):
            name = top.stem if top.suffix == ".py" else top.name
            if not name.isidentifier() or name in SKIPPED or name == LIBRARY.name:
                continue
            if top.is_dir() and (name in sys.modules or any(top.glob("*.py"))):
                yield from _tree(top, name, data=True)
            elif top.suffix == ".py":
                yield top.name, top


def _installed(distribution: str, compiled: bool) -> Iterator[tuple[str, Path]]:
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        return  # Required under a marker that is not true here.
    for file in files:
        if ".." in file.parts or file.suffix in LEFT_OUT:
            continue
        if compiled or ".so" not in file.suffixes:
            yield str(file), Path(str(file.locate()))


def _tree(folder: Path, name: str, *, data: bool = False) -> Iterator[tuple[str, Path]]:
    """A package's source; ``data``: with small files of other kinds beside it, which its modules may read."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if entry.name.isidentifier() and entry.name not in SKIPPED:
                yield from _tree(entry, f"{name}/{entry.name}", data=data)
        elif entry.is_file() and (entry.suffix == ".py" or (data and _is_small(entry))):
            yield f"{name}/{entry.name}", entry


def _is_small(file: Path) -> bool:
    return file.suffix not in LEFT_OUT and not file.name.startswith(".") and file.stat().st_size <= DATA_BYTES


def _archive(files: Iterable[tuple[str, Path]]) -> bytes:
    target, size, seen = io.BytesIO(), 0, set[str]()
    with tarfile.open(fileobj=target, mode="w:gz", compresslevel=1) as archive:
        for name, path in files:
            if name in seen:
                continue
            seen.add(name)
            if not path.is_file():
                continue
            size += path.stat().st_size
            if size > MOST_BYTES:
                raise ProviderError(
                    f"the modules on this test run's path are too much to copy into a container, at {path}"
                )
            archive.add(path, name, recursive=False)
    return target.getvalue()
