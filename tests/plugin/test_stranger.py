"""
A project of somebody else, in an empty folder, with the installed wheel.
"""

from pathlib import Path

import pytest

from tests.plugin.conftest import Stranger

pytestmark = pytest.mark.usefixtures("labs")

ISOLATES_A_MASTER = """
pytest_plugins = ["chaos.fixtures.redis"]
"""

VERDICT = '''
"""Our own suite: what does our Redis lose when its master is cut off?"""

from chaos.faults import isolate
from chaos.guarantees import acked_writes_survive_for, no_phantom_writes
from chaos.systems.redis.clients import following, pinned


def test_a_lonely_master_loses_writes(redis_sentinel, launch):
    """An isolated master acknowledges what it will lose."""
    clients = [pinned(redis_sentinel, "c1", "redis-set"), following(redis_sentinel, "c2", "redis-set")]

    with launch(redis_sentinel, clients) as run:
        run.wait_oks("add", 50, within_s=30)
        old = redis_sentinel.leader()
        with run.inject(isolate(old, "c1")):
            redis_sentinel.wait_failover(old, within_s=30)
            run.wait_oks("add", 50, client="c1", within_s=30)
        run.wait_oks("add", 50, client="c2", within_s=30)
        run.final_read(lambda: redis_sentinel.final_read("acked"))

    run.expect(violated=[acked_writes_survive_for("c1")], holds=[no_phantom_writes])
'''

OWN_APP = '''
import sys

from chaos.faults import Pause

PROGRAM = """
import os, redis, select
host, _, port = os.environ["CHAOS_N1"].partition(":")
client = redis.Redis(host=host, port=int(port), decode_responses=True)
while True:
    if client.set("lease", "mine", nx=True, px=300):
        print("leader", flush=True)
    elif client.get("lease") != "mine":
        print("lost it to", client.get("lease"), flush=True)
    select.select([], [], [], 0.05)
"""


def test_our_leader_notices_that_it_slept(lab, redis_standalone, launch):
    app = lab.app([sys.executable, "-c", PROGRAM], name="ours", ready="leader")
    with launch(redis_standalone, app) as run:
        with run.inject(Pause(app)):
            assert not app.running()
            run.wait_for(lambda: not redis_standalone.ask("n1", "EXISTS", "lease"), within_s=10)
            redis_standalone.ask("n1", "SET", "lease", "somebody-else")
        app.wait_output("lost it to somebody-else", within_s=10)
    assert app.running()
    assert app.stop() == -15
'''

PLAIN_CLIENT = """
import pytest
import redis

from chaos.faults import blackhole
from chaos.providers.contract import PartySpec, Role


def test_our_client_gives_up_in_time(lab, redis_standalone, launch):
    lab.place([PartySpec(name="me", role=Role.APP)])
    host, port = lab.reach("me", "n1", 6379)
    with launch(redis_standalone) as run, lab.inside("me"):
        client = redis.Redis(host=host, port=port, socket_timeout=0.2, retry=None)
        assert client.ping()
        with run.inject(blackhole("me", "n1", way="back")), pytest.raises(redis.TimeoutError):
            client.incr("counter")
        assert client.get("counter") == b"1"
        client.close()
"""

OWN_WORKLOAD = {
    "mine": """
from chaos.workloads.redis_client import open_client, record


def counter(worker, *, address):
    client = open_client(address=address)
    number = 0
    while worker.keep_going(0.01):
        number += 1
        record(worker, client, "incr", number, lambda: client.execute("INCR", "counter"))
""",
    "test_mine": """
from chaos.faults import Pause
from chaos.guarantees import recovers
from chaos.systems.redis.clients import pinned

import mine


def test_our_workload_recovers(redis_standalone, launch):
    with launch(redis_standalone, pinned(redis_standalone, "c1", f"{mine.__name__}:counter")) as run:
        run.wait_oks("incr", 20, within_s=10)
        with run.inject(Pause("c1")):
            pass
        run.wait_oks("incr", 20, within_s=10)
    run.expect(holds=[recovers])
""",
}


def lines_of(text: str) -> int:
    return len([line for line in text.splitlines() if line.strip()])


