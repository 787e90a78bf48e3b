"""
Isolated leader: the script of a split brain (experiments/redis/test_split_brain.py) for a partition's leader and its client.

The leader is cut off from the other brokers and from the controller, together with a client. It cannot shrink its in-sync
replicas without the controller, so acks=all waits in vain; acks=1 asks for nobody else, and goes on until after the heal.
"""

from typing import Any

import pytest

from chaos.faults import Mode
from chaos.guarantees import (
    acked_records_survive,
    acks_stop_within,
    log_agrees,
    no_duplicates,
    no_phantom_writes,
    of_client,
    recovers,
)
from chaos.run import Launch, Run
from chaos.scripts.isolated_leader import isolate_leader_with
from chaos.systems.kafka import TIGHT, MakeKafka
from chaos.systems.kafka.clients import producer

IN_THE_HOLE = 200
UNANSWERED = 2
"""Each runs into its timeout of a second and a half."""
MODES: list[Any] = ["drop", *(pytest.param(mode, marks=pytest.mark.full) for mode in ("reject", "stall", "cut"))]


def isolate_the_leader(make_kafka: MakeKafka, launch: Launch, mode: Mode, *, acks: int | str) -> Run:
    """The leader and c1, who knows only that broker, are cut off; c2 goes on with the others."""
    cluster = make_kafka(settings=TIGHT)
    leader, others = cluster.leader(), cluster.replicas()
    inside = producer(cluster, "c1", brokers=(leader,), acks=acks)
    outside = producer(cluster, "c2", brokers=others, acks="all")

    with launch(cluster, inside, outside) as run:

        def seen_enough() -> bool:
            since = run.live.faults[-1].begun_ns
            if acks == "all":
                return run.live.count("add", "c1", "info", since) >= UNANSWERED
            enough = run.live.count("add", "c1", "ok", since) >= IN_THE_HOLE
            return bool(enough and cluster.note_replica_logs())

        isolate_leader_with(run, cluster, inside="c1", outside="c2", mode=mode, until=seen_enough)
        run.wait_for(cluster.agreed, within_s=60)
        run.wait_oks("add", 20, client="c1", within_s=30)
        run.final_read(cluster.final_read)
    return run


@pytest.mark.lesson("split brain")
@pytest.mark.parametrize("mode", MODES)
def test_an_isolated_leader_acknowledges_what_it_will_truncate(
    make_kafka: MakeKafka, launch: Launch, mode: Mode
) -> None:
    """
    With acks=1 an isolated leader acknowledges records until after the heal, and truncates them all.
    """
    run = isolate_the_leader(make_kafka, launch, mode, acks=1)
    run.expect(
        bounded={
            of_client(acked_records_survive, "c1"): {"never_replicated_count": (IN_THE_HOLE, 1e6)},
            of_client(acks_stop_within(1.0), "c1"): {"acked_count": (IN_THE_HOLE, 1e6)},
        },
        violated=[log_agrees],
        holds=[
            of_client(acked_records_survive, "c2"),
            no_phantom_writes,
            of_client(recovers, "c1"),
            of_client(recovers, "c2"),
        ],
    )


@pytest.mark.lesson("split brain")
@pytest.mark.parametrize("mode", MODES)
def test_with_acks_all_an_isolated_leader_acknowledges_nothing(
    make_kafka: MakeKafka, launch: Launch, mode: Mode
) -> None:
    """
    With acks=all an isolated leader waits for replicas that it cannot drop without the controller, and loses nothing.
    """
    run = isolate_the_leader(make_kafka, launch, mode, acks="all")
    run.expect(
        holds=[
            of_client(acks_stop_within(0.0), "c1"),
            acked_records_survive,
            log_agrees,
            no_duplicates,
            no_phantom_writes,
            of_client(recovers, "c1"),
            of_client(recovers, "c2"),
        ]
    )
