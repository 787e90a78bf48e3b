"""
What allure-pytest writes that tells a reader nothing: taken out of the results of a session.
"""

import ast
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PLUMBING = frozenset({"pytestconfig", "chaos_provider", "chaos_files", "chaos_seed"})
"""Fixtures of which only a failure is worth a line."""


def tidy(results: Path) -> None:
    """Take out our plumbing where it worked, and the quotes around parameters."""
    for path in results.glob("*-container.json"):
        _tidy_container(path)
    for path in results.glob("*-result.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        parameters = result.get("parameters", [])
        bare = [{**one, "value": _bare(str(one.get("value")))} for one in parameters]
        if bare != parameters:
            _write(path, {**result, "parameters": bare})


def _tidy_container(path: Path) -> None:
    container = json.loads(path.read_text(encoding="utf-8"))
    kept = {
        part: [one for one in container.get(part, []) if not _is_plumbing(one)]
        for part in ("befores", "afters")
        if part in container
    }
    if not any(kept.values()):
        path.unlink()
    elif any(kept[part] != container[part] for part in kept):
        _write(path, {**container, **kept})


def _is_plumbing(step: Mapping[str, Any]) -> bool:
    fixture, _, finalizer = str(step.get("name")).partition("::")
    return step.get("status") in (None, "passed") and (fixture in PLUMBING or finalizer == "<lambda>")


def _bare(value: str) -> str:
    """A text without the quotes that Python puts around it."""
    if value[:1] in ("'", '"'):
        with suppress(ValueError, SyntaxError):
            return str(ast.literal_eval(value))
    return value


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