def test_a_stranger_gets_a_verdict_in_under_30_lines(pytester: pytest.Pytester, stranger: Stranger) -> None:
    """One conftest line, one test, a table with what was lost."""
    pytester.makeconftest(ISOLATES_A_MASTER)
    pytester.makepyfile(VERDICT)
    result = stranger("-p", "no:allure_pytest")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*violated*acked_writes_survive*c1*", "*holds*no_phantom_writes*", "seed *; histories*"]
    )
    assert lines_of(ISOLATES_A_MASTER + VERDICT) < 30
    assert list(Path(pytester.path).glob("reports/out/runs/*/history.jsonl.gz"))


def test_a_strangers_program_is_a_party(pytester: pytest.Pytester, stranger: Stranger) -> None:
    """It is paused past its lease, and what it did is in its output."""
    pytester.makeconftest(ISOLATES_A_MASTER)
    pytester.makepyfile(OWN_APP)
    stranger().assert_outcomes(passed=1)


def test_a_strangers_own_client_meets_the_fault(pytester: pytest.Pytester, stranger: Stranger) -> None:
    """In the test process itself, where the machine allows it; elsewhere skipped by name."""
    pytester.makeconftest(ISOLATES_A_MASTER)
    pytester.makepyfile(PLAIN_CLIENT)
    result = stranger("-rs")
    if result.parseoutcomes().get("skipped"):
        result.stdout.fnmatch_lines(["*lab.inside is not available here*"])
    else:
        result.assert_outcomes(passed=1)


def test_the_wheel_is_what_was_tested(pytester: pytest.Pytester, stranger_python: Path) -> None:
    """Not the checkout beside it; and it brings fixtures, experiments and types."""
    code = "import chaos, chaos.fixtures, chaos.experiments; print(chaos.__file__)"
    found = pytester.run(stranger_python, "-c", code)
    assert found.ret == 0
    assert str(stranger_python.parents[1]) in found.outlines[0]
    assert Path(found.outlines[0]).with_name("py.typed").exists()


def test_experiments_come_with_the_wheel(pytester: pytest.Pytester, stranger: Stranger, stranger_python: Path) -> None:
    """``--pyargs chaos.experiments`` collects the catalogue."""
    pytester.makeconftest(ISOLATES_A_MASTER)
    result = stranger("--pyargs", "chaos.experiments", "--collect-only", "-q", "-W", "ignore")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*test_split_brain.py::test_an_unguarded_master*"])


@pytest.fixture
def chaos_run(
    real_cache: None, pytester: pytest.Pytester, stranger_python: Path, monkeypatch: pytest.MonkeyPatch
) -> Stranger:
    """Runs ``chaos run`` with the wheel in the current folder."""
    monkeypatch.delenv("PYTHONPATH", raising=False)

    def run(path: str, *arguments: str) -> pytest.RunResult:
        return pytester.run(stranger_python, "-m", "chaos.cli", "run", path, "--", "-p", "no:cacheprovider", *arguments)

    return run


def test_chaos_run_finds_the_modules_beside_a_strangers_tests(pytester: pytest.Pytester, chaos_run: Stranger) -> None:
    """Imported by the test, and as a workload by a worker; just as under plain pytest."""
    pytester.makeconftest(ISOLATES_A_MASTER)
    (pytester.path / "tests").mkdir()
    for name, text in OWN_WORKLOAD.items():
        (pytester.path / "tests" / f"{name}.py").write_text(text)
    result = chaos_run("tests/test_mine.py")
    assert result.ret == 0, result.stdout.str()
    result.assert_outcomes(passed=1)


def test_chaos_run_takes_the_names_that_are_listed(pytester: pytest.Pytester, chaos_run: Stranger) -> None:
    """Outside a checkout too, where no such file is near."""
    result = chaos_run("redis/test_split_brain.py", "--collect-only", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*::test_an_unguarded_master*"])


def test_chaos_run_without_a_client_library_ends_with_that(pytester: pytest.Pytester, chaos_run: Stranger) -> None:
    """No report is tried of a run in which nothing ran."""
    pytester.makepyfile(kafka="raise ModuleNotFoundError(\"No module named 'kafka'\", name='kafka')")
    result = chaos_run("kafka/test_unclean_election.py")
    assert result.ret == 2
    assert "report" not in result.stdout.str() + result.stderr.str()
    assert "pip install 'middleware-chaos[kafka]'" in result.errlines[-1]
