"""
What every provider does alike, whatever its parties are made of: processes, sealed processes, or generators in memory.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.errors import HarnessError, UsageError
from chaos.network.rules import Closed, Gate, LinkRule, Stream, Wire
from chaos.network.toxics import Latency
from chaos.providers import PROVIDERS
from chaos.providers.contract import OBSERVER, Canary, Lab, ProcessRef, Provider, Spawn
from chaos.providers.memory.lab import MemoryLab
from chaos.wait import FAST_S, wait_until
from tests.conformance.conftest import skip_without
from tests.conformance.talk import PING, PORT, PROGRAM, PYTHON, client, node, outcome, outcomes
from tests.conformance.test_points import passed, work

WITHIN_S = 10.0


@pytest.fixture(params=["local", "sealed", "docker", "memory"])
def any_provider(request: pytest.FixtureRequest) -> Provider:
    """Every provider that this machine can do."""
    skip_without(request.param)
    return PROVIDERS[request.param]()


@pytest.fixture
def any_lab(any_provider: Provider, tmp_path: Path) -> Iterator[Lab]:
    """An empty lab."""
    lab = any_provider.open(keep_at=str(tmp_path))
    yield lab
    lab.close()


def serve(lab: Lab, party: str, *, port: int = PORT, name: str = "server") -> ProcessRef:
    """A server in a party, as its provider can run one."""
    if isinstance(lab, MemoryLab):
        spawn = Spawn(name=name, python="tests.conformance.simulated:serve", arguments={"port": port})
    else:
        argv = (PYTHON, "-S", "-E", f"{lab.folder(party)}/peer.py", "serve", str(port))
        spawn = Spawn(name=name, argv=argv, files={"peer.py": PROGRAM})
    return lab.spawn(party, spawn)


def wait_outcome(lab: Lab, source: str, target: str, wanted: str, *, port: int = PORT) -> None:
    wait_until(
        lambda: outcome(lab, source, target, port=port) == wanted,
        within_s=WITHIN_S,
        wanted=f"{source} -> {target}: {wanted}",
        every_s=FAST_S,
    )


@pytest.fixture
def pair(any_lab: Lab) -> Lab:
    """Two servers that answer, and a client."""
    any_lab.place([node("n1"), node("n2")])
    any_lab.place([client("c1")])
    for target in ("n1", "n2"):
        assert outcome(any_lab, "c1", target) == "refused"
        serve(any_lab, target)
        wait_outcome(any_lab, "c1", target, "answered")
    return any_lab


def test_parties_are_named_and_strangers_refused(any_lab: Lab) -> None:
    any_lab.place([node("n1"), client("c1")])
    assert list(any_lab.parties) == ["n1", "c1"]
    with pytest.raises(UsageError, match="already"):
        any_lab.place([node("n1")])
    with pytest.raises(UsageError, match="short host name"):
        any_lab.place([node("N 1")])
    for act in (lambda: any_lab.folder("n9"), lambda: any_lab.freeze("n9"), lambda: any_lab.get("n9", "x")):
        with pytest.raises(UsageError, match="no party named 'n9'; there are: n1, c1"):
            act()


def test_addresses_differ_and_planes_are_kept_apart(any_lab: Lab) -> None:
    any_lab.place([node("n1"), node("n2")])
    assert any_lab.reach("n1", "n2", PORT) != any_lab.reach("n2", "n1", PORT)
    with pytest.raises(UsageError, match="management plane only"):
        any_lab.reach(OBSERVER, "n1", PORT)
    with pytest.raises(UsageError, match="no fault acts there"):
        any_lab.reach("n2", "n1", PORT, "management")


def test_a_program_says_its_words_and_ends_with_its_code(any_lab: Lab) -> None:
    any_lab.place([client("c1")])
    module = "simulated:ends" if isinstance(any_lab, MemoryLab) else "work:answers"
    arguments = {"code": 5, "text": "hello"}
    ref = any_lab.spawn("c1", Spawn(name="short", python=f"tests.conformance.{module}", arguments=arguments))
    wait_until(any_lab.exits, within_s=WITHIN_S, wanted="the end")
    assert [(event.ref, event.code) for event in any_lab.exits()] == [(ref, 5)]
    assert any_lab.log(ref) == b"hello\n"
    assert any_lab.state(ref) == "ended"
    assert any_lab.processes("c1") == []


def test_a_killed_server_is_refused_until_it_is_started_again(pair: Lab) -> None:
    ref = pair.processes("n1")[0]
    pair.signal(ref, signal.SIGKILL)
    wait_until(lambda: pair.state(ref) == "ended", within_s=WITHIN_S, wanted="the end")
    wait_outcome(pair, "c1", "n1", "refused")
    assert [event.code for event in pair.exits()] == [-signal.SIGKILL]
    assert serve(pair, "n1") == ref
    wait_outcome(pair, "c1", "n1", "answered")


def test_a_frozen_party_is_silent_and_goes_on_where_it_was(pair: Lab) -> None:
    assert pair.freeze("n1") == 1
    assert pair.state(pair.processes("n1")[0]) == "stopped"
    assert outcomes(pair, "c1", "n1", "n2") == ["silent", "answered"]
    assert pair.thaw("n1") == 1
    wait_outcome(pair, "c1", "n1", "answered")


@pytest.mark.parametrize(("action", "seen"), [("drop", "timeout"), ("reject", "refused")])
def test_a_partition_bites_counts_and_heals(pair: Lab, action: str, seen: str) -> None:
    ways = (("c1", "n1"), ("n1", "c1"))
    rules: list[LinkRule] = [Gate(source=one, target=two, action=action) for one, two in ways]  # type: ignore[arg-type]
    rules += [Wire(source=one, target=two, action=action) for one, two in ways]  # type: ignore[arg-type]
    pair.apply(rules)
    assert outcomes(pair, "c1", "n1", "n2") == [seen, "answered"]
    assert outcome(pair, "n2", "n1") == "answered"
    counters = pair.withdraw(rules)
    assert [counter.rule for counter in counters] == rules
    assert sum(counter.packets or 0 for counter in counters) >= 1
    wait_outcome(pair, "c1", "n1", "answered")
    assert {counter.packets for counter in pair.withdraw(rules)} == {None}


@pytest.mark.parametrize(("action", "seen"), [("drop", "timeout"), ("reject", "refused")])
def test_a_rule_of_one_port_spares_the_other(any_lab: Lab, action: str, seen: str) -> None:
    """As a gate where it is asked, and as a wire where the answer would arrive."""
    other = PORT + 1
    any_lab.place([node("n1", PORT, other), client("c1")])
    serve(any_lab, "n1")
    serve(any_lab, "n1", port=other, name="other")
    for port in (PORT, other):
        wait_outcome(any_lab, "c1", "n1", "answered", port=port)
    gate = Gate(source="c1", target="n1", action=action, ports=(PORT,))  # type: ignore[arg-type]
    answers = Wire(source="n1", target="c1", action="drop", source_ports=(other,))
    any_lab.apply([gate])
    assert [outcome(any_lab, "c1", "n1", port=port) for port in (PORT, other)] == [seen, "answered"]
    any_lab.apply([answers])
    assert outcome(any_lab, "c1", "n1", port=other) in ("silent", "timeout")
    any_lab.withdraw([gate])
    wait_outcome(any_lab, "c1", "n1", "answered")
    (counter,) = any_lab.withdraw([answers])
    assert (counter.packets or 0) >= 1
    wait_outcome(any_lab, "c1", "n1", "answered", port=other)
    with pytest.raises(UsageError, match="n1 declares no data port 9"):
        any_lab.apply([Closed(source="c1", target="n1", ports=(9,))])


def test_rules_in_force_twice_need_two_withdrawals(pair: Lab) -> None:
    rules = [Closed(source="c1", target="n1")]
    pair.apply(rules)
    pair.apply(rules)
    pair.withdraw(rules)
    assert outcome(pair, "c1", "n1") == "refused"
    pair.withdraw(rules)
    wait_outcome(pair, "c1", "n1", "answered")


def test_latency_delays_by_what_it_says(pair: Lab) -> None:
    rule = Stream(source="c1", target="n1", toxic=Latency(latency_ms=150), direction="upstream")
    pair.apply([rule])
    slow, fast = pair.canaries(
        [Canary(source="c1", target=name, port=PORT, ping=PING, within_s=2) for name in ("n1", "n2")]
    )
    assert slow.outcome == fast.outcome == "answered"
    assert slow.took_ms >= 150 > fast.took_ms
    pair.withdraw([rule])


def test_a_link_needs_two_parties(pair: Lab) -> None:
    with pytest.raises(UsageError, match="two parties"):
        pair.apply([Closed(source="c1", target="c1")])
    with pytest.raises(UsageError, match="no party named 'n9'"):
        pair.apply([Closed(source="c1", target="n9")])


def test_points_are_barriers(any_lab: Lab) -> None:
    any_lab.place([client("c1")])
    if isinstance(any_lab, MemoryLab):
        arguments = {"points": ["checked", "written"], "hold": True}
        ref = any_lab.spawn(
            "c1", Spawn(name="worker", python="tests.conformance.simulated:stands", arguments=arguments)
        )
    else:
        ref = work(any_lab, "c1", ["checked", "written"])
    any_lab.release(ref, "written")
    wait_until(any_lab.points, within_s=WITHIN_S, wanted="the worker stands")
    assert [(event.ref, event.point) for event in any_lab.points()] == [(ref, "checked")]
    any_lab.release(ref, "checked")
    wait_until(lambda: len(any_lab.points()) == 2, within_s=WITHIN_S, wanted="the worker goes on")
    if isinstance(any_lab, MemoryLab):
        wait_until(lambda: b"passed written" in any_lab.log(ref), within_s=WITHIN_S, wanted="the worker goes on")
    else:
        wait_until(lambda: "written" in passed(any_lab, "c1"), within_s=WITHIN_S, wanted="the worker goes on")


def test_files_are_the_partys_own_and_kept_ones_survive(any_provider: Provider, tmp_path: Path) -> None:
    lab = any_provider.open(keep_at=str(tmp_path / "kept"))
    lab.place([node("n1"), node("n2")])
    lab.put("n1", "a/b", b"0123456789")
    assert (lab.get("n1", "a/b"), lab.get("n1", "a/b", 7), lab.get("n2", "a/b")) == (b"0123456789", b"789", b"")
    assert lab.get("n1", f"{lab.folder('n1')}/a/b") == b"0123456789"
    lab.put("n1", "a/c/d", b"x")
    assert (lab.get("n1", "a"), lab.get("n1", "a", 2), lab.get("n1", "a/c")) == (b"b\nc", b"c", b"d")
    lab.put("n1", f"{lab.kept('n1')}/events", b"kept")
    lab.close()
    assert (tmp_path / "kept" / "n1" / "events").read_bytes() == b"kept"
    assert not list((tmp_path / "kept").rglob("b"))


def test_two_labs_do_not_meet(any_provider: Provider, tmp_path: Path) -> None:
    first, second = (any_provider.open(keep_at=str(tmp_path / name)) for name in ("first", "second"))
    try:
        for lab in (first, second):
            lab.place([node("n1"), client("c1")])
        serve(first, "n1")
        wait_outcome(first, "c1", "n1", "answered")
        assert outcome(second, "c1", "n1") == "refused"
        assert first.name != second.name
    finally:
        first.close()
        second.close()


def test_a_closed_lab_stays_closed(any_lab: Lab) -> None:
    any_lab.place([node("n1")])
    any_lab.close()
    any_lab.close()
    with pytest.raises(HarnessError, match="is closed"):
        any_lab.freeze("n1")


def test_a_calm_lab_has_nothing_undeclared_and_nothing_unsettled(pair: Lab) -> None:
    assert dict(pair.undeclared()) == {"n1": 0, "n2": 0, "c1": 0}
    wait_until(lambda: set(pair.unsettled().values()) == {0}, within_s=WITHIN_S, wanted="settled")
