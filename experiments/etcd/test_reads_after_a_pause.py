"""
Reads after a pause: a leader that slept through the election of its successor answers nothing from its old state.

A linearizable read has the answering member ask the leader first. In 3.4.20 to 3.4.41, 3.5.0 to 3.5.27 and 3.6.0 to 3.6.8 a
leader that wakes up may answer before it knows that it leads no more (etcd-io/etcd#20418), too rarely for an experiment:
``python -m benchmarks.etcd_soak`` counts it.
"""

import pytest

from chaos.faults import Pause
from chaos.guarantees import fresh_reads, linearizable, monotonic_reads, recovers
from chaos.run import Launch
from chaos.systems.etcd import FAST, MakeEtcd
from chaos.systems.etcd.clients import pinned

PAUSES = 5


@pytest.mark.full
@pytest.mark.lesson("stale reads")
@pytest.mark.parametrize("version", ["3.6", "3.5"])
def test_a_leader_that_slept_answers_no_read_from_its_past(make_etcd: MakeEtcd, launch: Launch, version: str) -> None:
    """
    Reads at a leader that is paused and resumed again and again are never older than what was acknowledged before them.
    """
    cluster = make_etcd(version=version, settings=FAST)
    writers = [pinned(cluster, f"w{n}", "etcd-register", node=f"n{n}", pace_s=0.02) for n in (1, 2, 3)]
    readers = [pinned(cluster, f"r{n}", "etcd-reader", node=f"n{n}", pace_s=0.005) for n in (1, 2, 3)]

    with launch(cluster, writers, readers) as run:
        run.wait_oks("read", 100, within_s=30)  # Steady state.

        for _ in range(PAUSES):
            old = cluster.leader()
            with run.inject(Pause(old)):  # Fault.
                cluster.wait_failover(old, within_s=30)
                run.wait_oks("write", 5, within_s=30)
            run.wait_for(cluster.agreed, within_s=60)  # Recovery.
            run.wait_oks("read", 50, within_s=30)

    run.expect(holds=[fresh_reads, linearizable, monotonic_reads, recovers])
