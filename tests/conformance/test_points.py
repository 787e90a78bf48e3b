"""
Named points: barriers between a worker and the nemesis, through the agent.
"""

import json
import signal

from chaos.providers.contract import Lab, ProcessRef, Spawn
from chaos.wait import wait_until
from tests.conformance.talk import client

WITHIN_S = 5.0


def work(lab: Lab, party: str, points: list[str]) -> ProcessRef:
    """A worker that passes these points, each of them held."""
    spec = {
        "callable": "tests.conformance.work:stands",
        "arguments": {"points": points},
        "client": party,
        "events": f"{lab.kept(party)}/events.jsonl",
        "control": "chaos-agent",
        "ref": "worker",
        "hold": sorted(set(points)),
        "seed": 1,
        "sys_path": [],
    }
    return lab.spawn(party, Spawn(name="worker", python="chaos.workloads.worker:main", arguments=spec))


def passed(lab: Lab, party: str) -> list[str]:
    """The points that the worker has left behind."""
    lines = lab.get(party, f"{lab.kept(party)}/events.jsonl").decode().splitlines()
    return [event["value"] for line in lines if (event := json.loads(line)).get("observe") == "passed"]


def wait_arrivals(lab: Lab, ref: ProcessRef, *points: str) -> None:
    wait_until(
        lambda: [event.point for event in lab.points() if event.ref == ref] == list(points),
        within_s=WITHIN_S,
        wanted=f"{ref.party} stands at {points}",
        seen=lambda: (lab.points(), lab.log(ref)[-500:]),
    )


def wait_passed(lab: Lab, party: str, *points: str) -> None:
    wait_until(lambda: passed(lab, party) == list(points), within_s=WITHIN_S, wanted=f"{party} has passed {points}")


def test_a_worker_stands_at_its_point_until_it_is_released(lab: Lab) -> None:
    lab.place([client("c1")])
    ref = work(lab, "c1", ["checked"])
    wait_arrivals(lab, ref, "checked")
    assert passed(lab, "c1") == []
    lab.release(ref, "checked")
    wait_passed(lab, "c1", "checked")


def test_a_release_before_the_arrival_is_remembered(lab: Lab) -> None:
    lab.place([client("c1")])
    ref = work(lab, "c1", ["first", "second"])
    lab.release(ref, "second")
    lab.release(ref, "first")
    wait_passed(lab, "c1", "first", "second")


def test_each_arrival_needs_a_release_of_its_own(lab: Lab) -> None:
    lab.place([client("c1")])
    ref = work(lab, "c1", ["turn", "turn", "turn"])
    wait_arrivals(lab, ref, "turn")
    lab.release(ref, "turn")
    wait_arrivals(lab, ref, "turn", "turn")
    wait_passed(lab, "c1", "turn")
    lab.release(ref, "turn")
    lab.release(ref, "turn")
    wait_passed(lab, "c1", "turn", "turn", "turn")


def test_a_stopped_worker_goes_on_only_when_it_is_continued(lab: Lab) -> None:
    lab.place([client("c1")])
    ref = work(lab, "c1", ["checked"])
    wait_arrivals(lab, ref, "checked")
    lab.signal(ref, signal.SIGSTOP)
    lab.release(ref, "checked")
    assert lab.state(ref) == "stopped"
    assert passed(lab, "c1") == []
    lab.signal(ref, signal.SIGCONT)
    wait_passed(lab, "c1", "checked")


def test_a_worker_that_is_asked_to_stop_ends_with_code_0(lab: Lab) -> None:
    lab.place([client("c1")])
    ref = work(lab, "c1", ["checked"])
    wait_arrivals(lab, ref, "checked")
    lab.ask_to_stop(ref)
    wait_until(lambda: lab.state(ref) == "ended", within_s=WITHIN_S, wanted="the worker to end")
    assert [event.code for event in lab.exits()] == [0]
    lab.release(ref, "checked")  # Nobody stands there any more; that is no error.


def test_two_workers_stand_apart(lab: Lab) -> None:
    lab.place([client("c1"), client("c2")])
    first, second = work(lab, "c1", ["checked"]), work(lab, "c2", ["checked"])
    wait_arrivals(lab, first, "checked")
    wait_arrivals(lab, second, "checked")
    lab.release(second, "checked")
    wait_passed(lab, "c2", "checked")
    assert passed(lab, "c1") == []
