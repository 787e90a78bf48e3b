"""
The script of a lease that is kept alive while the leader is lost: the same whatever takes the leader.
"""

from chaos.cluster import Node
from chaos.faults.fault import FaultPlan
from chaos.run import Run
from chaos.scripts.isolated_leader import HasReplaceableLeader
from chaos.wait import monotonic_ns

PATIENCE_S = 30.0
AFTERWARDS = 20
"""So many looks at the lease after the heal: two seconds of them."""


def lose_the_leader_under_a_lease(
    run: Run, cluster: HasReplaceableLeader, harm: FaultPlan, old: Node, *, keeper: str, ttl_s: float
) -> None:
    """
    Take the leader for longer than the lease lasts, while its holder renews it with the next one, and bring it back.

    :param keeper: the client that renews the lease and looks at it; it must not reach the leader that goes.
    """
    run.wait_oks("renew", 2, client=keeper, within_s=PATIENCE_S)  # Steady state.

    with run.inject(harm) as (fault,):
        cluster.wait_failover(old, within_s=PATIENCE_S)
        run.wait_oks("renew", 2, client=keeper, within_s=PATIENCE_S)
        until = fault.begun_ns + int((ttl_s + 2) * 1e9)
        run.wait_for(
            lambda: monotonic_ns() >= until, within_s=PATIENCE_S, wanted="the lease to run out at the old leader"
        )
        run.wait_oks("renew", 1, client=keeper, within_s=PATIENCE_S)

    healing_ns = run.live.faults[-1].healing_ns or 0

    def seen_enough() -> bool:
        looks = run.live.count("check", keeper, "ok", healing_ns)
        return looks >= AFTERWARDS or run.live.ended(keeper)

    run.wait_for(seen_enough, within_s=PATIENCE_S, wanted=f"{keeper} to have looked at its lease")  # Recovery.
