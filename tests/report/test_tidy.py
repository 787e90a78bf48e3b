"""
What tells a reader nothing is taken out of the results; what failed stays.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from chaos.report.tidy import tidy


def container(folder: Path, befores: list[Any], afters: list[Any]) -> Path:
    path = folder / "a-container.json"
    path.write_text(json.dumps({"uuid": "a", "befores": befores, "afters": afters}))
    return path


def test_plumbing_that_worked_is_not_told(tmp_path: Path) -> None:
    path = container(tmp_path, [{"name": "pytestconfig", "status": "passed"}], [{"name": "pytestconfig::<lambda>"}])
    tidy(tmp_path)
    assert not path.exists()


def test_plumbing_that_failed_is_told(tmp_path: Path) -> None:
    path = container(tmp_path, [{"name": "chaos_files", "status": "broken"}], [])
    tidy(tmp_path)
    assert json.loads(path.read_text())["befores"] == [{"name": "chaos_files", "status": "broken"}]


def test_other_fixtures_stay_without_pytests_own_finalizers(tmp_path: Path) -> None:
    ended = {"name": "lab::1", "status": "passed"}
    path = container(tmp_path, [{"name": "lab", "status": "passed"}], [ended, {"name": "lab::<lambda>"}])
    tidy(tmp_path)
    assert json.loads(path.read_text()) == {
        "uuid": "a",
        "befores": [{"name": "lab", "status": "passed"}],
        "afters": [ended],
    }


@pytest.mark.parametrize(
    ("written", "shown"),
    [("'drop'", "drop"), ('"it\'s"', "it's"), ("7", "7"), ("['a']", "['a']"), ("'torn", "'torn"), ("", "")],
)
def test_parameters_are_shown_without_quotes(tmp_path: Path, written: str, shown: str) -> None:
    path = tmp_path / "a-result.json"
    path.write_text(json.dumps({"status": "passed", "parameters": [{"name": "mode", "value": written}]}))
    tidy(tmp_path)
    assert json.loads(path.read_text()) == {"status": "passed", "parameters": [{"name": "mode", "value": shown}]}
