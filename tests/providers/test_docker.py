"""
Labs of containers on a real engine: however the test process ends nothing is left, and nothing of anybody else is touched.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("docker")
pytest.importorskip("testcontainers")

from docker import APIClient
from docker.errors import APIError

from chaos.errors import LeftBehindWarning, MissingAbilityError, MissingSoftwareError, ProviderError
from chaos.providers.contract import OBSERVER, Lab, PartySpec, Port, Spawn
from chaos.providers.docker import DockerProvider, clean, connection, heal, recipes
from chaos.systems.redis import HARDENED, start_redis
from chaos.wait import wait_until
from tests.conformance.talk import client, node, run, serve, wait_event
from tests.providers.inspection import left

pytestmark = pytest.mark.usefixtures("engine")
SEED = int(os.environ.get("CHAOS_CRASH_SEED", "20260101"))
MOMENTS = int(os.environ.get("CHAOS_DOCKER_MOMENTS", "2"))
GONE_S = 5.0
"""What is promised: so long after a kill, nothing is left."""


@pytest.fixture
def lab(engine: None, tmp_path: Path) -> Iterator[Lab]:
    """An empty lab."""
    opened = DockerProvider().open(keep_at=str(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def strangers(engine: None) -> Iterator[list[str]]:
    """Two containers of somebody else, one of them made with Testcontainers."""
    api = connection.connect()
    made = [
        api.create_container(recipes.SIDECAR, ["sleep", "600"], labels=labels)["Id"]
        for labels in ({}, {"org.testcontainers": "true", "middleware": "chaos"})
    ]
    for one in made:
        api.start(one)
    yield made
    for one in made:
        api.remove_container(one, force=True)


def moments() -> list[float]:
    """When to kill, in seconds after the first lab began, half of them while its janitor is made; the same for the same seed."""
    chosen = random.Random(SEED)
    return [round(chosen.uniform(0.0, until_s), 3) for until_s in (6.0, 0.6) for _ in range(MOMENTS)]


@pytest.mark.parametrize("after_s", moments())
def test_a_killed_test_process_leaves_nothing_and_touches_no_stranger(
    tmp_path: Path, strangers: list[str], after_s: float
) -> None:
    said = tmp_path / "said"
    victim = Path(__file__).with_name("victim.py")
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(victim), "docker", str(tmp_path / "kept")],
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
    try:
        wait_until(lambda: b"open" in said.read_bytes(), within_s=20, wanted="the first lab begins", every_s=0.002)
        deadline = time.monotonic() + after_s
        wait_until(lambda: time.monotonic() >= deadline, within_s=after_s + 1, wanted="the moment", every_s=0.001)
    finally:
        process.kill()
        process.wait()
    assert b"Traceback" not in said.read_bytes(), said.read_text()
    owner = f"{connection.OWNER}={process.pid}"
    wait_until(
        lambda: not left(owner),
        within_s=GONE_S,
        wanted=f"nothing left of a lab killed during: {said.read_text().split()[-1]}",
        seen=lambda: left(owner),
    )
    states = [connection.connect().inspect_container(one)["State"]["Running"] for one in strangers]
    assert states == [True, True]


def test_a_closed_lab_leaves_nothing(tmp_path: Path) -> None:
    lab = DockerProvider().open(keep_at=str(tmp_path))
    label = f"{connection.LAB}={lab.name}"
    lab.place([node("n1"), client("c1")])
    wait_event(lab, run(lab, "n1", "family"), "daemon")
    lab.freeze("n1")
    assert len(left(label)) == 6, "two containers, two networks, two volumes"
    lab.close()
    assert left(label) == []


def test_an_engine_that_holds_on_to_an_empty_network_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing runs in it, and the lab's verdict is sound; ``chaos heal`` says it, too."""
    lab = DockerProvider().open(keep_at=str(tmp_path))
    label = f"{connection.LAB}={lab.name}"
    lab.place([node("n1")])

    def held(api: APIClient, name: str) -> None:
        raise APIError("Forbidden", explanation=f"network {name} has active endpoints")

    with monkeypatch.context() as patch:
        patch.setattr(APIClient, "remove_network", held)
        patch.setattr(clean, "GONE_S", 0.2)
        with pytest.warns(LeftBehindWarning, match=f"{lab.name}: .*-data to be gone.* though no container is on it"):
            lab.close()
    assert sorted(left(label)) == [f"{lab.name}-data", f"{lab.name}-management"]
    assert clean.remove_labelled(connection.connect(), label) == 2


