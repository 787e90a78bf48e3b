"""
A lease is revoked while it is kept alive: the leader's disk stalls, and when it comes back the lock is gone.

Another member leads meanwhile, and every renewal is confirmed by it. The old leader cannot write, but its clock goes on:
it sees the lease run out, and proposes to revoke it as soon as its disk answers. Members before 3.4.31 and 3.5.13 obey.
The same outage as a crash or a partition costs nothing. As a pause it does now and then, in new versions too, so that no
experiment can ask for it: ``python -m benchmarks.etcd_leases`` counts all causes in all versions.
"""

from typing import Any

import pytest

from chaos.faults import DiskStall, FaultPlan, Kill, isolate
from chaos.guarantees import lease_kept, of_client, recovers
from chaos.run import Launch, Run
from chaos.scripts.kept_lease import lose_the_leader_under_a_lease
from chaos.systems.etcd import MakeEtcd
from chaos.systems.etcd.clients import pinned

TTL_S = 5
OTHERS: dict[str, Any] = {"kill": Kill, "cut": isolate}


def keep_a_lease_alive(make_etcd: MakeEtcd, launch: Launch, version: str, harm: Any) -> Run:
    """One client keeps a lease alive through a follower, another one writes, so that the leader has to sync."""
    cluster = make_etcd(version=version)
    old, (follower, other) = cluster.leader(), cluster.replicas()
    keeper = pinned(cluster, "c1", "etcd-lease-keeper", node=follower, ttl_s=TTL_S)
    writer = pinned(cluster, "c2", "etcd-set", node=other, pace_s=0.02)
    fault: FaultPlan = harm(old)

    with launch(cluster, keeper, writer) as run:
        lose_the_leader_under_a_lease(run, cluster, fault, old, keeper="c1", ttl_s=TTL_S)
    return run


@pytest.mark.lesson("lease expiry")
@pytest.mark.parametrize("version", ["3.4", pytest.param("3.5.1", marks=pytest.mark.full)])
def test_a_leader_whose_disk_stalls_revokes_a_lease_that_is_kept_alive(
    make_etcd: MakeEtcd, launch: Launch, version: str
) -> None:
    """
    A lease whose renewals were all confirmed, the last one about a second ago, is gone when the old leader's disk returns.
    """
    run = keep_a_lease_alive(make_etcd, launch, version, DiskStall)
    run.expect(
        bounded={lease_kept: {"left_s": (1.0, TTL_S), "since_renewal_s": (0.001, 2.5)}},
        holds=[of_client(recovers, "c2")],
    )


@pytest.mark.lesson("lease expiry")
@pytest.mark.parametrize("version", ["3.5", pytest.param("3.6", marks=pytest.mark.full)])
def test_a_member_that_no_longer_leads_cannot_revoke(make_etcd: MakeEtcd, launch: Launch, version: str) -> None:
    """
    From 3.5.13 on the same stall costs the lease nothing.
    """
    run = keep_a_lease_alive(make_etcd, launch, version, DiskStall)
    run.expect(holds=[lease_kept, of_client(recovers, "c1"), of_client(recovers, "c2")])


@pytest.mark.full
@pytest.mark.lesson("lease expiry")
@pytest.mark.parametrize("cause", OTHERS)
def test_the_same_outage_by_another_cause_costs_the_lease_nothing(
    make_etcd: MakeEtcd, launch: Launch, cause: str
) -> None:
    """
    A leader of the faulty version that is killed or cut off for as long revokes nothing.
    """
    run = keep_a_lease_alive(make_etcd, launch, "3.4", OTHERS[cause])
    run.expect(holds=[lease_kept, of_client(recovers, "c1"), of_client(recovers, "c2")])
