"""
The spread of every measure over repeated runs: ``pytest experiments --chaos-repeat 20`` first, then this.

    python -m benchmarks.spreads [FOLDER]        FOLDER: reports/out/runs
"""

import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

from chaos.guarantees.recheck import recheck
from chaos.history.archive import load
from chaos.verdict import Status

ROUND = re.compile(r"-?round\d+-?")
Samples = dict[tuple[str, str, str], list[float]]


def collect(folder: Path) -> tuple[Samples, dict[tuple[str, str], list[str]]]:
    """Measures by experiment, guarantee and measure; verdicts by experiment and guarantee."""
    samples: Samples = defaultdict(list)
    verdicts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in sorted(folder.glob("*/history.jsonl.gz")):
        experiment = ROUND.sub("", file.parent.name).rpartition("test_")[2] or file.parent.name
        for verdict in recheck(load(file)):
            if verdict.status is Status.UNKNOWN:
                continue
            verdicts[experiment, verdict.guarantee].append(verdict.status.value)
            for measure, value in verdict.measures.items():
                samples[experiment, verdict.guarantee, measure].append(value)
    return samples, verdicts


def main(folder: Path) -> int:
    """Print a table; 1 when there is nothing to print."""
    samples, verdicts = collect(folder)
    for (experiment, guarantee), found in sorted(verdicts.items()):
        counts = ", ".join(f"{found.count(word)} {word}" for word in sorted(set(found)))
        print(f"{experiment}: {guarantee}: {counts}")
        for (one, name, measure), values in sorted(samples.items()):
            if (one, name) == (experiment, guarantee):
                middle = statistics.median(values)
                print(f"    {measure:28} min {min(values):10.3f}  median {middle:10.3f}  max {max(values):10.3f}")
    if not verdicts:
        print(f"no histories below {folder}; run: pytest experiments --chaos-repeat 20")
    return 0 if verdicts else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "reports/out/runs")))
