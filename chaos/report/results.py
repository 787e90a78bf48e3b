"""
The files in an Allure results folder that allure-pytest leaves to us, and a count of what lies there.
"""

import functools
import json
import re
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from chaos.judgement import FinishedRun, Judged
from chaos.report.words import is_harm, scaled, unit_of

PASSED = "passed"

# Per CI system: the variable that says we are on it, its name, and templates for the build's name and address.
_CI = (
    ("GITHUB_ACTIONS", "GitHub Actions", "github", "{GITHUB_WORKFLOW} #{GITHUB_RUN_NUMBER}",
     "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"),
    ("GITLAB_CI", "GitLab CI", "gitlab", "{CI_JOB_NAME} #{CI_PIPELINE_ID}", "{CI_JOB_URL}"),
    ("JENKINS_URL", "Jenkins", "jenkins", "{JOB_NAME} #{BUILD_NUMBER}", "{BUILD_URL}"),
)  # fmt: skip


def write_environment(results: Path, mapping: Mapping[str, object]) -> Path:
    """What the session ran on (versions, provider, kernel), as the report's environment table."""
    lines = [f"{_property(name, key=True)}={_property(str(value))}" for name, value in mapping.items()]
    return _write(results / "environment.properties", "\n".join(lines) + "\n")


def write_executor(results: Path, environ: Mapping[str, str]) -> Path:
    """Who ran it: the CI job with its address, read from the environment, or this machine."""
    for variable, name, kind, build, address in _CI:
        if environ.get(variable):
            known = _Known(environ)
            executor = {
                "name": name,
                "type": kind,
                "buildName": build.format_map(known),
                "buildUrl": address.format_map(known),
            }
            break
    else:
        executor = {"name": "local", "type": "local"}
    return _write(results / "executor.json", json.dumps(executor, indent=2) + "\n")


def write_measures(results: Path, run: FinishedRun, *, stop_s: float | None = None) -> Path | None:
    """
    A run's harms as samples for trends over nights; None when it measured none. Counts of what was merely done are left out.

    Allure takes title, unit, group and direction from the sample itself where its configuration names no metric.
    """
    header = run.history.header
    stop_ms = round((time.time() if stop_s is None else stop_s) * 1000)
    start_ms = stop_ms - max(0, header.ended_ns - header.started_ns) // 1_000_000
    samples = [
        {**sample, "id": str(uuid.uuid4()), "start": start_ms, "stop": stop_ms}
        for judged in run.judged
        for sample in _samples(run, judged)
    ]
    if not samples:
        return None
    return _write(results / f"{uuid.uuid4()}-perf.json", json.dumps(samples, indent=2) + "\n")


def _samples(run: FinishedRun, judged: Judged) -> Iterator[dict[str, Any]]:
    experiment = run.name.rpartition("::")[2].removeprefix("test_").replace("_", " ").capitalize()
    for measure, value in judged.verdict.measures.items():
        if not is_harm(measure):
            continue
        stem, unit = unit_of(measure)
        yield {
            "key": ".".join((run.system, run.name, judged.verdict.guarantee, measure)),
            "value": round(scaled(measure, value), 6),
            "title": f"{experiment}: {judged.verdict.guarantee.replace('_', ' ')}, {stem}",
            "unit": unit,
            "better": "lower",
            "group": run.system,
            "groupTitle": run.system,
        }


def summary(results: Path) -> dict[str, int]:
    """How many tests passed, and how many fall into each category of the report, by the names the report shows."""
    latest: dict[str, dict[str, Any]] = {}
    for path in results.glob("*-result.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        key = result.get("historyId") or path.name
        if key not in latest or result.get("stop", 0) >= latest[key].get("stop", 0):  # A retry replaces its forerunner.
            latest[key] = result
    counted = Counter(category_of(_status(each), _message(each)) for each in latest.values())
    names = [PASSED, *(category["name"] for category in categories())]
    return {name: counted[name] for name in names if counted[name]}


def category_of(status: str, message: str) -> str:
    """The first category that matches, as Allure chooses it too."""
    for category in categories():
        errors = "|".join(category["errors"])
        if status in category["statuses"] and re.match(rf"(\w+\.)*({errors})\b" if errors else "", message):
            return str(category["name"])
    return PASSED


@functools.cache
def categories() -> list[dict[str, Any]]:
    """The report's categories in order: whose fault a test that did not pass is."""
    found: list[dict[str, Any]] = json.loads(files("chaos.report").joinpath("allure3/categories.json").read_text())
    return found


class _Known(dict[str, str]):
    """Environment variables for a template; a missing one reads as nothing."""

    def __missing__(self, key: str) -> str:
        return ""


def _status(result: Mapping[str, Any]) -> str:
    return str(result.get("status") or "unknown")


def _message(result: Mapping[str, Any]) -> str:
    return str((result.get("statusDetails") or {}).get("message") or "")


def _property(text: str, *, key: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace("\r", "").replace("\n", "\\n")
    if key:
        escaped = re.sub(r"([\s:=#!])", r"\\\1", escaped)
    return "".join(letter if letter.isascii() else _unicode(letter) for letter in escaped)


def _unicode(letter: str) -> str:
    data = letter.encode("utf-16-be", "replace")
    return "".join(f"\\u{data[index]:02x}{data[index + 1]:02x}" for index in range(0, len(data), 2))


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
