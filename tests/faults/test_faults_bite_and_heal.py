"""Each fault, on a real lab with real servers: it bites, it proves it, it heals, it proves that too."""

import signal
from collections.abc import Callable

import pytest

from chaos.cluster import Node
from chaos.errors import UsageError, VoidRunError
from chaos.faults import (
    Cut,
    FaultPlan,
    Kill,
    Lossy,
    Pause,
    Restart,
    Scene,
    Stop,
    between,
    blackhole,
    isolate,
    limit,
    narrow,
    one_way,
    reset,
    slice_up,
    slow,
    slow_close,
    stall,
)
from chaos.history.live import LiveHistory
from chaos.nemesis import Nemesis
from chaos.network.rules import Gate
from chaos.providers.contract import Canary, Lab, PartySpec, Port, Role, Spawn
from chaos.wait import wait_until

ECHO = """
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
Server(("0.0.0.0", 7000), Echo).serve_forever()
"""
PORT = Port(number=7000, name="echo", ping=b"hello\n")
PAIRS = [("n1", "n2"), ("n2", "n1"), ("c1", "n1"), ("c1", "n2")]


@pytest.fixture
def scene(lab: Lab) -> Scene:
    """Two echo servers and a client's place."""
    lab.place(
        [
            PartySpec(name="n1", ports=(PORT,)),
            PartySpec(name="n2", ports=(PORT,)),
            PartySpec(name="c1", role=Role.APP),
            PartySpec(name="store", role=Role.RESOURCE, ports=(PORT,)),
        ]
    )

    def start(party: str) -> None:
        lab.spawn(party, Spawn(name="echo", argv=("python3", "-S", "-c", ECHO)))

    for party in ("n1", "n2"):
        start(party)
    scene = Scene(lab=lab, restarts={"n1": start, "n2": start})
    wait_until(lambda: set(_outcomes(lab)) == {"answered"}, within_s=10, wanted="the echo servers to answer")
    return scene


def _outcomes(lab: Lab, within_s: float = 0.2) -> list[str]:
    canaries = [Canary(source=a, target=b, port=7000, ping=b"hi\n", within_s=within_s) for a, b in PAIRS]
    return [result.outcome for result in lab.canaries(canaries)]


