"""
The experiments with their lessons, read from their source: neither pytest nor any experiment is imported.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One test function of the catalogue."""

    system: str
    file: str
    name: str
    lesson: str
    says: str
    markers: tuple[str, ...] = ()


def scan(folder: Path) -> Iterator[Experiment]:
    """Every experiment below the folder, in the order of its files."""
    for file in sorted(folder.rglob("test_*.py")):
        yield from _of_file(file, folder)


def _of_file(file: Path, folder: Path) -> Iterator[Experiment]:
    module = ast.parse(file.read_text(encoding="utf-8"), str(file))
    shared = _markers(value for name, value in _assigned(module) if name == "pytestmark")
    for function in module.body:
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or not function.name.startswith("test_"):
            continue
        markers = {**shared, **_markers(function.decorator_list)}
        relative = file.relative_to(folder)
        yield Experiment(
            system=relative.parts[0] if len(relative.parts) > 1 else "",
            file=str(relative),
            name=function.name,
            lesson=markers.get("lesson", ""),
            says=_sentence(function) or _sentence(module),
            markers=tuple(sorted(set(markers) - {"lesson", "parametrize"})),
        )


def _assigned(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in module.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            yield statement.targets[0].id, statement.value


def _markers(expressions: Iterable[ast.expr]) -> dict[str, str]:
    """Each ``pytest.mark.NAME`` or ``pytest.mark.NAME(...)``, with its first argument where that is a text."""
    found = {}
    for expression in expressions:
        parts = expression.elts if isinstance(expression, ast.List | ast.Tuple) else [expression]
        for part in parts:
            mark = part.func if isinstance(part, ast.Call) else part
            if isinstance(mark, ast.Attribute) and ast.unparse(mark.value) == "pytest.mark":
                found[mark.attr] = _first_text(part)
    return found


def _first_text(expression: ast.expr) -> str:
    if isinstance(expression, ast.Call) and expression.args and isinstance(expression.args[0], ast.Constant):
        return str(expression.args[0].value)
    return ""


def _sentence(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    lines = (ast.get_docstring(node) or "").split("\n\n")[0]
    return " ".join(lines.split())
