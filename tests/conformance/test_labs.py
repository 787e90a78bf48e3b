"""
A lab's life: parties in batches, two labs side by side, and an end that leaves nothing.
"""

import os
import signal
import time
from pathlib import Path

import pytest

from chaos.errors import HarnessError, UsageError
from chaos.providers.contract import Lab, Provider
from chaos.providers.local.engine import runtime_root
from chaos.wait import wait_until
from tests.conformance.conftest import OpenLab
from tests.conformance.talk import call, client, events, node, outcome, outcomes, run, serve, wait_answers, wait_event

CLOSED_S = 2.0


def descendants(root: int) -> set[int]:
    """All processes below one, on this machine."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    found, new = {root}, {root}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new}
        found |= new
    return found


def janitor_of(lab: Lab) -> int:
    """The process on this machine under which all of a lab runs."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if lab.name.encode() in (entry / "cmdline").read_bytes():
                    return int(entry.name)
            except OSError:
                continue
    raise AssertionError(f"no process of {lab.name} found")


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def test_parties_placed_in_batches_reach_one_another(lab: Lab) -> None:
    lab.place([node("n1"), node("n2")])
    serve(lab, "n1", "n2")
    standing = call(lab, "n1", "n2", every_s=0.01)
    lab.place([node("n3"), client("c1")])
    assert outcomes(lab, "c1", "n1", "n2") == ["answered", "answered"], "what was open is known to be open at once"
    assert outcomes(lab, "n1", "n3") == ["refused"]
    serve(lab, "n3")
    lab.place([client("c2")])
    for source in ("n1", "n2", "c1", "c2"):
        wait_answers(lab, source, "n3")
    assert list(lab.parties) == ["n1", "n2", "n3", "c1", "c2"]
    assert not events(lab, standing, "end"), "newcomers must not touch connections that stand"
    assert set(lab.undeclared().values()) == {0}


@pytest.mark.parametrize("name", ["", "N1", "1n", "n 1", "n/1", "observer", "localhost", "x" * 40])
def test_a_name_that_is_no_host_name_is_refused(lab: Lab, name: str) -> None:
    with pytest.raises(UsageError, match="short host name"):
        lab.place([node(name)])


def test_a_party_cannot_be_placed_twice(lab: Lab) -> None:
    lab.place([node("n1")])
    for specs in ([node("n1")], [node("n2"), node("n2")]):
        with pytest.raises(UsageError, match="already"):
            lab.place(specs)
    assert list(lab.parties) == ["n1"]


def test_an_unknown_party_is_named_with_those_that_exist(lab: Lab) -> None:
    lab.place([node("n1")])
    with pytest.raises(UsageError, match="no party named 'n2'; there are: n1"):
        lab.folder("n2")


def test_two_labs_do_not_disturb_one_another(provider: Provider, open_lab: OpenLab, tmp_path: Path) -> None:
    """Even where their addresses are equal, as in namespaces they are."""
    first, second = (open_lab(keep_at=tmp_path / name) for name in ("first", "second"))
    for lab in (first, second):
        lab.place([node("n1"), node("n2")])
    assert (first.reach("n1", "n2", 7000) == second.reach("n1", "n2", 7000)) is (provider.name != "docker")
    servers = serve(first, "n1")
    assert outcome(first, "n2", "n1") == "answered"
    assert outcome(second, "n2", "n1") == "refused"
    serve(second, "n1")
    first.signal(servers[0], signal.SIGKILL)
    assert first.name != second.name
    first.close()
    assert outcome(second, "n2", "n1") == "answered"


def test_closing_is_quick_leaves_nothing_and_can_be_repeated(provider: Provider, tmp_path: Path) -> None:
    if provider.name == "docker":
        pytest.skip("a container is no process of this machine: tests/providers/test_docker.py looks for what is left")
    lab = provider.open(keep_at=str(tmp_path))
    lab.place([node("n1"), node("n2"), client("c1")])
    serve(lab, "n1", "n2")
    wait_event(lab, run(lab, "c1", "family"), "daemon")
    lab.freeze("n1")
    lab.reach("observer", "n1", 7000, "management")
    pids = descendants(janitor_of(lab))
    assert len(pids) > 10
    began = time.monotonic()
    lab.close()
    assert time.monotonic() - began < CLOSED_S
    lab.close()
    assert not alive(pids)
    assert not (runtime_root() / lab.name).exists()
    assert lab.name not in Path("/proc/mounts").read_text()
    assert not [fd for fd in own_descriptors() if _link(fd).startswith("net:")]


def test_a_closed_lab_says_that_it_is_closed(lab: Lab) -> None:
    lab.place([node("n1")])
    lab.close()
    with pytest.raises(HarnessError, match="is closed"):
        lab.freeze("n1")


def test_the_test_process_keeps_no_descriptor_of_a_closed_lab(provider: Provider, tmp_path: Path) -> None:
    def cycle() -> int:
        lab = provider.open(keep_at=str(tmp_path))
        lab.place([node("n1"), client("c1")])
        lab.reach("observer", "n1", 7000, "management")
        lab.close()
        return len(own_descriptors())

    assert cycle() == cycle()


def test_the_end_of_every_process_is_seen_by_its_name(lab: Lab) -> None:
    lab.place([node("n1"), node("n2")])
    refs = serve(lab, "n1", "n2")
    for ref in refs:
        lab.signal(ref, signal.SIGTERM)
    wait_until(lambda: len(lab.exits()) == 2, within_s=5, wanted="two ends")
    assert {event.ref for event in lab.exits()} == set(refs)
    assert {event.code for event in lab.exits()} == {-signal.SIGTERM}
    assert all(0 < time.monotonic_ns() - event.at_ns < 60e9 for event in lab.exits())


def own_descriptors() -> list[str]:
    return [entry.name for entry in Path("/proc/self/fd").iterdir()]


def _link(fd: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115 - "net:[1]" is no path.
    except OSError:
        return ""
