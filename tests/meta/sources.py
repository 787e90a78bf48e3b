"""
The project's own source, read and not imported.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


def modules(*folders: str) -> list[Path]:
    """The Python files of these folders (by default all that is shipped), relative to the root."""
    chosen = folders or ("chaos", "fixtures", "experiments")
    return sorted(path.relative_to(ROOT) for folder in chosen for path in (ROOT / folder).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    """A module as it parses."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """The modules that it imports by absolute name, wherever in the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)


def calls(path: Path) -> Iterator[ast.Call]:
    """All calls in it."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """A function's length without its docstring."""
    first = function.body[0]
    has_docstring = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if has_docstring else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


NOT_GUARANTEES = {
    "doubt",
    "evidence",
    "guarantee",
    "holding",
    "leading",
    "placing",
    "polling",
    "recheck",
    "replica_logs",
    "revisions",
    "sessions",
    "takeover",
}
"""Files in the folder of guarantees that hold none of their own."""
