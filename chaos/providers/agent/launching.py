"""
How a forked child becomes what it is to be: a program, or a callable of this interpreter.
"""

import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

TAG = "CHAOS_PROCESS"
"""Environment variable that a process' descendants inherit: how a daemon that left its parent and session is known."""


def execute(argv: list[str], env: dict[str, str]) -> Callable[[], None]:
    """A launch that becomes another program."""

    def launch() -> None:
        os.execvpe(argv[0], argv, {**env, TAG: os.environ[TAG]})

    return launch


def call(target: str, argument: dict[str, Any], env: dict[str, str], path: list[str]) -> Callable[[], None]:
    """A launch that calls ``module:callable`` in this interpreter, whose imports are already warm."""

    def launch() -> None:
        os.environ.update(env)
        sys.path[:] = sys.path + [entry for entry in path if entry not in sys.path]
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # As every interpreter starts: a lost peer is an error to catch.
        module, _, name = target.partition(":")
        __import__(module)
        code = getattr(sys.modules[module], name)(argument)
        sys.stdout.flush()
        os._exit(code if isinstance(code, int) else 0)

    return launch


def by_interpreter(program: str, target: str, argument: dict[str, Any], path: list[str]) -> list[str]:
    """The command line by which a fresh interpreter calls ``module:callable``."""
    module, _, name = target.partition(":")
    boot = (
        f"import json, sys; sys.path += json.loads(sys.argv[2]); from {module} import {name} as main; "
        "sys.exit(main(json.loads(sys.argv[1])))"
    )
    return [program, "-c", boot, json.dumps(argument), json.dumps(path)]


def in_words(number: int, program: str, folder: str) -> str:
    """Why a program cannot be run."""
    if number == errno.ENOENT and "/" not in program:
        return f"no program {program!r} on its PATH"
    if number == errno.ENOENT and not Path(folder, program).exists():
        return f"no program {program!r}" + ("" if program.startswith("/") else f" in {folder}")
    if number == errno.ENOENT:
        return f"the program {program!r} cannot be run: the interpreter that its first line names does not exist"
    return f"the program {program!r} cannot be run: {os.strerror(number)}"


def become(launch: Callable[[], None], log: str, folder: str, name: str, tells: int | None) -> None:
    """In the child: own session, own log, default signals; never returns. That it cannot is told through ``tells``."""
    try:
        os.environ[TAG] = name
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        null, output = os.open("/dev/null", os.O_RDWR), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        for first, last in ((3, 4096),) if tells is None else ((3, tells), (tells + 1, 4096)):
            os.closerange(first, last)
        os.chdir(folder)
        try:
            launch()
        except OSError as problem:
            if tells is None:
                raise
            os.write(tells, str(problem.errno).encode())
            os._exit(127)
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:  # Whatever it was, it belongs into this process' own log, and the fork must not go on.
        import traceback

        with suppress(BaseException):  # The log may lie on a full disk.
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(127)
    os._exit(0)
