"""
Rules of some ports only: the other conversations of the same two parties notice nothing, with a mesh and without.
"""

import time

import pytest

from chaos.errors import UsageError
from chaos.network.rules import Closed, Direction, Gate, LinkRule, Stream, Wire
from chaos.network.toxics import Bandwidth, Latency
from chaos.providers.contract import Lab, ProcessRef, Spawn
from chaos.wait import wait_until
from tests.conformance.conftest import OpenLab
from tests.conformance.talk import PORT, call, events, node, outcome, serve, wait_answers, wait_event

SPARED = 7001
WAYS: tuple[Direction, ...] = ("upstream", "downstream")
STALLED = Bandwidth(rate_kb_s=0)


@pytest.fixture(params=[True, False], ids=["mesh", "direct"])
def either(request: pytest.FixtureRequest, open_lab: OpenLab) -> Lab:
    """A lab with a mesh, and one without."""
    return open_lab(mesh=request.param)


def placed(lab: Lab) -> Lab:
    """Two parties that serve two ports each."""
    lab.place([node("n1", PORT, SPARED), node("n2", PORT, SPARED)])
    serve(lab, "n1", "n2")
    serve(lab, "n1", "n2", port=SPARED, name="spared")
    return lab


def hole(action: str, *ports: int) -> list[LinkRule]:
    """Everything between the two that belongs to a conversation with these ports, at either end; none means all."""
    ways = (("n1", "n2"), ("n2", "n1"))
    gates = [Gate(source=one, target=two, action=action, ports=ports) for one, two in ways]  # type: ignore[arg-type]
    wires = [
        Wire(source=one, target=two, action=action, ports=ports, source_ports=ports)  # type: ignore[arg-type]
        for one, two in ways
    ]
    return [*gates, *wires]


def seen(lab: Lab) -> list[str]:
    """Both ways to the first port, then both ways to the second."""
    return [outcome(lab, *way, port=port) for port in (PORT, SPARED) for way in (("n1", "n2"), ("n2", "n1"))]


def callers(lab: Lab) -> dict[tuple[str, int], ProcessRef]:
    """From each party to each port of the other an open connection that goes on talking, by who calls what."""
    found = {}
    for one, two in (("n1", "n2"), ("n2", "n1")):
        for port in (PORT, SPARED):
            found[one, port] = call(lab, one, two, port=port, every_s=0.02, name=f"caller{port}")
            wait_event(lab, found[one, port], "got")
    return found


def wait_all(lab: Lab, refs: list[ProcessRef], event: str, since_ns: int) -> None:
    for ref in refs:
        wait_event(lab, ref, event, since_ns=since_ns)


@pytest.mark.parametrize(("action", "refusal"), [("drop", "timeout"), ("reject", "refused")])
def test_a_hole_for_one_port_spares_the_other(either: Lab, action: str, refusal: str) -> None:
    lab = placed(either)
    rules = hole(action, PORT)
    lab.apply(rules)
    assert seen(lab) == [refusal, refusal, "answered", "answered"]
    counters = lab.withdraw(rules)
    assert all((counter.packets or 0) >= 1 for counter in counters if isinstance(counter.rule, Gate))
    for one, two in (("n1", "n2"), ("n2", "n1")):
        wait_answers(lab, one, two)
    assert seen(lab) == ["answered"] * 4


def test_open_connections_of_the_port_stand_still_and_those_of_the_other_go_on(either: Lab) -> None:
    lab = placed(either)
    open_ = callers(lab)
    cut, spared = [[ref for (_, port), ref in open_.items() if port == one] for one in (PORT, SPARED)]
    rules = hole("drop", PORT)
    lab.apply(rules)
    began_ns = time.monotonic_ns()
    wait_all(lab, spared, "got", began_ns + 150_000_000)
    for ref in cut:
        assert not events(lab, ref, "got", since_ns=began_ns + 20_000_000)
    lab.withdraw(rules)
    wait_all(lab, cut, "got", time.monotonic_ns())
    assert not [event for ref in open_.values() for event in events(lab, ref, "end")]


