"""
A local lab for the tests of what may go wrong around it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.providers.contract import Lab
from chaos.providers.local import LocalProvider


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
