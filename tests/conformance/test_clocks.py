"""
One clock for a whole history: whatever is stamped in a party reads as if the observer had stamped it.
"""

import json
import signal

from chaos.providers.contract import Lab, ProcessRef, Spawn
from chaos.wait import FAST_S, monotonic_ns, wait_until
from tests.conformance.talk import client, events, node, run, wait_event
from tests.conformance.test_points import wait_arrivals, work

TIMES = 10
PROMPT_NS = 2_000_000_000
"""So long after it happened something is seen, on a machine that has much else to do."""


def test_only_a_clock_that_is_translated_has_an_error(lab: Lab) -> None:
    """And it is small: less than what a fault takes to bite."""
    lab.place([node("n1"), client("c1")])
    for party in ("n1", "c1"):
        assert (lab.clock_error_ns(party) == 0) is (lab.clock(party) is None)
        assert lab.clock_error_ns(party) < 50_000_000


def test_an_end_lies_between_our_readings_before_and_after_it(lab: Lab) -> None:
    lab.place([node("n1")])
    seen = []
    for number in range(TIMES):
        ref = run(lab, "n1", "serve", 7000, name=f"server{number}")
        wait_event(lab, ref, "listening")
        before = monotonic_ns()
        lab.signal(ref, signal.SIGKILL)
        at_ns = end_of(lab, ref)
        seen.append((before, at_ns, monotonic_ns()))
    error = lab.clock_error_ns("n1")
    assert all(before - error <= at <= after + error for before, at, after in seen)
    assert all(after - before < PROMPT_NS for before, _, after in seen)
    assert [event.at_ns for event in lab.exits()] == sorted(at for _, at, _ in seen), "read again they are the same"


def end_of(lab: Lab, ref: ProcessRef) -> int:
    """Wait for a process' end; returns when it was."""
    return wait_until(
        lambda: next((event for event in lab.exits() if event.ref == ref), None),
        within_s=5,
        wanted=f"the end of {ref.name}",
        every_s=FAST_S,
    ).at_ns


def test_what_a_worker_writes_lies_between_our_readings_in_its_order(lab: Lab) -> None:
    """Its own file, and what its agent says of its point: both on one clock."""
    lab.place([client("c1")])
    begun = monotonic_ns()
    ref = work(lab, "c1", ["checked"])
    wait_arrivals(lab, ref, "checked")
    arrived = monotonic_ns()
    lab.release(ref, "checked")
    wait_until(lambda: len(stamps(lab)) == 3, within_s=5, wanted="a start, a point, and that it was passed")
    ended, error = monotonic_ns(), lab.clock_error_ns("c1")
    (point,) = lab.points()
    started, reached, passed = stamps(lab)
    assert begun - error <= started <= reached <= point.at_ns <= arrived + error
    assert arrived - error <= passed <= ended + error


def stamps(lab: Lab) -> list[int]:
    """When each line of the worker's file was written, by our clock."""
    clock = lab.clock("c1")
    lines = lab.get("c1", f"{lab.kept('c1')}/events.jsonl").decode().splitlines()
    written: list[int] = [json.loads(line)["at_ns"] for line in lines]
    return [clock.observed(at_ns) for at_ns in written] if clock else written


def test_parties_that_stamp_one_after_the_other_are_in_that_order(lab: Lab) -> None:
    """Across parties too, however little lies between."""
    lab.place([node("n1"), node("n2")])
    at = []
    for number in range(TIMES):
        party = ("n1", "n2")[number % 2]
        ref = lab.spawn(party, Spawn(name=f"true{number}", argv=("true",)))
        at.append(end_of(lab, ref))
    assert at == sorted(at)


def test_what_a_program_prints_can_be_read_on_our_clock(lab: Lab) -> None:
    lab.place([node("n1")])
    before = monotonic_ns()
    ref = run(lab, "n1", "serve", 7000)
    wait_event(lab, ref, "listening")
    after, error = monotonic_ns(), lab.clock_error_ns("n1")
    (event,) = events(lab, ref, "listening")
    assert before - error <= event["at"] <= after + error
