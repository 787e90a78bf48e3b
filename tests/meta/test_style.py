"""
The limits of the house style: lengths, words, docstrings, where waiting is allowed.
"""

import ast
from pathlib import Path
from statistics import median

from tests.meta.sources import ROOT, calls, code_lines, functions, modules, tree

LONGEST_FUNCTION = 60
MEDIAN_FUNCTION = 10
LONGEST_MODULE = 300
SLEEPERS = {"chaos/wait.py", "chaos/providers/agent/poll.py"}
SILENT = {"print", "input", "breakpoint"}
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
SHIPPED = modules()


def test_functions_are_short() -> None:
    """25 lines are a question, 60 the limit."""
    lengths = {f"{path}: {function.name}": code_lines(function) for path in SHIPPED for function in functions(path)}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_the_median_function_is_short() -> None:
    """Most functions fit at one glance."""
    assert median(code_lines(function) for path in SHIPPED for function in functions(path)) < MEDIAN_FUNCTION


def test_modules_hold_one_idea() -> None:
    """And 300 lines are enough for one."""
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in SHIPPED}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_names_say_what_is_inside() -> None:
    """A module named after nothing collects everything."""
    assert [str(path) for path in SHIPPED if EMPTY_WORDS & set(path.with_suffix("").parts)] == []


def test_nobody_sleeps_but_the_polling_loop() -> None:
    """A sleep is a hope about time that stands in for a condition."""
    assert {str(path) for path in SHIPPED if _sleeps(path)} == SLEEPERS


def _sleeps(path: Path) -> bool:
    modules = {"time", "asyncio", "trio"}
    nodes = list(ast.walk(tree(path)))
    called = any(
        isinstance(node, ast.Attribute) and ast.unparse(node) in {f"{m}.sleep" for m in modules} for node in nodes
    )
    imported = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module in modules]
    return called or any(alias.name == "sleep" for node in imported for alias in node.names)


def test_nobody_prints() -> None:
    """Output is the reporter's or the command's; print is neither."""
    assert {str(path): _names_called(path) & SILENT for path in SHIPPED if _names_called(path) & SILENT} == {}


def _names_called(path: Path) -> set[str]:
    return {call.func.id for call in calls(path) if isinstance(call.func, ast.Name)}


def test_public_names_have_docstrings() -> None:
    """What it means for the experiment, in a sentence."""
    missing = [str(path) for path in SHIPPED if not ast.get_docstring(tree(path))]
    missing += [
        f"{path}: {name}" for path in SHIPPED for name, node in _public(tree(path), "") if not ast.get_docstring(node)
    ]
    assert missing == []


def _public(parent: ast.AST, prefix: str) -> list[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    found: list[tuple[str, ast.FunctionDef | ast.ClassDef]] = []
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            found.append((prefix + node.name, node))
            found += _public(node, f"{prefix}{node.name}.") if isinstance(node, ast.ClassDef) else []
    return found


def test_no_system_is_named_outside_its_files() -> None:
    """An ``if system == "kafka"`` is a missing ability."""
    systems = {folder.name for folder in (ROOT / "chaos/systems").iterdir() if folder.is_dir()}
    elsewhere = [path for path in SHIPPED if not {"systems", "servers"} & set(path.parts)]
    assert [str(path) for path in elsewhere if systems & _words_compared(path)] == []


def _words_compared(path: Path) -> set[object]:
    compared = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Compare)]
    return {part.value for node in compared for part in ast.walk(node) if isinstance(part, ast.Constant)}
