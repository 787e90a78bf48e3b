"""
Which installed libraries a worker's module needs, read from its source: nothing is imported to find out.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

LIBRARY = Path(__file__).parent.parent.parent
"""This package itself."""
_DOTTED = re.compile(r"[a-z_]\w*(\.[a-z_]\w*)+")


@cache
def needs(module: str, path: tuple[str, ...]) -> frozenset[str]:
    """
    The distributions whose modules this module uses, and those that they require in turn.

    :param path: where modules of the test run's own are found; what is installed there is a distribution.
    """
    tops = {name.partition(".")[0] for name in _reached(module, tuple(map(Path, path)))} - {LIBRARY.name}
    owners = metadata.packages_distributions()
    return _required(_canonical(owner) for top in tops for owner in owners.get(top, ()))


def _reached(module: str, path: tuple[Path, ...]) -> set[str]:
    """Every module that it reaches, its own and others."""
    reached, fresh = set[str](), [module]
    while fresh:
        name = fresh.pop()
        if name not in reached:
            reached.add(name)
            if (file := _own_file(name, path)) is not None:
                fresh.extend(_imports(file, name))
    return reached


def _own_file(name: str, path: tuple[Path, ...]) -> Path | None:
    """The source of a module that is not installed, but lies on the path as it is."""
    parts = name.split(".")
    folders = [LIBRARY.parent] if parts[0] == LIBRARY.name else [one for one in path if one.name != "site-packages"]
    for folder in folders:
        for file in (folder.joinpath(*parts).with_suffix(".py"), folder.joinpath(*parts, "__init__.py")):
            if file.is_file():
                return file
    return None


@cache
def _imports(file: Path, name: str) -> frozenset[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # The worker will say so itself.
        return frozenset()
    package = name if file.stem == "__init__" else name.rpartition(".")[0]
    whole = not name.startswith(f"{LIBRARY.name}.") or name.startswith(f"{LIBRARY.name}.workloads")
    nodes = ast.walk(tree) if whole else _at_import(tree.body)
    return frozenset(found for node in nodes for found in _named(node, package, whole=whole))


def _at_import(body: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """What runs when the module is imported: no functions, and no blocks for type checkers."""
    for node in body:
        if isinstance(node, ast.Try) or (isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test)):
            yield from _at_import(node.body)
        elif not isinstance(node, ast.If):
            yield node


def _named(node: ast.AST, package: str, *, whole: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*parents, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif whole and isinstance(node, ast.Constant) and _DOTTED.fullmatch(str(node.value)):
        yield str(node.value)  # A module that is imported by its name, as our own workloads do with libraries.


def _required(distributions: Iterable[str]) -> frozenset[str]:
    """These and all they ask for, loaded here or not: the container's Python may be an older one, and need more."""
    found, fresh = set[str](), set(distributions)
    while fresh:
        found |= fresh
        fresh = {name for one in fresh for name in _asks(one)} - found
    return frozenset(found)


def _asks(distribution: str) -> list[str]:
    try:
        lines = [line for line in metadata.requires(distribution) or () if "extra ==" not in line]
    except metadata.PackageNotFoundError:
        return []
    return [_canonical(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in lines]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
