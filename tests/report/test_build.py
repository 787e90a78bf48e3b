"""
Building the report: what it refuses, what it needs, and that nothing of the tracker stays.
"""

import importlib.util
from pathlib import Path

import pytest

from chaos.errors import HarnessError, MissingSoftwareError, UsageError
from chaos.report import build, node
from chaos.report.build import build_report, strip_trackers
from chaos.report.node import Node, find_allure, find_node

TAG = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-X"></script>\n<script>gtag("js")</script>'


def test_an_empty_results_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no test result in .*; run pytest with --alluredir="):
        build_report(tmp_path, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_a_report_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "a-result.json").write_text("{}")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").touch()

    with pytest.raises(UsageError, match="holds something that is not a report of ours"):
        build_report(tmp_path, tmp_path / "home")


def test_without_node_the_results_stay_and_the_message_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-result.json").write_text("{}")
    monkeypatch.setattr(node, "_programs", lambda: iter(()))

    with pytest.raises(MissingSoftwareError, match=r"the results stay in .* run: chaos install node"):
        build_report(tmp_path, tmp_path / "out")

    assert (tmp_path / "a-result.json").exists()


def test_the_tracker_is_taken_out_of_every_page(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for page in (tmp_path / "index.html", tmp_path / "deep" / "other.html"):
        page.write_text(f"<p>before</p>{TAG}<script>ours()</script>")

    assert strip_trackers(tmp_path) == 2
    assert (tmp_path / "deep" / "other.html").read_text() == "<p>before</p><script>ours()</script>"


def test_a_tracker_that_is_written_otherwise_is_an_error_not_a_leak(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(f'<link rel="preload" href="https://{build.TRACKER}.example/gtag">')

    with pytest.raises(HarnessError, match="still calls googletagmanager"):
        strip_trackers(tmp_path)


def test_the_lock_names_no_download_address() -> None:
    lock = Path(node.__file__).with_name("allure3") / "package-lock.json"

    assert '"resolved"' not in lock.read_text()
    assert '"integrity"' in lock.read_text()


def test_a_built_report_replaces_the_one_before_and_leaves_history_alone(made_results: Path, built: Path) -> None:
    report = built.parents[1]
    (report / "stale.html").write_text("old")

    assert "url=single/index.html" in (report / "index.html").read_text()  # The one that opens from disk.
    again = build_report(made_results, report)

    assert again == built
    assert not (report / "stale.html").exists()
    assert not report.with_name("history.jsonl").exists()


def test_history_is_appended_only_when_asked(made_results: Path, built: Path, tmp_path: Path) -> None:
    for night in (1, 2):
        build_report(made_results, tmp_path / "report", append_history=True)
        assert len((tmp_path / "history.jsonl").read_text().splitlines()) == night


def fake_node(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    program = folder / "node"
    program.write_text(f"#!/bin/sh\necho v{version}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache, no wheel of Node, and an empty PATH folder, which is returned."""
    monkeypatch.setenv("CHAOS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}")
    return tmp_path / "path"


def test_a_node_on_path_that_is_too_old_is_no_node(bare: Path) -> None:
    fake_node(bare, "20.19.2")

    with pytest.raises(MissingSoftwareError, match=r"Node\.js 22 or newer"):
        find_node(kept=bare)


def test_a_node_on_path_that_is_new_enough_is_taken(bare: Path) -> None:
    program = fake_node(bare, "22.1.0")

    assert find_node(kept=bare) == Node(program=program, npm=None)


def test_a_node_without_npm_cannot_install_allure_and_says_so(bare: Path) -> None:
    with pytest.raises(MissingSoftwareError, match=r"npm for .* run: chaos install node"):
        find_allure(Node(program=bare / "node", npm=None))
