"""
A real Allure results folder, made by a real pytest over made-up runs; and a browser that lets nothing out.
"""

import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chaos import process

ROOT = Path(__file__).parents[2]

CONFTEST = """
from dataclasses import replace
from pathlib import Path
import pytest
from chaos.report import allure, results

def pytest_collection_modifyitems(items):
    for item in items:
        allure.label_item(item, lesson="split brain", system="redis")

@pytest.fixture
def runs(tmp_path):
    (tmp_path / "n1.log").write_text("".join(f"line {number} <b>\\n" for number in range(500)))
    (tmp_path / "history.jsonl").write_text("{}\\n")
    return []

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    finally:
        folder = item.funcargs.get("tmp_path", Path())
        logs = {"n1": folder / "n1.log", "n2": folder / "never.log"}
        for run in item.funcargs.get("runs", ()):
            run = replace(run, name=item.nodeid, log_files=logs, history_file=folder / "history.jsonl")
            allure.attach_run(run)
            results.write_measures(Path(item.config.option.allure_report_dir), run)
"""

EXPERIMENTS = """
import pytest
from dataclasses import replace
from chaos.errors import GuaranteeError, ServerError, VoidRunError
from tests.report.sample import finished, grown, split_brain

def test_a_split_brain_loses_acknowledged_writes(runs):
    runs.append(finished())

def test_a_write_survives_a_split_brain(runs):
    runs.append(finished(met=False))
    raise GuaranteeError("acked_writes_survive: expected holds, violated: a write is lost")

def test_a_pause_without_proof(runs):
    runs.append(replace(finished(grown()), judged=(), error="the pause did not bite on n1"))
    raise VoidRunError("the pause did not bite on n1")

def test_a_server_that_does_not_start():
    raise ServerError("n1 did not start")

@pytest.mark.parametrize("mode", ["drop", "cut"])
@pytest.mark.skip(reason="Pause is not available here")
def test_skipped(mode):
    pass
"""


def make_results(folder: Path) -> Path:
    """Run a small pytest with Allure in a folder of its own, and return its results."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_experiments.py").write_text(EXPERIMENTS)
    results = folder / "results"
    # Our own plugin stays out: what is tested here is the report alone.
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:chaos.plugin", "-p", "no:cacheprovider", "--tb=short"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = process.run([*argv, f"--alluredir={results}", folder], timeout_s=120, cwd=folder, env=env, check=False)
    assert "3 failed, 1 passed, 2 skipped" in done.stdout, done.stdout + done.stderr
    return results


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a browser saw of a page: its document after scripts, and the hosts it asked for anything."""

    dom: str
    hosts: set[str]


class Browser:
    """Headless Chromium, without a profile, that can resolve no name."""

    def __init__(self) -> None:
        found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if found is None:
            pytest.skip("no Chromium here to open the report with; run: apt-get install chromium")
        self._program = found

    def open(self, url: str, *, width: int = 1440) -> Seen:
        """Load a page, let its scripts run, and take everything down."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            log = Path(folder) / "net.json"
            flags = (
                "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
                "--disable-component-update --disable-sync --disable-dev-shm-usage --dump-dom --virtual-time-budget=20000"
            )
            argv = [self._program, *flags.split(), f"--user-data-dir={folder}/profile", f"--window-size={width},1400"]
            argv += [f"--log-net-log={log}", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", url]
            dom = process.run(argv, timeout_s=120).stdout
            return Seen(dom=dom, hosts=_hosts(log))


def _hosts(log: Path) -> set[str]:
    """Hosts that pages asked for; what Chromium asks on its own account has no initiator that is an origin."""
    text = log.read_text(encoding="utf-8").rstrip().rstrip(",")
    events = json.loads(text if text.endswith("}") else text + "]}")["events"]
    asked = [event["params"] for event in events if "initiator" in event.get("params", {})]
    urls = [urlsplit(params["url"]) for params in asked if params["initiator"] != "not an origin" and "url" in params]
    return {url.hostname or "" for url in urls if url.scheme in {"http", "https", "ws", "wss"}}
