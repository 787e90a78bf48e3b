"""
The plugin as a stranger meets it: in a project of its own, in a pytest of its own, also from the built wheel.
"""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from chaos.providers import choose

ROOT = Path(__file__).parents[2]
INI = "[pytest]\naddopts = --import-mode=importlib --tb=short -p no:cacheprovider\n"


@pytest.fixture(scope="session")
def labs() -> None:
    """Skip what needs a lab, where none can be made."""
    from chaos.errors import ProviderError

    try:
        choose()
    except ProviderError as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def stranger_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    An interpreter in a virtual environment that has the built wheel, and our dependencies but not our checkout.

    Unpacked, not installed: pip might take the checkout's editable install for an older version to be removed.
    """
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    zipfile.ZipFile(next(folder.glob("*.whl"))).extractall(packages)
    # As a path and not as a site folder: the .pth file of the editable install in there is not followed.
    (packages / "dependencies.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    return folder / "venv/bin/python"


Stranger = Callable[..., pytest.RunResult]


@pytest.fixture(autouse=True)
def real_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytester gives its runs a home of their own, in which no server software is installed."""
    monkeypatch.setenv("XDG_CACHE_HOME", os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"))
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture
def stranger(
    real_cache: None, pytester: pytest.Pytester, stranger_python: Path, monkeypatch: pytest.MonkeyPatch
) -> Stranger:
    """Runs pytest with the wheel in the current folder, which knows nothing of this project."""
    monkeypatch.delenv("PYTHONPATH", raising=False)

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.run(stranger_python, "-m", "pytest", "-p", "no:cacheprovider", *arguments)

    return run


@pytest.fixture
def inner(real_cache: None, pytester: pytest.Pytester) -> Stranger:
    """Runs pytest with the checkout's plugin on the current folder."""
    pytester.makeini(INI)

    def run(*arguments: object) -> pytest.RunResult:
        return pytester.runpytest_subprocess(*map(str, arguments))

    return run


def answered(inner: Stranger, pytester: pytest.Pytester, tests: str, answers: Mapping[str, str]) -> None:
    """Run these tests: one passes, and each of the others fails with its answer, the beginning of an error of ours."""
    pytester.makepyfile(test_it=tests)
    result = inner("-rf", "--tb=line", "-o", "pythonpath=.")
    result.assert_outcomes(passed=1, failed=len(answers))
    text = result.stdout.str()
    for name, answer in answers.items():
        assert f"chaos.errors.{answer}" in text, name
