"""
The one place that starts processes on the host. Everything inside a lab is started by the lab's own agents.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from chaos.errors import ProviderError

SYNCHRONIZE = 0x00100000


def start(
    argv: Sequence[str | Path],
    *,
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> subprocess.Popen[bytes]:
    """
    Start a process that inherits nothing of ours but ``pass_fds``.

    Its output goes to ``log`` or nowhere: a left-over process that holds the test run's stdout hangs ``pytest | tee`` and CI.
    """
    output = log.open("ab") if log else None
    try:
        return subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.DEVNULL,
            stderr=output or subprocess.DEVNULL,
            pass_fds=tuple(pass_fds),
            env=None if env is None else dict(env),
            start_new_session=True,  # Ctrl-C is for pytest, which heals; the lab ends when pytest closes it.
        )
    except OSError as problem:
        raise ProviderError(f"cannot start {argv[0]}: {problem.strerror or problem}") from problem
    finally:
        if output:
            output.close()


def run(
    argv: Sequence[str | Path],
    *,
    timeout_s: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return its output; a failure says the command, its exit code and its last lines."""
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            cwd=cwd,
            env=None if env is None else dict(env),
            check=False,
        )
    except OSError as problem:
        raise ProviderError(f"cannot run {argv[0]}: {problem.strerror or problem}") from problem
    except subprocess.TimeoutExpired as problem:
        raise ProviderError(f"{' '.join(map(str, argv))} did not end within {timeout_s:g} s") from problem
    if check and done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise ProviderError(f"{' '.join(map(str, argv))} ended with code {done.returncode}: {tail or 'no output'}")
    return done


Done = subprocess.CompletedProcess[str]
"""A command that ``run`` ran, with its output."""

Started = subprocess.Popen[bytes]
"""A process that ``start`` started."""


def wait_end(started: Started, *, within_s: float, what: str) -> None:
    """Wait for the end of a started process; one that outstays its bound is killed and reported."""
    try:
        started.wait(within_s)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
        raise ProviderError(f"{what} did not end within {within_s:g} s and was killed") from None


def is_root() -> bool:
    """Whether this process may make namespaces as it is; nobody is root where there is no such user."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def lives(pid: int) -> bool:
    """Whether a process of this machine exists, whoever's it is."""
    if sys.platform == "win32":  # Where signal 0 is Ctrl-C.
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(SYNCHRONIZE, False, pid)
        ended = not handle or ctypes.windll.kernel32.WaitForSingleObject(handle, 0) == 0
        ctypes.windll.kernel32.CloseHandle(handle)
        return not ended
    if pid <= 0:
        return False  # To os.kill that is a group of processes.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def foreground(argv: Sequence[str | Path], *, cwd: Path | None = None) -> int:
    """
    Run a command that shares our terminal, to its end, and return its exit code.

    SIGTERM and the first SIGINT are handed on, and the command is left to heal before we go on. At a terminal Ctrl-C also
    reaches it by itself, so it must take two that come together as one.
    """
    try:
        shown = subprocess.Popen([str(part) for part in argv], cwd=cwd)
    except OSError as problem:
        raise ProviderError(f"cannot run {argv[0]}: {problem.strerror or problem}") from problem
    before = signal.signal(signal.SIGTERM, lambda *_: shown.terminate())
    try:
        code, interrupted = _wait_through_interrupts(shown)
    finally:
        signal.signal(signal.SIGTERM, before)
    if interrupted:
        raise KeyboardInterrupt
    return code


def _wait_through_interrupts(shown: Started) -> tuple[int, bool]:
    interrupted = False
    while True:
        try:
            return shown.wait(), interrupted
        except KeyboardInterrupt:
            if not interrupted:
                shown.send_signal(signal.SIGINT)
            interrupted = True
