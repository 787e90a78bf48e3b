"""
Experiments that were broken on purpose: the catalogue must never be green for the wrong reason.
"""

import re

import pytest

from tests.plugin.conftest import ROOT, Stranger

pytestmark = pytest.mark.usefixtures("labs")

# No fault does anything any more; everything else works.
TOOTHLESS = """
from chaos.faults import process
from chaos.providers.agented import AgentedLab

AgentedLab.apply = lambda self, rules: None
AgentedLab.freeze = lambda self, party: 0
AgentedLab.signal = lambda self, ref, number: None
process.ENDED_S = 1.0
"""

# One experiment of each file, with what its fault's failure to bite is called.
ONE_OF_EACH = {
    "redis/test_split_brain.py::test_an_unguarded_master_loses_what_it_acknowledges_even_after_the_heal[drop]": "did not bite",
    "redis/test_asynchronous_replication.py::test_a_write_that_only_the_master_has_is_lost_with_it": "did not bite",
    "redis/test_wrong_unlock.py::test_an_unlock_that_can_delete_a_foreign_key_lets_a_third_client_in[del]": "did not bite",
    "redis/test_lock_expiry_during_a_pause.py::test_without_a_check_the_sleeper_writes_into_the_next_holders_turn": "did not bite",
    "redis/test_lock_without_an_end.py::test_a_client_that_dies_between_setnx_and_expire_locks_everybody_out": "to end",
    "redis/test_lost_reply.py::test_default_retries_turn_one_increment_into_many": "did not bite",
    "etcd/test_isolated_leader.py::test_an_isolated_leader_acknowledges_nothing_and_loses_nothing[drop]": "did not bite",
    "etcd/test_leader_loss.py::test_a_leader_that_is_asked_to_end_hands_its_lead_over[1s]": "to end",
    "etcd/test_lock_under_a_pause.py::test_a_transaction_on_the_locks_revision_refuses_the_sleeper": "did not bite",
    "etcd/test_prevote.py::test_with_prevote_the_leader_stays[3.4]": "did not bite",
    "etcd/test_renewal_period.py::test_a_lock_that_is_renewed_each_third_outlives_the_same_cut": "did not bite",
    "etcd/test_stale_reads.py::test_linearizable_reads_fail_rather_than_being_old": "did not bite",
}

# The safe settings where the unsafe ones are expected to break; and short patience.
HARDENED = """
import pytest
from chaos import scripts
from chaos.faults import between
from chaos.guarantees import acked_writes_survive, acked_writes_survive_for, counts_match, exclusive_writes
from chaos.guarantees import lock_is_freed_within, lock_is_kept, mutual_exclusion, only_owner_releases, recovers_within
from chaos.guarantees import fresh_reads, lock_is_never_lost
from chaos.scripts import isolated_leader, sleeping_holder
from chaos.systems.redis import HARDENED
from experiments.redis import test_asynchronous_replication as replication
from experiments.redis import test_eviction_takes_the_lock as eviction
from experiments.redis import test_lock_expiry_during_a_pause as expiry
from experiments.redis import test_lock_without_an_end as endless
from experiments.redis import test_lost_reply as lost_reply
from experiments.redis import test_split_brain as split_brain
from experiments.redis import test_wrong_unlock as unlock
from experiments.etcd import test_renewal_period as renewal
from experiments.etcd import test_stale_reads as stale

lesson = pytest.mark.lesson("none")


@pytest.fixture(autouse=True)
def impatience(monkeypatch):
    for module in (isolated_leader, sleeping_holder, replication, eviction, endless, lost_reply, unlock):
        monkeypatch.setattr(module, "PATIENCE_S", 6.0)
    monkeypatch.setattr(split_brain, "IN_THE_HOLE", 5000)  # More than fits into two seconds.


@lesson
def test_split_brain(make_redis, launch):
    split_brain.split_brain(make_redis, launch, HARDENED, "drop", refused=False)


@lesson
def test_replication(make_redis, launch):
    run = replication.lose_the_master(make_redis, launch, "redis-set-wait", in_the_hole="info")
    run.expect(violated=[acked_writes_survive])


@lesson
def test_unlock(make_redis, launch):
    unlock.release_late(make_redis, launch, "lua", third_gets_in=True)


@lesson
def test_expiry(make_redis, launch):
    run = expiry.sleep(make_redis, launch, "fencing", at="before-write")
    run.expect(violated=[exclusive_writes])


@lesson
def test_endless(make_redis, launch):
    endless.die_while_acquiring(make_redis, launch, "set-nx-px", at="acquired", gets_in=False)


@lesson
def test_eviction(make_redis, launch):
    eviction.fill_up(make_redis, launch, "noeviction", taken=True)


@lesson
def test_lost_reply(make_redis, launch):
    run = lost_reply.lose_the_reply_of_an_acquisition(make_redis, launch, "same-value")
    run.expect(violated=[recovers_within(lost_reply.LEASE_S / 2)])


@lesson
def test_counter(make_redis, launch):
    run = lost_reply.count_through_a_hole(make_redis, launch, with_default_retries=False)
    run.expect(violated=[counts_match])


@lesson
def test_linearizable_reads(make_etcd, launch):
    run = stale.read_at_a_follower_that_is_cut_off(make_etcd, launch, serializable=False)
    run.expect(violated=[fresh_reads])


@lesson
def test_a_fault_that_missed_the_follower(make_etcd, launch, monkeypatch):
    monkeypatch.setattr(stale, "between", lambda follower, others: between(others[0], "c2"))
    stale.test_linearizable_reads_fail_rather_than_being_old(make_etcd, launch)


@lesson
def test_renewed_in_time(make_etcd, launch):
    run = renewal.cut_off_when_a_renewal_is_due(make_etcd, launch, share=1 / 3)
    run.expect(violated=[lock_is_never_lost])
"""

