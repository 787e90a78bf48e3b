"""
Every wait is bounded, and says on expiry what it wanted and what it saw.
"""

import pytest

from chaos import wait
from chaos.errors import HarnessError, NoProgressError, ProviderError
from chaos.wait import wait_until


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.naps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += max(seconds, 1e-6)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(wait, "time", fake)
    return fake


def test_condition_that_is_true_at_once_costs_no_time(clock: Clock) -> None:
    assert wait_until(lambda: "here", within_s=1, wanted="something") == "here"
    assert clock.naps == []


def test_value_is_returned_when_it_comes(clock: Clock) -> None:
    answers = iter([None, 0, "", 7])
    assert wait_until(lambda: next(answers), within_s=1, wanted="seven", every_s=0.1) == 7
    assert clock.naps == [0.1, 0.1, 0.1]


def test_expiry_says_what_was_wanted_and_last_seen(clock: Clock) -> None:
    with pytest.raises(HarnessError, match=r"wanted: a leader, within 2 s; last seen: 0"):
        wait_until(lambda: 0, within_s=2, wanted="a leader")
    assert clock.now == pytest.approx(102, abs=0.001)


def test_expiry_describes_the_situation_with_the_callers_words(clock: Clock) -> None:
    with pytest.raises(NoProgressError, match="last seen: n1 is a replica"):
        wait_until(lambda: None, within_s=1, wanted="x", seen=lambda: "n1 is a replica", error=NoProgressError)


def test_description_that_fails_does_not_hide_the_expiry(clock: Clock) -> None:
    def look() -> str:
        raise ProviderError("n1 does not answer")

    with pytest.raises(HarnessError, match=r"wanted: x.*looking again failed: n1 does not answer"):
        wait_until(lambda: None, within_s=1, wanted="x", seen=look)


def test_forgiven_exception_counts_as_not_yet(clock: Clock) -> None:
    def refuse() -> None:
        raise ConnectionError("refused")

    with pytest.raises(HarnessError, match="last seen: refused"):
        wait_until(refuse, within_s=1, wanted="x", forgive=(OSError,))
    with pytest.raises(ConnectionError):
        wait_until(refuse, within_s=1, wanted="x", forgive=(ValueError,))


def test_last_try_comes_at_the_bound_and_not_before(clock: Clock) -> None:
    assert wait_until(lambda: clock.now >= 101, within_s=1, wanted="the very end", every_s=0.7)
    assert clock.naps == pytest.approx([0.7, 0.3])


@pytest.mark.parametrize("bound", [0, -1])
def test_wait_without_a_positive_bound_is_refused(bound: float) -> None:
    with pytest.raises(HarnessError, match="needs a positive bound"):
        wait_until(lambda: True, within_s=bound, wanted="x")
