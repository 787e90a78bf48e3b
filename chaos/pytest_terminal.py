"""
What a person sees: one line kept up to date while an experiment runs, and the table of verdicts at the end.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from chaos.history.live import LiveHistory
from chaos.progress import progress_line
from chaos.pytest_options import SESSION, option
from chaos.wait import watcher

EVERY_S = 0.2
WIDEST = 140
_BELOW = "\n\r\x1b[2K"
"""One line down (scrolling if need be), and empty it."""


class ProgressLine:
    """
    The line below pytest's own, at a terminal: redrawn by waits, gone when the test is over.

    Below, because pytest goes on writing dots in its line; so the cursor returns to where pytest left it.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._writer: Any = config.get_terminal_writer()
        self._capture: Any = config.pluginmanager.getplugin("capturemanager")
        self._due_s = 0.0
        self._drawn = False
        self.live: LiveHistory | None = None

    def waits(self, wanted: str, left_s: float) -> None:
        """Draw, unless that was done a moment ago."""
        now = time.monotonic()
        if now >= self._due_s:
            self._due_s = now + EVERY_S
            self._draw(progress_line(self.live, wanted, left_s))

    def clear(self) -> None:
        """Leave nothing behind."""
        self.live = None
        if self._drawn:
            self._draw("")
            self._drawn = False

    def _draw(self, text: str) -> None:
        with self._capture.global_and_fixture_disabled() if self._capture else nullcontext():
            column, width = self._writer.width_of_current_line, self._writer.fullwidth
            shown = f"  {text}"[: width - 1] if text else ""
            back = f"\x1b[1A\r\x1b[{column}C" if column else "\x1b[1A\r"
            # Past the writer's own bookkeeping, which must not count this line as part of its own.
            self._writer._file.write(f"{_BELOW}{shown}{back}")
            self._writer.flush()
        self._drawn = True


LINE = pytest.StashKey[ProgressLine]()


@contextmanager
def shown(config: pytest.Config) -> Iterator[None]:
    """For the length of a test, keep a line up to date, if a person looks on; a log file gets only the results."""
    if not _watched(config):
        yield
        return
    line = config.stash[LINE] = ProgressLine(config)
    before = watcher.set(line.waits)
    try:
        yield
    finally:
        watcher.reset(before)
        line.clear()
        del config.stash[LINE]


def _watched(config: pytest.Config) -> bool:
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    quiet = os.environ.get("CI") or os.environ.get("TERM", "dumb") == "dumb"
    return reporter is not None and bool(reporter.isatty) and not quiet and config.get_verbosity() >= 0


def summarize(reporter: Any, config: pytest.Config) -> None:
    """The table of verdicts, what was left out and why, and how to do it again."""
    session = config.stash[SESSION]
    if session.runs:
        _write_verdicts(reporter, config)
    for reason, number in session.left_out.items():
        reporter.write_line(f"left out: {number}, {reason}")
    for entry in session.kept:
        reporter.write_line(entry)


def _write_verdicts(reporter: Any, config: pytest.Config) -> None:
    from chaos.verdict_lines import WIDTH, verdict_lines

    session = config.stash[SESSION]
    width = max(WIDTH, min(WIDEST, config.get_terminal_writer().fullwidth))
    reporter.section("what survived, and what did not; as expected, unless marked !")
    for run in session.runs:
        for line, met in verdict_lines(run, width):
            reporter.write_line(line, **({} if met else {"red": True}))
    reporter.write_line(f"provider {session.provider}")
    reporter.write_line(f"seed {session.seed}; histories and logs: {option(config, 'out')}/runs")
