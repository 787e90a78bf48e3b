"""
Starving followers: they get nothing for some seconds, nobody misses them yet, and then the leader dies.

For ``replica.lag.time.max.ms`` (30 s) a follower that starves counts as in sync, so it may be elected, cleanly. What the leader
acknowledged alone is lost then; that is what acks=1 and acks=0 ask for, and what acks=all waits out.
"""

import pytest

from chaos.faults import Kill, between
from chaos.guarantees import (
    acked_records_survive,
    loss_is_predicted,
    no_duplicates,
    no_phantom_writes,
    order_per_producer,
    recovers,
)
from chaos.run import Launch, Run
from chaos.systems.kafka import TIGHT, MakeKafka
from chaos.systems.kafka.clients import producer

PATIENCE_S = 30.0
STEADY = 100
IN_THE_HOLE = 100
MANY = 10_000
UNANSWERED = 2
"""Each runs into its timeout of a second and a half."""


def starve_then_kill(make_kafka: MakeKafka, launch: Launch, *, acks: int | str) -> Run:
    """Cut replication, write, kill the leader in the hole; a follower that is still called in sync takes over."""
    cluster = make_kafka(settings=TIGHT)

    with launch(cluster, producer(cluster, "c1", acks=acks)) as run:
        run.wait_oks("add", STEADY, within_s=PATIENCE_S)  # Steady state.

        leader = cluster.leader()
        with run.inject(between(leader, cluster.replicas())) as (hole,):  # Fault.
            if acks == "all":
                begun = hole.effective_ns or 0
                run.wait_for(lambda: run.live.count("add", "c1", "info", begun) >= UNANSWERED, within_s=PATIENCE_S)
            else:
                run.wait_oks("add", IN_THE_HOLE, within_s=PATIENCE_S)
            with run.inject(Kill(leader)):
                cluster.note_replica_logs()
                cluster.wait_failover(leader, within_s=PATIENCE_S)
                run.wait_oks("add", STEADY, within_s=PATIENCE_S)

        run.wait_for(cluster.agreed, within_s=60)  # Recovery.
        run.wait_oks("add", STEADY, within_s=PATIENCE_S)
        run.final_read(cluster.final_read)
    return run


@pytest.mark.lesson("asynchronous replication")
@pytest.mark.parametrize("acks", [pytest.param(0, marks=pytest.mark.full), 1])
def test_what_only_the_leader_has_is_lost_with_it(make_kafka: MakeKafka, launch: Launch, acks: int) -> None:
    """
    With acks 0 or 1 what a leader took while its followers starved is gone when one of them, still in sync, takes over.
    """
    run = starve_then_kill(make_kafka, launch, acks=acks)
    run.expect(
        bounded={acked_records_survive: {"never_replicated_count": (IN_THE_HOLE, MANY)}},
        holds=[loss_is_predicted, no_duplicates, order_per_producer, no_phantom_writes, recovers],
    )


@pytest.mark.lesson("asynchronous replication")
def test_acks_all_acknowledges_nothing_that_a_starving_follower_lacks(make_kafka: MakeKafka, launch: Launch) -> None:
    """
    With acks=all a leader whose followers starve acknowledges nothing, and nothing acknowledged is lost with it.
    """
    run = starve_then_kill(make_kafka, launch, acks="all")
    run.expect(
        holds=[acked_records_survive, loss_is_predicted, no_duplicates, order_per_producer, no_phantom_writes, recovers]
    )
