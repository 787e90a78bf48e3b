"""
Small histories: of a correct system with crashes, of the same after something was changed, and of nothing at all.
"""

from dataclasses import replace
from random import Random
from typing import Any

from chaos.history import Operation, Outcome
from tests.truth.kinds import Type


def some_history(kind: Type, rng: Random, longest: int = 9) -> list[Operation]:
    """One of the three sorts, sometimes with equal stamps."""
    if kind.invented is not None:
        return _numbered(kind.invented(rng))
    if kind.crashing:
        return crashed(rng)
    number, size, sort = rng.randrange(60), rng.randint(1, longest), rng.random()
    operations = correct(kind, rng, number, size, rng.randint(2, 5), crash=rng.choice((0.0, 0.15, 0.4)))
    if sort > 0.2:
        for _ in range(rng.randint(1, 2)):
            _change(kind, rng, number, operations)
    if sort > 0.5:
        operations = _shuffled(rng, operations)
    return _tied(operations) if rng.random() < 0.2 else operations


def crashed(rng: Random) -> list[Operation]:
    """Operations on a register at random times: half of the mutators never return, and many cas fail."""
    width, found = rng.choice((2, 2, 3)), list[Operation]()
    begins = rng.sample(range(60), rng.randint(4, 9))
    for begin in begins:
        f, outcome = rng.choice(CRASHING)
        value: Any = None if f == "read" else rng.randrange(width)
        if f == "cas":
            value = [value, rng.randrange(width)]
        took = rng.choice((1, 3, 6, 12, 25))
        result = rng.randrange(width) if f == "read" else None
        end = None if outcome is Outcome.INFO else 100 * (begin + took) + rng.randrange(90)
        found.append(
            _operation("c", f=f, value=value, invoked_ns=100 * begin, completed_ns=end, outcome=outcome, result=result)
        )
    return _numbered(found)


CRASHING = [
    ("read", Outcome.OK),
    ("write", Outcome.OK),
    ("write", Outcome.OK),
    ("write", Outcome.INFO),
    ("cas", Outcome.OK),
    ("cas", Outcome.OK),
    ("cas", Outcome.FAIL),
    ("cas", Outcome.FAIL),
    ("cas", Outcome.INFO),
    ("cas", Outcome.INFO),
]


def correct(
    kind: Type, rng: Random, number: int, size: int, clients: int, crash: float = 0.1, late: int = 0
) -> list[Operation]:
    """
    A system that keeps its promise: each operation takes effect at one moment within its interval.

    A crashed one takes effect at once, up to ``late`` steps after its client gave up, or never.
    """
    state, now, done = kind.initial, 0, list[Operation]()
    open_: list[dict[str, Any] | None] = [None] * clients
    pending: list[tuple[int, str, Any]] = []
    while len(done) < size or any(open_):
        place, now = rng.randrange(clients), now + 1
        for due in [each for each in pending if each[0] <= now]:
            pending.remove(due)
            state = kind.apply(state, due[1], due[2])[0]
        asked = open_[place]
        if asked is None:
            if len(done) + sum(each is not None for each in open_) < size:
                f, value = kind.invent(rng, number)
                open_[place] = {"f": f, "value": value, "invoked_ns": now}
        elif "outcome" in asked:
            done.append(_operation(f"c{place}", **asked, completed_ns=now))
            open_[place] = None
        elif rng.random() < crash:
            if rng.random() < 0.6:
                pending.append((now + rng.randint(0, late), asked["f"], asked["value"]))
            asked.update(outcome=Outcome.INFO, completed_ns=rng.choice((None, now)), result=None)
            done.append(_operation(f"c{place}", **asked))
            open_[place] = None
        elif asked["f"] == "drain":
            state = _drain(kind, state, asked)
        else:
            state, result, accepted = kind.apply(state, asked["f"], asked["value"])
            asked.update(result=result if accepted else None, outcome=Outcome.OK if accepted else Outcome.FAIL)
    if kind.final is not None:
        f, value = kind.final
        result = kind.apply(state, f, value)[1]
        now += 2
        done.append(
            _operation(
                "last", f=f, value=value, invoked_ns=now, completed_ns=now + 1, outcome=Outcome.OK, result=result
            )
        )
    return _numbered(done)


