"""
Renewal period: how long a cut a lock on a lease outlives is its TTL less the time between two renewals.

The client is cut off at the moment a renewal is due, and asks again at once when the network heals. Renewed each 0.8 TTL, as
a known recipe says (renew every TTL - TTL/5), the lease has a fifth of its time left; renewed each third, two thirds.
"""

import pytest

from chaos.faults import between
from chaos.guarantees import lease_kept, lock_is_never_lost
from chaos.run import Launch, Run
from chaos.systems.etcd import MakeEtcd
from chaos.systems.etcd.clients import pinned
from chaos.wait import monotonic_ns

TTL_S = 5
CUT_S = 2.5
"""Between a fifth and two thirds of the TTL, with half a second and more on either side."""
DUE = "renewal-due"


def cut_off_when_a_renewal_is_due(make_etcd: MakeEtcd, launch: Launch, *, share: float, cut_s: float = CUT_S) -> Run:
    """The holder stands where it is about to renew; its link is cut for a while, and it goes on."""
    cluster = make_etcd()
    keeper = pinned(
        cluster, "c1", "etcd-lease-keeper", hold=(DUE,), ttl_s=TTL_S, renew_every_s=share * TTL_S, timeout_s=0.3
    )

    with launch(cluster, keeper) as run:
        run.wait_point("c1", DUE, within_s=30)  # Steady state: it is renewed once, and then is about to be again.
        run.release("c1", DUE)
        run.wait_oks("renew", 1, within_s=30, since_ns=0)
        run.wait_point("c1", DUE, within_s=30)

        with run.inject(between("c1", cluster.nodes, mode="reject")) as (cut,):  # Fault.
            run.release("c1", DUE)
            run.wait_for(
                lambda: unconfirmed(run, cut.begun_ns), within_s=30, wanted="a renewal that the cut kept from c1"
            )
            until = cut.begun_ns + int(cut_s * 1e9)
            run.wait_for(lambda: monotonic_ns() >= until, within_s=30, wanted=f"{cut_s:g} s without a network")

        run.wait_for(lambda: told(run), within_s=30, wanted="c1 to learn whether it still has its lock")
    return run


def unconfirmed(run: Run, since_ns: int) -> int:
    """How many renewals were refused or not answered since then."""
    return run.live.count("renew", "c1", "fail", since_ns) + run.live.count("renew", "c1", "info", since_ns)


def told(run: Run) -> bool:
    """Whether the holder had an answer since the healing began: it may have it before the heal is proven, and end."""
    healing = run.live.faults[-1].healing_ns or 0
    return run.live.count("renew", "c1", "ok", healing) + run.live.count("check", "c1", "ok", healing) > 0


@pytest.mark.lesson("lease expiry")
def test_a_lock_that_is_renewed_late_is_lost_in_a_short_cut(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    Renewed each 0.8 TTL, a lock does not outlive a cut of half its TTL.
    """
    run = cut_off_when_a_renewal_is_due(make_etcd, launch, share=0.8)
    run.expect(
        bounded={lock_is_never_lost: {"unrenewed_s": (TTL_S, TTL_S + CUT_S + 1.0)}},
        holds=[lease_kept],
    )


@pytest.mark.lesson("lease expiry")
def test_a_lock_that_is_renewed_each_third_outlives_the_same_cut(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    Renewed each third of its TTL, a lock outlives a cut of half its TTL.
    """
    run = cut_off_when_a_renewal_is_due(make_etcd, launch, share=1 / 3)
    run.expect(holds=[lock_is_never_lost, lease_kept])
