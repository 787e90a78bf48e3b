"""
Leader loss: how long nobody leads is a matter of the election timeout, and of how the leader went.

A killed or paused leader is missed only when the others have heard nothing for an election timeout, each for a random time
between one and two of them; so never sooner than a timeout less the heartbeat before. One that is asked to end hands its
lead over first.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from chaos.faults import Kill, Pause, Stop
from chaos.guarantees import acked_writes_survive, election_within, no_phantom_writes, of_client, recovers
from chaos.run import Launch, Run
from chaos.systems.etcd import FAST, SLOW, MakeEtcd, Setting
from chaos.systems.etcd.clients import pinned

PACE_S = 0.02
DEFAULT: Mapping[str, Setting] = {}
AT_LEAST = 0.9
"""Of an election timeout: the last heartbeat, a tenth of one, may have come just before."""
SETTINGS: list[Any] = [
    pytest.param(FAST, 0.5, id="500ms", marks=pytest.mark.full),
    pytest.param(DEFAULT, 1.0, id="1s"),
    pytest.param(SLOW, 5.0, id="5s", marks=pytest.mark.full),
]


def lose_the_leader(make_etcd: MakeEtcd, launch: Launch, settings: Mapping[str, Setting], harm: type) -> Run:
    """One client at each member writes on while the leader goes, another one comes, and the old one returns."""
    cluster = make_etcd(settings=settings)
    clients = [
        pinned(cluster, f"c{number}", "etcd-set", node=node, pace_s=PACE_S)
        for number, node in enumerate(cluster.nodes, 1)
    ]

    with launch(cluster, clients) as run:
        run.wait_oks("add", 60, within_s=30)  # Steady state.

        old = cluster.leader()
        other = next(plan.name for plan, node in zip(clients, cluster.nodes, strict=True) if node != old)
        with run.inject(harm(old)):  # Fault.
            cluster.wait_failover(old, within_s=60)
            run.wait_oks("add", 20, client=other, within_s=30)

        run.wait_for(cluster.agreed, within_s=60)  # Recovery.
        run.wait_oks("add", 60, within_s=30)
        run.final_read(lambda: cluster.final_read("acked"))
    return run


@pytest.mark.lesson("leader loss")
@pytest.mark.parametrize("harm", [Kill, pytest.param(Pause, marks=pytest.mark.full)])
@pytest.mark.parametrize(("settings", "election_s"), SETTINGS)
def test_a_leader_that_vanishes_is_missed_for_one_to_three_election_timeouts(
    make_etcd: MakeEtcd, launch: Launch, settings: Mapping[str, Setting], election_s: float, harm: type
) -> None:
    """
    After a crash or a pause nobody leads for about an election timeout, and nothing that was acknowledged is lost.
    """
    run = lose_the_leader(make_etcd, launch, settings, harm)
    run.expect(
        bounded={election_within(AT_LEAST * election_s): {"election_s": (AT_LEAST * election_s, 3 * election_s + 0.5)}},
        holds=[acked_writes_survive, no_phantom_writes, recovers, *(of_client(recovers, f"c{n}") for n in (1, 2, 3))],
    )


@pytest.mark.lesson("leader loss")
@pytest.mark.parametrize(("settings", "election_s"), SETTINGS)
def test_a_leader_that_is_asked_to_end_hands_its_lead_over(
    make_etcd: MakeEtcd, launch: Launch, settings: Mapping[str, Setting], election_s: float
) -> None:
    """
    After SIGTERM another member leads sooner than anybody could have missed the old leader.
    """
    run = lose_the_leader(make_etcd, launch, settings, Stop)
    run.expect(holds=[election_within(AT_LEAST * election_s), acked_writes_survive, no_phantom_writes, recovers])
