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
    no_phantom_writes,
    of_client,
    of_kind,
    recovers,
)
from chaos.run import Launch, Run
from chaos.systems.etcd import MakeEtcd
from chaos.systems.etcd.clients import pinned
from chaos.systems.etcd.recovery import force_new_cluster

PACE_S = 0.005
TAIL = 100


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
