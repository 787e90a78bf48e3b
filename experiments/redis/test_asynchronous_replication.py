"""
Asynchronous replication: the master acknowledges, dies, and a replica that never got the write is promoted.

A short hole between the master and its replicas, which nobody notices, makes a race of microseconds deterministic.
"""

import pytest

from chaos.faults import Kill, between
from chaos.guarantees import acked_writes_survive, no_phantom_writes, of_client, recovers
from chaos.run import Launch, Run
from chaos.systems.redis import MakeRedis
from chaos.systems.redis.clients import following, pinned

PATIENCE_S = 30.0
IN_THE_HOLE = 20
MANY = 10_000


def lose_the_master(make_redis: MakeRedis, launch: Launch, workload: str, *, in_the_hole: str) -> Run:
    """Cut replication, write, kill the master in the hole; ``in_the_hole`` is the outcome that writes have there."""
    cluster = make_redis(topology="sentinel")
    clients = [pinned(cluster, "c1", workload), following(cluster, "c2", workload)]

    with launch(cluster, clients) as run:
        run.wait_oks("add", 100, client="c1", within_s=PATIENCE_S)  # Steady state.

        master = cluster.leader()
        with run.inject(between(master, cluster.replicas())) as (hole,):
            run.wait_for(
                lambda: run.live.count("add", "c1", in_the_hole, hole.effective_ns or 0) >= IN_THE_HOLE,
                within_s=PATIENCE_S,
                wanted=f"writes in the hole to end {in_the_hole}",
            )
            with run.inject(Kill(master)):
                run.stop("c1")  # Else it would write to the old master again once that is back, and lose that too.
                cluster.wait_failover(master, within_s=PATIENCE_S)
                run.wait_oks("add", 100, client="c2", within_s=PATIENCE_S)

        run.wait_oks("add", 100, client="c2", within_s=PATIENCE_S)  # Recovery.
        run.final_read(lambda: cluster.final_read("acked"))
    return run


@pytest.mark.lesson("asynchronous replication")
def test_a_write_that_only_the_master_has_is_lost_with_it(make_redis: MakeRedis, launch: Launch) -> None:
    """
    What a master acknowledged before its replicas had it is gone when a replica takes over.
    """
    run = lose_the_master(make_redis, launch, "redis-set", in_the_hole="ok")
    run.expect(
        bounded={acked_writes_survive: {"lost_count": (IN_THE_HOLE, MANY)}},
        holds=[no_phantom_writes, of_client(recovers, "c2")],
    )


@pytest.mark.lesson("asynchronous replication")
def test_a_write_that_wait_confirmed_survives_the_master(make_redis: MakeRedis, launch: Launch) -> None:
    """
    A write counts as acknowledged only when WAIT says that a replica has it; in a hole WAIT comes back short.
    """
    run = lose_the_master(make_redis, launch, "redis-set-wait", in_the_hole="info")
    run.expect(holds=[acked_writes_survive, no_phantom_writes, of_client(recovers, "c2")])
