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
    folder = _catalogue()
    if not folder.is_dir():
        raise ProviderError(f"there are no experiments at {folder}: the package was installed without them")
    return folder


def meant(path: str) -> str:
    """What PATH or PATH::TEST stands for: what exists here, else the shipped experiment of that name, else itself."""
    file, colons, test = path.partition("::")
    name = Path(file)
    if name.exists() or name.is_absolute() or ".." in name.parts:
        return path
    there = _catalogue() / (name.relative_to("experiments") if name.parts[0] == "experiments" else name)
    return f"{there}{colons}{test}" if there.exists() else path


def is_shipped(path: str) -> bool:
    """Whether PATH or PATH::TEST lies in the catalogue."""
    return Path(path.partition("::")[0]).resolve().is_relative_to(_catalogue().resolve())


def shipped_fixtures() -> list[str]:
    """The modules of an installed package that bring its fixtures."""
    return [f"chaos.fixtures.{file.stem}" for file in sorted((PACKAGE / "fixtures").glob("[a-z]*.py"))]


def _catalogue() -> Path:
    return (checkout() or PACKAGE) / "experiments"


def output_folder() -> Path:
    """Where generated things go: below the checkout, or below the current folder."""
    return (checkout() or Path.cwd()) / "reports" / "out"


def results_folder() -> Path:
    """The Allure results of the last run."""
    return output_folder() / "results"


def report_folder() -> Path:
    """The report."""
    return output_folder() / "report"
