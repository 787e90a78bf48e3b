"""
A local lab, and an engine for labs of containers, for the tests of what may go wrong around them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.providers.contract import Lab
from chaos.providers.local import LocalProvider
from tests.conformance.conftest import skip_without


@pytest.fixture(scope="session")
def local() -> LocalProvider:
    """The local provider, where it works."""
    provider = LocalProvider()
    reason = provider.missing()
    if reason is not None:
        pytest.skip(reason)
    return provider


@pytest.fixture
def lab(local: LocalProvider, tmp_path: Path) -> Iterator[Lab]:
    """An empty local lab."""
    made = local.open(keep_at=str(tmp_path))
    yield made
    made.close()


@pytest.fixture
def engine() -> None:
    """Skip where no container engine answers."""
    skip_without("docker")
