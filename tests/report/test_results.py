"""
The files beside allure-pytest's own: environment, executor, measures; and the count by category.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.errors import (
    GuaranteeError,
    MissingAbilityError,
    NoProgressError,
    ServerError,
    VoidRunError,
    WorkerDiedError,
)
from chaos.judgement import Judged
from chaos.report.results import (
    PASSED,
    categories,
    category_of,
    summary,
    write_environment,
    write_executor,
    write_measures,
)
from chaos.verdict import holds
from tests.report.sample import finished

NAMES = {category["id"]: category["name"] for category in categories()}


def write_result(folder: Path, name: str, status: str, message: str = "", *, stop: int = 1, history: str = "") -> None:
    result = {"status": status, "statusDetails": {"message": message}, "stop": stop, "historyId": history or name}
    (folder / f"{name}-result.json").write_text(json.dumps(result), encoding="utf-8")


@pytest.mark.parametrize(
    ("error", "status", "category"),
    [
        (GuaranteeError, "failed", "guarantee"),
        (NoProgressError, "failed", "guarantee"),
        (VoidRunError, "broken", "void"),
        (ServerError, "broken", "environment"),
        (MissingAbilityError, "broken", "environment"),
        (WorkerDiedError, "broken", "harness"),
        (AssertionError, "failed", "assertion"),
        (KeyError, "broken", "harness"),
    ],
)
def test_an_error_falls_into_the_category_of_whom_it_blames(error: type[Exception], status: str, category: str) -> None:
    assert category_of(status, f"{error.__module__}.{error.__qualname__}: as it was") == NAMES[category]


def test_an_error_that_only_mentions_another_is_not_taken_for_it() -> None:
    assert category_of("broken", "chaos.errors.HarnessError: after a ServerError") == NAMES["harness"]


def test_the_summary_counts_by_category_in_the_reports_order(tmp_path: Path) -> None:
    write_result(tmp_path, "a", "passed")
    write_result(tmp_path, "b", "passed")
    write_result(tmp_path, "c", "skipped", "Skipped: Pause is not available here")
    write_result(tmp_path, "d", "failed", "chaos.errors.GuaranteeError: expected holds, violated")

    assert list(summary(tmp_path).items()) == [(PASSED, 2), (NAMES["guarantee"], 1), (NAMES["ability"], 1)]


def test_a_retry_replaces_its_forerunner(tmp_path: Path) -> None:
    write_result(tmp_path, "a", "broken", "chaos.errors.ServerError: x", stop=1, history="same")
    write_result(tmp_path, "b", "passed", stop=2, history="same")

    assert summary(tmp_path) == {PASSED: 1}


def test_the_environment_survives_odd_names_and_values(tmp_path: Path) -> None:
    path = write_environment(tmp_path, {"redis: version": "7.0", "a=b": "x\ny", "o s": "Größe C:\\x 😀"})

    assert path.read_text().splitlines() == [
        "redis\\:\\ version=7.0",
        "a\\=b=x\\ny",
        "o\\ s=Gr\\u00f6\\u00dfe C:\\\\x \\ud83d\\ude00",
    ]


def test_the_executor_is_the_ci_job_where_there_is_one(tmp_path: Path) -> None:
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKFLOW": "nightly",
        "GITHUB_RUN_NUMBER": "8",
        "GITHUB_SERVER_URL": "https://forge.example",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "99",
    }

    assert json.loads(write_executor(tmp_path, environ).read_text()) == {
        "name": "GitHub Actions",
        "type": "github",
        "buildName": "nightly #8",
        "buildUrl": "https://forge.example/o/r/actions/runs/99",
    }
    assert json.loads(write_executor(tmp_path, {}).read_text())["name"] == "local"


def test_measures_become_samples_that_explain_themselves(tmp_path: Path) -> None:
    path = write_measures(tmp_path, finished(), stop_s=1_000.0)

    assert path is not None
    assert path.name.endswith("-perf.json")
    samples = {sample["key"].rpartition(".")[2]: sample for sample in json.loads(path.read_text())}
    assert samples["lost_share"]["value"] == 2.8
    assert samples["lost_share"]["unit"] == "%"
    assert samples["lost_window_s"] | {"id": ""} == {
        "id": "",
        "key": "redis.test_a_split_brain_loses_acknowledged_writes.acked_writes_survive.lost_window_s",
        "value": 9.8,
        "title": "A split brain loses acknowledged writes: acked writes survive, lost window",
        "unit": "s",
        "better": "lower",
        "group": "redis",
        "groupTitle": "redis",
        "start": 970_000,
        "stop": 1_000_000,
    }


def test_only_harms_become_trends(tmp_path: Path) -> None:
    judged = Judged(
        verdict=holds("recovers", "it did", acked_count=5, outage_s=1.5, first_ok_after_heal_s=0.2),
        expected="holds",
        met=True,
    )
    path = write_measures(tmp_path, replace(finished(), judged=(judged,)))

    assert path is not None
    keys = [sample["key"].rpartition(".")[2] for sample in json.loads(path.read_text())]
    assert keys == ["outage_s", "first_ok_after_heal_s"]


def test_a_run_without_measures_writes_nothing(tmp_path: Path) -> None:
    assert write_measures(tmp_path, replace(finished(), judged=())) is None
    assert list(tmp_path.iterdir()) == []
