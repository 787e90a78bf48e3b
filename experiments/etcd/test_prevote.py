"""
Pre-vote: what a follower that hears nobody does to those that it cannot hear.

A follower's peers can hear it, and it cannot hear them. Without pre-vote it stands for election again and again, in ever
newer terms, and each of them deposes a healthy leader. With pre-vote it asks first whether anybody would vote for it.
"""

import pytest

from chaos.faults import one_way
from chaos.guarantees import acked_writes_survive, leader_is_kept, no_phantom_writes, recovers
from chaos.run import Launch, Run
from chaos.systems.etcd import MakeEtcd
from chaos.systems.etcd.clients import pinned
from chaos.wait import monotonic_ns

DEAF_S = 5.0


def deafen_a_follower(make_etcd: MakeEtcd, launch: Launch, *, prevote: bool, version: str) -> Run:
    """One follower gets nothing from its peers for five election timeouts, then everything again."""
    cluster = make_etcd(version=version, settings={"pre-vote": prevote})
    leader, (follower, other) = cluster.leader(), cluster.replicas()
    clients = [pinned(cluster, "c1", "etcd-set", node=leader), pinned(cluster, "c2", "etcd-set", node=other)]

    with launch(cluster, clients) as run:
        run.wait_oks("add", 200, within_s=30)  # Steady state.

        with run.inject(one_way([leader, other], follower)) as (deaf,):  # Fault.
            run.wait_observation(
                "role",
                party=str(follower),
                since_ns=deaf.begun_ns,
                where=lambda seen: seen.value == "no leader",  # It has missed the leader, so it is really deaf.
                within_s=30,
            )
            until = deaf.begun_ns + int(DEAF_S * 1e9)
            run.wait_for(lambda: monotonic_ns() >= until, within_s=30, wanted=f"{DEAF_S:g} s of deafness")

        run.wait_for(cluster.agreed, within_s=60)  # Recovery.
        run.wait_oks("add", 200, within_s=30)
        run.final_read(lambda: cluster.final_read("acked"))
    return run


@pytest.mark.lesson("leader loss")
def test_without_prevote_a_deaf_follower_deposes_a_healthy_leader(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    A follower that hears nobody, back after a while in a newer term, costs a leader that nothing was wrong with.
    """
    run = deafen_a_follower(make_etcd, launch, prevote=False, version="3.4")
    run.expect(violated=[leader_is_kept], holds=[acked_writes_survive, no_phantom_writes, recovers])


@pytest.mark.lesson("leader loss")
@pytest.mark.parametrize("version", ["3.4", pytest.param("3.6", marks=pytest.mark.full)])
def test_with_prevote_the_leader_stays(make_etcd: MakeEtcd, launch: Launch, version: str) -> None:
    """
    A follower that asks whether it could win before it stands for election disturbs nobody.
    """
    run = deafen_a_follower(make_etcd, launch, prevote=True, version=version)
    run.expect(holds=[leader_is_kept, acked_writes_survive, no_phantom_writes, recovers])