FAULTS: dict[str, tuple[Callable[[], FaultPlan], list[str] | None]] = {
    "isolate drop": (lambda: isolate("n1"), ["timeout", "timeout", "timeout", "answered"]),
    "isolate reject": (lambda: isolate("n1", mode="reject"), ["refused", "refused", "refused", "answered"]),
    "isolate stall": (lambda: isolate("n1", mode="stall"), ["timeout", "timeout", "timeout", "answered"]),
    "isolate cut": (lambda: isolate("n1", mode="cut"), ["refused", "refused", "refused", "answered"]),
    "isolate with client": (lambda: isolate("n1", "c1"), ["timeout", "timeout", "answered", "timeout"]),
    "between": (lambda: between("n1", "n2"), ["timeout", "timeout", "answered", "answered"]),
    "one way reject": (lambda: one_way("n1", "n2", mode="reject"), ["refused", "timeout", "answered", "answered"]),
    "one way drop": (lambda: one_way("c1", "n1"), ["answered", "answered", "timeout", "answered"]),
    "slow": (lambda: slow("c1", "n1", latency_ms=60), None),
    "narrow": (lambda: narrow("c1", "n1", rate_kb_s=100), None),
    "stall": (lambda: stall("c1", "n1"), ["answered", "answered", "silent", "answered"]),
    "blackhole": (lambda: blackhole("c1", "n1", way="back"), ["answered", "answered", "silent", "answered"]),
    "slice": (lambda: slice_up("c1", "n1", average_bytes=4), None),
    "limit": (lambda: limit("c1", "n1", limit_bytes=1), None),
    "slow close": (lambda: slow_close("c1", "n1", delay_ms=100), None),
    "cut": (lambda: Cut(source="c1", target="n1"), ["answered", "answered", "refused", "answered"]),
    "pause": (lambda: Pause("n1"), ["answered", "silent", "silent", "answered"]),
    "kill": (lambda: Kill("n1"), ["answered", "refused", "refused", "answered"]),
    "stop": (lambda: Stop("n1"), ["answered", "refused", "refused", "answered"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_bites_where_it_should_and_heals(scene: Scene, name: str) -> None:
    """Canaries from every party see exactly the harm that was asked for, and nothing of it afterwards."""
    make, expected = FAULTS[name]
    if name == "pause":
        expected = ["silent" if b == "n1" else "answered" for a, b in PAIRS]
    if name in ("kill", "stop"):
        expected = ["refused" if b == "n1" else "answered" for a, b in PAIRS]
    live = LiveHistory()
    with Nemesis(scene, live, seed=1).inject(make()):
        if expected is not None:
            assert _outcomes(scene.lab) == expected
    assert _outcomes(scene.lab, within_s=1.0) == ["answered"] * 4
    (fault,) = live.faults
    assert fault.begun_ns < (fault.effective_ns or 0) < (fault.healing_ns or 0) < (fault.healed_ns or 0)
    assert fault.evidence


def test_a_reset_is_felt_by_whoever_speaks(scene: Scene) -> None:
    """The first byte of a connection brings it down."""
    with Nemesis(scene, LiveHistory(), seed=1).inject(reset("c1", "n1")):
        assert _outcomes(scene.lab)[2] in ("reset", "closed")
    assert _outcomes(scene.lab, within_s=1.0) == ["answered"] * 4


def test_a_loss_counts_what_it_dropped(scene: Scene) -> None:
    """At half of the packets, twenty connects meet some loss."""
    live = LiveHistory()
    with Nemesis(scene, live, seed=1).inject(Lossy(source="c1", target="n1", percent=50)):
        for _ in range(5):
            _outcomes(scene.lab)
    assert int(str(live.faults[0].evidence["loss_packets"])) > 0


def test_a_loss_that_lost_nothing_is_void(scene: Scene) -> None:
    """Silence proves nothing."""
    nemesis = Nemesis(scene, LiveHistory(), seed=1)
    with (
        pytest.raises(VoidRunError, match=r"before it had dropped a packet"),
        nemesis.inject(Lossy(source="n2", target="c1", percent=0.1)),
    ):
        pass


def test_a_restart_brings_a_new_life_of_the_same_server(scene: Scene) -> None:
    """The old process has ended and the new one answers."""
    live = LiveHistory()
    with Nemesis(scene, live, seed=1).inject(Restart("n1")):
        pass
    assert live.faults[0].evidence["exit_codes"] == [-signal.SIGKILL]
    assert _outcomes(scene.lab, within_s=1.0) == ["answered"] * 4


def test_what_nobody_can_start_again_is_not_restarted(scene: Scene) -> None:
    """Refused before anything is killed."""
    with pytest.raises(UsageError, match="nobody says how to start c1 again"):
        Restart("c1").inject(scene)


def test_a_fault_whose_rules_vanish_is_void(scene: Scene) -> None:
    """A partition that does not partition is neither green nor red."""
    injection = isolate("n1").inject(scene)
    scene.lab.withdraw(injection.rules)
    with pytest.raises(VoidRunError, match="did not bite"):
        injection.prove()


def test_a_failing_block_is_healed_all_the_same(scene: Scene) -> None:
    """The way out does not matter."""
    with pytest.raises(RuntimeError, match="mine"), Nemesis(scene, LiveHistory(), seed=1).inject(isolate("n1")):
        raise RuntimeError("mine")
    assert _outcomes(scene.lab, within_s=1.0) == ["answered"] * 4


def test_a_link_with_two_faults_is_open_when_the_last_is_healed(scene: Scene) -> None:
    """Healing one must not heal the other."""
    rules = [Gate(source="c1", target="n1", action="drop")]
    scene.lab.apply(rules)
    scene.lab.apply(rules)
    scene.lab.withdraw(rules)
    assert _outcomes(scene.lab)[2] == "timeout"
    scene.lab.withdraw(rules)
    assert _outcomes(scene.lab)[2] == "answered"


def test_the_resource_store_is_out_of_reach(scene: Scene) -> None:
    """Verdicts are read from it."""
    with pytest.raises(UsageError, match="resource store"):
        Pause("store").inject(scene)


def test_a_stranger_is_named(scene: Scene) -> None:
    """With those that there are."""
    with pytest.raises(UsageError, match=r"no party named 'n9'.*n1, n2, c1"):
        isolate(Node("n9")).inject(scene)


def test_a_one_way_stall_is_refused() -> None:
    """A stream cannot be cut in half by a proxy that sees both ways."""
    with pytest.raises(UsageError, match="one of drop, reject"):
        isolate("n1", mode="half")  # type: ignore[arg-type]


def test_a_pause_that_missed_one_of_its_parties_is_void(scene: Scene) -> None:
    """Two servers of the same process name: both must stand still."""
    injection = Pause(["n1", "n2"]).inject(scene)
    scene.lab.thaw("n2")
    with pytest.raises(VoidRunError, match=r"did not bite.*n2"):
        injection.prove()
    injection.heal()


def test_a_partition_of_what_was_dead_before_is_void(scene: Scene) -> None:
    """No canary, no proof."""
    with Nemesis(scene, LiveHistory(), seed=1).inject(Kill("n1")):
        injection = between("c1", "n1").inject(scene)
        with pytest.raises(VoidRunError, match="nothing can show"):
            injection.prove()
        injection.heal()


def test_a_restart_bites_from_the_end_of_the_old_process(scene: Scene) -> None:
    """Operations met it while the server was down, not after it was up again."""
    live = LiveHistory()
    with Nemesis(scene, live, seed=1).inject(Restart("n1")):
        pass
    (fault,) = live.faults
    (end,) = [event.at_ns for event in scene.lab.exits() if event.ref.party == "n1"]
    assert fault.begun_ns < (fault.effective_ns or 0)
    assert abs((fault.effective_ns or 0) - end) < 50_000_000


def test_what_is_killed_for_good_stays_down_when_the_fault_heals(scene: Scene) -> None:
    """A machine that does not come back is not waited for."""
    live = LiveHistory()
    with Nemesis(scene, live, seed=1).inject(Kill("n1", for_good=True)):
        pass
    assert scene.lab.processes("n1") == []
    assert live.faults[0].evidence["restarted"] == []
