"""
The mesh must not fake the network: what a fault does through Toxiproxy is what it does to a direct connection.

Each comparison runs with a mesh and without; the direct network is the truth.
"""

import signal
import time

import pytest

from chaos.errors import UsageError
from chaos.network.rules import Closed, Gate, LinkRule, Loss, Wire
from chaos.providers.contract import Lab, ProcessRef, Spawn
from chaos.wait import FAST_S, wait_until
from tests.conformance.conftest import OpenLab
from tests.conformance.talk import (
    PORT,
    PYTHON,
    Event,
    call,
    client,
    events,
    node,
    outcome,
    outcomes,
    run,
    serve,
    wait_answers,
    wait_event,
)

RESET_MS = 50
HEALED_MS = 150
CALM_MS = 350
"""What a noisy machine may add to the measured bounds before a test calls it a failure."""


@pytest.fixture(params=[True, False], ids=["mesh", "direct"])
def either(request: pytest.FixtureRequest, open_lab: OpenLab) -> Lab:
    """A lab with a mesh, and one without."""
    return open_lab(mesh=request.param)


def cut(first: str, second: str, action: str) -> list[LinkRule]:
    """A two-way partition of two parties, in the order of design.md: gates, then wires."""
    pairs = ((first, second), (second, first))
    gates = [Gate(source=source, target=target, action=action) for source, target in pairs]  # type: ignore[arg-type]
    wires = [Wire(source=source, target=target, action=action) for source, target in pairs]  # type: ignore[arg-type]
    return [*gates, *wires]


def placed(lab: Lab, *, feed_s: float = 0) -> Lab:
    """Two servers and a client, all connected to all."""
    lab.place([node("n1"), node("n2"), client("c1")])
    serve(lab, "n1", "n2", feed_s=feed_s) if feed_s else serve(lab, "n1", "n2")
    return lab


def test_a_port_on_which_nothing_listens_is_refused(either: Lab) -> None:
    either.place([node("n1", PORT, 7001), client("c1")])
    assert outcome(either, "c1", "n1") == "refused"
    run(either, "n1", "serve", PORT, name="server")
    wait_answers(either, "c1", "n1")
    assert outcome(either, "c1", "n1", port=7001) == "refused"


def test_a_killed_server_is_refused_and_a_restarted_one_answers(either: Lab) -> None:
    lab = placed(either)
    ref = run(lab, "n1", "serve", 7777, name="other")  # An undeclared port of its own: nothing of the mesh.
    server = lab.processes("n1")[0]
    caller = call(lab, "c1", "n1", every_s=0.005)
    lab.signal(server, signal.SIGKILL)
    end = wait_event(lab, caller, "end")
    assert end["how"] in ("closed", "ECONNRESET")
    wait_until(lambda: outcome(lab, "c1", "n1") == "refused", within_s=0.5, wanted="refused", every_s=FAST_S)
    assert outcomes(lab, "n2", "n1") == ["refused"]
    lab.signal(ref, signal.SIGKILL)
    run(lab, "n1", "serve", PORT, name="server")
    wait_answers(lab, "c1", "n1")
    wait_answers(lab, "n2", "n1")


def test_a_dial_never_sees_a_killed_server_as_connected(either: Lab) -> None:
    lab = placed(either)
    dialler = run(lab, "c1", "dial", *lab.reach("c1", "n1", PORT), 0.002)
    wait_event(lab, dialler, "dialled", how="answered")
    server = lab.processes("n1")[0]
    lab.signal(server, signal.SIGKILL)
    killed_ns = time.monotonic_ns()
    wait_event(lab, dialler, "dialled", how="ECONNREFUSED", since_ns=killed_ns)
    seen = [one["how"] for one in events(lab, dialler, "dialled", since_ns=killed_ns + 20_000_000)]
    assert set(seen) <= {"ECONNREFUSED"}


def test_dropped_connects_time_out_and_are_never_executed(either: Lab) -> None:
    lab = placed(either)
    rules = cut("c1", "n1", "drop")
    lab.apply(rules)
    server = lab.processes("n1")[0]
    heard = len(events(lab, server, "accepted"))
    assert outcomes(lab, "c1", "n1", "n2") == ["timeout", "answered"]
    assert outcome(lab, "n2", "n1") == "answered"
    lab.withdraw(rules)
    wait_answers(lab, "c1", "n1")
    peers = [one["peer"] for one in events(lab, server, "accepted")[heard:]]
    late = peers.count(lab.reach("n1", "c1", PORT)[0])
    assert late == 1, "the canary after the heal is the only one that arrives"


def test_rejected_connects_are_refused(either: Lab) -> None:
    lab = placed(either)
    rules = cut("c1", "n1", "reject")
    lab.apply(rules)
    assert outcomes(lab, "c1", "n1", "n2") == ["refused", "answered"]
    assert outcome(lab, "n2", "n1") == "answered"
    lab.withdraw(rules)
    wait_answers(lab, "c1", "n1")


