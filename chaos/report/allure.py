"""
A finished run shown in the running test's Allure result. The only module that imports allure; without it, it does nothing.
"""

import gzip
import importlib
import importlib.util
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from chaos.history.records import History
from chaos.judgement import FinishedRun
from chaos.report import page
from chaos.report.replication import replication
from chaos.report.timeline import timeline
from chaos.report.words import moment

if TYPE_CHECKING:
    from types import ModuleType

EXCERPT_LINES = 40
_EXCERPT_BYTES = 64 * 1024


class Item(Protocol):
    """A collected test, as far as labels need it."""

    name: str

    @property
    def function(self) -> Callable[..., object]:
        """The test function."""
        ...

    def add_marker(self, marker: Any, /) -> None:
        """Mark it."""
        ...


def missing() -> str | None:
    """The one sentence to show when reports cannot be attached, or None when they can."""
    if importlib.util.find_spec("allure") is not None:
        return None
    return "allure-pytest is not installed, so runs are not attached to a report; run: pip install allure-pytest"


def label_item(item: Item, **labels: str) -> None:
    """
    Label a collected test (``lesson``, ``system``), and give it its name as a sentence for a title.

    At collection, because a test that is skipped never runs a fixture.
    """
    if allure := _allure():
        if not hasattr(item.function, "__allure_display_name__"):
            allure.title(_title(item))(item.function)
        for name, value in labels.items():
            if value:
                item.add_marker(allure.label(name, value))


def attach_run(run: FinishedRun, **labels: str) -> None:
    """
    Attach a finished run to the test that is running.

    Call it before the test's call phase ends: in a fixture's teardown Allure files it under that fixture.

    :param labels: labels that were not set at collection; one set twice shows twice.
    """
    if allure := _allure():
        for name, value in labels.items():
            allure.dynamic.label(name, value)
        # Excluded: a seed that changes each night would start a new history each night.
        allure.dynamic.parameter(
            "provider", run.provider or "unnamed", excluded=True, mode=allure.parameter_mode.HIDDEN
        )
        allure.dynamic.parameter("seed", run.seed, excluded=True)
        allure.dynamic.description_html(page.description(run))
        for beat in beats(run.history):
            with allure.step(beat):
                pass
        _attach_files(allure, run)
        if run.log_files:
            with allure.step("Server logs"):
                for name, path in run.log_files.items():
                    _attach_log(allure, name, path)


def beats(history: History) -> Iterator[str]:
    """The phases of a run, each in one line: when it was, what was broken meanwhile, what the clients got."""
    phases = sorted(history.phases, key=lambda phase: phase.at_ns)
    starts = [phase.at_ns for phase in phases]
    got = [Counter[str]() for _ in range(len(phases) + 1)]
    for operation in history.operations:
        got[bisect_right(starts, operation.invoked_ns)][operation.outcome.value] += 1
    for index, phase in enumerate(phases):
        end = starts[index + 1] if index + 1 < len(starts) else max(history.header.ended_ns, phase.at_ns)
        faults = [f"{fault.name} {fault.target}" for fault in history.faults if phase.at_ns <= fault.begun_ns < end]
        counts = ", ".join(
            f"{got[index + 1][name]:,} {name}" for name in ("ok", "fail", "info") if got[index + 1][name]
        )
        times = f"{moment(history, phase.at_ns)} to {moment(history, end)} s"
        yield f"{phase.name.capitalize()}, {times}: " + "; ".join([*faults[:3], counts or "no operation"])


def log_excerpt(path: Path, lines: int = EXCERPT_LINES) -> tuple[str, bool]:
    """The last lines of a log, and whether they are all of it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _EXCERPT_BYTES))
        text = file.read().decode(errors="replace")
    tail = text.splitlines()[-lines:]
    return "\n".join(tail), size <= _EXCERPT_BYTES and len(tail) == len(text.splitlines())


def _title(item: Item) -> str:
    sentence = item.name.partition("[")[0].removeprefix("test_").replace("_", " ").capitalize()
    return f"{sentence} [{{param_id}}]" if "[" in item.name else sentence  # Allure fills in each one's parameters.


def _allure() -> "ModuleType | None":
    return importlib.import_module("allure") if missing() is None else None


def _attach_files(allure: "ModuleType", run: FinishedRun) -> None:
    allure.attach(timeline(run.history), name="timeline", attachment_type=allure.attachment_type.SVG)
    if (picture := replication(run.history)) is not None:
        allure.attach(picture, name="replication", attachment_type=allure.attachment_type.SVG)
    if run.history_file is not None and run.history_file.exists():
        _attach_packed(allure, "history (for chaos recheck)", run.history_file, "jsonl.gz")
    if run.settings:
        _attach_settings(allure, run.settings)


def _attach_settings(allure: "ModuleType", settings: Mapping[str, object]) -> None:
    text = json.dumps(dict(settings), indent=2, default=str, ensure_ascii=False)
    allure.attach(text, name="settings", attachment_type=allure.attachment_type.JSON)


def _attach_log(allure: "ModuleType", name: str, path: Path) -> None:
    if not path.exists():
        allure.attach(f"{name} left no log.", name=name, attachment_type=allure.attachment_type.TEXT)
        return
    excerpt, whole = log_excerpt(path)
    title = f"{name}" if whole else f"{name}, last {EXCERPT_LINES} lines"
    allure.attach(excerpt or "(empty)", name=title, attachment_type=allure.attachment_type.TEXT)
    if not whole:
        _attach_packed(allure, f"{name}, whole log", path, "log.gz")


def _attach_packed(allure: "ModuleType", name: str, path: Path, extension: str) -> None:
    data = path.read_bytes()
    packed = data if path.suffix == ".gz" else gzip.compress(data)
    # Not one of allure's own types: of an unknown type it offers the download and shows nothing.
    allure.attach(packed, name=name, attachment_type="application/gzip", extension=extension)
