"""
SETNX then EXPIRE: two commands where one is needed. A client that dies between them leaves a lock without an end.
"""

from typing import Any

import pytest

from chaos.faults import Kill
from chaos.guarantees import lock_is_freed_within
from chaos.providers.contract import Role
from chaos.run import Launch, Run
from chaos.systems.redis import MakeRedis, Topology
from chaos.systems.redis.clients import pinned

LEASE_S = 1.0
PATIENCE_S = 30.0
WITHOUT_AN_END = -1  # As PTTL says it.
STORE = Topology(name="store", nodes=("store",))


def refused_for(run: Run, client: str) -> float:
    """For how many seconds this client has been refused the lock by now."""
    refused = run.live.operations("acquire", client, "fail")
    return (refused[-1].invoked_ns - refused[0].invoked_ns) / 1e9 if refused else 0.0


def die_while_acquiring(make_redis: MakeRedis, launch: Launch, acquire: str, *, at: str, gets_in: bool) -> Run:
    """Kill the holder at a named point and let another client try for three leases, or until it is inside."""
    locks, store = make_redis(topology="standalone"), make_redis(topology=STORE, role=Role.RESOURCE)
    lock: dict[str, Any] = {"ttl_ms": round(LEASE_S * 1000), "acquire": acquire, "store": store}

    with launch(locks, store, pinned(locks, "c1", "redis-lock", hold=(at,), **lock)) as run:
        run.wait_point("c1", at, within_s=PATIENCE_S)  # Steady state: it has the lock.

        with run.inject(Kill("c1")):
            run.start(pinned(locks, "c2", "redis-lock", **lock))

        if gets_in:
            run.wait_oks("acquire", 1, client="c2", within_s=PATIENCE_S)  # Recovery.
        else:
            run.wait_for(
                lambda: refused_for(run, "c2") >= 3 * LEASE_S,
                within_s=PATIENCE_S,
                wanted="c2 to be refused for three leases",
            )
            run.wait_for(
                lambda: run.observe("ttl", lambda: locks.ask("n1", "PTTL", "lock")) == WITHOUT_AN_END,
                within_s=PATIENCE_S,
                wanted="the dead client's lock to have no end",
            )
    return run


@pytest.mark.lesson("deadlock freedom")
def test_a_client_that_dies_between_setnx_and_expire_locks_everybody_out(make_redis: MakeRedis, launch: Launch) -> None:
    """
    SETNX and EXPIRE are two commands, and a death between them leaves the lock for ever.
    """
    run = die_while_acquiring(make_redis, launch, "setnx-expire", at="between-setnx-and-expire", gets_in=False)
    run.expect(violated=[lock_is_freed_within(2 * LEASE_S)])


@pytest.mark.lesson("deadlock freedom")
def test_a_lock_taken_with_its_lease_in_one_command_is_freed(make_redis: MakeRedis, launch: Launch) -> None:
    """
    SET NX PX gives the lock its end in the same command, so a dead holder blocks others for one lease at most.
    """
    run = die_while_acquiring(make_redis, launch, "set-nx-px", at="acquired", gets_in=True)
    run.expect(holds=[lock_is_freed_within(2 * LEASE_S)])
