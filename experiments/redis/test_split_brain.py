"""
Split brain: the old master keeps its client.

A master is cut off together with a client. The majority promotes a replica; the old master acknowledges on, and when
the network heals it becomes a replica and throws its data away. ``min-replicas-to-write`` bounds the loss, and how
tightly depends on how the network fails.
"""

from collections.abc import Mapping

import pytest

from chaos.faults import Mode
from chaos.guarantees import (
    acked_writes_survive_for,
    acks_stop_within,
    loss_ends_within,
    no_phantom_writes,
    of_client,
    recovers,
)
from chaos.run import Launch, Run
from chaos.scripts.isolated_leader import isolate_leader_with
from chaos.systems.redis import DEFAULT, HARDENED, UNSAFE, MakeRedis, SentinelSettings, Setting
from chaos.systems.redis.clients import following, pinned

MAX_LAG_S = 2.0
IN_THE_HOLE = 300
THE_OTHERS = [pytest.param(mode, marks=pytest.mark.full) for mode in ("stall", "cut")]
MODES = ["drop", "reject", *THE_OTHERS]
inside_survive = acked_writes_survive_for("c1")
outside_recovers = of_client(recovers, "c2")


def split_brain(
    make_redis: MakeRedis,
    launch: Launch,
    settings: Mapping[str, Setting],
    mode: Mode,
    *,
    refused: bool,
    sentinel: SentinelSettings | None = None,
) -> Run:
    """Run the case; ``refused`` says whether the old master is expected to stop acknowledging by itself."""
    cluster = make_redis(topology="sentinel", settings=settings, sentinel=sentinel)
    clients = [pinned(cluster, "c1", "redis-set"), following(cluster, "c2", "redis-set")]

    with launch(cluster, clients) as run:

        def seen_enough() -> bool:
            since = run.live.faults[-1].begun_ns
            if refused:  # By the old master itself: a client that cannot reach it is refused nothing.
                return run.live.count("add", "c1", "fail", since, lambda add: "NOREPLICAS" in str(add.error)) >= 20
            return run.live.count("add", "c1", "ok", since) >= IN_THE_HOLE

        isolate_leader_with(run, cluster, inside="c1", outside="c2", mode=mode, until=seen_enough)
        run.wait_for(cluster.agreed, within_s=60)
        run.final_read(lambda: cluster.final_read("acked"))
    return run


@pytest.mark.lesson("split brain")
@pytest.mark.parametrize("mode", MODES)
def test_an_unguarded_master_loses_what_it_acknowledges_even_after_the_heal(
    make_redis: MakeRedis, launch: Launch, mode: Mode
) -> None:
    """
    An isolated master that asks for no replicas acknowledges writes that are all lost, until some time after the heal.
    """
    run = split_brain(make_redis, launch, UNSAFE, mode, refused=False)
    run.expect(
        bounded={
            inside_survive: {"last_lost_after_heal_s": (1.0, 6.0)},
            of_client(acks_stop_within(1.0), "c1"): {"acked_count": (IN_THE_HOLE, 1e6)},
        },
        holds=[no_phantom_writes, outside_recovers],
    )


@pytest.mark.lesson("split brain")
@pytest.mark.parametrize("mode", ["drop", pytest.param("stall", marks=pytest.mark.full)])
def test_behind_a_silent_hole_min_replicas_bounds_the_loss_by_its_lag(
    make_redis: MakeRedis, launch: Launch, mode: Mode
) -> None:
    """
    With min-replicas-to-write 1 a master in a silent hole loses writes for max-lag and at most two seconds more.
    """
    run = split_brain(make_redis, launch, HARDENED, mode, refused=True)
    run.expect(
        bounded={inside_survive: {"window_s": (MAX_LAG_S - 0.5, MAX_LAG_S + 2.0)}},
        holds=[no_phantom_writes, outside_recovers],
    )


@pytest.mark.lesson("split brain")
@pytest.mark.parametrize("mode", ["reject", pytest.param("cut", marks=pytest.mark.full)])
def test_when_connections_break_min_replicas_stops_the_loss_at_once(
    make_redis: MakeRedis, launch: Launch, mode: Mode
) -> None:
    """
    With min-replicas-to-write 1 a master whose replicas' connections break loses nothing after a fifth of a second.
    """
    run = split_brain(make_redis, launch, HARDENED, mode, refused=True)
    run.expect(holds=[loss_ends_within(0.2), no_phantom_writes, outside_recovers])


@pytest.mark.full
@pytest.mark.lesson("split brain")
def test_with_sentinels_own_periods_the_loss_goes_on_for_ten_seconds_after_the_heal(
    make_redis: MakeRedis, launch: Launch
) -> None:
    """
    Sentinel demotes a stray master only when an INFO reply, one each ten seconds, shows it: so long the loss goes on.
    """
    timing = SentinelSettings(down_after_ms=2000, failover_timeout_ms=10_000, periods=DEFAULT)
    run = split_brain(make_redis, launch, UNSAFE, "drop", refused=False, sentinel=timing)
    run.expect(
        bounded={inside_survive: {"last_lost_after_heal_s": (6.0, 13.0)}},
        holds=[no_phantom_writes, outside_recovers],
    )
