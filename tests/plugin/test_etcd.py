"""
etcd's fixtures as a user meets them, and what is answered to input that makes no sense.
"""

import pytest

from tests.plugin.conftest import Stranger, answered

pytestmark = pytest.mark.usefixtures("labs")

TESTS = """
import pytest
from chaos.guarantees import acked_writes_survive, lease_kept
from chaos.systems.etcd.clients import pinned

pytest_plugins = ["fixtures.etcd"]


def test_is_right(etcd_cluster, launch):
    clients = [pinned(etcd_cluster, "c1", "etcd-set"), pinned(etcd_cluster, "c2", "etcd-lease-keeper", node="n2", ttl_s=2)]
    with launch(etcd_cluster, clients) as run:
        run.wait_oks("add", 5, within_s=10)
        run.wait_oks("check", 2, within_s=10)
        run.wait_observation("role", party="n1", within_s=10)
        run.final_read(lambda: etcd_cluster.final_read("acked"))
    run.expect(holds=[acked_writes_survive, lease_kept])


def test_mistypes_an_option(make_etcd):
    make_etcd(member=3)


def test_asks_for_a_version_that_is_not_offered(make_etcd):
    make_etcd(version="2.3")


def test_asks_for_a_version_that_is_not_installed(make_etcd, monkeypatch, tmp_path):
    monkeypatch.setenv("CHAOS_CACHE", str(tmp_path))
    make_etcd(version="3.5")


def test_asks_for_a_lease_that_is_too_short(make_etcd):
    pinned(make_etcd(topology="single"), "n1", "etcd-lease-keeper", ttl_s=1)


def test_sets_what_the_lab_decides(make_etcd):
    make_etcd(settings={"data-dir": "/tmp"})


def test_starts_a_member_that_cannot_join(make_etcd):
    make_etcd(settings={"initial-cluster-state": "existing"})


def surprised(worker, *, address):
    from chaos.workloads.etcd_client import ETCD_OUTCOMES, Etcd
    worker.operation("ask", None, lambda: Etcd(address).ask("no/such/path", {}).body, ETCD_OUTCOMES)


def test_meets_an_error_outside_the_table(make_etcd, launch):
    cluster = make_etcd(topology="single")
    with launch(cluster, pinned(cluster, "c1", "test_it:surprised")) as run:
        run.wait_oks("ask", 1, within_s=5)
"""

ANSWERS = {
    "mistypes_an_option": "UsageError: make_etcd() has no option 'member'; it has topology, settings, version",
    "asks_for_a_version_that_is_not_offered": "UsageError: etcd 2.3 is not offered (there is 3.6, 3.5, 3.4, 3.5.1)",
    "asks_for_a_version_that_is_not_installed": "MissingSoftwareError: etcd 3.5 is not installed; run: chaos install etcd=3.5",
    "asks_for_a_lease_that_is_too_short": "UsageError: a lease of 1 s is below the least of etcd",
    "sets_what_the_lab_decides": "UsageError: data-dir: decided by the lab, so it cannot be a setting",
    "starts_a_member_that_cannot_join": "ServerError: n1 ended at its start: ",
    "meets_an_error_outside_the_table": "OutcomeTableError: c1: the outcome table has no rule for chaos.workloads.etcd_client.EtcdError",
}


def test_each_bad_input_is_answered_in_one_sentence(inner: Stranger, pytester: pytest.Pytester) -> None:
    """And what is right passes beside them."""
    answered(inner, pytester, TESTS, ANSWERS)
