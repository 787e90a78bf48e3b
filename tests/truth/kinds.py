"""
What each type does, said a second time and differently: one client at a time, arguments in, results out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from chaos.history import Operation, Outcome
from chaos.models import Model, keyed, text
from chaos.verdict import Verdict
from tests.truth.adya import misnamed
from tests.truth.brokers import (
    all_arrived,
    deliveries,
    given_out,
    in_pairs,
    none_doubled,
    none_made_up,
    orders,
    redeliveries,
)
from tests.truth.crashing import explained, medium
from tests.truth.pairwise import leases, leases_fit, logs, logs_agree, sessions, sessions_kept

Applied = tuple[Any, Any, bool]
"""The state after it, the result, and whether the server accepted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """One type as a program: ``invent`` asks something, ``apply`` does it, ``guess`` invents a result."""

    name: str
    model: str | Model
    initial: Any
    apply: Callable[[Any, str, Any], Applied]
    invent: Callable[[Random, int], tuple[str, Any]]
    guess: Callable[[Random, str, Any, int], Any]
    given: Any = None
    """What ``check`` is told of the initial value."""
    invented: Callable[[Random], list[Operation]] | None = None
    """Histories of another sort than of operations that take effect one by one."""
    keeps: Callable[[Sequence[Operation]], bool] | None = None
    """Whether such a history keeps the promise."""
    crashing: bool = False
    """Histories are made of operations that crash, at random times, by ``histories.crashed``."""
    final: tuple[str, Any] | None = None
    """What is asked when all others are done."""
    branches: Callable[[Any, Operation], list[Any]] | None = None
    """Where there is a choice: every state after this operation with this result."""
    ordered: bool = True
    """Whether a drain tells in which order it took its values."""
    misnamed: Callable[[Sequence[Operation], Verdict], str | None] | None = None
    """What is wrong with the name that a verdict gives to a violation."""
    sessions: bool = False
    """Whether what one client did is in order, even where its stamps are equal."""


def _register(state: Any, f: str, value: Any) -> Applied:
    if f == "read":
        return state, state, True
    if f == "write":
        return value, None, True
    return (value[1], None, True) if state == value[0] else (state, None, False)


def _ask_register(rng: Random, number: int) -> tuple[str, Any]:
    width = 1 + number % 4
    f = rng.choice(("read", "read", "write", "cas"))
    if f == "read":
        return f, None
    return f, rng.randrange(width) if f == "write" else [rng.randrange(width), rng.randrange(width)]


def _guess_register(rng: Random, f: str, value: Any, number: int) -> Any:
    return rng.choice((None, *range(1 + number % 4))) if f == "read" else None


def _ask_unique(rng: Random, number: int) -> tuple[str, Any]:
    return ("read", None) if rng.random() < 0.5 else ("write", rng.randrange(10**9))


def _mutex(state: Any, f: str, value: Any) -> Applied:
    taking = f == "acquire"
    return (taking, None, True) if state != taking else (state, None, False)


def _ask_mutex(rng: Random, number: int) -> tuple[str, Any]:
    return rng.choice(("acquire", "acquire", "release")), None


def _semaphore(state: int, f: str, value: Any) -> Applied:
    after = state + (value or 1) * (1 if f == "acquire" else -1)
    return (after, None, True) if 0 <= after <= 3 else (state, None, False)


def _ask_semaphore(rng: Random, number: int) -> tuple[str, Any]:
    return rng.choice(("acquire", "acquire", "release")), rng.choice((None, 1, 1, 2))


def _ask_equal(rng: Random, number: int) -> tuple[str, Any]:
    return rng.choice(("acquire", "acquire", "release")), 2 if number % 4 == 0 else rng.choice((None, 1))


def _set(state: frozenset[Any], f: str, value: Any) -> Applied:
    if f == "read":
        return state, sorted(state), True
    if f == "contains":
        return state, value in state, True
    return (state | {value} if f == "add" else state - {value}), None, True


def _ask_set(rng: Random, number: int) -> tuple[str, Any]:
    f = rng.choice(
        (("add", "add", "read"), ("add", "remove", "contains"), ("add", "remove", "contains", "read"))[number % 3]
    )
    return f, None if f == "read" else rng.randrange(1 + number % 5)


def _ask_grown(rng: Random, number: int) -> tuple[str, Any]:
    return ("read", None) if rng.random() < 0.4 else ("add", rng.randrange(10**9))


def _guess_set(rng: Random, f: str, value: Any, number: int) -> Any:
    if f == "contains":
        return rng.random() < 0.5
    return sorted(each for each in range(1 + number % 5) if rng.random() < 0.4) if f == "read" else None


