"""
Where a lock on a lease breaks: cuts of growing length that begin when a renewal is due, for two periods of renewal.

    python -m benchmarks.etcd_renewals [ROUNDS] [PICTURE]        ROUNDS: 3, PICTURE: docs/pictures/etcd-renewals.svg
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rounds import history_of, lab, run, tell
from chaos.faults import between
from chaos.guarantees import lock_is_never_lost
from chaos.systems.etcd import start_etcd
from chaos.systems.etcd.clients import pinned
from chaos.verdict import Status
from chaos.wait import monotonic_ns

TTL_S = 5
PERIODS: Mapping[str, float] = {"each 0.8 TTL": 0.8, "each TTL/3": 1 / 3}
STEP_S = 0.25
DUE = "renewal-due"
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Cut:
    """One cut: how long it really was, and whether the lock outlived it."""

    period: str
    seconds: float
    kept: bool


def one_cut(period: str, cut_s: float, seed: int) -> Cut:
    """As experiments/etcd/test_renewal_period.py: cut off where it is about to renew, for so long."""
    with lab() as where:
        cluster = start_etcd(where[0])
        every_s = PERIODS[period] * TTL_S
        keeper = pinned(
            cluster, "c1", "etcd-lease-keeper", hold=(DUE,), ttl_s=TTL_S, renew_every_s=every_s, timeout_s=0.3
        )
        with run(where, [cluster], [keeper], name=period, seed=seed) as going:
            going.wait_point("c1", DUE, within_s=PATIENCE_S)
            going.release("c1", DUE)
            going.wait_oks("renew", 1, within_s=PATIENCE_S, since_ns=0)
            going.wait_point("c1", DUE, within_s=PATIENCE_S)
            with going.inject(between("c1", cluster.nodes, mode="reject")) as (cut,):
                going.release("c1", DUE)
                until = cut.begun_ns + int(cut_s * 1e9)
                going.wait_for(lambda: monotonic_ns() >= until, within_s=PATIENCE_S, wanted="the end of the cut")
            healed_ns = going.live.faults[-1].healing_ns or 0

            def told() -> int:
                return sum(going.live.count(f, "c1", "ok", healed_ns) for f in ("renew", "check"))

            going.wait_for(told, within_s=PATIENCE_S, wanted="c1 to learn whether it still has its lock")
        cluster.close()
        history = history_of(going)
        fault, verdict = history.faults[0], lock_is_never_lost(history)
        assert verdict.status is not Status.UNKNOWN, verdict
        real_s = ((fault.healing_ns or 0) - (fault.effective_ns or 0)) / 1e9
        return Cut(period, real_s, verdict.status is Status.HOLDS)


def lengths(share: float) -> list[float]:
    """Cuts around the arithmetic's break point: from half a second before it to a second and a half after."""
    slack = (1 - share) * TTL_S
    return [round(slack - 0.5 + STEP_S * step, 3) for step in range(9)]


def breaks(cuts: Sequence[Cut], period: str) -> tuple[float, float]:
    """The longest cut that was outlived, and the shortest that was not."""
    own = [cut for cut in cuts if cut.period == period]
    return max(cut.seconds for cut in own if cut.kept), min(cut.seconds for cut in own if not cut.kept)


def picture(cuts: Sequence[Cut]) -> str:
    """A row a period: outlived cuts filled, others hollow, a line where the arithmetic puts the break."""
    width, left, scale = 760, 130, 120
    rows = []
    for number, (period, share) in enumerate(PERIODS.items()):
        y, slack = 70 + 80 * number, (1 - share) * TTL_S
        rows.append(f'<text x="10" y="{y + 4}">{period}</text>')
        x = left + slack * scale
        rows.append(
            f'<line x1="{x:.1f}" y1="{y - 26}" x2="{x:.1f}" y2="{y + 26}" stroke="#c00" stroke-dasharray="4 3"/>'
        )
        rows.append(f'<text x="{x + 4:.1f}" y="{y - 18}" fill="#c00">{slack:.2f} s</text>')
        for index, cut in enumerate(cut for cut in cuts if cut.period == period):
            fill = "#27c" if cut.kept else "none"
            where = f'cx="{left + cut.seconds * scale:.1f}" cy="{y + 7 * (index % 3 - 1)}"'
            rows.append(f'<circle {where} r="3" fill="{fill}" stroke="{"#27c" if cut.kept else "#c00"}"/>')
    axis = "".join(f'<text x="{left + second * scale - 4}" y="215">{second} s</text>' for second in range(6))
    title = f"A lock with a TTL of {TTL_S} s, cut off when a renewal is due: outlived (filled) or lost, by length of the cut"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="230" font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n<text x="10" y="20" font-weight="bold">{title}</text>\n'
        + "\n".join(rows)
        + f"\n{axis}\n</svg>\n"
    )


def main(rounds: int, path: Path) -> None:
    """Print the break points beside the arithmetic, and draw all cuts."""
    cuts: list[Cut] = []
    for seed in range(rounds):
        for period, share in PERIODS.items():
            for cut_s in lengths(share):
                tell(f"round {seed + 1} of {rounds}: renewed {period}, cut for {cut_s:g} s")
                cuts.append(one_cut(period, cut_s, seed))
    print(
        f"{'renewed':14} {'arithmetic':>12} {'longest outlived':>18} {'shortest lost':>15}   (TTL {TTL_S} s, {rounds} rounds)"
    )
    for period, share in PERIODS.items():
        longest, shortest = breaks(cuts, period)
        print(f"{period:14} {(1 - share) * TTL_S:10.2f} s {longest:16.2f} s {shortest:13.2f} s")
    path.write_text(picture(cuts))


if __name__ == "__main__":
    drawn = sys.argv[2] if len(sys.argv) > 2 else "docs/pictures/etcd-renewals.svg"
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, Path(drawn))
