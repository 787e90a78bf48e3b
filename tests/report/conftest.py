"""
One results folder and one built report for all tests of this folder.
"""

from pathlib import Path

import pytest

from chaos.errors import ProviderError
from chaos.report.build import build_report
from tests.report.made import Browser, make_results


@pytest.fixture(scope="session")
def made_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real Allure results of made-up runs."""
    pytest.importorskip("allure", reason="allure-pytest is not installed; run: pip install allure-pytest")
    return make_results(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def built(made_results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of those results; skipped in words where Node or the network to fetch Allure is missing."""
    try:
        return build_report(made_results, tmp_path_factory.mktemp("built") / "report")
    except ProviderError as problem:
        if "is not installed" in str(problem) or " ci " in str(problem):
            pytest.skip(f"no report can be built here: {problem}")
        raise


@pytest.fixture(scope="session")
def browser() -> Browser:
    """A browser that lets nothing out."""
    return Browser()
