"""
What a crash of the janitor itself, or ``--chaos-keep``, left behind: find it and end it.
"""

import json
import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

from chaos.providers.local.engine import runtime_root
from chaos.wait import wait_until

BORN_S = 30.0


def heal() -> list[str]:
    """End kept and orphaned labs of this user and remove their folders; returns a sentence for each."""
    root = runtime_root()
    if not root.is_dir():
        return []
    return [sentence for folder in sorted(root.glob("lab-*")) if (sentence := _heal_one(folder))]


def _heal_one(folder: Path) -> str | None:
    try:
        note = json.loads((folder / "lab.json").read_text())
    except (OSError, ValueError):
        if time.time() - folder.stat().st_mtime < BORN_S:
            return None  # A lab that is just being made has no note yet.
        note = {"janitor": 0, "owner": 0}
    kept = (folder / "kept").exists()
    if _is_ours(note["janitor"], folder):
        if not kept and _alive(note["owner"]):
            return None  # A lab in use, by another terminal.
        with suppress(ProcessLookupError):
            os.kill(note["janitor"], signal.SIGKILL)
        wait_until(lambda: not _is_ours(note["janitor"], folder), within_s=5, wanted=f"{folder.name} to end")
    shutil.rmtree(folder, ignore_errors=True)
    return f"{folder.name}: {'kept lab ended' if kept else 'left-over lab removed'}"


def _alive(pid: int) -> bool:
    return pid > 0 and Path(f"/proc/{pid}").exists()


def _is_ours(pid: int, folder: Path) -> bool:
    """Whether this pid still is that lab's janitor, and not a process that got its number later."""
    try:
        return str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
