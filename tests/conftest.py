"""What all tests of the project itself share."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("mutation", derandomize=True, database=None, max_examples=60)
"""For mutation testing: what is found one night is found the next night too."""


@pytest.fixture(autouse=True, scope="session")
def _interrupts_as_at_a_terminal() -> Iterator[None]:
    """A shell hands SIGINT down *ignored* to what it runs in the background, CI included; the tests send it on purpose."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
