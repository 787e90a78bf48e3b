"""
Histories made up by a simulated system, for measuring: registers with crashes, texts under keys, unique values.

Everything is plain rows ``(call, end or None, kind, a, b)``, so that any checker can be asked.
"""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

UNSET = "-"


class Row(NamedTuple):
    """One operation: what was asked, with its arguments or its answer in a and b."""

    call: int
    end: int | None
    kind: str
    a: str
    b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    What a register's history looks like.

    :param crashed: the share of writes and cas that never return; half of them take effect, some much later.
    :param cas: the share of cas among the changes.
    :param pause: how likely a client that could ask something waits a turn longer.
    """

    operations: int
    processes: int
    values: int
    crashed: float = 0.0
    cas: float = 0.3
    reads: float = 0.4
    pause: float = 0.0


@dataclass(slots=True)
class _Busy:
    call: int
    kind: str
    a: str
    b: str
    done: bool = False


class _Register:
    """The object itself; what crashed is applied when its time has come."""

    def __init__(self) -> None:
        self.state = UNSET
        self._later: list[tuple[int, str, str, str]] = []

    def tick(self, now: int) -> None:
        while self._later and self._later[0][0] <= now:
            _, kind, a, b = heapq.heappop(self._later)
            self.apply(kind, a, b)

    def later(self, at: int, busy: _Busy) -> None:
        heapq.heappush(self._later, (at, busy.kind, busy.a, busy.b))

    def apply(self, kind: str, a: str, b: str) -> bool:
        if kind == "write":
            self.state = a
            return True
        if self.state == a:
            self.state = b
            return True
        return False


def register(shape: Shape, seed: int) -> list[Row]:
    """A history of a correct register."""
    rng = random.Random(seed)
    clock, rows, one = 0, list[Row](), _Register()
    busy: list[_Busy | None] = [None] * shape.processes
    while len(rows) < shape.operations:
        process, clock = rng.randrange(shape.processes), clock + 1
        one.tick(clock)
        now = busy[process]
        if now is None:
            if not shape.pause or rng.random() >= shape.pause:
                busy[process] = _asked(shape, rng, clock)
        elif now.done:
            rows.append(Row(now.call, clock, now.kind, now.a, now.b))
            busy[process] = None
        elif now.kind != "read" and rng.random() < shape.crashed:
            if rng.random() < 0.5:
                one.later(clock + (rng.randint(0, 400) if rng.random() < 0.5 else 0), now)
            rows.append(Row(now.call, None, "maybe" if now.kind == "cas" else "write", now.a, now.b))
            busy[process] = None
        else:
            _happen(one, now)
    rows += [Row(now.call, clock + 1, now.kind, now.a, now.b) for now in busy if now and now.done]
    return sorted(rows, key=lambda row: row.call)


def _asked(shape: Shape, rng: random.Random, clock: int) -> _Busy:
    a, b = str(rng.randrange(shape.values)), str(rng.randrange(shape.values))
    if rng.random() < shape.reads:
        return _Busy(clock, "read", UNSET, UNSET)
    return _Busy(clock, "cas", a, b) if rng.random() < shape.cas else _Busy(clock, "write", a, UNSET)


def _happen(one: _Register, now: _Busy) -> None:
    now.done = True
    if now.kind == "read":
        now.a = one.state
    elif not one.apply(now.kind, now.a, now.b):
        now.kind = "failed"


def stale(rows: Sequence[Row], seed: int, share: float) -> list[Row]:
    """The same where a share of the reads returned one of the three values before the last completed one."""
    rng = random.Random(seed)
    changes = sorted(
        (row.end, row.b if row.kind == "cas" else row.a) for row in rows if row.kind in ("write", "cas") and row.end
    )
    found = []
    for row in rows:
        older = [value for end, value in changes if end < row.call][-4:-1]
        lies = row.kind == "read" and older and rng.random() < share
        found.append(row._replace(a=rng.choice(older)) if lies else row)
    return found


@dataclass(slots=True)
class Texts:
    """
    Clients that get (45 %), append (50 %) and put (5 %) texts under random keys, as in the tests of MIT 6.824.

    :param pausing: a client waits before its next operation; else it asks at once, and all have one open at all times.
    """

    operations: int
    clients: int = 10
    keys: int = 10
    pausing: bool = False

    def history(self, seed: int) -> list[Row]:
        """One history of a correct store."""
        rng = random.Random(seed)
        clock, rows, state = 0, list[Row](), [""] * self.keys
        busy: list[_Busy | None] = [None] * self.clients
        while len(rows) < self.operations:
            client, clock = rng.randrange(self.clients), clock + 1
            now = busy[client]
            if now is None:
                busy[client] = self._asked(rng, client, clock)
            elif now.done:
                rows.append(Row(now.call, clock, now.kind, now.a, now.b))
                clock += 1
                busy[client] = None if self.pausing else self._asked(rng, client, clock)
            else:
                _change(now, state)
        rows += [Row(now.call, clock + 1, now.kind, now.a, now.b) for now in busy if now and now.done]
        return sorted(rows, key=lambda row: row.call)

    def _asked(self, rng: random.Random, client: int, clock: int) -> _Busy:
        kind = rng.choices(("get", "append", "put"), (45, 50, 5))[0]
        return _Busy(clock, kind, str(rng.randrange(self.keys)), f"x{client}.{clock}y")


def _change(now: _Busy, state: list[str]) -> None:
    now.done, key = True, int(now.a)
    if now.kind == "get":
        now.b = state[key]
    else:
        state[key] = now.b if now.kind == "put" else state[key] + now.b


def write(rows: Sequence[Row], path: Path) -> Path:
    """A line a row; -1 where there is no end."""
    path.write_text(
        "".join(f"{row.call} {-1 if row.end is None else row.end} {row.kind} {row.a} {row.b}\n" for row in rows)
    )
    return path


def read(path: Path) -> list[Row]:
    """What ``write`` wrote."""
    parts = (line.rstrip("\n").split(" ") for line in path.open())
    return [Row(int(call), None if end == "-1" else int(end), kind, a, b) for call, end, kind, a, b in parts]
