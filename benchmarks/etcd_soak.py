"""
How often a linearizable read is stale after the leader was paused: a soak, with an interval around the rate.

    python -m benchmarks.etcd_soak [SECONDS] [VERSION]        SECONDS: 600, VERSION: 3.4

Known of 3.4.20 to 3.4.41 and 3.5.0 to 3.5.27 (etcd-io/etcd#20418): a leader that was paused answers a read from its old state
if two events of one instant come in the wrong order. That no read was stale here means little: see the interval.
"""

import random
import sys
import time
from collections import Counter

from benchmarks.rounds import history_of, lab, run, tell
from chaos.faults import Pause
from chaos.guarantees import fresh_reads
from chaos.history import History
from chaos.run import Run
from chaos.systems.etcd import start_etcd
from chaos.systems.etcd.clients import pinned
from chaos.wait import monotonic_ns

PAUSES = 10
PATIENCE_S = 30.0


def one_lab(version: str, seed: int, seconds: float) -> History:
    """Ten pauses of the leader, of 1.2 to 3 s each, under one writer a member and two readers a member."""
    chance, deadline = random.Random(seed), time.monotonic() + seconds
    with lab() as where:
        cluster = start_etcd(where[0], version=version)
        plans = [
            pinned(cluster, f"w{n}", "etcd-register", node=f"n{n}", read_share=0.0, cas_share=0.0) for n in (1, 2, 3)
        ]
        plans += [
            pinned(cluster, f"r{n}{m}", "etcd-reader", node=f"n{n}", pace_s=0.002) for n in (1, 2, 3) for m in "ab"
        ]
        with run(where, [cluster], plans, name=f"soak {version}", seed=seed) as going:
            going.wait_oks("read", 100, within_s=PATIENCE_S)
            for _ in range(PAUSES):
                old = cluster.leader()
                with going.inject(Pause(old)) as (pause,):
                    until = pause.begun_ns + int(chance.uniform(1.2, 3.0) * 1e9)
                    _hold(going, until)
                going.wait_for(cluster.agreed, within_s=PATIENCE_S)
                if time.monotonic() > deadline:
                    break
        cluster.close()
        return history_of(going)


def _hold(going: Run, until_ns: int) -> None:
    going.wait_for(lambda: monotonic_ns() >= until_ns, within_s=PATIENCE_S, wanted="the pause's end")


def interval(hits: int, tries: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a rate."""
    z, share = 1.96, hits / tries
    middle, root = share + z * z / (2 * tries), z * (share * (1 - share) / tries + z * z / (4 * tries * tries)) ** 0.5
    return max(0.0, (middle - root) / (1 + z * z / tries)), (middle + root) / (1 + z * z / tries)


def main(seconds: float, version: str) -> None:
    """Soak for so long, then print what was found."""
    begun, seed = time.monotonic(), 0
    found: Counter[str] = Counter()
    while (left := seconds - (time.monotonic() - begun)) > 0:
        history = one_lab(version, seed, left)
        verdict = fresh_reads(history)
        found.update({name: int(verdict.measures.get(name, 0)) for name in ("read_count", "stale_count")})
        found.update(pauses=len(history.faults), hit=sum(1 for _ in [verdict] if verdict.measures.get("stale_count")))
        seed += 1
        tell(f"etcd {version}: {dict(found)}, {verdict}")
    low, high = interval(found["stale_count"], max(1, found["pauses"]))
    print(
        f"etcd {version}: {found['pauses']} pauses of the leader, {found['read_count']} linearizable reads, "
        f"{found['stale_count']} stale; stale reads a pause, 95 %: {low:.4f} to {high:.4f}"
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0, sys.argv[2] if len(sys.argv) > 2 else "3.4")