def test_answers_are_stopped_on_the_wire_by_the_port_they_come_from(either: Lab) -> None:
    """A wire of the servers' side only: n2 still hears n1's lines, and n1 hears no answer."""
    lab = placed(either)
    caller, other = (call(lab, "n1", "n2", port=port, every_s=0.02, name=f"to{port}") for port in (PORT, SPARED))
    back = call(lab, "n2", "n1", every_s=0.02, name="back")
    wait_all(lab, [caller, other, back], "got", 0)
    server = lab.processes("n2")[0]
    rule = Wire(source="n2", target="n1", action="drop", source_ports=(PORT,))
    lab.apply([rule])
    began_ns = time.monotonic_ns()
    wait_all(lab, [server, other, back], "got", began_ns + 100_000_000)
    assert not events(lab, caller, "got", since_ns=began_ns + 20_000_000)
    (counter,) = lab.withdraw([rule])
    assert (counter.packets or 0) >= 1
    wait_event(lab, caller, "got", since_ns=time.monotonic_ns())


@pytest.mark.parametrize("action", ["drop", "reject"])
def test_lines_are_stopped_on_the_wire_by_the_port_they_go_to(either: Lab, action: str) -> None:
    """A wire of the clients' side only: what n1 says as a server, from a port of the same number, still arrives."""
    lab = placed(either)
    caller, other = (call(lab, "n1", "n2", port=port, every_s=0.02, name=f"to{port}") for port in (PORT, SPARED))
    back = call(lab, "n2", "n1", every_s=0.02, name="back")
    wait_all(lab, [caller, other, back], "got", 0)
    server = lab.processes("n2")[0]
    rule = Wire(source="n1", target="n2", action=action, ports=(PORT,))  # type: ignore[arg-type]
    lab.apply([rule])
    began_ns = time.monotonic_ns()
    wait_all(lab, [other, back], "got", began_ns + 100_000_000)
    assert not events(lab, server, "got", since_ns=began_ns + 20_000_000)
    (counter,) = lab.withdraw([rule])
    assert (counter.packets or 0) >= 1
    assert not [event for ref in (other, back) for event in events(lab, ref, "end")]


def test_a_reject_of_one_port_ends_its_open_connections_only(either: Lab) -> None:
    """Mostly by a reset; between two that dial one another now and then politely, which is the price of decision 8."""
    lab = placed(either)
    open_ = callers(lab)
    rules = hole("reject", PORT)
    lab.apply(rules)
    began_ns = time.monotonic_ns()
    for (_, port), ref in open_.items():
        if port == PORT:
            wait_until(
                lambda ref=ref: [one for one in events(lab, ref) if one.get("how") in ("ECONNRESET", "closed")],  # type: ignore[misc]
                within_s=5,
                wanted=f"{ref.party}/{ref.name} sees its connection end",
                seen=lambda ref=ref: events(lab, ref)[-3:],  # type: ignore[misc]
            )
    spared = [ref for (_, port), ref in open_.items() if port == SPARED]
    wait_all(lab, spared, "got", began_ns)
    lab.withdraw(rules)
    assert not [event for ref in spared for event in events(lab, ref, "end")]


@pytest.mark.parametrize("action", ["drop", "reject"])
def test_a_server_that_talks_unasked_is_not_heard_from_its_cut_port(either: Lab, action: str) -> None:
    """Nobody writes but the servers, so what their ports send is all that there is to stop."""
    lab = either
    lab.place([node("n1"), node("n2", PORT, SPARED)])
    (server,) = serve(lab, "n2", feed_s=0.01)
    serve(lab, "n2", port=SPARED, feed_s=0.01, name="spared")
    caller, other = (call(lab, "n1", "n2", port=port, name=f"to{port}") for port in (PORT, SPARED))
    wait_all(lab, [caller, other], "got", 0)
    rules = hole(action, PORT)
    asked_ns = time.monotonic_ns()
    lab.apply(rules)
    began_ns = time.monotonic_ns()
    if action == "reject":
        wait_until(
            lambda: [one for one in events(lab, server, since_ns=asked_ns) if one.get("how") == "ECONNRESET"],
            within_s=5,
            wanted="the server sees the reset",
        )
    wait_event(lab, other, "got", since_ns=began_ns + 1_000_000_000)  # Where an ack was lost first, all waits a while.
    assert not events(lab, caller, "got", since_ns=began_ns + 20_000_000)
    answers = lab.withdraw(rules)[-1]
    assert (answers.packets or 0) >= 1
    assert not events(lab, other, "end")


