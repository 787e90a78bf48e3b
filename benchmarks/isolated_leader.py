"""
One script, several systems: what a leader that is cut off together with a client says to that client, and what is left of it.

    python -m benchmarks.isolated_leader [ROUNDS] [MODE]        ROUNDS: 5, MODE: drop
"""

import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.rounds import history_of, lab, run, tell
from chaos.faults import MODES, Mode
from chaos.guarantees import acked_writes_survive_for, acks_stop_within, of_client
from chaos.history import History
from chaos.providers.contract import Lab
from chaos.scripts.isolated_leader import isolate_leader_with
from chaos.systems.etcd import start_etcd
from chaos.systems.etcd.clients import pinned as pinned_to_etcd
from chaos.systems.redis import HARDENED, UNSAFE, start_redis
from chaos.systems.redis.clients import following, pinned

Setting = Callable[[Lab], tuple[Any, list[Any]]]
HELD_S = 3
COLUMNS = {
    "acked while cut off": "acked_count",
    "last ack after fault, s": "last_ack_after_fault_s",
    "lost": "lost_count",
    "never answered": "info_count",
    "of these applied": "info_survived_count",
}


def redis(settings: Mapping[str, Any]) -> Setting:
    """A master with two replicas and three Sentinels, as experiments/redis/test_split_brain.py has it."""

    def begin(where: Lab) -> tuple[Any, list[Any]]:
        cluster = start_redis(where, topology="sentinel", settings=settings)
        return cluster, [pinned(cluster, "c1", "redis-set"), following(cluster, "c2", "redis-set")]

    return begin


def etcd(version: str) -> Setting:
    """Three members, as experiments/etcd/test_isolated_leader.py has it."""

    def begin(where: Lab) -> tuple[Any, list[Any]]:
        cluster = start_etcd(where, version=version)
        inside = pinned_to_etcd(cluster, "c1", "etcd-set", node=cluster.leader())
        return cluster, [inside, pinned_to_etcd(cluster, "c2", "etcd-set", node=cluster.replicas()[0])]

    return begin


SYSTEMS: Mapping[str, Setting] = {
    "Redis, Sentinel, min-replicas 0": redis(UNSAFE),
    "Redis, Sentinel, min-replicas 1": redis(HARDENED),
    "etcd 3.4": etcd("3.4"),
    "etcd 3.6": etcd("3.6"),
}


def one_round(setting: Setting, mode: Mode, seed: int) -> History:
    """The leader is cut off with c1 until another one leads and c1 has gone on asking for three seconds."""
    with lab() as where:
        cluster, plans = setting(where[0])
        with run(where, [cluster], plans, name="isolated leader", seed=seed) as going:
            answers: dict[str, int] = {"ok": 1, "fail": 1, "info": HELD_S * 500}

            def asked_enough() -> bool:
                # A refusal is quick, a timeout takes a second: weighed, so that all stay in the hole for about as long.
                since = going.live.faults[-1].begun_ns
                return (
                    sum(going.live.count("add", "c1", how, since) * weight for how, weight in answers.items()) >= 1500
                )

            isolate_leader_with(going, cluster, inside="c1", outside="c2", mode=mode, until=asked_enough)
            going.wait_for(cluster.agreed, within_s=60)
            going.final_read(lambda: cluster.final_read("acked"))
        cluster.close()
        return history_of(going)


def measures(history: History) -> dict[str, float]:
    """What c1 was told while it was cut off, and what was left of it."""
    acks = of_client(acks_stop_within(0.0), "c1")(history)
    return {**acked_writes_survive_for("c1")(history).measures, **acks.measures}


def main(rounds: int, mode: Mode) -> None:
    """Print the table: medians, with least and most."""
    samples: dict[str, list[dict[str, float]]] = defaultdict(list)
    for seed in range(rounds):
        for name, setting in SYSTEMS.items():
            tell(f"round {seed + 1} of {rounds}: {name}, {mode}")
            samples[name].append(measures(one_round(setting, mode, seed)))
    print(f"{f'isolated leader, {mode}, {rounds} rounds':34}" + "".join(f"{column:>26}" for column in COLUMNS))
    for name, found in samples.items():
        print(f"{name:34}" + "".join(f"{_spread(found, measure):>26}" for measure in COLUMNS.values()))


def _spread(found: Sequence[Mapping[str, float]], measure: str) -> str:
    values = [one[measure] for one in found if measure in one]
    if not values:
        return "none"
    digits = 2 if measure.endswith("_s") else 0
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low} to {high})"


if __name__ == "__main__":
    chosen = sys.argv[2] if len(sys.argv) > 2 else "drop"
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, next(mode for mode in MODES if mode == chosen))
