"""
The worker process: what it records, where it waits, how it ends.
"""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.wait import wait_until
from chaos.workloads.worker import BROKEN
from tests.workloads.worker_agent import PATIENCE_S, Agent


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    yield agent
    agent.close()


def test_asked_to_stop_it_ends_after_its_operation_and_says_so(agent: Agent) -> None:
    agent.run("count")
    wait_until(lambda: len(agent.completions()) >= 5, within_s=PATIENCE_S, wanted="5 operations")
    agent.say(stop=True)
    assert agent.exit_code() == 0
    lines = agent.recorded()
    assert "done" in lines[-1]
    invoked = [line["value"] for line in lines if "invoke" in line]
    assert invoked == [f"c1:{number}" for number in range(1, len(invoked) + 1)]
    assert len(agent.completions()) == len(invoked)


def test_being_asked_to_stop_ends_a_long_pace_at_once(agent: Agent) -> None:
    agent.run("count", arguments={"pace_s": 60.0})
    asked = time.monotonic()
    agent.say(stop=True)
    assert agent.exit_code() == 0
    assert time.monotonic() - asked < 5


def test_every_way_an_operation_can_end_is_recorded_as_what_it_means(agent: Agent) -> None:
    agent.run("learn")
    assert agent.exit_code() == 0
    ends = agent.completions()
    assert [end["outcome"] for end in ends] == ["ok", "fail", "info", "fail", "info"]
    assert ends[0]["notes"] == {"address": "after"}
    assert ends[1]["error"] == "ConnectionRefusedError: nobody"
    assert (ends[3]["error"], ends[3]["result"]) == ("held by c2", "c2")
    assert [line["value"] for line in agent.recorded() if "observe" in line] == [{"ttl_ms": 300}]


def test_the_same_seed_and_client_draw_the_same_numbers(tmp_path: Path) -> None:
    drawn = []
    for folder, changes in (("a", {}), ("b", {}), ("c", {"seed": 8}), ("d", {"client": "c2"})):
        (tmp_path / folder).mkdir()
        agent = Agent(tmp_path / folder)
        try:
            agent.run("learn", **changes)
            assert agent.exit_code() == 0
            drawn.append(agent.completions()[0]["result"])
        finally:
            agent.close()
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


def test_an_exception_outside_the_outcome_table_is_the_harness_own_error(agent: Agent) -> None:
    agent.run("surprise")
    assert agent.exit_code() == BROKEN
    last = agent.recorded()[-1]
    assert last["broken"].startswith("OutcomeTableError: the outcome table has no rule for builtins.ZeroDivisionError")
    assert not agent.completions()  # The operation stays open: nobody knows whether it happened.


@pytest.mark.parametrize(
    ("workload", "says"), [("stumble", "KeyError: 'no such argument'"), ("absent", "cannot be loaded")]
)
def test_a_mistake_in_the_workload_is_told_in_the_record(agent: Agent, workload: str, says: str) -> None:
    agent.run(workload)
    assert agent.exit_code() == BROKEN
    assert says in agent.recorded()[-1]["broken"]


def test_an_argument_that_the_workload_does_not_take_is_named_with_those_it_takes(agent: Agent) -> None:
    agent.run("count", arguments={"pace": 1})
    assert agent.exit_code() == BROKEN
    assert agent.recorded()[-1]["broken"] == ("UsageError: worker_samples:count takes no pace; it takes pace_s")


def test_a_held_point_is_a_barrier_each_time_it_is_reached(agent: Agent) -> None:
    agent.run("pause", hold=["between check and write"])
    for done_before in (0, 1):
        assert agent.hear() == {"point": "between check and write"}
        assert len(agent.completions()) == done_before
        agent.say(go="between check and write")
    assert agent.exit_code() == 0
    assert len(agent.completions()) == 2


def test_a_point_that_nobody_holds_is_only_recorded(agent: Agent) -> None:
    agent.run("pause")
    assert agent.exit_code() == 0
    assert [line["point"] for line in agent.recorded() if "point" in line] == ["between check and write"] * 2


def test_a_release_that_comes_early_is_remembered(agent: Agent) -> None:
    agent.run("pause", hold=["between check and write"])
    agent.say(go="between check and write")
    agent.say(go="between check and write")
    assert agent.exit_code() == 0


def test_a_request_to_stop_lets_a_standing_worker_go(agent: Agent) -> None:
    agent.run("pause", hold=["between check and write"])
    agent.hear()
    agent.say(stop=True)
    assert agent.exit_code() == 0


def test_a_worker_whose_agent_is_gone_ends(agent: Agent) -> None:
    agent.run("count")
    agent.hang_up()
    assert agent.exit_code() == 0


def test_termination_ends_it_and_what_was_written_stays(agent: Agent) -> None:
    agent.run("count")
    wait_until(lambda: len(agent.completions()) >= 3, within_s=PATIENCE_S, wanted="3 operations")
    assert agent.process
    agent.process.send_signal(signal.SIGTERM)
    assert agent.exit_code() == -signal.SIGTERM
    assert len(agent.completions()) >= 3
    assert not any("done" in line for line in agent.recorded())
