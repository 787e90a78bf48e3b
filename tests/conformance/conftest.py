"""
Every test here runs against each provider that this machine can do; ``mesh`` tests also run without a mesh.
"""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from chaos.providers import PROVIDERS
from chaos.providers.contract import Lab, Provider

OpenLab = Callable[..., Lab]
AGENTED = ("local", "sealed", "docker")
NEEDED = "CHAOS_TESTS_NEED"
"""Environment variable: providers that must work here, so that a test run meant for them cannot pass by skipping all."""


@cache
def missing(name: str) -> str | None:
    """Why a provider cannot work here; asked once."""
    return PROVIDERS[name]().missing()


def skip_without(name: str) -> None:
    """Skip a test whose provider cannot work here, with the reason; fail it where that provider was promised."""
    if (reason := missing(name)) is None:
        return
    if name in os.environ.get(NEEDED, "").split():
        pytest.fail(f"{NEEDED} says that {name} works here: {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")


@pytest.fixture(params=AGENTED)
def provider(request: pytest.FixtureRequest) -> Provider:
    """A provider of real processes."""
    skip_without(request.param)
    return PROVIDERS[request.param]()


@pytest.fixture
def open_lab(provider: Provider, tmp_path: Path) -> Iterator[OpenLab]:
    """Open labs that are closed after the test."""
    labs: list[Lab] = []

    def make(*, mesh: bool = True, keep_at: Path = tmp_path) -> Lab:
        labs.append(provider.open(keep_at=str(keep_at), mesh=mesh))
        return labs[-1]

    yield make
    for lab in labs:
        lab.close()


@pytest.fixture
def lab(open_lab: OpenLab) -> Lab:
    """An empty lab with a mesh."""
    return open_lab()


@pytest.fixture
def needs_root() -> None:
    """Skip where the test process may not do what the test needs."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
