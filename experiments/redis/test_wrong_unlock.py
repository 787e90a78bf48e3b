"""
Releasing somebody else's lock: a late holder deletes the key, and with it the lock of the next holder.
"""

import pytest

from chaos.faults import Pause
from chaos.guarantees import among, mutual_exclusion, of_client, only_owner_releases, recovers
from chaos.providers.contract import Role
from chaos.run import Launch, Run
from chaos.systems.redis import MakeRedis, Topology
from chaos.systems.redis.clients import pinned

SHORT_MS, LONG_MS = 1000, 60_000
PATIENCE_S = 30.0
STORE = Topology(name="store", nodes=("store",))
# The first holder sleeps past its lease in every row; what its release does is seen between the other two.
the_others_exclude = among(mutual_exclusion, "c2", "c3")
# Where a pause does the most harm: before the release, or between its two steps where it has two.
WORST_POINT = {
    "del": "before-release",
    "compare-del": "compared-release",
    "lua": "before-release",
    "watch": "compared-release",
}


def release_late(make_redis: MakeRedis, launch: Launch, unlock: str, *, third_gets_in: bool) -> Run:
    """Pause the first holder before its release until the second is inside; then see whether a third gets in too."""
    locks, store = make_redis(topology="standalone"), make_redis(topology=STORE, role=Role.RESOURCE)
    at = WORST_POINT[unlock]

    with launch(locks, store) as run:
        run.start(pinned(locks, "c1", "redis-lock", hold=(at,), ttl_ms=SHORT_MS, unlock=unlock, rounds=1, store=store))
        run.wait_point("c1", at, within_s=PATIENCE_S)  # Steady state: it has worked and is about to leave.

        with run.inject(Pause("c1")):
            run.release("c1", at)
            run.start(pinned(locks, "c2", "redis-lock", hold=("acquired",), ttl_ms=LONG_MS, rounds=1, store=store))
            run.wait_point("c2", "acquired", within_s=PATIENCE_S)

        run.wait_for(lambda: run.live.ended("c1"), within_s=PATIENCE_S, wanted="c1 to have tried its release")
        run.start(pinned(locks, "c3", "redis-lock", ttl_ms=LONG_MS, store=store))
        outcome, times = ("ok", 1) if third_gets_in else ("fail", 10)
        run.wait_for(
            lambda: run.live.count("acquire", "c3", outcome) >= times,
            within_s=PATIENCE_S,
            wanted=f"c3's acquisition to end {outcome}",
        )
        run.release("c2", "acquired")
        run.wait_oks("acquire", 1, client="c3", within_s=PATIENCE_S)  # Recovery.
    return run


@pytest.mark.lesson("lock ownership")
@pytest.mark.parametrize("unlock", ["del", "compare-del"])
def test_an_unlock_that_can_delete_a_foreign_key_lets_a_third_client_in(
    make_redis: MakeRedis, launch: Launch, unlock: str
) -> None:
    """
    DEL deletes whoever's lock it finds, and so does a comparison followed by DEL when a pause falls between them.
    """
    run = release_late(make_redis, launch, unlock, third_gets_in=True)
    run.expect(violated=[only_owner_releases, the_others_exclude])


@pytest.mark.lesson("lock ownership")
@pytest.mark.parametrize("unlock", ["lua", "watch"])
def test_an_unlock_that_compares_and_deletes_in_one_step_leaves_foreign_locks_alone(
    make_redis: MakeRedis, launch: Launch, unlock: str
) -> None:
    """
    A script, or WATCH with MULTI, deletes the key only if it still holds the releaser's own value.
    """
    run = release_late(make_redis, launch, unlock, third_gets_in=False)
    run.expect(holds=[only_owner_releases, the_others_exclude, of_client(recovers, "c3")])
