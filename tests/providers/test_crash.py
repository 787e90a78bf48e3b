"""
However the test process, the janitor or the init end: nothing of a lab is left.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaos.errors import ProviderError
from chaos.providers.contract import Lab
from chaos.providers.local import LocalProvider, heal
from chaos.providers.local.engine import runtime_root
from chaos.wait import wait_until
from tests.conformance.talk import client, node, run, serve
from tests.providers import inspection

SEED = int(os.environ.get("CHAOS_CRASH_SEED", "20260101"))
MOMENTS = int(os.environ.get("CHAOS_CRASH_MOMENTS", "5"))
GONE_S = 2.0
"""What is promised: so long after a kill, nothing is left."""


def moments() -> list[float]:
    """When to kill, in seconds after the first lab began; the same for the same seed."""
    chosen = random.Random(SEED)
    return [round(chosen.uniform(0.0, 1.5), 3) for _ in range(MOMENTS)]


@pytest.mark.parametrize("provider", ["local", "sealed"])
@pytest.mark.parametrize("after_s", moments())
def test_a_killed_test_process_leaves_nothing(
    local: LocalProvider, tmp_path: Path, provider: str, after_s: float
) -> None:
    temporary, said = tmp_path / "tmp", tmp_path / "said"
    temporary.mkdir()
    victim = Path(__file__).with_name("victim.py")
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(victim), provider, str(tmp_path / "kept")],
            stdout=output,
            stderr=output,
            env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(Path.cwd())},
        )
    try:
        wait_until(lambda: b"open" in said.read_bytes(), within_s=10, wanted="the first lab begins", every_s=0.002)
        deadline = time.monotonic() + after_s
        wait_until(lambda: time.monotonic() >= deadline, within_s=after_s + 1, wanted="the moment", every_s=0.001)
    finally:
        process.kill()
        process.wait()
    assert b"Traceback" not in said.read_bytes(), said.read_text()
    began = time.monotonic()
    wait_until(
        lambda: not inspection.holders(str(temporary)) and not list(temporary.glob("chaos-*/lab-*")),
        within_s=GONE_S,
        wanted=f"nothing left of {temporary}, killed during: {said.read_text().split()[-1]}",
        seen=lambda: (inspection.holders(str(temporary)), list(temporary.rglob("lab-*"))),
    )
    took_s = time.monotonic() - began
    assert took_s < GONE_S
    assert str(temporary) not in Path("/proc/mounts").read_text()


def test_a_killed_janitor_takes_its_lab_along(lab: Lab) -> None:
    lab.place([node("n1"), client("c1")])
    serve(lab, "n1")
    os.kill(inspection.janitor(lab), signal.SIGKILL)
    wait_until(lambda: not inspection.holders(lab.name) - _zombies(), within_s=GONE_S, wanted="all ended")
    with pytest.raises(ProviderError, match=r"n1: its agent (has ended|is gone)"):
        lab.freeze("n1")
    with pytest.raises(ProviderError, match=r"is gone|has ended"):
        lab.place([node("n2")])
    lab.close()
    assert not (runtime_root() / lab.name).exists()


def test_a_killed_init_takes_its_lab_along(lab: Lab) -> None:
    lab.place([node("n1")])
    run(lab, "n1", "family")
    (init,) = inspection.children(inspection.janitor(lab))
    os.kill(init, signal.SIGKILL)
    wait_until(lambda: not (runtime_root() / lab.name).exists(), within_s=GONE_S, wanted="the folder is gone")
    with pytest.raises(ProviderError, match="agent"):
        lab.freeze("n1")


def test_a_killed_agent_is_named(lab: Lab) -> None:
    lab.place([node("n1"), node("n2")])
    run(lab, "n1", "family")
    agent = min(
        pid for pid in inspection.children(inspection.children(inspection.janitor(lab))[0]) if _is_agent(lab, pid, "n1")
    )
    os.kill(agent, signal.SIGKILL)
    with pytest.raises(ProviderError, match=r"n1: its agent (has ended|is gone)"):
        lab.freeze("n1")
    assert lab.freeze("n2") == 0


def test_what_a_killed_janitor_left_is_healed_and_labs_in_use_are_not(
    local: LocalProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    used = local.open(keep_at=str(tmp_path / "used"), mesh=False)
    broken = local.open(keep_at=str(tmp_path / "broken"), mesh=False)
    try:
        pid = inspection.janitor(broken)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not inspection.holders(broken.name) - _zombies(), within_s=5, wanted="ended")
        assert heal() == [f"{broken.name}: left-over lab removed"]
        assert [folder.name for folder in runtime_root().iterdir()] == [used.name]
    finally:
        used.close()
        broken.close()


def test_a_lab_that_is_just_being_made_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    young, old = (runtime_root() / name for name in ("lab-young", "lab-old"))
    for folder in (young, old):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    assert heal() == ["lab-old: left-over lab removed"]
    assert young.exists()


def _zombies() -> set[int]:
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def _is_agent(lab: Lab, pid: int, party: str) -> bool:
    proxy = inspection.proxy(lab, party)
    return Path(f"/proc/{pid}/ns/net").stat().st_ino == Path(f"/proc/{proxy}/ns/net").stat().st_ino and pid != proxy
