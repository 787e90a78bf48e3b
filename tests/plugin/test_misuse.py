"""
Runs used in ways that make no sense: each is refused with a sentence, at the line that did it.
"""

import pytest

from tests.plugin.conftest import Stranger

pytestmark = pytest.mark.usefixtures("labs")

# One test each, for all of which one pytest is started. The name of each says what must be answered, below.
MISUSES = """
import pytest
from chaos.faults import Kill, Pause, isolate
from chaos.guarantees import counts_match, recovers
from chaos.systems.redis.clients import pinned
from chaos.workloads.plan import ClientPlan

pytest_plugins = ["fixtures.redis"]
lesson = pytest.mark.lesson("none")


@pytest.fixture
def c1(redis_standalone):
    return pinned(redis_standalone, "c1", "redis-incr")


def test_expects_inside(redis_standalone, launch):
    with launch(redis_standalone) as run:
        run.expect(holds=[recovers])


def test_launches_nothing(launch):
    with launch():
        pass


def test_launches_nonsense(launch):
    with launch(["a cluster"]):
        pass


def test_waits_for_a_stranger(redis_standalone, launch):
    with launch(redis_standalone) as run:
        run.wait_oks("incr", 1, client="c9", within_s=30)


def test_releases_a_stranger(redis_standalone, launch, c1):
    with launch(redis_standalone, c1) as run:
        run.release("c9", "here")


def test_injects_nothing(redis_standalone, launch):
    with launch(redis_standalone) as run, run.inject():
        pass


def test_injects_nonsense(redis_standalone, launch):
    with launch(redis_standalone) as run, run.inject("n1"):
        pass


def test_injects_afterwards(redis_standalone, launch):
    with launch(redis_standalone) as run:
        pass
    with run.inject(Pause("n1")):
        pass


def test_waits_afterwards(redis_standalone, launch):
    with launch(redis_standalone) as run:
        pass
    run.wait_for(lambda: True, within_s=1)


def test_names_a_client_like_a_node(redis_standalone, launch):
    with launch(redis_standalone, ClientPlan(name="n1", workload="x:y")):
        pass


def test_names_no_workload(redis_standalone, launch):
    with launch(redis_standalone, ClientPlan(name="c1", workload="nowhere:nothing")) as run:
        run.wait_oks("x", 1, within_s=10)


def test_reads_within_a_fault(redis_standalone, launch, c1):
    with launch(redis_standalone, c1) as run, run.inject(Pause("c1")):
        run.final_read(lambda: redis_standalone.final_read("counter"))


def test_starts_after_the_final_read(redis_standalone, launch, c1):
    with launch(redis_standalone) as run:
        run.final_read(lambda: redis_standalone.final_read("counter"))
        run.start(c1)


def test_faults_a_stranger(redis_standalone, launch):
    with launch(redis_standalone) as run, run.inject(Pause("n7")):
        pass


@lesson
def test_teaches_without_a_fault(redis_standalone, launch, c1):
    with launch(redis_standalone, c1) as run:
        run.wait_oks("incr", 5, within_s=10)
        run.final_read(lambda: redis_standalone.final_read("counter"))
    run.expect(holds=[counts_match])


@lesson
def test_teaches_without_a_verdict(redis_standalone, launch):
    with launch(redis_standalone) as run, run.inject(Pause("n1")):
        pass


def test_makes_a_second_cluster_of_the_same_names(redis_standalone, make_redis):
    make_redis(topology="standalone")


def test_mistypes_an_option(make_redis):
    make_redis(toplogy="standalone")


def test_waits_for_a_failover_without_sentinels(redis_standalone):
    redis_standalone.wait_failover("n1", within_s=30)


def test_is_right(redis_standalone, launch, c1):
    with launch(redis_standalone, c1) as run:
        run.wait_oks("incr", 5, within_s=10)
        run.final_read(lambda: redis_standalone.final_read("counter"))
    run.expect(holds=[counts_match])
"""

ANSWERS = {
    "expects_inside": "HarnessError: expect() belongs after the run's block",
    "launches_nothing": "UsageError: launch() needs at least one cluster, app or client plan",
    "launches_nonsense": "UsageError: launch() takes clusters, apps and client plans, not 'a cluster'",
    "waits_for_a_stranger": "UsageError: there is no client named 'c9'; there are: none",
    "releases_a_stranger": "UsageError: there is no client named 'c9'; there are: c1",
    "injects_nothing": "UsageError: inject() needs at least one fault",
    "injects_nonsense": "UsageError: inject() takes faults such as Pause('c1'), not 'n1'",
    "injects_afterwards": "HarnessError: inject() belongs inside the run's block",
    "waits_afterwards": "HarnessError: waiting belongs inside the run's block",
    "names_a_client_like_a_node": "UsageError: n1 is the name of a party of role node",
    "names_no_workload": "HarnessError: c1: its workload broke: UsageError: the workload 'nowhere:nothing' cannot be loaded",
    "reads_within_a_fault": "UsageError: a final read shows what is left once all is healed; still in force: pause on c1",
    "starts_after_the_final_read": "UsageError: a client started after the final read",
    "faults_a_stranger": "UsageError: there is no party named 'n7' in this lab",
    "teaches_without_a_fault": "VoidRunError: this experiment injected no fault",
    "makes_a_second_cluster_of_the_same_names": "UsageError: in this lab n1 run already: give the cluster other names, "
    'such as topology=Topology(name="second", nodes=("m1", "m2"))',
    "mistypes_an_option": "UsageError: make_redis() has no option 'toplogy'; it has topology, settings, version",
    "waits_for_a_failover_without_sentinels": "UsageError: there is no failover to wait for: redis",
    "teaches_without_a_verdict": "HarnessError: an experiment that judges nothing proves nothing",
}


def test_each_misuse_is_answered(inner: Stranger, pytester: pytest.Pytester) -> None:
    """And what is right passes beside them."""
    pytester.makepyfile(MISUSES)
    result = inner("-rf", "--tb=line")
    result.assert_outcomes(passed=1, failed=len(ANSWERS))
    text = result.stdout.str()
    for name, answer in ANSWERS.items():
        assert f"chaos.errors.{answer}" in text, name


def test_the_trace_of_what_an_error_says_ends_in_the_test(inner: Stranger, pytester: pytest.Pytester) -> None:
    """What our code did on the way to it helps nobody."""
    pytester.makepyfile("""
        def test_starts_nothing(lab):
            lab.app(["no-such-program"])

        def test_waits_in_vain(lab):
            lab.app(["sleep", "60"]).wait_output("x", within_s=0.05)
    """)
    result = inner()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["E   chaos.errors.ProviderError: app: no program 'no-such-program' on its PATH"])
    assert "providers/" not in result.stdout.str()
