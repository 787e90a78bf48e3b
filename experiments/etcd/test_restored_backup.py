"""
A restored backup: the writes that came after it are gone, and unless the revision is raised the store's time goes back.

Clients that remember a revision, to watch from there or to compare with, then wait for what has already been, or take the
new for the old. With ``--bump-revision`` and ``--mark-compacted`` (3.6, 3.5.13, 3.4.27) they notice.
"""

import pytest

from chaos.faults import Kill
from chaos.guarantees import fresh_reads, monotonic_reads, recovers
from chaos.run import Launch, Run
from chaos.systems.etcd import MakeEtcd
from chaos.systems.etcd.clients import pinned
from chaos.systems.etcd.recovery import restore_snapshot, save_snapshot

PACE_S = 0.005
BUMP = 1_000_000


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
