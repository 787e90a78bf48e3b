"""
A lock on etcd is a lease: its holder sleeps past it, wakes up, and writes.

That etcd is consistent helps only where it decides about the write: in a transaction that compares the lock's own revision,
or through an outside store that refuses a revision older than the last. Same script as experiments/redis.
"""

from typing import Any

import pytest

from chaos.guarantees import exclusive_writes, fenced_writes, monotonic_tokens, of_client, recovers
from chaos.providers.contract import Role
from chaos.run import Launch, Run
from chaos.scripts.sleeping_holder import sleep_past_the_lease
from chaos.servers import find
from chaos.systems.etcd import MakeEtcd
from chaos.systems.etcd.clients import pinned
from chaos.systems.redis import MakeRedis
from chaos.systems.redis import Topology as RedisTopology

TTL_S = 2
AT = "before-write"
STORE = RedisTopology(name="store", nodes=("store",))


def sleep(make_etcd: MakeEtcd, launch: Launch, kind: str, *, make_redis: MakeRedis | None = None) -> Run:
    """Let the holder sleep between two lines of its turn, and write afterwards to that kind of store."""
    cluster = make_etcd()
    outside = make_redis(topology=STORE, role=Role.RESOURCE) if make_redis else None
    clusters = [cluster, outside] if outside else [cluster]

    def client(name: str, **more: Any) -> Any:
        store = outside.address(name, "store") if outside else None
        return pinned(cluster, name, "etcd-lock", ttl_s=TTL_S, kind=kind, store=store, **more)

    with launch(*clusters, client("c1", hold=(AT,), rounds=1)) as run:
        sleep_past_the_lease(run, client("c2"), sleeper="c1", at=AT, learns=kind.endswith("guarded"))
    return run


@pytest.mark.lesson("lease expiry")
def test_without_a_guard_the_sleeper_writes_into_the_next_holders_turn(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    Even a write to etcd itself is accepted from a client whose lock has gone to another.
    """
    run = sleep(make_etcd, launch, "own")
    run.expect(violated=[exclusive_writes, fenced_writes], holds=[monotonic_tokens, of_client(recovers, "c2")])


@pytest.mark.lesson("lease expiry")
def test_a_transaction_on_the_locks_revision_refuses_the_sleeper(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    A write to etcd in one transaction with a look at the lock's creation is refused once the lock is another's.
    """
    run = sleep(make_etcd, launch, "own-guarded")
    run.expect(holds=[exclusive_writes, fenced_writes, monotonic_tokens, of_client(recovers, "c2")])


@pytest.mark.lesson("lease expiry")
def test_an_outside_store_without_a_guard_takes_the_late_write(
    make_etcd: MakeEtcd, make_redis: MakeRedis, launch: Launch
) -> None:
    """
    A store that knows nothing of the lock accepts the write of a client whose lock has gone to another.
    """
    run = sleep(make_etcd, launch, "outside", make_redis=make_redis)
    run.expect(violated=[exclusive_writes, fenced_writes], holds=[monotonic_tokens, of_client(recovers, "c2")])


@pytest.mark.lesson("lease expiry")
def test_an_outside_store_that_refuses_older_revisions_is_safe(
    make_etcd: MakeEtcd, make_redis: MakeRedis, launch: Launch
) -> None:
    """
    The revision at which the lock was created is a fencing token, and a store that compares it refuses the sleeper.
    """
    run = sleep(make_etcd, launch, "outside-guarded", make_redis=make_redis)
    run.expect(holds=[exclusive_writes, fenced_writes, monotonic_tokens, of_client(recovers, "c2")])


@pytest.mark.lesson("lease expiry")
def test_the_lock_of_the_etcd3_library_has_no_token_to_refuse_it_by(make_etcd: MakeEtcd, launch: Launch) -> None:
    """
    The client library etcd3 keeps no lease alive and no revision of its lock, so the sleeper's write is accepted.
    """
    cluster, python = make_etcd(), str(find("client:etcd3").program)
    sleeper = pinned(cluster, "c1", "etcd3-lock", interpreter=python, ttl_s=TTL_S, hold=(AT,), rounds=1)
    other = pinned(cluster, "c2", "etcd3-lock", interpreter=python, ttl_s=TTL_S)

    with launch(cluster, sleeper) as run:
        sleep_past_the_lease(run, other, sleeper="c1", at=AT)

    run.expect(violated=[exclusive_writes], holds=[of_client(recovers, "c2")])
