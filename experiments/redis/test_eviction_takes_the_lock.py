"""
Eviction takes the lock: locks and a cache in one Redis, and the cache fills up.
"""

import pytest

from chaos.guarantees import lock_is_kept
from chaos.run import Launch, Run
from chaos.systems.redis import MakeRedis
from chaos.systems.redis.clients import pinned

PATIENCE_S = 60.0


def fill_up(make_redis: MakeRedis, launch: Launch, policy: str, *, taken: bool) -> Run:
    """Hold a lock for a minute and fill the cache beside it until the lock is gone, or until the server refuses."""
    shared = make_redis(topology="standalone", settings={"maxmemory": "4mb", "maxmemory-policy": policy})

    with launch(shared, pinned(shared, "c1", "redis-lock-keeper")) as run:
        run.wait_oks("check", 3, client="c1", within_s=PATIENCE_S)  # Steady state.

        run.phase("the cache fills up")
        run.start(pinned(shared, "c2", "redis-cache-filler"))
        if taken:
            run.wait_for(
                lambda: run.live.count("check", "c1", "ok", where=lambda check: not check.result),
                within_s=PATIENCE_S,
                wanted="the lock to be gone",
            )
        else:
            run.wait_for(lambda: run.live.count("fill", "c2", "fail") >= 50, within_s=PATIENCE_S, wanted="refusals")
            run.start(pinned(shared, "c3", "redis-lock-keeper", key="another"))
            run.wait_for(
                lambda: run.live.count("acquire", "c3", "fail"), within_s=PATIENCE_S, wanted="a new lock to be refused"
            )
            run.wait_oks("check", 3, client="c1", within_s=PATIENCE_S)
        run.observe("evicted", lambda: shared.ask("n1", "INFO", "stats"))
    return run


@pytest.mark.lesson("eviction")
@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "volatile-ttl"])
def test_a_policy_that_evicts_takes_a_lock_that_has_time_left(
    make_redis: MakeRedis, launch: Launch, policy: str
) -> None:
    """
    A lock is a key with an expiry like any other, and a full cache evicts it long before its lease ends.
    """
    run = fill_up(make_redis, launch, policy, taken=True)
    run.expect(violated=[lock_is_kept])


@pytest.mark.lesson("eviction")
def test_without_eviction_the_lock_stays_and_writes_are_refused(make_redis: MakeRedis, launch: Launch) -> None:
    """
    noeviction keeps the lock and refuses writes instead, new locks among them: locks want an instance of their own.
    """
    run = fill_up(make_redis, launch, "noeviction", taken=False)
    run.expect(holds=[lock_is_kept])
