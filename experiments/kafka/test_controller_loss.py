"""
Controller loss: nobody notices while the partitions' leaders live; lost together with one, it is waited for first.

And a broker that stood still longer than its session comes back as a zombie, which the epochs of its successors keep from
doing harm.
"""

import pytest

from chaos.faults import FaultPlan, Kill, Pause
from chaos.guarantees import (
    acked_records_survive,
    election_within,
    leader_is_kept,
    log_agrees,
    no_duplicates,
    no_phantom_writes,
    recovers,
)
from chaos.run import Launch
from chaos.systems.kafka import TIGHT, KafkaCluster, MakeKafka
from chaos.systems.kafka.clients import producer

PATIENCE_S = 30.0
STEADY = 100
ELECTION_S = 6.0
"""A broker's session (2 s), an election among controllers (0.5 to 1 s, after 1 s without one), and room for a busy machine."""


@pytest.mark.lesson("leader loss")
def test_the_loss_of_the_controller_alone_is_not_noticed(make_kafka: MakeKafka, launch: Launch) -> None:
    """
    While no controller is active, records are acknowledged as before; another one takes over, and nothing is lost.
    """
    cluster = make_kafka(topology="quorum", settings=TIGHT)

    with launch(cluster, producer(cluster, "c1", acks="all")) as run:
        run.wait_oks("add", STEADY, within_s=PATIENCE_S)  # Steady state.

        old = cluster.controller()
        with run.inject(Kill(old)):  # Fault.
            run.wait_oks("add", STEADY // 2, within_s=PATIENCE_S)
            cluster.wait_controller(within_s=PATIENCE_S, instead_of=old)
            run.wait_oks("add", STEADY, within_s=PATIENCE_S)

        run.wait_oks("add", STEADY, within_s=PATIENCE_S)  # Recovery.
        run.final_read(cluster.final_read)

    run.expect(holds=[acked_records_survive, log_agrees, no_duplicates, no_phantom_writes, recovers, leader_is_kept])


def both(cluster: KafkaCluster) -> list[FaultPlan]:
    """The controller and the leader die at once."""
    return [Kill([cluster.controller(), cluster.leader()])]


def zombie(cluster: KafkaCluster) -> list[FaultPlan]:
    """The leader stands still for longer than its session."""
    return [Pause(cluster.leader())]


@pytest.mark.lesson("leader loss")
@pytest.mark.parametrize("fault", [both, zombie])
def test_another_broker_leads_and_nothing_acknowledged_is_lost(
    make_kafka: MakeKafka, launch: Launch, fault: object
) -> None:
    """
    With acks=all nothing is lost with a leader, not even together with the controller, nor when it returns as a zombie.
    """
    cluster = make_kafka(topology="quorum", settings=TIGHT)

    with launch(cluster, producer(cluster, "c1", acks="all")) as run:
        run.wait_oks("add", STEADY, within_s=PATIENCE_S)  # Steady state.

        old, controller = cluster.leader(), cluster.controller()
        with run.inject(*fault(cluster)):  # type: ignore[operator]
            cluster.wait_failover(old, within_s=PATIENCE_S)
            if fault is both:
                cluster.wait_controller(within_s=PATIENCE_S, instead_of=controller)
            run.wait_oks("add", STEADY, within_s=PATIENCE_S)

        run.wait_for(cluster.agreed, within_s=60)  # Recovery.
        run.wait_oks("add", STEADY, within_s=PATIENCE_S)
        run.final_read(cluster.final_read)

    run.expect(
        holds=[
            acked_records_survive,
            log_agrees,
            no_duplicates,
            no_phantom_writes,
            recovers,
            election_within(ELECTION_S),
        ]
    )