@pytest.mark.parametrize("whole_first", [True, False])
@pytest.mark.parametrize("whole_heals_first", [True, False])
@pytest.mark.parametrize(("action", "refusal"), [("drop", "timeout"), ("reject", "refused")])
def test_a_whole_hole_and_one_of_a_port_heal_apart(
    either: Lab, action: str, refusal: str, whole_first: bool, whole_heals_first: bool
) -> None:
    lab = placed(either)
    whole, one = hole(action), hole(action, PORT)
    for rules in (whole, one) if whole_first else (one, whole):
        lab.apply(rules)
    assert seen(lab) == [refusal] * 4
    lab.withdraw(whole if whole_heals_first else one)
    assert seen(lab) == ([refusal, refusal, "answered", "answered"] if whole_heals_first else [refusal] * 4)
    lab.withdraw(one if whole_heals_first else whole)
    assert seen(lab) == ["answered"] * 4


def test_what_rules_share_is_counted_for_each_while_it_is_in_force(either: Lab) -> None:
    """One connect to each port before the second rule comes, one while both stand, one after the first has gone."""
    lab = placed(either)
    whole = Gate(source="n1", target="n2", action="reject")
    one = Gate(source="n1", target="n2", action="reject", ports=(PORT,))

    def knock() -> None:
        assert [outcome(lab, "n1", "n2", port=port) for port in (PORT, SPARED)] == ["refused", "refused"]

    lab.apply([whole])
    knock()
    lab.apply([one])
    knock()
    assert [counter.packets for counter in lab.withdraw([whole])] == [4]
    assert outcome(lab, "n1", "n2") == "refused"
    assert [counter.packets for counter in lab.withdraw([one])] == [2]
    assert seen(lab) == ["answered"] * 4


@pytest.mark.parametrize("whole_heals_first", [True, False])
def test_closed_proxies_and_toxics_of_a_port_and_of_all_heal_apart(lab: Lab, whole_heals_first: bool) -> None:
    placed(lab)

    def rules(*ports: int) -> list[LinkRule]:
        toxic = Latency(latency_ms=1)
        return [
            Closed(source="n1", target="n2", ports=ports),
            Stream(source="n2", target="n1", toxic=toxic, direction="upstream", ports=ports),
        ]

    whole, one = rules(), rules(PORT)
    lab.apply(whole)
    lab.apply(one)
    lab.withdraw(whole if whole_heals_first else one)
    assert seen(lab) == ["refused", "answered", "answered" if whole_heals_first else "refused", "answered"]
    lab.withdraw(one if whole_heals_first else whole)
    assert seen(lab) == ["answered"] * 4


def test_a_stall_of_one_port_holds_its_bytes_only(lab: Lab) -> None:
    placed(lab)
    open_ = callers(lab)
    cut, spared = [[ref for (_, port), ref in open_.items() if port == one] for one in (PORT, SPARED)]
    rules: list[LinkRule] = []
    for one, two in (("n1", "n2"), ("n2", "n1")):
        rules.append(Gate(source=one, target=two, action="drop-new", ports=(PORT,)))
        for way in WAYS:
            rules.append(Stream(source=one, target=two, toxic=STALLED, direction=way, ports=(PORT,)))
    lab.apply(rules)
    began_ns = time.monotonic_ns()
    assert seen(lab) == ["timeout", "timeout", "answered", "answered"]
    wait_all(lab, spared, "got", began_ns + 150_000_000)
    for ref in cut:
        assert not events(lab, ref, "got", since_ns=began_ns + 20_000_000)
    lab.withdraw(rules)
    wait_all(lab, cut, "got", time.monotonic_ns() - 50_000_000)
    assert not [event for ref in open_.values() for event in events(lab, ref, "end")]


def test_a_port_that_is_not_declared_is_refused(lab: Lab) -> None:
    lab.place([node("n1"), node("n2")])
    with pytest.raises(UsageError, match="n2 declares no data port 7009"):
        lab.apply([Gate(source="n1", target="n2", action="drop", ports=(PORT, 7009))])


def test_no_client_is_given_a_port_that_its_own_party_serves(lab: Lab) -> None:
    """Its lines would look like answers from that port, and be cut with them."""
    lab.place([node("n1", PORT, 40000)])
    ref = lab.spawn("n1", Spawn(name="asker", argv=("cat", "/proc/sys/net/ipv4/ip_local_reserved_ports")))
    wait_until(
        lambda: lab.log(ref) == b"7000,40000\n", within_s=5, wanted="both are reserved", seen=lambda: lab.log(ref)
    )
