"""
Random histories against the oracle, as many as the time allows.

    python -m tests.truth.fuzz all --histories 1000000 --minutes 60 --processes 4
    python -m tests.truth.fuzz queue --seed 20260314 --replay 4711

Each history follows from its type, the seed (the day, if not given) and its number alone, so one that was judged wrongly
can be had again. The types take turns, so all of them are served when the time is up. Exit code 1: something disagreed.
"""

import argparse
import multiprocessing
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from tests.truth.comparing import Tally, compared, disagreements
from tests.truth.kinds import TYPES

CHUNK = 500
"""Histories that one process judges at a time."""
SHOWN = 3
"""Disagreements of one type that are shown whole."""
TOLD_EVERY_S = 30.0


class Chunk(NamedTuple):
    """Some histories of one type."""

    name: str
    seed: int
    numbers: range


class Judged(NamedTuple):
    """What came of a chunk; disagreements in words."""

    name: str
    tally: Tally
    problems: list[str]


def judged(chunk: Chunk) -> Judged:
    """Judge a chunk."""
    tally, problems = Tally(), list[str]()
    for number, problem, operations in disagreements(TYPES[chunk.name], chunk.numbers, chunk.seed, tally):
        lines = [f"{chunk.name} --seed {chunk.seed} --replay {number}: {problem}", *map(str, operations)]
        problems.append("\n    ".join(lines))
    return Judged(chunk.name, tally, problems)


def chunks(names: Sequence[str], histories: int, seed: int, until: float) -> Iterator[Chunk]:
    """All there is to judge, the types in turn, until the time is up."""
    for start in range(0, histories, CHUNK):
        for name in names:
            if time.monotonic() >= until:
                return
            yield Chunk(name, seed, range(start, min(start + CHUNK, histories)))


@contextmanager
def _workers(processes: int) -> Iterator["multiprocessing.pool.Pool | None"]:
    if processes == 1:
        yield None
    else:
        with multiprocessing.Pool(processes) as pool:
            yield pool


def _results(work: Iterable[Chunk], processes: int) -> Iterator[Judged]:
    """In any order. No more chunks are waiting than processes, so that the time is kept."""
    with _workers(processes) as pool:
        if pool is None:
            yield from map(judged, work)
            return
        room, ended = threading.Semaphore(2 * processes), threading.Event()

        def paced() -> Iterator[Chunk]:
            for chunk in work:
                room.acquire()
                if ended.is_set():
                    return
                yield chunk

        try:
            for result in pool.imap_unordered(judged, paced()):
                room.release()
                yield result
        finally:
            ended.set()
            room.release()


def run(names: Sequence[str], histories: int, seed: int, until: float, processes: int) -> dict[str, Tally]:
    """Judge, tell how far it is, show what disagrees."""
    tallies = {name: Tally() for name in names}
    told = time.monotonic()
    for result in _results(chunks(names, histories, seed, until), processes):
        tally = tallies[result.name]
        for problem in result.problems[: max(0, SHOWN - tally.disagreeing)]:
            print(problem, flush=True)
        tally.add(result.tally)
        if time.monotonic() - told >= TOLD_EVERY_S:
            told = time.monotonic()
            total, wrong = (
                sum(getattr(each, what) for each in tallies.values()) for what in ("histories", "disagreeing")
            )
            print(f"... {total} histories, {wrong} disagreements", file=sys.stderr, flush=True)
    return tallies


def summary(name: str, tally: Tally) -> str:
    """One line for one type."""
    speed = tally.histories / tally.spent_s if tally.spent_s else 0.0
    return (
        f"{name}: {tally.histories} histories, {tally.holding} hold, {tally.undecided} unknown, "
        f"{tally.disagreeing} disagreements, {speed:.0f} a second"
    )


def replay(name: str, seed: int, number: int) -> int:
    """One history again, with what both say of it."""
    tally = Tally()
    problem, operations = compared(TYPES[name], number, seed, tally)
    print(*operations, sep="\n")
    print(f"the oracle says {bool(tally.holding)}; {problem or 'the checker agrees'}")
    return 1 if problem else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what disagrees; 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("type", choices=[*TYPES, "all"], metavar="TYPE", help=f"all, {', '.join(TYPES)}")
    parser.add_argument("--histories", type=int, default=200_000, help="of each type (default: 200000)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="then end, however many it were")
    parser.add_argument("--processes", type=int, default=1, help="at once (default: 1)")
    parser.add_argument("--seed", type=int, default=int(datetime.now(UTC).strftime("%Y%m%d")), help="default: the day")
    parser.add_argument("--replay", type=int, metavar="NUMBER", help="one history again")
    options = parser.parse_args(arguments)
    if options.histories < 1 or options.processes < 1 or not options.minutes > 0:
        parser.error("histories, processes and minutes are above 0")
    if options.replay is not None:
        if options.type == "all":
            parser.error("a number belongs to one type")
        return replay(options.type, options.seed, options.replay)
    names = list(TYPES) if options.type == "all" else [options.type]
    until = time.monotonic() + 60 * options.minutes
    tallies = run(names, options.histories, options.seed, until, options.processes)
    print(*(summary(name, tally) for name, tally in tallies.items()), sep="\n")
    total, wrong = (sum(getattr(each, what) for each in tallies.values()) for what in ("histories", "disagreeing"))
    print(f"in all: {total} histories, {wrong} disagreements, seed {options.seed}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
