"""
Serializable reads: answered by a member from its own state, without asking whether that is still the newest.

A follower is cut off from its peers while its clients still reach it. A serializable read there answers, without an
error, what the follower knew when it was cut off, for as long as that lasts. A linearizable one waits or fails.
"""

import pytest

from chaos.faults import between
from chaos.guarantees import (
    acks_stop_within,
    fresh_reads,
    linearizable,
    monotonic_reads,
    of_client,
    read_your_writes,
    recovers,
)
from chaos.run import Launch, Run
from chaos.systems.etcd import MakeEtcd
from chaos.systems.etcd.clients import alternating, pinned
from chaos.wait import monotonic_ns

CUT_S = 2.0
LATE_S = 1.0
"""How much longer the hole may be on a busy machine."""
STALE_FOR_S = (CUT_S / 2, 2 * (CUT_S + LATE_S) + 0.5)
"""
TCP sends again after 0.2, 0.6, 1.4, 3.0 and 6.2 s: what the follower misses reaches it at the first of them after the heal,
so at most about twice as late as the hole ends. (A hole of 3 s would end just at such a moment, and so be followed by either.)
"""
PACE_S = 0.01


def read_at_a_follower_that_is_cut_off(make_etcd: MakeEtcd, launch: Launch, *, serializable: bool) -> Run:
    """A client writes at the leader and reads at the follower; another reads at both in turn; a third only there."""
    cluster = make_etcd()
    leader, (follower, *_) = cluster.leader(), cluster.replicas()
    writer = pinned(
        cluster,
        "c1",
        "etcd-register",
        node=leader,
        read_at=cluster.address("c1", follower),
        serializable=serializable,
        cas_share=0.0,
        pace_s=PACE_S,
    )
    reader = pinned(cluster, "c2", "etcd-reader", node=follower, serializable=serializable, pace_s=PACE_S)
    both = alternating(cluster, "c3", "etcd-reader", nodes=(leader, follower), serializable=serializable, pace_s=PACE_S)

    with launch(cluster, writer, reader, both) as run:
        run.wait_oks("read", 100, within_s=30)  # Steady state.
        run.wait_oks("write", 20, within_s=30)

        with run.inject(between(follower, [node for node in cluster.nodes if node != follower])) as (cut,):
            run.wait_for(lambda: run.live.count("write", "c1", "ok", cut.begun_ns) >= 2, within_s=30)
            until = cut.begun_ns + int(CUT_S * 1e9)
            run.wait_for(lambda: monotonic_ns() >= until, within_s=30, wanted=f"{CUT_S:g} s in the hole")

        run.wait_for(cluster.agreed, within_s=60)  # Recovery.
        run.wait_oks("read", 100, within_s=30)
    return run


@pytest.mark.lesson("stale reads")
def test_serializable_reads_are_as_old_as_the_partition(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    A follower that is cut off answers serializable reads from its own past, up to the length of the partition.
    """
    run = read_at_a_follower_that_is_cut_off(make_etcd, launch, serializable=True)
    run.expect(
        bounded={fresh_reads: {"stale_for_s": STALE_FOR_S}},
        violated=[linearizable, read_your_writes, monotonic_reads],
        holds=[of_client(recovers, "c2")],
    )


@pytest.mark.lesson("stale reads")
def test_linearizable_reads_fail_rather_than_being_old(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    A follower that is cut off answers no linearizable read, so none is stale and no client sees time go back.
    """
    run = read_at_a_follower_that_is_cut_off(make_etcd, launch, serializable=False)
    run.expect(
        holds=[
            of_client(acks_stop_within(0.0), "c2"),  # No answer at all, so none that is old.
            fresh_reads,
            linearizable,
            read_your_writes,
            monotonic_reads,
            of_client(recovers, "c2"),
        ]
    )
