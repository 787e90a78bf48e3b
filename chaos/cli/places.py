"""
Where things lie: the experiments, the results of a run, the report.
"""

from pathlib import Path

import chaos
from chaos.errors import ProviderError

PACKAGE = Path(chaos.__file__).parent


def checkout() -> Path | None:
    """The folder of the project, if this is a checkout of it and not an installed package."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "experiments").is_dir() else None


def experiments_folder() -> Path:
    """The catalogue: the checkout's, or the one inside the installed package."""
    root = checkout()
    folder = root / "experiments" if root else PACKAGE / "experiments"
    if not folder.is_dir():
        raise ProviderError(f"there are no experiments at {folder}: the package was installed without them")
    return folder


def output_folder() -> Path:
    """Where generated things go: below the checkout, or below the current folder."""
    return (checkout() or Path.cwd()) / "reports" / "out"


def results_folder() -> Path:
    """The Allure results of the last run."""
    return output_folder() / "results"


def report_folder() -> Path:
    """The report."""
    return output_folder() / "report"
