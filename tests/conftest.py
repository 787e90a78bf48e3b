"""What all tests of the project itself share."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("mutation", derandomize=True, database=None, max_examples=60)
"""For mutation testing: what is found one night is found the next night too."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under mutation the histories by hand go first: they tell most changes apart in a millisecond."""
    if config.getoption("hypothesis_profile", None) == "mutation":
        items.sort(key=lambda item: "/truth/" in item.nodeid)


@pytest.fixture(autouse=True, scope="session")
def _interrupts_as_at_a_terminal() -> Iterator[None]:
    """A shell hands SIGINT down *ignored* to what it runs in the background, CI included; the tests send it on purpose."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
