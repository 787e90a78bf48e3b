"""
A program of the user's that is run by the test run's own Python, told as the Python of a container finds it.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NAMES = ("python", "python3")
WITH_A_VALUE = ("-X", "-W")


@dataclass(frozen=True, slots=True)
class PythonProgram:
    """
    What a Python is told to run.

    :param argv: the command, with the container's Python and its place of the script.
    :param module: by its name; that of a script is its file's.
    :param script: the file on this machine; None for a module that is found on the path.
    """

    argv: tuple[str, ...]
    module: str
    script: Path | None = None


def python_program(argv: Sequence[str], code: str) -> PythonProgram | None:
    """
    What this command runs, if it is a Python file of this machine or a module by its name; None for all else.

    :param code: the folder in the container that modules are copied to.
    """
    if argv[0] not in (*NAMES, sys.executable):
        return None
    python, rest = ("python3",), list(argv[1:])
    at = 0
    while at < len(rest) and rest[at].startswith("-") and rest[at] not in ("-m", "-c", "-"):
        at += 2 if rest[at] in WITH_A_VALUE else 1
    flags, rest = rest[:at], rest[at:]
    if rest[:1] == ["-m"] and rest[1:]:
        return PythonProgram((*python, *flags, *rest), rest[1])
    if rest and not rest[0].startswith("-") and (script := Path(rest[0])).is_file():
        return PythonProgram((*python, *flags, f"{code}/{script.name}", *rest[1:]), script.stem, script.absolute())
    return PythonProgram((*python, *flags, *rest), "")