def _queue(state: tuple[Any, ...], f: str, value: Any) -> Applied:
    if f == "enqueue":
        return (*state, value), None, True
    if f == "drain":
        return (), list(state), True
    return (state[1:], state[0], True) if state else (state, None, True)


def _ask_queue(rng: Random, number: int) -> tuple[str, Any]:
    f = rng.choice(("enqueue", "enqueue", "dequeue", "dequeue", "dequeue"))
    return f, rng.randrange(10**9 if number % 3 else 2) if f == "enqueue" else None


def _ask_drained(rng: Random, number: int) -> tuple[str, Any]:
    f = rng.choice(("enqueue", "enqueue", "enqueue", "dequeue", "drain"))
    return f, rng.randrange(10**9 if number % 3 else 2) if f == "enqueue" else None


def _guess_drained(rng: Random, f: str, value: Any, number: int) -> Any:
    return [] if f == "drain" else None


def _bag(state: tuple[Any, ...], f: str, value: Any) -> Applied:
    if f == "dequeue" and state:
        place = sum(state) % len(state)
        return (*state[:place], *state[place + 1 :]), state[place], True
    return _queue(state, f, value)


def _from_bag(state: tuple[Any, ...], operation: Operation) -> list[Any]:
    """An element of the bag is what it returned, or any if it never did."""
    if operation.f == "enqueue":
        return [tuple(sorted((*state, operation.value)))]
    unsure = operation.outcome is Outcome.INFO
    after = [
        (*state[:place], *state[place + 1 :]) for place, each in enumerate(state) if unsure or each == operation.result
    ]
    return after or ([state] if not state and (unsure or operation.result is None) else [])


def _counter(state: int, f: str, value: Any) -> Applied:
    return (state, state, True) if f == "read" else (state + value, None, True)


def _ask_counter(rng: Random, number: int) -> tuple[str, Any]:
    amounts = ((1,), (1, 1, -1), (1, 2, 5, -3))[number % 3]
    return ("read", None) if rng.random() < 0.5 else ("add", rng.choice(amounts))


def _text(state: str, f: str, value: Any) -> Applied:
    if f == "get":
        return state, state, True
    return (value if f == "put" else state + value), None, True


def _ask_text(rng: Random, number: int) -> tuple[str, Any]:
    f = rng.choice(("get", "get", "append", "append", "put"))
    return f, None if f == "get" else "abcdefghi"[rng.randrange(1 + number % 9)]


def _guess_text(rng: Random, f: str, value: Any, number: int) -> Any:
    return rng.choice(("", "a", "b", "ab", "aa")) if f == "get" else None


def _texts(state: tuple[str, str], f: str, value: Any) -> Applied:
    key, argument = value
    after, result, _ = _text(state[key], f, argument)
    return (after, state[1]) if key == 0 else (state[0], after), result, True


def _ask_texts(rng: Random, number: int) -> tuple[str, Any]:
    f, value = _ask_text(rng, number)
    return f, [rng.randrange(2), value]


def _guess_number(rng: Random, f: str, value: Any, number: int) -> Any:
    return rng.randrange(4) if f == "read" else None


def _nothing(rng: Random, f: str, value: Any, number: int) -> Any:
    return None


def _versioned(state: Any, f: str, value: Any) -> Applied:
    version, current = state
    if f == "read":
        return state, [version, current], True
    if f == "write":
        return (version + 1, value[1]), [version + 1, value[1]], True
    if current != value[1][0]:
        return state, None, False
    return (version + 1, value[1][1]), [version + 1, value[1]], True


def _ask_versioned(rng: Random, number: int) -> tuple[str, Any]:
    f, value = _ask_register(rng, number)
    return f, [None, value]


def _guess_versioned(rng: Random, f: str, value: Any, number: int) -> Any:
    return [rng.randrange(4), value[1] if f != "read" else rng.choice((7, 0, 1))]


def _transaction(state: Any, f: str, value: Any) -> Applied:
    lists = dict(state)
    result = []
    for kind, key, argument in value:
        if kind == "append":
            lists[key] = (*lists.get(key, ()), argument)
            result.append([kind, key, argument])
        else:
            result.append([kind, key, list(lists.get(key, ()))])
    return tuple(sorted(lists.items())), result, True


def _ask_transaction(rng: Random, number: int) -> tuple[str, Any]:
    micros = []
    for _ in range(rng.randint(1, 3)):
        key = rng.choice("xyz"[: 1 + number % 3])
        micros.append(["append", key, rng.randrange(10**9)] if rng.random() < 0.5 else ["r", key, None])
    return "txn", micros


