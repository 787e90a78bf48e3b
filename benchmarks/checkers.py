"""
What the checkers cost, beside Porcupine on the same histories in the same run: time of the check alone, time and memory
of the whole process.

    nice -n 19 python -m benchmarks.checkers [ROUNDS] [--limit-s N] [--only WORD] [--markdown FILE]

ROUNDS is 5 (medians are shown, with the spread); N is 20 seconds a process. Porcupine is built once from the Go module
proxy, as a module dependency with its sum committed, and runs single-threaded (GOMAXPROCS=1).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.histories import Row, Shape, Texts, register, stale, write

HERE = Path(__file__).parent
CACHE = Path.home() / ".cache" / "middleware-chaos" / "porcupine-bench"
LIMIT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A set of histories that both are asked about, as one process each."""

    name: str
    model: str
    histories: Sequence[Sequence[Row]]
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One process: verdicts, and what it cost."""

    verdicts: tuple[str, ...]
    check_ms: float
    process_ms: float
    peak_mb: float


def cases() -> list[Case]:
    """The tables of checkers.md 3.5 and 3.6, on histories of our own."""
    found = [
        *(
            _stale(processes, crashed)
            for processes, crashed in ((5, 0.06), (5, 0.15), (5, 0.3), (10, 0.06), (10, 0.15))
        ),
        Case(
            group="3.5",
            name="10,000 operations, 5 values, 20 processes",
            model="register",
            histories=[register(Shape(operations=10_000, processes=20, values=5), 1)],
        ),
    ]
    for count, operations in ((10, 300), (5, 1_000)):
        several = [Texts(operations).history(seed) for seed in range(count)]
        name = f"append and get, 10 clients, 10 keys: {count} of {operations:,} operations"
        found.append(Case(group="3.5", name=f"{name}, all at once", model="store", histories=several))
        found.append(Case(group="3.5", name=f"{name}, by key", model="texts", histories=several))
    several = [Texts(100, pausing=True).history(seed) for seed in range(20)]
    found.append(Case(group="3.5", name="20 small ones of 100 operations, by key", model="texts", histories=several))
    return found + [_crashed(*shape) for shape in CRASHED]


def _stale(processes: int, crashed: float) -> Case:
    """A hundred, of which two thirds have stale reads (which crashed writes may excuse)."""
    shape = Shape(operations=85, processes=processes, values=5, crashed=crashed)
    rows = (register(shape, seed) for seed in range(100))
    histories = [stale(each, seed, 0.15) if seed % 3 else each for seed, each in enumerate(rows)]
    name = f"100 registers of 85 operations, {processes} processes, {crashed:.0%} of changes crashed"
    return Case(group="3.5", name=name, model="register", histories=histories)


CRASHED = (
    (1_000, 5, 5, 0.08, 0.3),
    (1_000, 5, 2, 0.09, 0.3),
    (1_000, 20, 5, 0.03, 0.3),
    (10_000, 5, 5, 0.004, 0.3),
    (10_000, 5, 5, 0.05, 0.3),
    (10_000, 10, 5, 0.011, 0.3),
    (10_000, 10, 50, 0.05, 0.3),
    (10_000, 20, 5, 0.011, 0.3),
    (10_000, 10, 5, 0.10, 0.7),
    (100_000, 5, 5, 0.01, 0.3),
    (100_000, 5, 20, 0.05, 0.3),
)
"""Operations, processes, values, share of changes that crash, share of cas."""


def _crashed(operations: int, processes: int, values: int, crashed: float, cas: float) -> Case:
    shape = Shape(operations=operations, processes=processes, values=values, crashed=crashed, cas=cas)
    rows = register(shape, 1)
    lost = sum(row.end is None for row in rows)
    name = f"{operations:,} / {processes} / {values}, {lost} crashed" + (", 70 % cas" if cas > 0.5 else "")
    return Case(group="3.6", name=name, model="register", histories=[rows])


def porcupine() -> Path:
    """Build it, or find it built."""
    program = CACHE / "porcupine-bench"
    sources = [HERE / "porcupine" / name for name in ("main.go", "go.mod", "go.sum")]
    if not program.exists() or program.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        CACHE.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
        subprocess.run(["go", "build", "-trimpath", "-o", program, "."], cwd=HERE / "porcupine", env=env, check=True)
    return program


def run(argv: Sequence[str]) -> Figure:
    """One process; it prints a line a history, the verdict and the nanoseconds of the check."""
    began = time.perf_counter()
    # Asked of GNU time: what the kernel says of a child directly includes the memory of who forked it.
    timed = ["/usr/bin/time", "-f", "%M", *argv]
    env = {**os.environ, "GOMAXPROCS": "1", "PYTHONHASHSEED": "0"}
    child = subprocess.run(timed, capture_output=True, text=True, cwd=HERE.parent, env=env, check=False)
    process_ms = (time.perf_counter() - began) * 1e3
    if child.returncode:
        raise SystemExit(f"{argv[:4]} ended with {child.returncode}: {child.stderr}")
    lines = [line.split() for line in child.stdout.splitlines()]
    return Figure(
        verdicts=tuple(verdict for verdict, _ in lines),
        check_ms=sum(int(nanoseconds) for _, nanoseconds in lines) / 1e6,
        process_ms=process_ms,
        peak_mb=int(child.stderr.split()[-1]) / 1e3,
    )


def measure(case: Case, rounds: int, limit_s: float) -> dict[str, object]:
    """Both, in turns, so that a slow moment of the machine meets both."""
    with tempfile.TemporaryDirectory() as folder:
        files = [str(write(rows, Path(folder, f"{number}.txt"))) for number, rows in enumerate(case.histories)]
        commands = {
            "ours": [sys.executable, "-m", "benchmarks.checkers_child", case.model, str(limit_s), *files],
            "witness": [sys.executable, "-m", "benchmarks.checkers_child", f"{case.model}+", str(limit_s), *files],
            "Porcupine": [str(porcupine()), case.model, str(limit_s), *files],
        }
        figures: dict[str, list[Figure]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, argv in commands.items():
                if not figures[name] or figures[name][0].process_ms < limit_s * 900:
                    figures[name].append(run(argv))
    return {"group": case.group, "name": case.name, **{name: _summary(found) for name, found in figures.items()}}


def _summary(figures: Sequence[Figure]) -> dict[str, object]:
    kinds = [sum(one == kind for one in figures[0].verdicts) for kind in ("ok", "illegal", "unknown")]
    checks = [figure.check_ms for figure in figures]
    return {
        "verdicts": kinds,
        "check_ms": statistics.median(checks),
        "spread_ms": [min(checks), max(checks)],
        "process_ms": statistics.median(figure.process_ms for figure in figures),
        "peak_mb": statistics.median(figure.peak_mb for figure in figures),
    }


def table(results: Sequence[dict[str, object]]) -> str:
    """As Markdown."""
    times = "check, ms: ours | Porcupine | ratio | with witnesses | process, ms: ours | Porcupine | ratio"
    lines = [f"| histories | verdicts | {times} | peak, MB: ours | Porcupine |", "| --- " * 11 + "|"]
    return "\n".join([*lines, *map(_row, results)])


def _row(result: dict[str, object]) -> str:
    ours, theirs, proved = result["ours"], result["Porcupine"], result["witness"]
    assert isinstance(ours, dict)
    assert isinstance(theirs, dict)
    assert isinstance(proved, dict)
    more = "> " if theirs["verdicts"][2] else ""
    cells = [
        str(result["name"]),
        _verdicts(ours["verdicts"], theirs["verdicts"]),
        _spread(ours),
        more + _spread(theirs),
        f"{more}{theirs['check_ms'] / ours['check_ms']:.1f}",
        f"{proved['check_ms']:.1f}",
        *(f"{side['process_ms']:.0f}" for side in (ours, theirs)),
        f"{more}{theirs['process_ms'] / ours['process_ms']:.1f}",
        *(f"{side['peak_mb']:.0f}" for side in (ours, theirs)),
    ]
    return f"| {' | '.join(cells)} |"


def _verdicts(ours: Sequence[int], theirs: Sequence[int]) -> str:
    def said(counts: Sequence[int]) -> str:
        words = zip(counts, ("hold", "violated", "unknown"), strict=True)
        return ", ".join(f"{count} {word}" for count, word in words if count)

    return said(ours) if list(ours) == list(theirs) else f"{said(ours)} (Porcupine: {said(theirs)})"


def _spread(side: dict[str, object]) -> str:
    low, high = side["spread_ms"]  # type: ignore[misc]
    return f"{side['check_ms']:.1f} ({low:.1f}–{high:.1f})"  # type: ignore[has-type]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("--limit-s", type=float, default=LIMIT_S)
    parser.add_argument("--only", default="", help="cases whose name has this word")
    parser.add_argument("--json", type=Path, help="keep the figures here")
    options = parser.parse_args()
    results = []
    for case in cases():
        if options.only in case.name:
            results.append(measure(case, options.rounds, options.limit_s))
            print(_row(results[-1]), flush=True)
    print("\n" + table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
