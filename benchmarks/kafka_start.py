"""
From nothing to the first acks=all record that was read, mesh included; and how much memory that takes.

    python -m benchmarks.kafka_start [ROUNDS] [TOPOLOGY ...]        ROUNDS: 5, TOPOLOGY: three quorum combined
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from chaos.providers import choose
from chaos.systems.kafka import TIGHT, start_kafka

TOPOLOGIES = ("three", "quorum", "combined")
BUDGET = "three brokers: median under 9 s, 1 GiB"


def once(topology: str) -> tuple[dict[str, float], float, float]:
    """Seconds of each step, the memory of all servers in MiB, and seconds to tear it down."""
    provider, _ = choose()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        lab = provider.open(keep_at=folder)
        try:
            cluster = start_kafka(lab, topology=topology, settings=TIGHT)
            ready = time.monotonic()
            memory = sum(
                _mebibytes(process, lab.folder("n1").removesuffix("n1")) for process in Path("/proc").glob("[0-9]*")
            )
            cluster.close()
        finally:
            lab.close()
        steps = {"lab": ready - begun - sum(cluster.took_s.values()), **cluster.took_s, "all": ready - begun}
        return steps, memory, time.monotonic() - ready


def _mebibytes(process: Path, folder: str) -> float:
    """What a server whose files are below that folder has in memory; others have none."""
    try:
        said = (process / "cmdline").read_text()
        if "kafka.Kafka" not in said or folder not in said:
            return 0.0
        status = (process / "status").read_text()
    except OSError:
        return 0.0
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


def main(rounds: int, topologies: Sequence[str]) -> None:
    """Print the table."""
    print(f"seconds, {rounds} rounds; {BUDGET}")
    for topology in topologies:
        done = [once(topology) for _ in range(rounds)]
        for step in done[0][0]:
            _row(topology, step, [steps[step] for steps, _, _ in done])
        _row(topology, "memory of all servers, MiB", [memory for _, memory, _ in done])
        _row(topology, "teardown", [seconds for _, _, seconds in done])


def _row(topology: str, what: str, seen: Sequence[float]) -> None:
    print(f"{topology:10} {what:32} {min(seen):7.2f} {statistics.median(seen):7.2f} {max(seen):7.2f}")


if __name__ == "__main__":
    rounds, *chosen = [*sys.argv[1:], "5"] if len(sys.argv) < 2 else sys.argv[1:]
    main(int(rounds), chosen or TOPOLOGIES)
