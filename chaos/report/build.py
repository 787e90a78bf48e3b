"""
From a folder of Allure results to a report that can be opened, without a single request to the outside.
"""

import os
import re
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from chaos import process
from chaos.errors import HarnessError, UsageError
from chaos.report.node import find_allure, find_node

GENERATE_WITHIN_S = 300.0
ONE_FILE = "single"
"""The report in one file, which a browser opens from disk; the others need a web server."""

TRACKER = "googletagmanager"
_TRACKERS = (
    re.compile(
        r'<script async src="https://www\.googletagmanager\.com/[^"]*"></script>\s*<script>.*?</script>', re.DOTALL
    ),
)
_OURS = ".middleware-chaos"
_INDEX = f"""\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Chaos</title>
<meta http-equiv="refresh" content="0; url={ONE_FILE}/index.html"></head>
<body><a href="{ONE_FILE}/index.html">The report</a>; on a web server also
<a href="lessons/index.html">by lesson</a> and <a href="systems/index.html">by system</a>.</body></html>
"""
"""In place of Allure's own page, whose tiles lead to pages that stay empty when they are opened from disk."""


def build_report(results: Path, output: Path, *, append_history: bool = False) -> Path:
    """
    Render results with Allure 3 and return the page to open.

    Needs Node.js, and the network once, to install the pinned Allure. The history of nights lies beside ``output``.

    :param append_history: add this run to the history that trends are drawn from; only a nightly run should.
    """
    results, output = results.absolute(), output.absolute()
    if not any(results.glob("*-result.json")):
        raise UsageError(f"there is no test result in {results}; run pytest with --alluredir={results} first")
    _refuse_foreign(output)
    node = find_node(kept=results)
    allure = find_allure(node)
    output.parent.mkdir(parents=True, exist_ok=True)
    fresh = output.with_name(f".{output.name}-new")
    shutil.rmtree(fresh, ignore_errors=True)
    with as_file(files("chaos.report").joinpath("allure3")) as place:
        command: list[str | Path] = [
            node.program,
            allure,
            "generate",
            "--config",
            place / "allurerc.mjs",
            "--output",
            fresh,
            results,
        ]
        process.run(command, timeout_s=GENERATE_WITHIN_S, cwd=output.parent, env=_environment(output, append_history))
    strip_trackers(fresh)
    (fresh / "index.html").write_text(_INDEX, encoding="utf-8")
    (fresh / _OURS).touch()
    shutil.rmtree(output, ignore_errors=True)
    fresh.rename(output)
    return output / ONE_FILE / "index.html"


def strip_trackers(report: Path) -> int:
    """Take Allure's web analytics out of every page; returns how many there were. One that stays is an error."""
    taken = 0
    for page in sorted(report.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        for tracker in _TRACKERS:
            text, count = tracker.subn("", text)
            taken += count
        if TRACKER in text:
            raise HarnessError(f"{page} still calls {TRACKER}: this Allure writes its tag in a way we do not know")
        page.write_text(text, encoding="utf-8")
    return taken


def _environment(output: Path, append_history: bool) -> dict[str, str]:
    return {
        **os.environ,
        "CHAOS_REPORT_HISTORY": str(output.with_name("history.jsonl")),
        "CHAOS_REPORT_APPEND": "1" if append_history else "0",
        "ALLURE_NO_ANALYTICS": "true",
    }


def _refuse_foreign(output: Path) -> None:
    if output.exists() and any(output.iterdir()) and not (output / _OURS).exists():
        raise UsageError(f"{output} holds something that is not a report of ours; give another folder")