@pytest.mark.parametrize("action", ["drop", "reject"])
def test_after_the_heal_every_link_works_at_once(either: Lab, action: str) -> None:
    lab = placed(either)
    rules = [rule for pair in (("c1", "n1"), ("c1", "n2"), ("n1", "n2")) for rule in cut(*pair, action)]
    lab.apply(rules)
    outcomes(lab, "c1", "n1", "n2")
    lab.withdraw(rules)
    healed = time.monotonic()
    for source, targets in (("c1", ("n1", "n2")), ("n1", ("n2",)), ("n2", ("n1",))):
        wait_answers(lab, source, *targets, canary_s=HEALED_MS / 1000)
    assert (time.monotonic() - healed) * 1000 < HEALED_MS + CALM_MS


def standing(lab: Lab, *, every_s: float = 0, feed_s: float = 0) -> tuple[ProcessRef, ProcessRef]:
    """A server and a caller with one connection that stands, and has carried bytes where anybody writes."""
    lab.place([node("n1"), client("c1")])
    server = run(lab, "n1", "serve", PORT, feed_s, name="server")
    wait_event(lab, server, "listening")
    wait_answers(lab, "c1", "n1")
    known = len(events(lab, server, "accepted"))
    caller = call(lab, "c1", "n1", every_s=every_s)
    wait_until(lambda: len(events(lab, server, "accepted")) > known, within_s=5, wanted="accepted")
    if every_s or feed_s:
        wait_event(lab, caller, "got")
    return server, caller


def wait_reset(lab: Lab, ref: ProcessRef, since_ns: int) -> Event:
    """Whichever thread of the process the kernel told: the one that reads or the one that writes."""
    return wait_until(
        lambda: next((one for one in events(lab, ref, since_ns=since_ns) if one.get("how") == "ECONNRESET"), None),
        within_s=5,
        wanted=f"{ref.name} sees ECONNRESET",
        seen=lambda: events(lab, ref, since_ns=since_ns)[-5:],
    )


def test_a_writing_server_sees_the_reset_of_a_rejected_connection(either: Lab) -> None:
    server, _ = standing(either, feed_s=0.005)
    began_ns = time.monotonic_ns()
    either.apply(cut("c1", "n1", "reject"))
    end = wait_reset(either, server, began_ns)
    assert (end["at"] - began_ns) / 1e6 < RESET_MS + CALM_MS


def test_a_writing_client_sees_the_reset_of_a_rejected_connection(either: Lab) -> None:
    _, caller = standing(either, every_s=0.005)
    began_ns = time.monotonic_ns()
    either.apply(cut("c1", "n1", "reject"))
    end = wait_reset(either, caller, began_ns)
    assert (end["at"] - began_ns) / 1e6 < RESET_MS + CALM_MS


def test_an_idle_connection_feels_a_reject_only_with_its_next_bytes(either: Lab) -> None:
    server, caller = standing(either)
    rules = cut("c1", "n1", "reject")
    either.apply(rules)
    assert outcome(either, "c1", "n1") == "refused"
    assert not events(either, caller, "end")
    either.withdraw(rules)
    wait_answers(either, "c1", "n1")
    assert not events(either, caller, "end")
    assert either.state(server) == "running"


def test_a_drop_keeps_the_connection_and_delivers_late(either: Lab) -> None:
    server, caller = standing(either, every_s=0.02)
    rules = cut("c1", "n1", "drop")
    either.apply(rules)
    began_ns = time.monotonic_ns()
    wait_event(either, caller, "sent", since_ns=began_ns + 100_000_000)
    assert not events(either, server, "got", since_ns=began_ns + 20_000_000)
    either.withdraw(rules)
    healed_ns = time.monotonic_ns()
    wait_event(either, server, "got", since_ns=healed_ns)
    sent = [one["number"] for one in events(either, caller, "sent")]
    wait_event(either, caller, "got", since_ns=healed_ns)
    wait_until(lambda: heard_numbers(either, server)[: len(sent)] == sent, within_s=5, wanted="all numbers, in order")
    assert not events(either, caller, "end")


def heard_numbers(lab: Lab, server: ProcessRef) -> list[int]:
    """The numbers that a server was sent by a ``call``, in order of arrival."""
    words = "".join(one["text"] for one in events(lab, server, "got")).split()
    return [int(word) for word in words if word != "ping"]


