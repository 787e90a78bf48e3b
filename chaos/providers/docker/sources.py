"""
What goes into a container as an archive: the agent's source, and what a Python workload imports.
"""

import io
import json
import re
import site
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from chaos import process
from chaos.errors import ProviderError

AGENT, CODE = "/opt/chaos", "/opt/chaos/code"
_AGENT_SOURCE = Path(__file__).parent.parent / "agent"
_LIBRARY = Path(__file__).parent.parent.parent

SKIPPED = {"__pycache__", "node_modules", "build", "dist", "site-packages"}
MOST_BYTES = 64 << 20
ASK_S = 60.0
_CLOSURE = """
import importlib, json, sys
sys.path += json.loads(sys.argv[2])
for name in json.loads(sys.argv[1]):
    try:
        importlib.import_module(name)
    except Exception:
        pass
print(json.dumps(sorted({name.partition('.')[0] for name in list(sys.modules)})))
"""


@cache
def agent_archive() -> bytes:
    """The party agent, to be unpacked at the root."""
    return _archive((f"{AGENT[1:]}/agent/{path.name}", path) for path in sorted(_AGENT_SOURCE.glob("*.py")))


@cache
def code_archive(warm: tuple[str, ...], path: tuple[str, ...]) -> bytes:
    """This library, the test run's own modules, and of what is installed whatever these modules import; Python source only."""
    return _archive((f"{CODE[1:]}/{name}", file) for name, file in _collected(warm, path))


def own_path() -> tuple[str, ...]:
    """Where this test process finds modules, apart from the standard library."""
    standard = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    entries = [str(Path(entry).absolute()) for entry in sys.path if entry]
    return tuple(e for e in dict.fromkeys(entries) if not any(e == s or e == f"{s}/lib-dynload" for s in standard))


def _collected(warm: tuple[str, ...], path: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    yield from _tree(_LIBRARY, "chaos")
    installed = {str(Path(entry).absolute()) for entry in (*site.getsitepackages(), site.getusersitepackages())}
    wanted = _imported(warm, path)
    for entry in map(Path, path):
        if not entry.is_dir():
            continue
        for top in sorted(entry.iterdir()):
            name = top.stem if top.suffix == ".py" else top.name
            if not name.isidentifier() or name in SKIPPED or name == "chaos":
                continue
            if str(entry) in installed and name not in wanted:
                continue
            if top.is_dir() and (str(entry) in installed or name in sys.modules or any(top.glob("*.py"))):
                yield from _tree(top, name)
            elif top.suffix == ".py":
                yield top.name, top


def _imported(warm: tuple[str, ...], path: tuple[str, ...]) -> set[str]:
    """The packages that are loaded once these modules are; asked of an interpreter that has loaded nothing else."""
    argv = [sys.executable, "-c", _CLOSURE, json.dumps(warm), json.dumps(path)]
    loaded = set(json.loads(process.run(argv, timeout_s=ASK_S).stdout))
    return loaded | _required(loaded - {"chaos"})


def _required(packages: set[str]) -> set[str]:
    """What these packages ask for, loaded here or not: the container's Python may be an older one, and need more."""
    owners = metadata.packages_distributions()
    owned: dict[str, set[str]] = {}
    for package, distributions in owners.items():
        for distribution in distributions:
            owned.setdefault(_canonical(distribution), set()).add(package)
    found, fresh = set[str](), set(packages)
    while fresh:
        names = {name for package in fresh for distribution in owners.get(package, ()) for name in _asks(distribution)}
        fresh = {package for name in names for package in owned.get(name, ())} - found - packages
        found |= fresh
    return found


def _asks(distribution: str) -> list[str]:
    lines = [line for line in metadata.requires(distribution) or () if "extra ==" not in line]
    return [_canonical(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in lines]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _tree(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if entry.name.isidentifier() and entry.name not in SKIPPED:
                yield from _tree(entry, f"{name}/{entry.name}")
        elif entry.suffix == ".py" and entry.is_file():
            yield f"{name}/{entry.name}", entry


def _archive(files: Iterable[tuple[str, Path]]) -> bytes:
    target, size, seen = io.BytesIO(), 0, set[str]()
    with tarfile.open(fileobj=target, mode="w:gz", compresslevel=1) as archive:
        for name, path in files:
            if name in seen:
                continue
            seen.add(name)
            size += path.stat().st_size
            if size > MOST_BYTES:
                raise ProviderError(
                    f"the modules on this test run's path are too much to copy into a container, at {path}"
                )
            archive.add(path, name, recursive=False)
    return target.getvalue()
