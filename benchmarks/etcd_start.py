"""
From nothing to the first linearizable write through each of three members, mesh included.

    python -m benchmarks.etcd_start [ROUNDS] [VERSION ...]        ROUNDS: 10, VERSION: 3.6 3.5 3.4 3.5.1
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence

from chaos.providers import choose
from chaos.systems.etcd import start_etcd

VERSIONS = ("3.6", "3.5", "3.4", "3.5.1")
BUDGET = "median under 1.5 s, none over 3 s"


def once(version: str) -> tuple[float, float]:
    """Seconds until ready, and seconds to tear it down."""
    provider, _ = choose()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        lab = provider.open(keep_at=folder)
        try:
            cluster = start_etcd(lab, version=version)
            ready = time.monotonic()
            cluster.close()
        finally:
            lab.close()
        return ready - begun, time.monotonic() - ready


def main(rounds: int, versions: Sequence[str]) -> None:
    """Print the table."""
    print(
        f"{'etcd, 3 members':18} {'min':>8} {'median':>8} {'max':>8} {'teardown':>10}   (seconds, {rounds} rounds; {BUDGET})"
    )
    for version in versions:
        found = [once(version) for _ in range(rounds)]
        ready, gone = [one for one, _ in found], statistics.median(two for _, two in found)
        print(
            f"{version:18} {min(ready):8.3f} {statistics.median(ready):8.3f} {max(ready):8.3f} {gone:10.3f}", flush=True
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10, sys.argv[2:] or VERSIONS)
