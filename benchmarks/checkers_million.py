"""
A million operations from our archival JSON Lines to a verdict: the whole ``chaos recheck``, time and peak memory.

    nice -n 19 python -m benchmarks.checkers_million [ROUNDS] [--with PYTHON]

ROUNDS is 5. ``--with`` names a second interpreter, one that has numpy and msgspec if this one has not.
"""

import argparse
import importlib.util
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).parents[1]
OPERATIONS = 1_000_000
CLIENTS = 20
Object = Callable[[bool, int], int | None]
"""What an operation returns: from whether it is the first kind, and its argument."""


def a_register() -> Object:
    """Writes of ever new values, reads."""
    state: list[int | None] = [None]

    def act(first: bool, value: int) -> int | None:
        if first:
            state[0] = value
        return None if first else state[0]

    return act


def a_queue() -> Object:
    """Ever new values in, and out."""
    inside: deque[int] = deque()

    def act(first: bool, value: int) -> int | None:
        if first:
            inside.append(value)
            return None
        return inside.popleft() if inside else None

    return act


def a_counter() -> Object:
    """Steps of one, and reads."""
    count = [0]

    def act(first: bool, value: int) -> int | None:
        count[0] += first
        return None if first else count[0]

    return act


OBJECTS: dict[str, tuple[tuple[str, str], Callable[[], Object]]] = {
    "register": (("write", "read"), a_register),
    "queue": (("enqueue", "dequeue"), a_queue),
    "counter": (("add", "read"), a_counter),
}


def lines(model: str) -> Iterator[str]:
    """An archival file of a correct object and twenty clients."""
    rng, clock, asked = random.Random(1), 0, 0
    (first, second), make = OBJECTS[model]
    act, rows = make(), list[tuple[int, str]]()
    busy: list[list[int | bool | None] | None] = [None] * CLIENTS
    while len(rows) < OPERATIONS:
        client, clock = rng.randrange(CLIENTS), clock + rng.randint(1, 2000)
        now = busy[client]
        if now is None:
            if asked < OPERATIONS:
                busy[client] = [asked, clock, rng.random() < 0.5, False, None]
                asked += 1
        elif not now[3]:
            now[3], now[4] = True, act(bool(now[2]), int(now[0] or 0) + 1)
        else:
            value = f'"value":{1 if model == "counter" else int(now[0] or 0) + 1},' if now[2] else ""
            result = "" if now[4] is None else f',"result":{now[4]}'
            line = f'{{"operation":{now[0]},"client":"c{client}","f":"{first if now[2] else second}",{value}'
            line += f'"invoked_ns":{now[1]},"outcome":"ok","completed_ns":{clock}{result}}}\n'
            rows.append((int(now[0] or 0), line))
            busy[client] = None
    yield header()
    yield from (line for _, line in sorted(rows))


def a_set() -> Iterator[str]:
    """Adds, of which a fiftieth is never answered and half of those happen, and one read at the end."""
    rng, shown = random.Random(2), []
    yield header()
    for number in range(OPERATIONS - 1):
        unsure = rng.random() < 0.02
        shown += [] if unsure and rng.random() < 0.5 else [number]
        yield (
            f'{{"operation":{number},"client":"c{number % CLIENTS}","f":"add","value":{number},"invoked_ns":{number + 1}000,'
            f'"outcome":"{"info" if unsure else "ok"}","completed_ns":{number + 15}000}}\n'
        )
    last = f'"invoked_ns":{OPERATIONS + 99}000,"outcome":"ok","completed_ns":{OPERATIONS + 999}000'
    yield f'{{"operation":{OPERATIONS - 1},"client":"c0","f":"read",{last},"result":{shown}}}\n'.replace(", ", ",")


def header() -> str:
    """The first line."""
    return f'{{"schema":1,"records":{{"phase":0,"fault":0,"operation":{OPERATIONS},"observation":0}}}}\n'


def measure(python: str, file: Path, model: str, rounds: int) -> str:
    """A row of the table."""
    times, processor, peaks = [], [], []
    for _ in range(rounds):
        argv = ["/usr/bin/time", "-f", "%U %S %M", python, "-m", "chaos.cli", "recheck", str(file), "--model", model]
        began = time.perf_counter()
        env = {**os.environ, "PYTHONPATH": str(HERE)}
        done = subprocess.run(argv, capture_output=True, text=True, cwd=file.parent, env=env, check=False)
        times.append(time.perf_counter() - began)
        if done.returncode:
            raise SystemExit(f"{argv} ended with {done.returncode}: {done.stdout}{done.stderr}")
        user, system, peak = done.stderr.split()[-3:]
        processor.append(float(user) + float(system))
        peaks.append(int(peak) / 1e3)
    has = subprocess.run([python, "-c", "import numpy, msgspec"], capture_output=True, check=False).returncode == 0
    figures = " | ".join(
        f"{statistics.median(each):.2f} ({min(each):.2f}–{max(each):.2f})" for each in (times, processor)
    )
    figures += f" | {statistics.median(peaks):.0f}"
    return f"| {model} | {file.stat().st_size / 1e6:.0f} | {'yes' if has else 'no'} | {figures} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("--with", dest="other", default=None)
    options = parser.parse_args()
    if importlib.util.find_spec("chaos") is None:
        raise SystemExit("run it from the checkout")
    print(
        "| model | file, MB | numpy | seconds, median (spread) | of a processor | peak, MB |\n| --- | --- | --- | --- | --- | --- |"
    )
    for model in (*OBJECTS, "set"):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "history.jsonl")
            with file.open("w") as stream:
                stream.writelines(a_set() if model == "set" else lines(model))
            for python in filter(None, (sys.executable, options.other)):
                print(measure(python, file, model, options.rounds), flush=True)


if __name__ == "__main__":
    main()
