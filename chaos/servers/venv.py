"""
Client libraries in a virtual environment of their own, for those whose pins exclude others.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from chaos import process
from chaos.servers.software import Progress

WITHIN_S = 900.0


@dataclass(frozen=True, slots=True)
class PythonClient:
    """
    A Python that has a client library; its program is the interpreter, which a client's plan names.

    :param requirements: the library with its pins; the first one is what it is called by.
    """

    requirements: tuple[str, ...]

    @property
    def label(self) -> str:
        """Where it comes from, in words."""
        return f"PyPI {' '.join(self.requirements)}"

    @property
    def on_host(self) -> bool:
        """It is an environment in the cache."""
        return False

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Make the environment and install into it."""
        progress(f"python -m venv; pip install {' '.join(self.requirements)}")
        process.run([sys.executable, "-m", "venv", folder / "venv"], timeout_s=WITHIN_S)
        python = folder / "venv" / "bin" / "python"
        quiet = ("--quiet", "--no-input", "--disable-pip-version-check")
        process.run([python, "-m", "pip", "install", *quiet, *self.requirements], timeout_s=WITHIN_S)
        return python
