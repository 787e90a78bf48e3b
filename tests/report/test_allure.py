"""
What a finished run leaves in the results of the test that made it.
"""

import gzip
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from chaos.report import allure
from tests.report.sample import finished, split_brain


def result_of(results: Path, test: str) -> dict[str, Any]:
    for path in results.glob("*-result.json"):
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if test in result["fullName"]:
            return result
    raise AssertionError(f"no result of {test} in {results}")


def test_a_run_is_attached_to_its_own_test(made_results: Path) -> None:
    result = result_of(made_results, "loses_acknowledged_writes")

    assert result["name"] == "A split brain loses acknowledged writes"
    assert "goes on acknowledging writes" in result["descriptionHtml"]
    assert [attachment["name"] for attachment in result["attachments"]] == [
        "timeline",
        "history (for chaos recheck)",
        "settings",
    ]


def test_a_run_of_a_replicated_log_has_its_picture_too(made_results: Path) -> None:
    """After the timeline; others have none."""
    attachments = result_of(made_results, "pause_without_proof")["attachments"]

    assert [attachment["name"] for attachment in attachments][:2] == ["timeline", "replication"]
    assert (made_results / attachments[1]["source"]).read_bytes().startswith(b"<svg ")


def test_the_beats_of_the_run_are_its_steps(made_results: Path) -> None:
    steps = [step["name"] for step in result_of(made_results, "loses_acknowledged_writes")["steps"]]

    assert steps[0] == "Steady state, 0.0 to 10.0 s: 1,667 ok"
    assert steps[1].startswith("Fault, 10.0 to 20.0 s: partition n1, c1, c2 | n2, n3, c3-c5; pause c3; ")
    assert steps[-1] == "Server logs"


def test_seed_and_provider_are_the_only_parameters_and_stay_out_of_history(made_results: Path) -> None:
    parameters = result_of(made_results, "loses_acknowledged_writes")["parameters"]

    assert [(one["name"], one["excluded"]) for one in parameters] == [("provider", True), ("seed", True)]


@pytest.mark.parametrize("test", ["loses_acknowledged_writes", "test_skipped"])
def test_skipped_tests_have_their_labels_too_and_each_once(made_results: Path, test: str) -> None:
    labels = [(label["name"], label["value"]) for label in result_of(made_results, test)["labels"]]

    assert labels.count(("lesson", "split brain")) == 1
    assert labels.count(("system", "redis")) == 1


def test_a_parametrized_test_keeps_its_parameter_in_the_title(made_results: Path) -> None:
    assert result_of(made_results, "test_skipped")["name"] in {"Skipped [drop]", "Skipped [cut]"}


def test_a_long_log_is_an_excerpt_and_the_whole_as_a_download(made_results: Path) -> None:
    logs = result_of(made_results, "loses_acknowledged_writes")["steps"][-1]["attachments"]
    excerpt, whole, absent = logs

    assert (excerpt["name"], whole["name"], absent["name"]) == ("n1, last 40 lines", "n1, whole log", "n2")
    assert len((made_results / excerpt["source"]).read_text().splitlines()) == 40
    assert gzip.decompress((made_results / whole["source"]).read_bytes()).count(b"\n") == 500
    assert whole["source"].endswith(".log.gz")
    assert (made_results / absent["source"]).read_text() == "n2 left no log."


def test_an_excerpt_of_a_huge_log_reads_only_its_end(tmp_path: Path) -> None:
    log = tmp_path / "n1.log"
    log.write_bytes(b"x" * 99 + b"\n" + b"line \xff\n" * 100_000)

    text, whole = allure.log_excerpt(log, lines=2)

    assert text == "line \ufffd\nline \ufffd"
    assert not whole


def test_without_allure_one_sentence_says_so_and_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    assert allure.missing() == (
        "allure-pytest is not installed, so runs are not attached to a report; run: pip install allure-pytest"
    )
    allure.attach_run(finished())


def test_a_run_without_phases_has_no_beats() -> None:
    assert list(allure.beats(type(split_brain(0))())) == []
