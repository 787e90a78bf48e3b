"""
Time to check a register over the number of processes, and over the number of operations, ours and Porcupine's, as SVG.

    nice -n 19 python -m benchmarks.checkers_plot [ROUNDS] [--limit-s N]      writes docs/pictures/checkers-*.svg
"""

import argparse
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.checkers import HERE, porcupine, run
from benchmarks.histories import Shape, register, write

PICTURES = HERE.parent / "docs" / "pictures"
WIDTH, HEIGHT, EDGE = 560, 300, 56
COLOURS = {"ours": "#0a6", "Porcupine": "#c52"}
Points = list[tuple[float, float, bool]]
"""Place, milliseconds, and whether that is only where it was stopped."""

SERIES: dict[str, tuple[str, list[tuple[int, Shape]]]] = {
    "concurrency": (
        "processes (5,000 operations, 5 values, 1 % of changes crashed)",
        [
            (many, Shape(operations=5_000, processes=many, values=5, crashed=0.01))
            for many in (2, 4, 6, 8, 10, 14, 20, 30)
        ],
    ),
    "size": (
        "operations (8 processes, 5 values, 1 % of changes crashed)",
        [
            (many, Shape(operations=many, processes=8, values=5, crashed=0.01))
            for many in (300, 1_000, 3_000, 10_000, 30_000, 100_000)
        ],
    ),
}


def measured(shape: Shape, rounds: int, limit_s: float) -> dict[str, tuple[float, bool]]:
    """Milliseconds of the check alone, the median over as many histories as rounds."""
    found: dict[str, list[tuple[float, bool]]] = {name: [] for name in COLOURS}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(rounds):
            file = str(write(register(shape, seed), Path(folder, "history.txt")))
            ours = [sys.executable, "-m", "benchmarks.checkers_child", "register", str(limit_s), file]
            for name, argv in {"ours": ours, "Porcupine": [str(porcupine()), "register", str(limit_s), file]}.items():
                figure = run(argv)
                found[name].append((figure.check_ms, "unknown" in figure.verdicts))
    return {
        name: (statistics.median(ms for ms, _ in all_), any(cut for _, cut in all_)) for name, all_ in found.items()
    }


def picture(title: str, series: dict[str, Points]) -> str:
    """Both axes logarithmic; a hollow point was stopped there, or some of its histories were."""
    everything = [point for points in series.values() for point in points]
    left, right = (math.log10(f(place for place, _, _ in everything)) for f in (min, max))
    low = math.floor(math.log10(min(ms for _, ms, _ in everything)))
    high = math.ceil(math.log10(max(ms for _, ms, _ in everything)))

    def x(place: float) -> float:
        return EDGE + (math.log10(place) - left) / (right - left) * (WIDTH - 2 * EDGE)

    def y(ms: float) -> float:
        return HEIGHT - EDGE - (math.log10(ms) - low) / (high - low) * (HEIGHT - 2 * EDGE)

    parts = [
        f'<line x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{y(10**power):.0f}" y2="{y(10**power):.0f}" stroke="#ccc"/>'
        f'<text x="{EDGE - 6}" y="{y(10**power) + 4:.0f}" text-anchor="end">{10**power:,g} ms</text>'
        for power in range(low, high + 1)
    ]
    places = sorted({place for place, _, _ in everything})
    parts += [f'<text x="{x(place):.0f}" y="{HEIGHT - 36}" text-anchor="middle">{place:,g}</text>' for place in places]
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" text-anchor="middle">{title}</text>')
    for number, (name, points) in enumerate(series.items()):
        parts += _line(name, [(x(place), y(ms), cut) for place, ms, cut in points])
        parts.append(
            f'<text x="{EDGE + 8 + 90 * number}" y="30" style="fill:{COLOURS[name]};font-weight:bold">{name}</text>'
        )
    style = '<style>text{font:11px sans-serif;fill:#444}</style><rect width="100%" height="100%" fill="#fff"/>'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">{style}\n{body}\n</svg>\n'


def _line(name: str, points: Sequence[tuple[float, float, bool]]) -> list[str]:
    colour = COLOURS[name]
    path = " ".join(f"{at:.1f},{height:.1f}" for at, height, _ in points)
    dots = [
        f'<circle cx="{at:.1f}" cy="{height:.1f}" r="4" fill="{"#fff" if cut else colour}" stroke="{colour}"/>'
        for at, height, cut in points
    ]
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots]


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("--limit-s", type=float, default=10.0)
    options = parser.parse_args()
    for name, (title, shapes) in SERIES.items():
        series: dict[str, Points] = {who: [] for who in COLOURS}
        for many, shape in shapes:
            for who, (ms, cut) in measured(shape, options.rounds, options.limit_s).items():
                series[who].append((many, ms, cut))
                print(f"{name} {many:>7} {who:<10} {ms:10.1f} ms{' (some stopped)' if cut else ''}", flush=True)
        (PICTURES / f"checkers-{name}.svg").write_text(picture(title, series), encoding="utf-8")


if __name__ == "__main__":
    main()
