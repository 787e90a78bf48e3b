"""
Quorum loss and the ways back: two of three members are gone, and the third one does not have the newest writes.

Without a majority nothing is acknowledged and no linearizable read answered; serializable reads go on. When the members come
back, nothing is lost. Made a cluster of its own instead, the survivor forgets what it did not have. When the others return
after all, both acknowledge, until they reach each other: then the survivor's log removes the others, and they end.
"""

import pytest

from chaos.faults import Kill, isolate
from chaos.guarantees import (
    acked_writes_survive,
    acks_stop_within,
    fresh_reads,
    monotonic_reads,
    no_phantom_writes,
    of_client,
    of_kind,
    recovers,
)
from chaos.run import Launch, Run
from chaos.systems.etcd import MakeEtcd
from chaos.systems.etcd.clients import pinned
from chaos.systems.etcd.recovery import force_new_cluster, restore_snapshot, save_snapshot

PACE_S = 0.005
TAIL = 100
BUMP = 1_000_000


def lose_two_of_three(make_etcd: MakeEtcd, launch: Launch, *, force: bool) -> Run:
    """The survivor lags behind when the others crash; it waits for them, or is made a cluster of its own."""
    cluster = make_etcd()
    leader, (survivor, other) = cluster.leader(), cluster.replicas()
    writer = pinned(cluster, "c1", "etcd-set", node=leader, pace_s=PACE_S)
    late = pinned(cluster, "c2", "etcd-set", node=survivor, pace_s=PACE_S)
    reader = pinned(cluster, "c3", "etcd-reader", node=survivor, serializable=True, pace_s=PACE_S)

    with launch(cluster, writer, late, reader) as run:
        run.wait_oks("add", 200, within_s=30)  # Steady state.

        with run.inject(isolate(survivor, "c2", "c3")):  # Fault.
            run.wait_oks("add", TAIL, client="c1", within_s=30)
            with run.inject(Kill([leader, other])):
                if force:
                    force_new_cluster(cluster, survivor)
                    run.wait_oks("add", TAIL, client="c2", within_s=30)
                run.wait_oks("read", TAIL, client="c3", within_s=30)
                down = run.live.faults[-1]
                run.wait_for(lambda: run.live.count("add", "c1", "fail", down.begun_ns) >= 3, within_s=30)
            run.wait_oks("add", TAIL, client="c1", within_s=30)  # The others are back; with force, as a second cluster.

        run.wait_oks("add", TAIL, client="c2", within_s=30)  # Recovery.
        if force:
            run.stop()
            run.observe("final-read", lambda: cluster.final_read("acked", survivor))
        else:
            run.final_read(lambda: cluster.final_read("acked"))
    return run


@pytest.mark.lesson("quorum loss")
def test_without_a_majority_nothing_is_acknowledged_and_nothing_lost(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    A member without a majority answers serializable reads only, and when the others return nothing is lost.
    """
    run = lose_two_of_three(make_etcd, launch, force=False)
    run.expect(
        violated=[of_client(acks_stop_within(0.5), "c3")],  # Serializable reads.
        holds=[
            acked_writes_survive,
            no_phantom_writes,
            of_client(acks_stop_within(0.5), "c2"),
            of_kind(recovers, "add"),
        ],
    )


@pytest.mark.lesson("quorum loss")
def test_a_survivor_made_a_cluster_of_its_own_forgets_what_it_did_not_have(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    With --force-new-cluster the survivor acknowledges again at once, on its own data, and so do the others when they return.
    """
    run = lose_two_of_three(make_etcd, launch, force=True)
    run.expect(violated=[acked_writes_survive, of_client(acks_stop_within(0.5), "c2")], holds=[no_phantom_writes])


def restore_a_backup(make_etcd: MakeEtcd, launch: Launch, *, bump_revision: int | None) -> Run:
    """All members crash, and come back on a backup that lacks the newest writes."""
    cluster = make_etcd(version="3.6")
    client = pinned(cluster, "c1", "etcd-register", node="n1", pace_s=PACE_S)

    with launch(cluster, client) as run:
        run.wait_oks("write", 50, within_s=30)  # Steady state.
        backup = save_snapshot(cluster)
        run.wait_oks("write", 50, within_s=30)

        with run.inject(Kill(cluster.nodes)):  # Fault.
            restore_snapshot(cluster, backup, bump_revision=bump_revision)

        run.wait_for(cluster.agreed, within_s=60)  # Recovery.
        run.wait_oks("read", 20, within_s=30)
    return run


@pytest.mark.full
@pytest.mark.lesson("quorum loss")
def test_a_restored_backup_takes_the_revision_back(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    After a plain restore clients see revisions that are older than those they have seen before.
    """
    run = restore_a_backup(make_etcd, launch, bump_revision=None)
    run.expect(violated=[monotonic_reads, fresh_reads], holds=[recovers])


@pytest.mark.full
@pytest.mark.lesson("quorum loss")
def test_a_backup_restored_with_a_raised_revision_never_goes_back(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    Restored with --bump-revision the store's revision only grows, so that caches and watches notice; the writes are gone.
    """
    run = restore_a_backup(make_etcd, launch, bump_revision=BUMP)
    run.expect(holds=[monotonic_reads, recovers])