def _guess_transaction(rng: Random, f: str, value: Any, number: int) -> Any:
    return [[kind, key, [] if kind == "r" else argument] for kind, key, argument in value]


Keeps = Callable[[Sequence[Operation]], bool]


def _both(*promises: Keeps) -> Keeps:
    return lambda operations: all(promise(operations) for promise in promises)


ALL = (
    Type(name="register", model="register", initial=None, apply=_register, invent=_ask_register, guess=_guess_register),
    Type(
        name="cas-register", model="cas-register", initial=0, given=0, apply=_register, invent=_ask_register,
        guess=_guess_register,
    ),
    Type(
        name="crashed-register", model="cas-register", initial=0, given=0, apply=_register, invent=_ask_register,
        guess=_guess_register, crashing=True,
    ),
    Type(
        name="medium-register", model="cas-register", initial=0, given=0, apply=_register, invent=_ask_register,
        guess=_guess_register, crashing=True, invented=medium, keeps=explained,
    ),
    Type(name="unique-register", model="register", initial=None, apply=_register, invent=_ask_unique, guess=_nothing),
    Type(
        name="versioned-register", model="versioned-register", initial=(0, 7), given=7, apply=_versioned,
        invent=_ask_versioned, guess=_guess_versioned,
    ),
    Type(name="mutex", model="mutex", initial=False, apply=_mutex, invent=_ask_mutex, guess=_nothing),
    Type(
        name="semaphore", model="semaphore", initial=0, given=3, apply=_semaphore, invent=_ask_semaphore, guess=_nothing
    ),
    Type(
        name="equal-semaphore", model="semaphore", initial=0, given=3, apply=_semaphore, invent=_ask_equal,
        guess=_nothing,
    ),
    Type(name="set", model="set", initial=frozenset(), apply=_set, invent=_ask_set, guess=_guess_set),
    Type(name="grow-only-set", model="set", initial=frozenset(), apply=_set, invent=_ask_grown, guess=_guess_set),
    Type(
        name="filled-set", model="set", initial=frozenset({0, 1}), given=[0, 1], apply=_set, invent=_ask_set,
        guess=_guess_set,
    ),
    Type(name="queue", model="queue", initial=(), apply=_queue, invent=_ask_queue, guess=_nothing),
    Type(name="drained-queue", model="queue", initial=(), apply=_queue, invent=_ask_drained, guess=_guess_drained),
    Type(
        name="unordered-queue", model="unordered-queue", initial=(), apply=_bag, invent=_ask_queue, guess=_nothing,
        branches=_from_bag, ordered=False,
    ),
    Type(
        name="drained-bag", model="unordered-queue", initial=(), apply=_bag, invent=_ask_drained, guess=_guess_drained,
        branches=_from_bag, ordered=False,
    ),
    *(
        Type(
            name=name, model=name, initial=None, apply=_queue, invent=_ask_drained, guess=_nothing,
            invented=orders if keeps == (in_pairs,) else deliveries, keeps=_both(*keeps),
        )
        for name, keeps in (
            ("total-queue", (all_arrived, none_made_up)),
            ("at-least-once-queue", (all_arrived,)),
            ("at-most-once-queue", (none_made_up, none_doubled)),
            ("exactly-once-queue", (all_arrived, none_made_up, none_doubled)),
            ("pairwise-queue", (in_pairs,)),
        )
    ),
    Type(
        name="redelivery-queue", model="redelivery-queue", initial=frozenset(), apply=_queue, invent=_ask_queue,
        guess=_nothing, invented=redeliveries, branches=given_out, sessions=True,
    ),
    Type(name="counter", model="counter", initial=0, apply=_counter, invent=_ask_counter, guess=_guess_number),
    Type(name="text", model="text", initial="", apply=_text, invent=_ask_text, guess=_guess_text),
    Type(
        name="two-texts", model=keyed(text()), initial=("", ""), apply=_texts, invent=_ask_texts, guess=_guess_text
    ),
    *(
        Type(
            name=name, model=name, initial=None, apply=_counter, invent=_ask_counter, guess=_nothing,
            invented=invented, keeps=keeps,
        )
        for name, invented, keeps in (
            ("lease", leases, leases_fit), ("session", sessions, sessions_kept), ("append-log", logs, logs_agree)
        )
    ),
    Type(
        name="list-append", model="list-append", initial=(), apply=_transaction, invent=_ask_transaction,
        guess=_guess_transaction, misnamed=misnamed, final=("txn", [["r", "x", None], ["r", "y", None], ["r", "z", None]]),
    ),
)  # fmt: skip

TYPES = {each.name: each for each in ALL}
"""By name; several may belong to one model, with arguments of another sort."""