# What each of them must say: what was waited for in vain and what came instead, or the two verdicts.
SAYS = {
    "test_split_brain": r"wanted: c1 to have seen enough of the hole.*began, c1: \d+ ok, [1-9]\d* fail.*NOREPLICAS",
    "test_replication": "acked_writes_survive: expected violated, holds",
    "test_unlock": r"wanted: c3's acquisition to end ok.*c3: 0 ok, [1-9]\d* fail",
    "test_expiry": "exclusive_writes: expected violated, holds",
    "test_endless": "wanted: c2 to be refused for three leases.*c2: [1-9]",
    "test_eviction": r"wanted: the lock to be gone.*c2: \d+ ok, [1-9]\d* fail.*OutOfMemory",
    "test_lost_reply": r"recovers_within\(1.5s\): expected violated, holds",
    "test_counter": "counts_match: expected violated, holds",
    "test_linearizable_reads": "fresh_reads: expected violated, holds",
    "test_a_fault_that_missed_the_follower": r"acks_stop_within\(0s\)\[c2\]: expected holds, violated",
    "test_renewed_in_time": "lock_is_never_lost: expected violated, holds",
}


def test_a_fault_that_does_not_bite_is_never_green(inner: Stranger, pytester: pytest.Pytester) -> None:
    """The run is void: an error of the harness, which Allure calls broken and not failed."""
    pytester.makepyfile(toothless=TOOTHLESS)
    paths = [str(ROOT / "experiments" / name) for name in ONE_OF_EACH]
    folders = (f"--alluredir={pytester.path}/results", f"--chaos-out={pytester.path}/out")
    result = inner("-p", "toothless", *folders, f"--rootdir={ROOT}", "-c", ROOT / "pyproject.toml", *paths)
    result.assert_outcomes(failed=len(ONE_OF_EACH))
    told = messages(pytester)
    for name, words in ONE_OF_EACH.items():
        (message,) = [text for test, text in told.items() if test == name.rpartition("::")[2].partition("[")[0]]
        assert re.search(f"^chaos.errors.VoidRunError: .*{words}", message), message
    assert statuses(pytester) == {"broken"}


def test_a_safe_setting_where_harm_is_expected_fails_with_the_reason(
    inner: Stranger, pytester: pytest.Pytester
) -> None:
    """Either the verdict differs, or a wait for the harm is in vain and says what came instead; both are *failed*."""
    pytester.makeconftest('pytest_plugins = ["fixtures.redis", "fixtures.etcd"]')
    pytester.makepyfile(test_hardened=HARDENED)
    result = inner(f"--alluredir={pytester.path}/results")
    result.assert_outcomes(failed=len(SAYS))
    told = messages(pytester)
    for name, words in SAYS.items():
        assert re.search(words, told[name], re.DOTALL), told[name]
    assert statuses(pytester) == {"failed"}


def results(pytester: pytest.Pytester) -> list[dict[str, object]]:
    import json

    return [json.loads(path.read_text()) for path in (pytester.path / "results").glob("*-result.json")]


def statuses(pytester: pytest.Pytester) -> set[object]:
    return {result["status"] for result in results(pytester)}


def messages(pytester: pytest.Pytester) -> dict[str, str]:
    return {
        str(result["fullName"]).rpartition("#")[2]: str(result["statusDetails"]["message"])  # type: ignore[index]
        for result in results(pytester)
    }
