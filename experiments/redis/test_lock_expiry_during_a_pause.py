"""
Lock expiry during a GC pause: the holder sleeps past its lease, wakes up, and writes.

The pause is SIGSTOP of the holder's process, placed exactly by a named point. The verdict is read from the order of
writes that the guarded resource accepted, never from the lock.
"""

from typing import Any

import pytest

from chaos.guarantees import exclusive_writes, fenced_writes, monotonic_tokens, of_client, recovers
from chaos.providers.contract import Role
from chaos.run import Launch, Run
from chaos.scripts.sleeping_holder import sleep_past_the_lease
from chaos.systems.redis import MakeRedis, Topology
from chaos.systems.redis.clients import pinned

LEASE_MS = 1000
STORE = Topology(name="store", nodes=("store",))


def sleep(make_redis: MakeRedis, launch: Launch, guard: str, *, at: str, learns: bool = False) -> Run:
    """Pause the holder at a named point until another client has worked inside, then let it go on."""
    locks, store = make_redis(topology="standalone"), make_redis(topology=STORE, role=Role.RESOURCE)
    lock: dict[str, Any] = {"ttl_ms": LEASE_MS, "guard": guard, "store": store}
    sleeper = pinned(locks, "c1", "redis-lock", hold=(at,), rounds=1, **lock)

    with launch(locks, store, sleeper) as run:
        sleep_past_the_lease(run, pinned(locks, "c2", "redis-lock", **lock), sleeper="c1", at=at, learns=learns)
    return run


@pytest.mark.lesson("lease expiry")
def test_without_a_check_the_sleeper_writes_into_the_next_holders_turn(make_redis: MakeRedis, launch: Launch) -> None:
    """
    A client stalled past its lease still believes that it holds the lock, and its late write is accepted.
    """
    run = sleep(make_redis, launch, "none", at="before-write")
    run.expect(violated=[exclusive_writes, fenced_writes], holds=[monotonic_tokens, of_client(recovers, "c2")])


@pytest.mark.lesson("lease expiry")
def test_a_comparison_before_the_write_does_not_help_when_the_pause_falls_after_it(
    make_redis: MakeRedis, launch: Launch
) -> None:
    """
    Asking the lock again before the write leaves a gap between answer and write, and a pause in it breaks exclusion.
    """
    run = sleep(make_redis, launch, "compare", at="compared")
    run.expect(violated=[exclusive_writes, fenced_writes], holds=[monotonic_tokens, of_client(recovers, "c2")])


@pytest.mark.lesson("lease expiry")
def test_a_comparison_helps_only_when_the_pause_falls_before_it(make_redis: MakeRedis, launch: Launch) -> None:
    """
    A sleeper that compares after it woke sees that the lock is no longer its own, and does not write.
    """
    run = sleep(make_redis, launch, "compare", at="acquired", learns=True)
    run.expect(holds=[exclusive_writes, monotonic_tokens, of_client(recovers, "c2")])


@pytest.mark.lesson("lease expiry")
def test_a_fencing_token_checked_at_the_resource_refuses_the_sleeper(make_redis: MakeRedis, launch: Launch) -> None:
    """
    A resource that refuses tokens lower than the last it saw keeps exclusion, wherever the pause falls.
    """
    run = sleep(make_redis, launch, "fencing", at="before-write", learns=True)
    run.expect(holds=[exclusive_writes, fenced_writes, monotonic_tokens, of_client(recovers, "c2")])
