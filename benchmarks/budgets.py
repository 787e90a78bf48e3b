"""
What the harness itself costs: the budgets of the design beside what this machine measures now.

    python -m benchmarks.budgets [ROUNDS]        ROUNDS: 20
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from chaos.crew import Crew
from chaos.faults import LinkToxic, Partition, Scene, isolate, slow
from chaos.faults.streams import SlowInjection
from chaos.history import Outcome
from chaos.history.events import EventWriter
from chaos.history.live import LiveHistory
from chaos.providers import choose
from chaos.systems.redis import start_redis
from chaos.systems.redis.clients import following, pinned
from chaos.wait import FAST_S, wait_until

BUDGETS = {
    "3 Redis + 3 Sentinels + 2 clients + mesh, to the first write of each client": "under 1.0 s",
    "the cluster alone, to all agree and a write acknowledged by both replicas": "",
    "two clients, from the call to their first acknowledged write": "0.15 s a client",
    "inject a packet fault (isolate 2 of 8 parties, drop)": "0.010 s",
    "heal it": "0.010 s",
    "inject a stream fault (latency on one link)": "0.010 s",
    "heal it (stream)": "0.010 s",
    "teardown of the lab": "under 1 s",
    "recording an operation": "0.000010 s",
    "chaos --help": "under 0.150 s",
    "plugin import in a foreign pytest run": "0.030 s",
}
Samples = dict[str, list[float]]


def lab_round(samples: Samples) -> None:
    """One lab from nothing to nothing."""
    rows = list(BUDGETS)
    provider, _ = choose()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        lab = provider.open(keep_at=folder, warm=("chaos.workloads.redis_sets",))
        cluster = start_redis(lab, topology="sentinel")
        ready = time.monotonic()
        live = LiveHistory()
        crew = Crew(lab, live, seed=1)
        crew.start([pinned(cluster, "c1", "redis-set"), following(cluster, "c2", "redis-set")])
        wait_until(lambda: _both_wrote(crew, live), within_s=10, wanted="a write of each client", every_s=FAST_S)
        working = time.monotonic()
        for row, value in zip(rows, (working - begun, ready - begun, working - ready), strict=False):
            samples[row].append(value)
        _faults(Scene(lab=lab), samples, rows)
        crew.stop()
        cluster.close()
        samples[rows[7]].append(timed(lab.close))


def _both_wrote(crew: Crew, live: LiveHistory) -> bool:
    crew.pump()
    return live.count("add", "c1") > 0 and live.count("add", "c2") > 0


def _faults(scene: Scene, samples: Samples, rows: list[str]) -> None:
    for plan, inject, heal in ((isolate("n1", "c1"), 3, 4), (slow("c2", "n1", latency_ms=5), 5, 6)):
        injected_s, healed_s = harm_links(scene, plan)
        samples[rows[inject]].append(injected_s)
        samples[rows[heal]].append(healed_s)


def harm_links(scene: Scene, plan: Partition | LinkToxic) -> tuple[float, float]:
    """Seconds to put a fault's rules in force, and to take them out again; that they bit and healed is proven, not timed."""
    injection = plan.inject(scene)  # Notes which links are healthy, then does the harm: time the harm alone.
    rules = (injection.inner if isinstance(injection, SlowInjection) else injection).rules
    scene.lab.withdraw(rules)
    injected_s = timed(lambda: scene.lab.apply(rules))
    injection.prove()
    healed_s = timed(lambda: scene.lab.withdraw(rules))
    injection.prove_healed()
    return injected_s, healed_s


def timed(action: Callable[[], object]) -> float:
    """How many seconds it takes."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def recording(samples: Samples) -> None:
    """Both lines of an operation, averaged over ten thousand."""
    with tempfile.TemporaryDirectory() as folder:
        writer = EventWriter(Path(folder) / "events.jsonl", "c1")
        begun = time.monotonic()
        for number in range(10_000):
            writer.complete(writer.invoke("add", number), Outcome.OK, result=1)
        samples["recording an operation"].append((time.monotonic() - begun) / 10_000)


def command_line(samples: Samples) -> None:
    """Whole processes."""
    python = [sys.executable, "-c"]
    bare = timed(lambda: subprocess.run([*python, "import pytest"], check=True))
    plugin = timed(lambda: subprocess.run([*python, "import pytest, chaos.plugin"], check=True))
    samples["plugin import in a foreign pytest run"].append(max(0.0, plugin - bare))
    code = "import sys; sys.argv = ['chaos', '--help']; from chaos.cli import main; main()"
    samples["chaos --help"].append(
        timed(lambda: subprocess.run([*python, code], check=False, stdout=subprocess.DEVNULL))
    )


def main(rounds: int) -> None:
    """Print the table."""
    samples: Samples = defaultdict(list)
    for number in range(rounds):
        for measure in (lab_round, recording, command_line):
            measure(samples)
        print(f"\rround {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"{'what':78} {'budget':16} {'min':>10} {'median':>10} {'max':>10}   (seconds, {rounds} rounds)")
    for row, budget in BUDGETS.items():
        values = samples[row]
        print(f"{row:78} {budget:16} {min(values):10.6f} {statistics.median(values):10.6f} {max(values):10.6f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
