"""
The consumer ahead of the log: it has read what an unclean election then takes out of the log.

Its position lies beyond the new log's end. Once the log has grown past it, or wherever the library goes by itself, what was
written meanwhile is skipped, and nobody says so; a library that compares leader epochs (KIP-320) is told.
"""

import pytest

from chaos.faults import Kill, Pause, between
from chaos.guarantees import (
    acked_records_survive,
    gapless_polls,
    log_agrees,
    no_phantom_writes,
    of_client,
    polled_once,
)
from chaos.run import Launch, Run
from chaos.systems.kafka import SHORT_LAG, TIGHT, MakeKafka, Topic
from chaos.systems.kafka.clients import consumer, producer

PATIENCE_S = 30.0
STEADY = 100
TAIL = 200
MEANWHILE = 30
"""So few that the new log does not grow past the old one's end before the readers look."""
READERS = {
    "c2": ("aiokafka", "latest"),
    "c3": ("aiokafka", "earliest"),
    "c4": ("confluent-kafka", "latest"),
    "c5": ("kafka-python", "latest"),
}


def read_what_will_be_truncated(make_kafka: MakeKafka, launch: Launch) -> Run:
    """An in-sync set of one is read to its end, dies, and a lagging replica takes over."""
    topic = Topic(settings={"min.insync.replicas": 1, "unclean.leader.election.enable": True})
    cluster = make_kafka(settings={**TIGHT, **SHORT_LAG}, topics=[topic])
    readers = [consumer(cluster, name, library=library, reset=reset) for name, (library, reset) in READERS.items()]

    with launch(cluster, producer(cluster, "c1", acks="all"), readers) as run:
        run.wait_oks("add", STEADY, within_s=PATIENCE_S)  # Steady state.

        leader = cluster.leader()
        with run.inject(between(leader, cluster.replicas())):  # Fault.
            run.wait_for(lambda: cluster.in_sync() == (leader.name,), within_s=PATIENCE_S)
            run.wait_oks("add", TAIL, within_s=PATIENCE_S)
            end = cluster.replica_log(leader).end
            for client in READERS:
                run.wait_for(lambda client=client: position(run, client) >= end, within_s=PATIENCE_S)  # type: ignore[misc]
            with run.inject(Pause(list(READERS)), Kill(leader)):
                cluster.note_replica_logs()
                cluster.wait_failover(leader, within_s=PATIENCE_S)
                run.wait_oks("add", MEANWHILE, within_s=PATIENCE_S)
                run.stop("c1")  # Else the log grows past its old end before the readers look, and all of them skip.

        run.wait_for(cluster.agreed, within_s=60)  # Recovery.
        for client in READERS:
            run.wait_oks("poll", 3, client=client, within_s=PATIENCE_S)
        run.start(producer(cluster, "c9", acks="all"))
        run.wait_oks("add", STEADY, within_s=PATIENCE_S)
        for client in READERS:
            run.wait_oks("poll", 5, client=client, within_s=PATIENCE_S)
        run.final_read(cluster.final_read)
    return run


def position(run: Run, client: str) -> int:
    """The offset that the consumer will read next."""
    return max((int(poll.notes.get("position") or 0) for poll in run.live.operations("poll", client)), default=0)


@pytest.mark.lesson("unclean election")
def test_a_consumer_ahead_of_the_log_skips_or_repeats_without_a_word(make_kafka: MakeKafka, launch: Launch) -> None:
    """
    A consumer that compares no leader epochs goes where auto.offset.reset says: it skips records, or reads all again.
    """
    run = read_what_will_be_truncated(make_kafka, launch)
    skips, repeats, *others = READERS
    run.expect(
        violated=[of_client(gapless_polls, skips), of_client(polled_once, repeats), acked_records_survive, log_agrees],
        holds=[
            of_client(gapless_polls, repeats),
            *(of_client(promise, client) for client in others for promise in (gapless_polls, polled_once)),
            no_phantom_writes,
        ],
    )
