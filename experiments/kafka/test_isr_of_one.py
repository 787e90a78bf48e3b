"""
An in-sync set of one: acks=all asks for all replicas in sync, and when the others have fallen out, that is the leader alone.

The followers starve until they leave the in-sync replicas; then the leader dies, and a follower takes over. Only
``min.insync.replicas`` says how many "all" must be.
"""

import pytest

from chaos.faults import Kill, between
from chaos.guarantees import (
    acked_records_survive,
    log_agrees,
    loss_is_predicted,
    no_duplicates,
    no_phantom_writes,
    order_per_producer,
    recovers,
)
from chaos.run import Launch, Run
from chaos.systems.kafka import SHORT_LAG, TIGHT, MakeKafka, Topic
from chaos.systems.kafka.clients import producer

PATIENCE_S = 30.0
IN_THE_HOLE = 100
REFUSED = 10
MANY = 10_000
TOPOLOGIES = ["three", pytest.param("combined", marks=pytest.mark.full)]


def shrink_to_one(make_kafka: MakeKafka, launch: Launch, topology: str, *, min_insync: int) -> Run:
    """
    Starve the followers until the leader is alone in sync, write, kill it, let a follower take over.

    Only what brokers replicate is cut: nodes that are controllers too would lose their quorum with the rest.
    """
    topic = Topic(settings={"min.insync.replicas": min_insync, "unclean.leader.election.enable": True})
    cluster = make_kafka(topology=topology, settings={**TIGHT, **SHORT_LAG}, topics=[topic])

    with launch(cluster, producer(cluster, "c1", acks="all")) as run:
        run.wait_oks("add", IN_THE_HOLE, within_s=PATIENCE_S)  # Steady state.

        leader = cluster.leader()
        with run.inject(between(leader, cluster.replicas(), ports="replication")) as (hole,):  # Fault.
            run.wait_for(
                lambda: run.live.count("add", "c1", "info", hole.begun_ns), within_s=PATIENCE_S
            )  # "all" waits,
            run.wait_for(lambda: cluster.in_sync() == (leader.name,), within_s=PATIENCE_S)  # until it means one.
            if min_insync == 1:
                run.wait_oks("add", IN_THE_HOLE, within_s=PATIENCE_S)
            else:
                run.wait_for(lambda: run.live.count("add", "c1", "fail") >= REFUSED, within_s=PATIENCE_S)
            with run.inject(Kill(leader)):
                cluster.note_replica_logs()
                cluster.wait_failover(leader, within_s=PATIENCE_S)
                run.wait_oks("add", IN_THE_HOLE, within_s=PATIENCE_S)

        run.wait_for(cluster.agreed, within_s=60)  # Recovery.
        run.wait_oks("add", IN_THE_HOLE, within_s=PATIENCE_S)
        run.final_read(cluster.final_read)
    return run


@pytest.mark.lesson("in-sync set of one")
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_acks_all_of_an_in_sync_set_of_one_is_one_copy(make_kafka: MakeKafka, launch: Launch, topology: str) -> None:
    """
    With min.insync.replicas 1, acks=all is kept by a leader that is alone in sync, and lost with it.
    """
    run = shrink_to_one(make_kafka, launch, topology, min_insync=1)
    run.expect(
        bounded={acked_records_survive: {"never_replicated_count": (IN_THE_HOLE, MANY)}},
        violated=[log_agrees],
        holds=[loss_is_predicted, no_duplicates, order_per_producer, no_phantom_writes, recovers],
    )


@pytest.mark.lesson("in-sync set of one")
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_min_insync_replicas_refuses_what_one_copy_could_lose(
    make_kafka: MakeKafka, launch: Launch, topology: str
) -> None:
    """
    With min.insync.replicas 2 a leader that is alone in sync refuses, and nothing acknowledged is lost.
    """
    run = shrink_to_one(make_kafka, launch, topology, min_insync=2)
    run.expect(
        holds=[acked_records_survive, loss_is_predicted, no_duplicates, order_per_producer, no_phantom_writes, recovers]
    )
