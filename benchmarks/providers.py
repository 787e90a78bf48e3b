"""
What a provider costs: three Redis and three Sentinels from nothing, and each kind of fault; in labs of this machine, in
labs of containers, and (the servers alone) in plain containers of Testcontainers. Round by round, one lab at a time.

    python -m benchmarks.providers [ROUNDS]        ROUNDS: 20
"""

import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from testcontainers.core.labels import SESSION_ID

from benchmarks.budgets import harm_links
from benchmarks.plain import PlainContainers
from chaos.errors import ProviderError
from chaos.faults import Kill, LinkToxic, Partition, Pause, Restart, Scene, between, one_way, slow
from chaos.providers import choose
from chaos.providers.contract import Lab, PartySpec, Provider, Role
from chaos.providers.docker import clean, images, janitor
from chaos.providers.docker.connection import LAB, connect, labels
from chaos.systems.redis import RedisCluster, start_redis
from chaos.wait import wait_until

LOCAL, DOCKER, PLAIN = "local", "docker", "plain testcontainers"
PLAIN_LAB = "chaos-benchmark"
READY, GONE = "from nothing until all agree and both replicas acknowledged a write", "teardown"
HARMED, CLIENT = "n2", "c1"
LINKS: Mapping[str, Partition | LinkToxic] = {
    "packet drop, both ways": between(CLIENT, HARMED),
    "packet drop, one way": one_way(CLIENT, HARMED),
    "packet reject, both ways": between(CLIENT, HARMED, mode="reject"),
    "stall, both ways": between(CLIENT, HARMED, mode="stall"),
    "cut": between(CLIENT, HARMED, mode="cut"),
    "latency (a toxic)": slow(CLIENT, HARMED, latency_ms=5),
}
LINK_BUDGET = "10, docker 20"
PAUSE = "pause; the heal: resume"
KILL = "kill, to its end; the heal: start, to PONG"
RESTART = "restart: kill, end, start, to PONG"
AGREED_S = 30.0


@dataclass(slots=True)
class Samples:
    """Milliseconds of each row, by who took them."""

    by_row: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, row: str, who: str, seconds: float) -> None:
        """One more."""
        self.by_row[row][who].append(seconds * 1000)

    @contextmanager
    def timed(self, row: str, who: str) -> Iterator[None]:
        """Add how long the block takes, unless it fails."""
        begun = time.monotonic()
        yield
        self.add(row, who, time.monotonic() - begun)

    def cell(self, row: str, who: str, form: str) -> str:
        """Median, least and most."""
        taken = self.by_row[row][who]
        if not taken:
            return ""
        return f"{statistics.median(taken):{form}} ({min(taken):{form}} to {max(taken):{form}})"


@dataclass(slots=True)
class Tables:
    """What is measured: whole labs, and faults done and healed."""

    labs: Samples = field(default_factory=Samples)
    done: Samples = field(default_factory=Samples)
    healed: Samples = field(default_factory=Samples)


def lab_round(provider: Provider, tables: Tables) -> None:
    """One lab from nothing to nothing, with each fault once."""
    with tempfile.TemporaryDirectory() as folder:
        lab: Lab | None = None
        try:
            with tables.labs.timed(READY, provider.name):
                lab = provider.open(keep_at=folder)
                cluster = start_redis(lab, topology="sentinel")
            lab.place([PartySpec(name=CLIENT, role=Role.APP)])
            faults(cluster, provider.name, tables)
            cluster.close()
        except BaseException:
            if lab is not None:
                lab.close()
            raise
        with tables.labs.timed(GONE, provider.name):
            lab.close()


def plain_round(image: str, tables: Tables) -> None:
    """The same six servers in plain containers."""
    servers = PlainContainers(image, labels=labels(PLAIN_LAB, SESSION_ID))
    try:
        with tables.labs.timed(READY, PLAIN):
            servers.start()
        with tables.labs.timed(GONE, PLAIN):
            servers.close()
    finally:
        clean.remove_labelled(connect(), f"{LAB}={PLAIN_LAB}")


def faults(cluster: RedisCluster, who: str, tables: Tables) -> None:
    """Each kind in and out, proven to bite and to heal in between; only the harm and the healing are timed."""
    scene = Scene(lab=cluster.lab, restarts={HARMED: cluster.restart})
    for row, plan in LINKS.items():
        done_s, healed_s = harm_links(scene, plan)
        tables.done.add(row, who, done_s)
        tables.healed.add(row, who, healed_s)
    with tables.done.timed(PAUSE, who):
        paused = Pause(HARMED).inject(scene)
    paused.prove()
    with tables.healed.timed(PAUSE, who):
        paused.heal()
    paused.prove_healed()
    with tables.done.timed(KILL, who):
        killed = Kill(HARMED).inject(scene)
        killed.prove()
    with tables.healed.timed(KILL, who):
        killed.heal()
    killed.prove_healed()
    _settle(cluster)
    with tables.done.timed(RESTART, who):
        restarted = Restart(HARMED).inject(scene)
    restarted.prove_healed()
    _settle(cluster)


def _settle(cluster: RedisCluster) -> None:
    wait_until(cluster.agreed, within_s=AGREED_S, wanted="all servers agree again", seen=cluster.disagreement)


def measure(rounds: int) -> Tables:
    """All variants in every round, in an order that a seed draws."""
    providers = {name: choose(name)[0] for name in (LOCAL, DOCKER)}
    for provider in providers.values():
        if (reason := provider.missing()) is not None:
            raise ProviderError(f"{provider.name}: {reason}")
    api = connect()
    janitor.life_line(api, SESSION_ID)  # Once in a test process; it also covers the plain containers.
    image = images.software(api, "redis", None).image
    assert image is not None
    tables, order = Tables(), random.Random(1)
    for number in range(rounds):
        for name in order.sample((LOCAL, DOCKER, PLAIN), k=3):
            if name == PLAIN:
                plain_round(image, tables)
            else:
                lab_round(providers[name], tables)
        print(f"\rround {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return tables


def lines(tables: Tables) -> Iterator[str]:
    """Both tables in Markdown."""
    yield from _table("milliseconds", (LOCAL, DOCKER, PLAIN), "budget")
    for row, budget in ((READY, "1,000, docker 4,000"), (GONE, "1,000, docker 3,000")):
        cells = [tables.labs.cell(row, who, ",.0f") for who in (LOCAL, DOCKER, PLAIN)]
        yield _row(row, *cells, budget)
    yield ""
    heads = [f"{who}, {what}" for what in ("done", "healed") for who in (LOCAL, DOCKER)]
    yield from _table("milliseconds", heads, "budget")
    for row in (*LINKS, PAUSE, KILL, RESTART):
        cells = [each.cell(row, who, ",.1f") for each in (tables.done, tables.healed) for who in (LOCAL, DOCKER)]
        yield _row(row, *cells, LINK_BUDGET if row in LINKS else "")


def _table(corner: str, heads: Sequence[str], last: str) -> Iterator[str]:
    yield _row(corner, *heads, last)
    yield _row(*["---"] * (len(heads) + 2))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main(rounds: int) -> int:
    """Print the tables."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    before = os.getloadavg()[0]
    try:
        tables = measure(rounds)
    except KeyboardInterrupt:
        print("interrupted; nothing is left", file=sys.stderr)
        return 130
    except ProviderError as problem:
        print(problem, file=sys.stderr)
        return 2
    print("\n".join(lines(tables)))
    load = f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after"
    print(f"\nMedian (least to most) of {rounds} rounds; {os.cpu_count()} cores, {load}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
