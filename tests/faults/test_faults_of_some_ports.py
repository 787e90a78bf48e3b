"""Faults that are limited to some declared ports, on a real lab: exactly these are harmed, and the fault proves both."""

from collections.abc import Callable, Mapping

import pytest

from chaos.errors import UsageError, VoidRunError
from chaos.faults import (
    Cut,
    FaultPlan,
    Scene,
    between,
    blackhole,
    bridge,
    halves,
    isolate,
    limit,
    narrow,
    one_way,
    reset,
    ring,
    slice_up,
    slow,
    slow_close,
    stall,
)
from chaos.history.live import LiveHistory
from chaos.nemesis import Nemesis
from chaos.network.rules import Closed, Gate, Wire
from chaos.network.toxics import Latency
from chaos.providers.contract import Canary, Lab, PartySpec, Port, Role, Spawn
from chaos.wait import wait_until

ECHO = """
import socketserver, sys, threading
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
servers = [Server(("0.0.0.0", int(port)), Echo) for port in sys.argv[1:]]
threads = [threading.Thread(target=server.serve_forever) for server in servers]
for thread in threads:
    thread.start()
"""
PORTS = {"n1": (7001, 7002), "n2": (7001, 7003)}
"""The replication ports have the same name and, as in a lab of unlike brokers, not the same number."""
PAIRS = [(a, b, port) for a, b in (("n1", "n2"), ("n2", "n1"), ("c1", "n1")) for port in PORTS[b]]
"""In this order: n1 asks n2's client and replication port, n2 asks n1's, c1 asks n1's."""
WELL = ["answered"] * 6


@pytest.fixture
def scene(lab: Lab) -> Scene:
    """Two servers with a port for clients and one for each other, and a client's place."""
    specs = []
    for party, (own, replication) in PORTS.items():
        ports = (
            Port(number=own, name="client", ping=b"hello\n"),
            Port(number=replication, name="replication", ping=b"hello\n"),
            Port(number=7999, name="probe", plane="management"),
        )
        specs.append(PartySpec(name=party, ports=ports))
    lab.place([*specs, PartySpec(name="c1", role=Role.APP)])
    for party, numbers in PORTS.items():
        lab.spawn(party, Spawn(name="echo", argv=("python3", "-S", "-c", ECHO, *map(str, numbers))))
    wait_until(lambda: _outcomes(lab) == WELL, within_s=10, wanted="the echo servers to answer")
    return Scene(lab=lab)


def _outcomes(lab: Lab, within_s: float = 0.2) -> list[str]:
    canaries = [Canary(source=a, target=b, port=port, ping=b"hi\n", within_s=within_s) for a, b, port in PAIRS]
    return [result.outcome for result in lab.canaries(canaries)]


def harmed(outcome: str) -> list[str]:
    """What is seen when each conversation with a replication port ends like this, and no other."""
    return ["answered", outcome] * 3


