"""
Quorum loss and the way back: two of three members crash, and the third one does not have the newest writes.

Without a majority nothing is acknowledged and no linearizable read answered; serializable reads go on. When the members come
back, nothing is lost. Made a cluster of its own instead, the survivor acknowledges at once, and forgets what it did not have.
"""

from contextlib import ExitStack

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


def lose_two_of_three(make_etcd: MakeEtcd, launch: Launch) -> Run:
    """The survivor is cut off, and so lags behind, when the others crash; they come back, and it waits for them."""
    cluster = make_etcd()
    leader, (survivor, other) = cluster.leader(), cluster.replicas()
    writer = pinned(cluster, "c1", "etcd-set", node=leader, pace_s=PACE_S)
    late = pinned(cluster, "c2", "etcd-set", node=survivor, pace_s=PACE_S)
    reader = pinned(cluster, "c3", "etcd-reader", node=survivor, serializable=True, pace_s=PACE_S)

    with launch(cluster, writer, late, reader) as run:
        run.wait_oks("add", 200, within_s=30)  # Steady state.

        with run.inject(isolate(survivor, "c2", "c3")):  # Fault.
            run.wait_oks("add", TAIL, client="c1", within_s=30)
            with run.inject(Kill([leader, other])) as (crash,):
                run.wait_oks("read", TAIL, client="c3", within_s=30)
                run.wait_for(lambda: run.live.count("add", "c1", "fail", crash.begun_ns) >= 3, within_s=30)

        run.wait_for(cluster.agreed, within_s=60)  # Recovery.
        for client in ("c1", "c2"):
            run.wait_oks("add", TAIL, client=client, within_s=30)
        run.final_read(lambda: cluster.final_read("acked"))
    return run


@pytest.mark.lesson("quorum loss")
def test_without_a_majority_nothing_is_acknowledged_and_nothing_lost(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    A member without a majority answers serializable reads only, and when the others return nothing is lost.
    """
    run = lose_two_of_three(make_etcd, launch)
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
    With --force-new-cluster a survivor acknowledges again at once, and the writes that it had missed are gone.
    """
    cluster = make_etcd()
    leader, (survivor, other) = cluster.leader(), cluster.replicas()
    writer = pinned(cluster, "c1", "etcd-set", node=leader, pace_s=PACE_S)
    late = pinned(cluster, "c2", "etcd-set", node=survivor, pace_s=PACE_S)

    with launch(cluster, writer, late) as run, ExitStack() as lost:
        run.wait_oks("add", 200, within_s=30)  # Steady state.

        with run.inject(Kill(survivor)):  # Fault: it is down while the others go on, and returns when they are gone.
            run.wait_oks("add", TAIL, client="c1", within_s=30)
            lost.enter_context(run.inject(Kill([leader, other], for_good=True)))
            force_new_cluster(cluster, survivor)
        run.wait_oks("add", TAIL, client="c2", within_s=30)

        lost.close()  # Recovery: of one member, as far as it goes.
        run.wait_oks("add", TAIL, client="c2", within_s=30)
        run.final_read(lambda: cluster.final_read("acked"))

    # Also the last write that the survivor itself passed on may be gone: the others acknowledged it, and had it first.
    run.expect(violated=[acked_writes_survive], holds=[no_phantom_writes, of_client(recovers, "c2")])
