"""
Registers whose operations crash in numbers: histories of medium size against the sweep that drops nothing, and long ones
whose verdict is known because of how they were made.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any

from chaos.checkers import check, climb
from chaos.checkers.sweep import UNBOUNDED
from chaos.history import Operation, Outcome
from chaos.verdict import Status

OK, INFO = Outcome.OK, Outcome.INFO
Told = tuple[str, object, Outcome, object]
"""f, value, outcome, result."""


@contextmanager
def exact() -> Iterator[None]:
    """The search keeps every configuration from the first event on, so nothing is dropped and nothing refuted by the way."""
    before = climb.GREEDY
    climb.GREEDY = (0, UNBOUNDED)
    try:
        yield
    finally:
        climb.GREEDY = before


def explained(operations: Sequence[Operation]) -> bool:
    """What the exact sweep says."""
    with exact():
        verdict = check(operations, "cas-register", initial=0, failed_cas="mismatch", shrink=False)
    assert verdict.status is not Status.UNKNOWN, verdict
    return verdict.status is Status.HOLDS


@contextmanager
def only_refuted(refuters: Sequence[int]) -> Iterator[None]:
    """A search too narrow to prove a violation, so that one of these refuters must."""
    before = climb.LADDER, climb.REFUTER_CONFIGURATIONS
    climb.LADDER = ((8, 1, 0), (16, 1, 0), (32, 1, 0))
    climb.REFUTER_CONFIGURATIONS = tuple(80_000 if number in refuters else 1 for number in range(3))
    try:
        yield
    finally:
        climb.LADDER, climb.REFUTER_CONFIGURATIONS = before


def register_of(rng: Random, size: int, *, values: int, crash: float, clients: int = 5) -> list[Operation]:
    """A correct register; what crashed took effect at once, up to 20 steps later, or never."""
    state, now = 0, 0
    waiting = list[tuple[int, str, Any]]()
    open_: dict[int, Operation] = {}
    found = list[Operation]()

    def apply(f: str, value: Any) -> tuple[bool, int | None]:
        nonlocal state
        if f == "read":
            return True, state
        old, new = value if f == "cas" else (state, value)
        done = bool(old == state)
        state = new if done else state
        return done, None

    while len(found) < size or open_:
        now += 1
        for due in [each for each in waiting if each[0] <= now]:
            waiting.remove(due)
            apply(due[1], due[2])
        client = rng.randrange(clients)
        asked = open_.pop(client, None)
        if asked is None:
            if len(found) + len(open_) < size:
                f = rng.choice(("read", "write", "cas"))
                value = {
                    "read": None,
                    "write": rng.randrange(values),
                    "cas": [rng.randrange(values), rng.randrange(values)],
                }[f]
                open_[client] = Operation(index=0, client=f"c{client}", f=f, value=value, invoked_ns=now, outcome=INFO)
        elif asked.completed_ns is not None:
            found.append(replace(asked, completed_ns=now))
        elif asked.f != "read" and rng.random() < crash:
            if rng.random() < 0.6:
                waiting.append((now + rng.randint(0, 20), asked.f, asked.value))
            found.append(asked)
        else:
            done, result = apply(asked.f, asked.value)
            outcome = OK if done else Outcome.FAIL
            open_[client] = replace(asked, outcome=outcome, result=result, completed_ns=now)
    return numbered(found)


def numbered(operations: Sequence[Operation]) -> list[Operation]:
    """In order of invocation."""
    ordered = sorted(operations, key=lambda each: each.invoked_ns)
    return [replace(each, index=place) for place, each in enumerate(ordered)]


def medium(rng: Random) -> list[Operation]:
    """Twenty to forty operations, some of them crashed; then perhaps one or two reads are changed."""
    values = rng.choice((2, 3, 5))
    found = register_of(rng, rng.randint(20, 40), values=values, crash=rng.choice((0.1, 0.3)))
    reads = [place for place, each in enumerate(found) if each.f == "read" and each.ok]
    for place in rng.sample(reads, min(len(reads), rng.choice((0, 1, 1, 2)))):
        found[place] = replace(found[place], result=rng.randrange(values))
    return found


def after(operations: Sequence[Operation], told: Sequence[Told]) -> list[Operation]:
    """One client more, which does these one after the other when all others are done."""
    now = 10 + max(max(each.invoked_ns, each.completed_ns or 0) for each in operations)
    more = [
        Operation(
            index=0,
            client="planted",
            f=f,
            value=value,
            invoked_ns=now + 10 * place,
            completed_ns=None if outcome is INFO else now + 10 * place + 5,
            outcome=outcome,
            result=result,
        )
        for place, (f, value, outcome, result) in enumerate(told)
    ]
    return numbered([*operations, *more])


def write(value: int) -> Told:
    """It succeeded."""
    return "write", value, OK, None


def read(value: int) -> Told:
    """It saw this."""
    return "read", None, OK, value


def crashed(f: str, value: object) -> Told:
    """Nobody knows."""
    return f, value, INFO, None


TWICE = [read(101), write(102), read(101)]
CHAIN = [crashed("cas", [103, 101])] * 2

PLANTED: dict[str, tuple[int, list[Told], list[Told]]] = {
    "stale read": (0, [write(101), *TWICE], [write(101), crashed("write", 101), *TWICE]),
    "crashed write applied twice": (1, [crashed("write", 101), *TWICE], [crashed("write", 101)] * 2 + TWICE),
    "crashed cas applied twice": (
        1,
        [crashed("cas", [102, 101]), write(102), *TWICE],
        [*[crashed("cas", [102, 101])] * 2, write(102), *TWICE],
    ),
    "crashed cas of a chain applied twice": (
        2,
        [crashed("cas", [102, 103]), *CHAIN, write(102), *TWICE],
        [*[crashed("cas", [102, 103])] * 2, *CHAIN, write(102), *TWICE],
    ),
}
"""
What is told after a correct history, with values that it does not have: which refuter is needed, the violation, and what
is no violation. By construction: 102 is there before the last read, and nothing that is left leads from it to 101.
"""
