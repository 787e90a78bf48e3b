"""
A command in the foreground is left to heal before we go on.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos import process
from chaos.errors import ProviderError
from chaos.wait import wait_until

HEALS = """
import pathlib, signal, sys
note, gate = map(pathlib.Path, sys.argv[1:])
def heal(number, frame):
    note.write_text(signal.Signals(number).name)
    sys.exit(5)
signal.signal(signal.SIGTERM, heal)
signal.signal(signal.SIGINT, heal)
note.write_text("ready")
gate.read_text()  # A pipe: until somebody writes into it.
note.write_text("healed")
"""


def when_ready(note: Path, act: Callable[[], object]) -> None:
    """Act once the command has written that it is ready, beside the main thread that waits for the command."""

    def watch() -> None:
        wait_until(lambda: note.exists() and note.read_text() == "ready", within_s=20, wanted="a ready command")
        act()

    threading.Thread(target=watch, daemon=True).start()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A note that the command writes, and the pipe that it waits at."""
    os.mkfifo(tmp_path / "gate")
    return tmp_path / "note", tmp_path / "gate"


def test_exit_code_is_the_commands_own() -> None:
    assert process.foreground([sys.executable, "-c", "raise SystemExit(7)"]) == 7


def test_absent_program_is_a_sentence() -> None:
    with pytest.raises(ProviderError, match="cannot run /no/such/program: No such file"):
        process.foreground(["/no/such/program"])


def test_sigterm_is_handed_on_and_the_command_heals(files: tuple[Path, Path]) -> None:
    note, gate = files
    before = signal.getsignal(signal.SIGTERM)
    when_ready(note, lambda: os.kill(os.getpid(), signal.SIGTERM))

    assert process.foreground([sys.executable, "-c", HEALS, note, gate]) == 5
    assert note.read_text() == "SIGTERM"
    assert signal.getsignal(signal.SIGTERM) is before


def test_sigint_is_handed_on_and_we_go_on_only_after_the_command_has_healed(files: tuple[Path, Path]) -> None:
    note, gate = files
    when_ready(note, lambda: os.kill(os.getpid(), signal.SIGINT))

    with pytest.raises(KeyboardInterrupt):
        process.foreground([sys.executable, "-c", HEALS, note, gate])
    assert note.read_text() == "SIGINT"