def test_loss_of_a_tenth_slows_a_connection_and_loses_nothing(either: Lab) -> None:
    server, caller = standing(either, every_s=0.002)
    rules = [Loss(source="c1", target="n1", per_mille=100)]
    either.apply(rules)
    wait_until(lambda: len(events(either, caller, "sent")) > 600, within_s=20, wanted="600 lines sent")
    counted = either.withdraw(rules)
    last = events(either, caller, "sent")[-1]["number"]
    wait_until(lambda: heard_numbers(either, server)[-1:] >= [last], within_s=10, wanted=f"line {last} heard")
    numbers = heard_numbers(either, server)
    assert numbers == list(range(len(numbers)))
    assert counted[0].packets is not None
    assert counted[0].packets >= 1


def test_every_packet_rule_counts_what_it_caught(either: Lab) -> None:
    _, caller = standing(either, every_s=0.005)
    rules: list[LinkRule] = []
    for action, sign in (("drop", "sent"), ("reject", "end")):
        rules = [Gate(source="c1", target="n1", action="drop-new"), Wire(source="c1", target="n1", action=action)]  # type: ignore[arg-type]
        began_ns = time.monotonic_ns()
        either.apply(rules)
        outcome(either, "c1", "n1", within_s=0.05)
        wait_event(either, caller, sign, since_ns=began_ns)
        gate, wire = either.withdraw(rules)
        assert (gate.packets or 0) >= 1
        assert (wire.packets or 0) >= 1
    assert [counter.packets for counter in either.withdraw(rules)] == [None, None], "not in force: nothing to count"


def test_a_wire_one_way_leaves_the_other_way_alone(either: Lab) -> None:
    """Bytes from n1 still arrive at c1; what c1 says does not arrive at n1."""
    server, caller = standing(either, feed_s=0.01)
    writer = call(either, "c1", "n1", every_s=0.01, name="writer")
    wait_event(either, server, "got")
    rules = [Wire(source="c1", target="n1", action="drop")]
    either.apply(rules)
    began_ns = time.monotonic_ns()
    wait_event(either, caller, "got", since_ns=began_ns)
    wait_event(either, writer, "sent", since_ns=began_ns + 50_000_000)
    assert not events(either, server, "got", since_ns=began_ns + 20_000_000)
    either.withdraw(rules)
    wait_event(either, server, "got", since_ns=time.monotonic_ns())


def test_overlapping_rules_are_counted(either: Lab) -> None:
    lab = placed(either)
    rules = cut("c1", "n1", "reject")
    lab.apply(rules)
    lab.apply(rules)
    lab.withdraw(rules)
    assert outcome(lab, "c1", "n1") == "refused", "another fault still needs it"
    lab.withdraw(rules)
    wait_answers(lab, "c1", "n1")
    lab.withdraw(rules)


def test_two_faults_on_one_link_heal_apart(either: Lab) -> None:
    lab = placed(either)
    dropped, rejected = cut("c1", "n1", "drop"), cut("c1", "n1", "reject")
    lab.apply(dropped)
    lab.apply(rejected)
    lab.withdraw(dropped)
    assert outcome(lab, "c1", "n1") == "refused"
    lab.withdraw(rejected)
    wait_answers(lab, "c1", "n1")


def test_rules_that_fail_are_taken_back_whole(either: Lab) -> None:
    lab = placed(either)
    with pytest.raises(UsageError, match="no party named 'n9'"):
        lab.apply([*cut("c1", "n1", "reject"), Wire(source="c1", target="n9", action="drop")])
    with pytest.raises(UsageError, match="two parties"):
        lab.apply([Wire(source="c1", target="c1", action="drop")])
    assert outcome(lab, "c1", "n1") == "answered"


def test_undeclared_traffic_is_counted(either: Lab) -> None:
    lab = placed(either)
    assert set(lab.undeclared().values()) == {0}
    server = run(lab, "n1", "serve", 7999, name="hidden")
    wait_event(lab, server, "listening")
    call_it = run(lab, "c1", "call", lab.reach("c1", "n1", PORT)[0], 7999, name="nosy")
    wait_event(lab, call_it, "connected")
    assert lab.undeclared()["n1"] > 0
    assert lab.undeclared()["n2"] == 0


def test_a_name_server_query_to_a_peer_is_undeclared_traffic(either: Lab) -> None:
    lab = placed(either)
    host, _ = lab.reach("c1", "n2", PORT)
    code = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'?', ({host!r}, 53))"
    lab.spawn("c1", Spawn(name="query", argv=(PYTHON, "-S", "-E", "-c", code)))
    wait_until(lambda: lab.undeclared()["n2"] > 0, within_s=5, wanted="the query is counted")


def test_a_lab_without_a_mesh_has_no_streams(open_lab: OpenLab) -> None:
    lab = open_lab(mesh=False)
    lab.place([node("n1"), client("c1")])
    with pytest.raises(UsageError, match="without a mesh"):
        lab.apply([Closed(source="c1", target="n1")])
