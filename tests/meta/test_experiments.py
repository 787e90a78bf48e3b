"""
An experiment is one screen, one lesson, one sentence that could be false.
"""

import ast
from pathlib import Path

import pytest

from tests.meta.sources import ROOT, functions, modules, tree

ONE_SCREEN = 120
FILES = [path for path in modules("experiments") if path.name.startswith("test_")]


def experiments_in(path: Path) -> list[ast.FunctionDef]:
    return [
        function
        for function in functions(path)
        if function.name.startswith("test_") and isinstance(function, ast.FunctionDef)
    ]


def decorators(function: ast.FunctionDef) -> list[str]:
    return [ast.unparse(decorator) for decorator in function.decorator_list]


def test_there_are_experiments() -> None:
    """The other tests here say nothing of an empty catalogue."""
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=str)
def test_an_experiment_fits_on_one_screen(path: Path) -> None:
    """So that a reader sees fault, recovery and verdict together."""
    assert len((ROOT / path).read_text().splitlines()) <= ONE_SCREEN


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_experiment_has_a_lesson_and_a_sentence(path: Path) -> None:
    """By them the catalogue and the report are sorted and read."""
    assert ast.get_docstring(tree(path)), path
    for function in experiments_in(path):
        sentence = ast.get_docstring(function) or ""
        assert sentence.endswith("."), f"{function.name} has no sentence"
        assert any(text.startswith("pytest.mark.lesson(") for text in decorators(function)), function.name


@pytest.mark.parametrize("path", FILES, ids=str)
def test_no_experiment_is_excused(path: Path) -> None:
    """A reproduced failure passes; an xfail, a rerun or a bare assert of a verdict would hide the lesson."""
    text = (ROOT / path).read_text()
    assert not [word for word in ("xfail", "flaky", "rerun", "skipif", "assert run") if word in text]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_experiment_expects_something(path: Path) -> None:
    """Each test ends in a judgement."""
    for function in experiments_in(path):
        assert ast.unparse(function.body[-1]).startswith("run.expect("), f"{function.name} does not end in run.expect()"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_parameters_are_few(path: Path) -> None:
    """A test with many variants is many experiments in one."""
    for function in experiments_in(path):
        assert sum("parametrize" in text for text in decorators(function)) <= 2, function.name
