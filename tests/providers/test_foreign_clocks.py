"""
Where stamps of another kernel come in: what an agent tells is on our clock, and a lab knows which clock its parties read.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chaos import process
from chaos.providers.agent.container import clock_name
from chaos.providers.clock import Clock
from chaos.providers.docker.clocks import AGAIN_S, Clocks
from chaos.wait import wait_until
from tests.providers.foreign_agent import ForeignAgent

AHEAD_NS = 100_000 * 1_000_000_000
OURS = clock_name()


@pytest.fixture
def agent() -> Iterator[Callable[..., ForeignAgent]]:
    """Makes agents that are gone after the test."""
    made: list[ForeignAgent] = []

    def make(*arguments: Any, **named: Any) -> ForeignAgent:
        made.append(ForeignAgent(*arguments, **named))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def clocks() -> Iterator[Clocks]:
    """The clocks of one lab."""
    known = Clocks()
    yield known
    known.close()


def test_what_a_foreign_agent_tells_is_on_our_clock(agent: Callable[..., ForeignAgent]) -> None:
    there = agent(ahead_ns=AHEAD_NS)
    there.channel.clock = clock = Clock()
    there.channel.compare()
    for _ in range(20):
        there.tell()
    events = [event["at"] for event in there.channel.events()]
    for at_ns, (before, after) in zip(events, there.happened, strict=True):
        assert before - clock.error_ns <= at_ns <= after + clock.error_ns
    assert events == sorted(events)
    assert [event["at"] for event in there.channel.events()] == events


def test_an_event_is_read_with_an_answer_on_either_side_of_it(agent: Callable[..., ForeignAgent]) -> None:
    """Else its translation would change with the next answer. Nobody is asked when nothing was told."""
    there = agent(ahead_ns=AHEAD_NS)
    there.channel.clock = clock = Clock()
    there.channel.compare()
    there.tell()
    asked = there.asked
    wait_until(there.channel.events, within_s=5, wanted="the event")
    assert there.asked == asked + 1
    assert clock.latest_ns > there.happened[0][0] + AHEAD_NS
    there.channel.events()
    assert there.asked == asked + 1


def test_what_an_agent_told_before_it_was_gone_is_not_lost(agent: Callable[..., ForeignAgent]) -> None:
    there = agent(ahead_ns=AHEAD_NS)
    there.channel.clock = clock = Clock()
    there.channel.compare()
    there.tell()
    there.end()
    (event,) = there.channel.events()
    before, after = there.happened[0]
    assert before - clock.error_ns <= event["at"] <= after + clock.error_ns


def test_an_agent_under_our_own_kernel_is_taken_at_its_word(agent: Callable[..., ForeignAgent]) -> None:
    there = agent()
    there.tell()
    (event,) = wait_until(there.channel.events, within_s=5, wanted="the event")
    before, after = there.happened[0]
    assert before <= event["at"] <= after
    assert there.asked == 0


@pytest.mark.parametrize(
    ("name", "ahead_ns", "ours"),
    [
        (OURS, 0, True),
        (OURS, AHEAD_NS, False),
        (OURS, -1_000_000_000, False),
        ("another boot", 0, False),
        ("", 0, False),
    ],
)
def test_a_clock_is_ours_by_its_name_and_by_what_it_shows(
    agent: Callable[..., ForeignAgent], clocks: Clocks, name: str, ahead_ns: int, ours: bool
) -> None:
    """A namespace of time has our kernel's name and another clock; another kernel may show our time by chance."""
    there = agent(ahead_ns=ahead_ns)
    clocks.tell_apart(there.channel, name)
    assert (there.channel.clock is None) is ours


def test_parties_of_one_kernel_share_a_clock(agent: Callable[..., ForeignAgent], clocks: Clocks) -> None:
    """So what any of them answers tells of it, and the order between them is kept too."""
    first, second, third = (agent(party, AHEAD_NS) for party in ("n1", "n2", "n3"))
    clocks.tell_apart(first.channel, "there")
    clocks.tell_apart(second.channel, "there")
    clocks.tell_apart(third.channel, "elsewhere")
    assert first.channel.clock is second.channel.clock is not None
    assert third.channel.clock not in (None, first.channel.clock)


def test_a_foreign_clock_is_looked_at_while_nobody_talks_to_its_parties(
    agent: Callable[..., ForeignAgent], clocks: Clocks
) -> None:
    """Also when the first of them is gone; and no more once the lab is closed."""
    first, second = (agent(party, AHEAD_NS) for party in ("n1", "n2"))
    for there in (first, second):
        clocks.tell_apart(there.channel, "there")
    asked = first.asked
    wait_until(lambda: first.asked > asked + 1, within_s=20 * AGAIN_S, wanted="two looks at the first")
    first.end()
    asked = second.asked
    wait_until(lambda: second.asked > asked + 1, within_s=20 * AGAIN_S, wanted="two looks at the second")
    clocks.close()
    asked = second.asked
    with pytest.raises(_Silent):
        wait_until(lambda: second.asked > asked, within_s=3 * AGAIN_S, wanted="silence", error=_Silent)


class _Silent(Exception):  # noqa: N818 - it is no error.
    """Nothing was heard, as it should be."""


def test_our_own_clock_is_not_watched(agent: Callable[..., ForeignAgent], clocks: Clocks) -> None:
    there = agent()
    clocks.tell_apart(there.channel, OURS)
    asked = there.asked
    with pytest.raises(_Silent):
        wait_until(lambda: there.asked > asked, within_s=3 * AGAIN_S, wanted="silence", error=_Silent)


def test_a_clocks_name_is_the_same_in_all_processes_that_read_it() -> None:
    program = "from chaos.providers.agent.container import clock_name; print(clock_name())"
    assert process.run([sys.executable, "-c", program], timeout_s=30).stdout.strip() == OURS


def test_a_clock_without_a_name_is_another_one(
    agent: Callable[..., ForeignAgent], clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere than on Linux ours has none either, and two unknown things are not the same."""
    monkeypatch.setattr("chaos.providers.docker.clocks.clock_name", str)
    there = agent()
    clocks.tell_apart(there.channel, "")
    assert there.channel.clock is not None
