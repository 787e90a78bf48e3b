"""
The cause decides: which way of losing the leader revokes a lease that is kept alive, in which version of etcd.

    python -m benchmarks.etcd_leases [ROUNDS] [VERSION | CAUSE ...]        ROUNDS: 3, all versions, all causes

A cause is ``kill``, ``pause``, ``cut`` or ``disk-stall``, a version ``3.4``, ``3.5.1``, ``3.5`` or ``3.6``.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.rounds import history_of, lab, run, tell
from chaos.cluster import Node
from chaos.faults import DiskStall, FaultPlan, Kill, Pause, isolate
from chaos.guarantees import lease_kept
from chaos.history import History
from chaos.scripts.kept_lease import lose_the_leader_under_a_lease
from chaos.systems.etcd import start_etcd
from chaos.systems.etcd.clients import pinned
from chaos.verdict import Status, Verdict

TTL_S = 5
VERSIONS = ("3.4", "3.5.1", "3.5", "3.6")
CAUSES: Mapping[str, Callable[[Node], FaultPlan]] = {
    "kill": Kill,
    "pause": Pause,
    "cut": isolate,
    "disk-stall": DiskStall,
}


@dataclass(frozen=True, slots=True)
class Round:
    """One run: what it was, what became of the lease, and who saw it."""

    version: str
    cause: str
    verdict: Verdict
    witness: str


def one_round(version: str, cause: str, seed: int) -> Round:
    """A lease of five seconds, renewed each second through a follower; the leader is lost for seven."""
    with lab() as where:
        cluster = start_etcd(where[0], version=version)
        old, (follower, other) = cluster.leader(), cluster.replicas()
        keeper = pinned(cluster, "c1", "etcd-lease-keeper", node=follower, ttl_s=TTL_S)
        writer = pinned(cluster, "c2", "etcd-set", node=other, pace_s=0.02)
        with run(where, [cluster], [keeper, writer], name=f"{version} {cause}", seed=seed) as going:
            lose_the_leader_under_a_lease(going, cluster, CAUSES[cause](old), old, keeper="c1", ttl_s=TTL_S)
        cluster.close()
        history = history_of(going)
        return Round(cluster.version, cause, lease_kept(history), witness(history))


def witness(history: History) -> str:
    """The last renewal and the first look that did not find the lease, as the holder recorded them, and the fault."""
    fault = history.faults[0]
    gone = [look for look in history.select(("check", "renew")) if look.ok and not look.result]
    stalled = (
        f"{fault.name} on {fault.target} from {_at(history, fault.effective_ns)} to {_at(history, fault.healing_ns)}"
    )
    if not gone:
        last = history.select(("check", "renew"))[-1]
        return f"{stalled}; there at {_at(history, last.completed_ns)}, revision {last.notes.get('revision')}"
    renewals = [one for one in history.select("renew") if one.ok and one.result and one.invoked_ns < gone[0].invoked_ns]
    renewed, seen = renewals[-1], gone[0]
    return (
        f"{stalled}; renewal confirmed by member {renewed.notes['member']} in term {renewed.notes['term']} at "
        f"{_at(history, renewed.completed_ns)}; gone at {_at(history, seen.completed_ns)}, revision {seen.notes['revision']}"
    )


def _at(history: History, stamp: int | None) -> str:
    return "?" if stamp is None else f"{history.seconds(stamp):.3f} s"


def table(rounds: Sequence[Round]) -> list[str]:
    """Causes against versions: in how many rounds the lease was revoked, and how long after a confirmed renewal."""
    versions, causes = (
        list(dict.fromkeys(found)) for found in ((r.version for r in rounds), (r.cause for r in rounds))
    )
    lines = [f"{'revoked while kept alive':26}" + "".join(f"{version:>32}" for version in versions)]
    for cause in causes:
        cells = [_cell([one for one in rounds if (one.version, one.cause) == (version, cause)]) for version in versions]
        lines.append(f"{cause:26}" + "".join(f"{cell:>32}" for cell in cells))
    return lines


def _cell(rounds: Sequence[Round]) -> str:
    unknown = sum(one.verdict.status is Status.UNKNOWN for one in rounds)
    since = [one.verdict.measures["since_renewal_s"] for one in rounds if one.verdict.status is Status.VIOLATED]
    after = f", {min(since):.2f} to {max(since):.2f} s after" if since else ""
    return f"{len(since)} of {len(rounds)}{after}" + (f" ({unknown} unknown)" if unknown else "")


def main(count: int, words: Sequence[str]) -> None:
    """Print the table, and below it every round's witness."""
    strangers = [word for word in words if word not in CAUSES and word not in VERSIONS]
    if strangers:
        raise SystemExit(
            f"no cause and no version: {', '.join(strangers)}; there are {', '.join([*CAUSES, *VERSIONS])}"
        )
    versions = [word for word in words if word in VERSIONS] or VERSIONS
    causes = [word for word in words if word in CAUSES] or list(CAUSES)
    rounds: list[Round] = []
    for seed in range(count):
        for version in versions:
            for cause in causes:
                tell(f"round {seed + 1} of {count}: etcd {version}, {cause}")
                rounds.append(one_round(version, cause, seed))
    print("\n".join(table(rounds)))
    for one in rounds:
        print(f"{one.version}, {one.cause}: {one.verdict.status.value}: {one.witness}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:])
