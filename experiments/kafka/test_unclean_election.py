"""
Unclean election: only replicas that lag are left, and one may lead, or nobody may until a replica in sync returns.

Availability against durability in one setting. When the old leader comes back under an uncleanly elected one, it throws away
what it alone had, although it is all still on its disk.
"""

import pytest

from chaos.faults import Kill, between
from chaos.guarantees import acked_records_survive, log_agrees, loss_is_predicted, no_phantom_writes, recovers
from chaos.run import Launch, Run
from chaos.systems.kafka import SHORT_LAG, TIGHT, MakeKafka, Topic
from chaos.systems.kafka.clients import producer

PATIENCE_S = 30.0
STEADY = 100
TAIL = 100
MANY = 10_000
UNANSWERED = 3
"""So many records must have got no acknowledgement while nobody leads."""


def leave_only_lagging_replicas(make_kafka: MakeKafka, launch: Launch, *, unclean: bool) -> Run:
    """Shrink the in-sync replicas to the leader, write, kill it; the hole heals, and only the others are there."""
    topic = Topic(settings={"min.insync.replicas": 1, "unclean.leader.election.enable": unclean})
    cluster = make_kafka(settings={**TIGHT, **SHORT_LAG}, topics=[topic])

    with launch(cluster, producer(cluster, "c1", acks="all")) as run:
        run.wait_oks("add", STEADY, within_s=PATIENCE_S)  # Steady state.

        leader, others = cluster.leader(), cluster.replicas()
        with run.inject(between(leader, others)) as (hole,):  # Fault.
            run.wait_for(
                lambda: run.live.count("add", "c1", "info", hole.begun_ns), within_s=PATIENCE_S
            )  # "all" waits,
            run.wait_for(lambda: cluster.in_sync() == (leader.name,), within_s=PATIENCE_S)  # until it means one.
            run.wait_oks("add", TAIL, within_s=PATIENCE_S)
            with run.inject(Kill(leader)) as (crash,):
                cluster.note_replica_logs()
                if unclean:
                    cluster.wait_failover(leader, within_s=PATIENCE_S)
                    run.wait_observation("unclean-elections", within_s=PATIENCE_S, where=lambda seen: bool(seen.value))
                    run.wait_oks("add", STEADY, within_s=PATIENCE_S)
                else:
                    run.wait_for(cluster.leaderless, within_s=PATIENCE_S)
                    run.wait_for(lambda: unanswered(run, crash.begun_ns) >= UNANSWERED, within_s=PATIENCE_S)

        run.wait_for(cluster.agreed, within_s=60)  # Recovery.
        run.wait_oks("add", STEADY, within_s=PATIENCE_S)
        run.final_read(cluster.final_read)
    return run


def unanswered(run: Run, since_ns: int) -> int:
    """How many records got no acknowledgement since."""
    return sum(run.live.count("add", "c1", outcome, since_ns) for outcome in ("info", "fail"))


@pytest.mark.lesson("unclean election")
def test_an_unclean_election_is_available_and_forgets(make_kafka: MakeKafka, launch: Launch) -> None:
    """
    With unclean election a lagging replica leads within seconds, and what only the old leader had is truncated there too.
    """
    run = leave_only_lagging_replicas(make_kafka, launch, unclean=True)
    run.expect(
        bounded={acked_records_survive: {"never_replicated_count": (TAIL, MANY)}},
        violated=[log_agrees],
        holds=[loss_is_predicted, no_phantom_writes, recovers],
    )


@pytest.mark.lesson("unclean election")
def test_without_unclean_election_nobody_leads_and_nothing_is_lost(make_kafka: MakeKafka, launch: Launch) -> None:
    """
    Without it nobody leads until the last replica in sync returns, and then everything is there.
    """
    run = leave_only_lagging_replicas(make_kafka, launch, unclean=False)
    run.expect(holds=[acked_records_survive, log_agrees, no_phantom_writes, recovers])