FAULTS: Mapping[str, tuple[Callable[[], FaultPlan], list[str] | None, str, int]] = {
    "isolate drop": (
        lambda: isolate("n1", ports="replication"),
        harmed("timeout"),
        "drop on replication (7002, 7003)",
        3,
    ),
    "isolate reject": (
        lambda: isolate("n1", mode="reject", ports=("replication",)),
        harmed("refused"),
        "reject on replication (7002, 7003)",
        3,
    ),
    "isolate stall": (
        lambda: isolate("n1", mode="stall", ports=("replication",)),
        harmed("timeout"),
        "stall on replication (7002, 7003)",
        3,
    ),
    "isolate cut": (
        lambda: isolate("n1", mode="cut", ports=("replication",)),
        harmed("refused"),
        "cut on replication (7002, 7003)",
        3,
    ),
    "between, a name": (
        lambda: between("n1", "n2", ports=("replication",)),
        ["answered", "timeout", "answered", "timeout", "answered", "answered"],
        "drop on replication (7002, 7003)",
        2,
    ),
    "between, a number of one": (
        lambda: between("n1", ["n2", "c1"], ports=7002),
        ["answered", "answered", "answered", "timeout", "answered", "timeout"],
        "drop on replication (7002)",
        4,
    ),
    "between, all by name": (
        lambda: between("n1", "n2", ports=("client", 7002, 7003)),
        [*["timeout"] * 4, "answered", "answered"],
        "drop on client (7001), replication (7002, 7003)",
        0,
    ),
    "one way drop": (
        lambda: one_way("n1", "n2", ports=("replication",)),
        ["answered", "timeout", "answered", "timeout", "answered", "answered"],
        "drop on replication (7002, 7003)",
        2,
    ),
    "one way reject": (
        lambda: one_way("n1", "n2", mode="reject", ports="replication"),
        ["answered", "refused", "answered", "timeout", "answered", "answered"],
        "reject on replication (7002, 7003)",
        2,
    ),
    "slow": (
        lambda: slow("c1", "n1", latency_ms=60, ports=7002),
        None,
        "latency (latency_ms=60) on replication (7002)",
        1,
    ),
    "narrow": (lambda: narrow("c1", "n1", rate_kb_s=100, ports=7002), None, " on replication (7002)", 1),
    "stall": (lambda: stall("c1", "n1", ports=7002), [*WELL[:5], "silent"], " on replication (7002)", 1),
    "blackhole": (
        lambda: blackhole("c1", "n1", way="back", ports="client"),
        [*WELL[:4], "silent", "answered"],
        " on client (7001)",
        1,
    ),
    "slice": (lambda: slice_up("c1", "n1", average_bytes=4, ports=7002), None, " on replication (7002)", 1),
    "limit": (
        lambda: limit("c1", "n1", limit_bytes=0, ports=7002),
        [*WELL[:5], "closed"],
        " on replication (7002)",
        1,
    ),
    "slow close": (lambda: slow_close("c1", "n1", delay_ms=100, ports=7002), None, " on replication (7002)", 1),
    "cut": (lambda: Cut(source="c1", target="n1", ports=7002), [*WELL[:5], "refused"], "on replication (7002)", 1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_harms_its_ports_and_no_other(scene: Scene, name: str) -> None:
    """Both ways and in each of its parties; what it spares answers, which it proves itself, and it says which it hit."""
    make, expected, mode, spared = FAULTS[name]
    live = LiveHistory()
    with Nemesis(scene, live, seed=1).inject(make()):
        if expected is not None:
            assert _outcomes(scene.lab) == expected
    assert _outcomes(scene.lab, within_s=1.0) == WELL
    (fault,) = live.faults
    assert (fault.mode or "").endswith(mode)
    assert fault.evidence["spared"] == spared


def test_a_reset_of_one_port_leaves_the_other(scene: Scene) -> None:
    """Whoever speaks to the other is answered."""
    with Nemesis(scene, LiveHistory(), seed=1).inject(reset("c1", "n1", ports="replication")):
        *others, last = _outcomes(scene.lab)
        assert others == WELL[:5]
        assert last in ("reset", "closed")


def test_an_unlimited_fault_says_nothing_of_ports(scene: Scene) -> None:
    """As before."""
    live = LiveHistory()
    with Nemesis(scene, live, seed=1).inject(isolate("n1")):
        assert _outcomes(scene.lab) == ["timeout"] * 6
    assert live.faults[0].mode == "drop"
    assert "spared" not in live.faults[0].evidence


def test_a_whole_partition_inside_one_of_a_port_heals_alone(scene: Scene) -> None:
    """What the inner one leaves, the outer one still cuts."""
    nemesis = Nemesis(scene, LiveHistory(), seed=1)
    with nemesis.inject(isolate("n1", ports="replication")):
        with nemesis.inject(isolate("n1")):
            assert _outcomes(scene.lab) == ["timeout"] * 6
        assert _outcomes(scene.lab) == harmed("timeout")
    assert _outcomes(scene.lab, within_s=1.0) == WELL


@pytest.mark.parametrize(
    "one", [isolate("n1", ports="nobody"), slow("c1", ["n1", "n2"], latency_ms=9, ports=("client", 5))]
)
def test_a_port_that_no_target_declares_is_named_with_those_that_there_are(scene: Scene, one: FaultPlan) -> None:
    """Before anything is harmed; a management port is none, since no fault acts there."""
    there = r"client \(7001\), replication \(7002, 7003\)$"
    with pytest.raises(UsageError, match=rf"^no port of .*n1, n2 is called ('nobody'|5); there are: {there}"):
        one.inject(scene)
    with pytest.raises(UsageError, match="no port of n1 is called 'probe'"):
        Cut(source="c1", target="n1", ports="probe").inject(scene)
    with pytest.raises(UsageError, match="no port of c1 is called 'client'; there are: none"):
        Cut(source="n1", target="c1", ports="client").inject(scene)


def test_a_fault_that_cut_too_much_is_void(scene: Scene) -> None:
    """A rule that goes beyond the chosen ports spoils the experiment."""
    injection = between("n1", "n2", ports="replication").inject(scene)
    beyond = [Wire(source="n1", target="n2", action="drop")]
    scene.lab.apply(beyond)
    with pytest.raises(
        VoidRunError, match=r"cut too much: .* from every port that it spares, saw n1 to n2:7001 silent"
    ):
        injection.prove()
    scene.lab.withdraw(beyond)
    assert injection.prove()["spared"] == 2
    injection.heal()


def test_a_fault_that_cut_one_port_too_few_is_void(scene: Scene) -> None:
    """Each chosen port must refuse."""
    injection = between("n1", "n2", ports=("replication", "client")).inject(scene)
    scene.lab.withdraw([rule for rule in injection.rules if isinstance(rule, Gate) and rule.target == "n1"])
    scene.lab.withdraw([rule for rule in injection.rules if isinstance(rule, Wire)])
    scene.lab.apply([Gate(source="n2", target="n1", action="drop", ports=(7002,))])
    with pytest.raises(VoidRunError, match=r"did not bite: .*saw n2 to n1:7001 answered$"):
        injection.prove()


def test_a_latency_on_a_spared_port_is_void(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers, but as late as the port that was meant."""
    monkeypatch.setattr("chaos.faults.streams.SPARED_S", 0.3)
    injection = slow("c1", "n1", latency_ms=60, ports="replication").inject(scene)
    scene.lab.apply([beyond := Closed(source="c1", target="n2")])
    assert injection.prove()["spared"] == 1
    scene.lab.withdraw([beyond])
    injection.heal()
    injection = slow("c1", "n1", latency_ms=60, ports="replication").inject(scene)
    scene.lab.withdraw(injection.inner.rules)  # type: ignore[union-attr]
    whole = slow("c1", "n1", latency_ms=60).inject(scene)
    with pytest.raises(
        VoidRunError, match="wanted: an answer without the latency from every port that c1 -> n1 spares"
    ):
        injection.prove()
    whole.heal()


def test_a_port_that_was_slow_before_is_spared_only_while_it_gets_no_slower(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another fault's latency is no sign of this one's."""
    monkeypatch.setattr("chaos.faults.streams.SPARED_S", 0.5)
    before = slow("c1", "n1", latency_ms=80).inject(scene)
    injection = slow("c1", "n1", latency_ms=60, ports="replication").inject(scene)
    assert injection.prove()["spared"] == 1
    more = slow("c1", "n1", latency_ms=60, ports="client").inject(scene)
    with pytest.raises(VoidRunError, match=r"an answer without the latency .*last seen: n1:7001 late"):
        injection.prove()
    for each in (more, injection, before):
        each.heal()


def test_every_partition_takes_ports() -> None:
    """And keeps them as they were given."""
    for plan in (
        isolate("n1", ports=7),
        between("n1", "n2", ports=7),
        one_way("n1", "n2", ports=7),
        halves("n1", "n2", ports=7),
        bridge("n1", "n2", "n3", ports=7),
        ring("n1", "n2", ports=7),
    ):
        assert plan.ports == 7
    assert slow("n1", "n2", latency_ms=1, ports="x").toxic == Latency(latency_ms=1)