def _drain(kind: Type, state: Any, asked: dict[str, Any]) -> Any:
    """One dequeue more; the last finds nothing."""
    state, value, _ = kind.apply(state, "dequeue", None)
    taken = asked.setdefault("result", [])
    if value is None:
        asked["outcome"] = Outcome.OK
    else:
        taken.append(value)
    return state


def _operation(client: str, **fields: Any) -> Operation:
    return Operation(index=0, client=client, **fields)


def _numbered(operations: list[Operation]) -> list[Operation]:
    ordered = sorted(operations, key=lambda each: each.invoked_ns)
    return [replace(each, index=place) for place, each in enumerate(ordered)]


def _change(kind: Type, rng: Random, number: int, operations: list[Operation]) -> None:
    """A result that another operation had, an invented one, another outcome, or another time."""
    if kind.model == "list-append" and rng.random() < 0.6:
        _change_read(rng, operations)
        return
    place = rng.randrange(len(operations))
    if operations[place].f == "drain" and operations[place].ok and rng.random() < 0.7:
        operations[place] = replace(operations[place], result=_drained_otherwise(rng, operations, place))
        return
    chosen, other = operations[place], rng.choice(operations)
    dice = rng.random()
    if dice < 0.35 and chosen.ok and other.ok and chosen.f == other.f and chosen.f != "txn":
        operations[place] = replace(chosen, result=other.result)
    elif dice < 0.6 and chosen.ok and chosen.f != "txn":
        operations[place] = replace(chosen, result=kind.guess(rng, chosen.f, chosen.value, number))
    elif dice < 0.8 and chosen.f == other.f and chosen.outcome is not Outcome.INFO:
        outcome = (
            Outcome.OK if chosen.outcome is Outcome.FAIL and chosen.f in ("acquire", "release", "cas") else Outcome.FAIL
        )
        if not (outcome is Outcome.OK and isinstance(chosen.value, list) and isinstance(chosen.value[1], list)):
            operations[place] = replace(chosen, outcome=outcome)
    elif chosen.completed_ns is not None:
        longer = rng.randint(-3, 3)
        begin = max(1, chosen.invoked_ns + longer)
        operations[place] = replace(chosen, invoked_ns=begin, completed_ns=max(begin, chosen.completed_ns + longer))


def _drained_otherwise(rng: Random, operations: list[Operation], place: int) -> list[Any]:
    """One value less, one more, or two in the other order."""
    values, dice = list(operations[place].result), rng.random()
    if dice < 0.4 and values:
        del values[rng.randrange(len(values))]
    elif dice < 0.7:
        put = [each.value for each in operations if each.f == "enqueue"]
        values.insert(rng.randint(0, len(values)), rng.choice(put or [1]))
    else:
        rng.shuffle(values)
    return values


def _change_read(rng: Random, operations: list[Operation]) -> None:
    """A read of a transaction becomes another one's, or shorter, or has two elements in the other order."""
    reads = [
        (place, number)
        for place, each in enumerate(operations)
        for number, micro in enumerate(each.result or ())
        if each.ok and micro[0] == "r"
    ]
    if not reads:
        return
    (place, number), (other, there) = rng.choice(reads), rng.choice(reads)
    result = [list(micro) for micro in operations[place].result]
    dice, elements = rng.random(), list(result[number][2])
    if dice < 0.5 and operations[other].result[there][1] == result[number][1]:
        elements = list(operations[other].result[there][2])
    elif dice < 0.8 or len(elements) < 2:
        elements = elements[:-1]
    else:
        elements[-2:] = elements[:-3:-1]
    result[number][2] = elements
    operations[place] = replace(operations[place], result=result)


def _shuffled(rng: Random, operations: list[Operation]) -> list[Operation]:
    """The same operations at other times."""
    stamps = list(range(2 * len(operations)))
    rng.shuffle(stamps)
    moved = []
    for place, each in enumerate(operations):
        begin, end = sorted(stamps[2 * place : 2 * place + 2])
        moved.append(replace(each, invoked_ns=begin, completed_ns=None if each.completed_ns is None else end))
    return _numbered(moved)


def _tied(operations: list[Operation]) -> list[Operation]:
    """Coarser clocks: some stamps become equal."""
    return [
        replace(
            each,
            invoked_ns=each.invoked_ns // 2,
            completed_ns=None if each.completed_ns is None else each.completed_ns // 2,
        )
        for each in operations
    ]