def test_a_lab_whose_process_is_gone_is_healed_and_one_in_use_is_not(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in for a crash that took the janitor too: a lab marked with a process that does not exist."""
    lab.place([node("n1")])
    ended = subprocess.Popen(["true"])
    ended.wait()
    api = connection.connect()
    labels = {**connection.labels("chaos-orphan", "ended"), connection.OWNER: str(ended.pid)}
    api.create_network("chaos-orphan-data", labels=labels)
    orphan = api.create_container(recipes.SIDECAR, ["sleep", "600"], labels=labels)
    api.start(orphan)
    assert heal() == ["chaos-orphan: left-over containers and networks removed"]
    assert left(f"{connection.LAB}=chaos-orphan") == []
    assert lab.freeze("n1") == 0


def look(lab: Lab, party: str, *argv: str) -> str:
    """What a program of a party prints."""
    ref = lab.spawn(party, Spawn(name=f"look{len(lab.exits())}", argv=argv))
    wait_until(lambda: lab.state(ref) == "ended", within_s=10, wanted="the end")
    return lab.log(ref).decode()


def test_a_partys_programs_are_those_of_its_image(lab: Lab) -> None:
    """It sees the image's files and variables, its own folder, and has none of the harness' powers."""
    try:
        there = lab.software("redis")
    except MissingSoftwareError as problem:
        pytest.skip(str(problem))
    lab.place([PartySpec(name="n1", image=f"redis:{there.version}"), node("n2")])
    assert there.version in look(lab, "n1", str(there.program), "--version")
    with pytest.raises(ProviderError, match="no program 'redis-server' on its PATH"):
        lab.spawn("n2", Spawn(name="redis", argv=("redis-server",)))
    assert look(lab, "n1", "pwd").strip() == lab.folder("n1")
    assert lab.freeze("n1") == 0, "what lends the image's files is no process of the party"
    powers = int(look(lab, "n1", "grep", "CapBnd", "/proc/self/status").split()[1], 16)
    assert not powers & (1 << 12 | 1 << 19)


def test_a_cluster_of_valkey_runs_from_its_image(lab: Lab) -> None:
    try:
        there = lab.software("valkey")
    except MissingSoftwareError as problem:
        pytest.skip(str(problem))
    cluster = start_redis(lab, version="valkey", settings=HARDENED)
    assert f"valkey {there.version} ({there.image})" in cluster.system
    lab.signal(cluster.process("n1"), signal.SIGKILL)
    cluster.wait_failover("n1", within_s=30)


def test_an_image_that_is_not_there_is_said_before_anything_starts(lab: Lab) -> None:
    with pytest.raises(MissingSoftwareError, match=r"docker pull redis:0\.0 .*docker load"):
        lab.place([PartySpec(name="n1", image="redis:0.0"), node("n2")])
    assert len(left(f"{connection.LAB}={lab.name}")) == 2, "the two networks"


def test_a_port_that_was_not_declared_is_not_published(lab: Lab) -> None:
    lab.place([PartySpec(name="n1", ports=(Port(number=7000, name="a"), Port(number=7001, name="b", plane="data")))])
    assert lab.reach(OBSERVER, "n1", 7000, "management")[0] == "127.0.0.1"
    with pytest.raises(ProviderError, match="n1 publishes no port 7001; declare it"):
        lab.reach(OBSERVER, "n1", 7001, "management")


def test_a_container_that_ends_at_once_is_quoted(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.providers.docker.sidecar.BOOT", "raise SystemExit('the kernel said no')")
    with pytest.raises(ProviderError, match=r"n1: its agent did not come up: .*the kernel said no"):
        lab.place([node("n1")])
    assert len(left(f"{connection.LAB}={lab.name}")) == 2, "the two networks"


def test_a_container_that_somebody_removes_is_named(lab: Lab, tmp_path: Path) -> None:
    lab.place([node("n1"), node("n2")])
    serve(lab, "n2")
    connection.connect().remove_container(f"{lab.name}-n1", force=True)
    with pytest.raises(ProviderError, match=r"n1: its agent (has ended|is gone)"):
        lab.freeze("n1")
    assert lab.freeze("n2") == 1
    lab.close()
    assert "n1: its logs and files are lost" in (tmp_path / "lab.log").read_text()
    assert (tmp_path / "n2" / "server.log").exists()


def test_a_client_of_another_python_is_skipped_by_name(lab: Lab) -> None:
    with pytest.raises(MissingAbilityError, match="Interpreters is not available here: c1 would need /venv/bin/python"):
        lab.place([replace(client("c1"), interpreter="/venv/bin/python")])


def test_nobody_is_let_into_a_container(lab: Lab) -> None:
    lab.place([node("n1")])
    with pytest.raises(MissingAbilityError, match="containers, which let nobody in"):
        lab.inside("n1")


def test_a_library_that_the_image_does_not_have_is_skipped_by_name(lab: Lab) -> None:
    """The loader of the image would only grumble, and the harm would not be done."""
    lab.place([PartySpec(name="n1", image=recipes.SIDECAR)])
    libraries = {"LD_PRELOAD": f"/usr/local/lib/mine.so:{lab.folder('n1')}/other.so"}
    with pytest.raises(
        MissingAbilityError, match=r"Preload is not available here: n1: its image has no /usr/.*/mine\.so"
    ):
        lab.spawn("n1", Spawn(name="true", argv=("true",), env=libraries))
    there = look(lab, "n1", "sh", "-c", "ls /lib/*/libc.so.6").strip()
    ref = lab.spawn("n1", Spawn(name="mine", argv=("true",), env={"LD_PRELOAD": f"{there} libm.so.6"}))
    wait_until(lambda: lab.state(ref) == "ended", within_s=10, wanted="the end")
    assert lab.log(ref) == b""


NEEDS = """
import sys
from chaos.faults import DiskStall
from chaos.providers.contract import Spawn
from chaos.providers.docker import images
from chaos.wait import wait_until
from chaos.workloads.plan import ClientPlan

FORBIDDEN = b"#!/bin/sh\\necho 'strace: attach: ptrace(PTRACE_SEIZE, 7): Operation not permitted' >&2\\nexit 1\\n"

def test_inside(lab):
    with lab.inside("me"):
        raise AssertionError("inside")

def test_preload(lab):
    lab.app(["true"], env={"LD_PRELOAD": "/nowhere/mine.so"})

def test_interpreter(lab, launch):
    with launch(ClientPlan(name="c1", workload="chaos.workloads.redis_sets:set_writer", interpreter=sys.executable)):
        raise AssertionError("launched")

def test_tracing(lab, launch, monkeypatch):
    monkeypatch.setitem(images.IN_SIDECAR, "strace", "/chaos/own/forbidden")
    syncing = lab.app(["sh", "-c", "while dd if=/dev/zero of=f count=1 conv=fdatasync; do :; done"])
    made = lab.spawn("app", Spawn(name="chmod", argv=("chmod", "+x", "forbidden"), files={"forbidden": FORBIDDEN}))
    wait_until(lambda: lab.state(made) == "ended", within_s=10, wanted="it to be made")
    with launch(syncing) as run:
        with run.inject(DiskStall(syncing)):
            raise AssertionError("stalled")
"""


def test_what_containers_cannot_do_is_skipped_by_name_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four experiments, each with its reason; an engine that forbids tracing is played by a strace that says so."""
    (tmp_path / "test_needs.py").write_text(NEEDS)
    argv = [sys.executable, "-m", "pytest", "-q", "--chaos-provider", "docker", "--chaos-out", str(tmp_path / "out")]
    env = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([*argv, "test_needs.py"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    reasons = [
        line.removeprefix("left out: 1, ") for line in done.stdout.splitlines() if line.startswith("left out: 1, ")
    ]
    assert [reason.partition(" is not available here: ")[0] for reason in reasons] == [
        *("lab.inside", "Preload", "Interpreters", "TraceSyscalls")
    ], done.stdout
    assert done.returncode == 0
    assert "not judged" not in done.stdout


KEEPER = """
import sys
from chaos.providers.docker import DockerProvider
from tests.conformance.talk import node
lab = DockerProvider().open(keep_at=sys.argv[1])
lab.place([node("n1")])
other = DockerProvider().open(keep_at=sys.argv[1])
print(lab.name, other.name, lab.keep())
lab.close()
"""


def test_a_kept_lab_outlives_its_process_until_it_is_healed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KEEPER, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    kept, other, entry = done.stdout.split(maxsplit=2)
    assert entry.startswith(f"docker exec -it {kept}-PARTY sh")
    wait_until(lambda: not left(f"{connection.LAB}={other}"), within_s=GONE_S, wanted="what was not kept to go")
    assert len(left(f"{connection.LAB}={kept}")) == 4, "a container, two networks, a volume"
    assert f"{kept}: left-over containers and networks removed" in heal()
    assert left(f"{connection.LAB}={kept}") == []


def test_a_python_program_of_ones_own_finds_its_file_its_modules_and_their_libraries(lab: Lab, tmp_path: Path) -> None:
    """Told as on this machine: by the test's own interpreter and the file's whole path."""
    (tmp_path / "helper.py").write_text("import redis\nWORD = redis.Redis.__name__\n")
    for word in ("first", "second"):
        script = tmp_path / "worker.py"
        script.write_text(f"from helper import WORD\nprint('{word}', WORD, flush=True)\n")
        app = lab.app([sys.executable, "-u", str(script)], name=word, ready=f"{word} Redis")
        wait_until(lambda app=app: app.exit_code() == 0, within_s=10, wanted="the program to end")  # type: ignore[misc]


def test_heal_removes_a_container_that_was_made_for_no_lab_yet(engine: None) -> None:
    """A run that is killed while its janitor is being made leaves one that was never started."""
    api = connection.connect()
    ours = {**connection.owned(), "middleware-chaos.role": "janitor"}
    alive = api.create_container(recipes.SIDECAR, ["true"], labels=ours)["Id"]
    stray = api.create_container(recipes.SIDECAR, ["true"], labels={**ours, connection.OWNER: "4194305"})["Id"]
    try:
        assert any(stray[:12] in sentence for sentence in heal())
        assert [one["Id"] for one in api.containers(all=True, filters={"id": alive})] == [alive]
        assert not api.containers(all=True, filters={"id": stray})
    finally:
        api.remove_container(alive, force=True)
