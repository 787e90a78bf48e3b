"""
Rechecking a saved history: verdicts and exit codes.
"""

import json
from pathlib import Path

import pytest

from chaos import cli
from chaos.history import History, Operation
from chaos.history.archive import save
from tests.history.build import history, op


def acked(*values: int, left: list[int]) -> History:
    """Acknowledged adds and what is left of them."""
    adds: list[Operation] = [op("c1", "add", value, at=float(value)) for value in values]
    return history([*adds, op("observer", "final-read", at=100.0, result=left)])


def test_kept_guarantee_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = save(acked(1, 2, left=[1, 2]), tmp_path / "history.jsonl")

    assert cli.main(["recheck", str(file), "-g", "acked_writes_survive"]) == 0
    assert "acked_writes_survive: holds" in capsys.readouterr().out


def test_broken_guarantee_shows_its_witness_and_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = save(acked(1, 2, left=[1]), tmp_path / "history.jsonl.gz")

    assert cli.main(["recheck", str(file), "-g", "acked_writes_survive"]) == 1

    said = capsys.readouterr().out
    assert "acked_writes_survive: violated" in said
    assert "c1 add 2 -> ok [2.000 s, 2.100 s]" in said
    assert "lost_count 1" in said


def test_missing_evidence_is_unknown(tmp_path: Path) -> None:
    file = save(history([op("c1", "add", 1)]), tmp_path / "history.jsonl")

    assert cli.main(["recheck", str(file), "-g", "acked_writes_survive"]) == 2


def test_history_of_operations_that_no_guarantee_is_about_is_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save(history([op("c1", "dance")]), tmp_path / "history.jsonl")

    assert cli.main(["recheck", str(file)]) == 2
    assert "no guarantee says anything" in capsys.readouterr().out


def test_verdicts_for_programs_are_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = save(acked(1, 2, left=[1]), tmp_path / "history.jsonl")

    assert cli.main(["recheck", str(file), "--json", "-g", "acked_writes_survive"]) == 1

    (verdict,) = json.loads(capsys.readouterr().out)
    assert verdict["status"] == "violated"
    assert verdict["measures"]["lost_count"] == 1
    assert verdict["witness"]["operations"][0]["f"] == "add"


@pytest.mark.parametrize("content", [None, "", "not a history\n", "{}\n"])
def test_file_that_is_no_history_is_bad_input(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "history.jsonl"
    if content is not None:
        file.write_text(content)

    assert cli.main(["recheck", str(file)]) == 3
    assert "history.jsonl" in capsys.readouterr().err


def test_unknown_guarantee_lists_those_that_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = save(acked(1, left=[1]), tmp_path / "history.jsonl")

    assert cli.main(["recheck", str(file), "-g", "nonsense"]) == 3
    assert "mutual_exclusion" in capsys.readouterr().err
