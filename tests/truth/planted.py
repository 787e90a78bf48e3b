"""
Anomalies by name: what is added to a correct history to plant exactly one of them.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from chaos.history import Operation, Outcome

OK, FAIL, INFO = Outcome.OK, Outcome.FAIL, Outcome.INFO

Line = tuple[str, str, Any, int, int | None, Any]
"""Client, f, value, begin and end after the end of the correct history, result; a result of FAIL is an outcome."""

Planted = tuple[str, str, list[Line]]
"""Type of the correct history, anomaly, what to add."""


def txn(client: str, begin: int, end: int | None, *micros: Any, result: Any = None) -> Line:
    """A transaction whose reads are given with their results."""
    asked = [[f, key, None if f == "r" else value] for f, key, value in micros]
    return client, "txn", asked, begin, end, [list(micro) for micro in micros] if result is None else result


def read(key: str, *elements: int) -> tuple[str, str, list[int]]:
    """A read with its result."""
    return "r", key, list(elements)


def append(key: str, value: int) -> tuple[str, str, int]:
    """An append."""
    return "append", key, value


STALE: list[Line] = [("a", "write", 901, 1, 2, None), ("a", "write", 902, 3, 4, None), ("b", "read", None, 5, 6, 901)]
FUTURE: list[Line] = [("b", "read", None, 1, 2, 901), ("a", "write", 901, 3, 4, None)]
PHANTOM: list[Line] = [("b", "read", None, 1, 2, 909)]

REGISTERS: list[Planted] = [
    (kind, anomaly, lines)
    for kind in ("unique-register", "register", "cas-register")
    for anomaly, lines in (("stale read", STALE), ("phantom value", PHANTOM), ("read from the future", FUTURE))
] + [
    (
        "cas-register",
        "impossible cas",
        [("a", "write", 901, 1, 2, None), ("a", "write", 902, 3, 4, None), ("b", "cas", [901, 7], 5, 6, None)],
    ),
]

LOCKS: list[Planted] = [
    ("mutex", "double acquire", [("a", "acquire", None, 1, 2, None), ("b", "acquire", None, 3, 4, None)]),
    ("mutex", "release of a free lock", [("a", "release", None, 1, 2, None), ("b", "release", None, 3, 4, None)]),
]

COUNTERS: list[Planted] = [
    ("counter", "phantom increment", [("a", "read", None, 1, 2, 10**6)]),
    ("counter", "lost increment", [("a", "add", 10**6, 1, 2, None), ("b", "read", None, 3, 4, 5)]),
]

QUEUES: list[Planted] = [
    ("queue", "phantom element", [("a", "dequeue", None, 1, 2, 909)]),
    (
        "queue",
        "out of order",
        [
            ("a", "enqueue", 901, 1, 2, None),
            ("a", "enqueue", 902, 3, 4, None),
            ("b", "dequeue", None, 5, 6, 902),
            ("b", "dequeue", None, 7, 8, 901),
        ],
    ),
    (
        "queue",
        "lost element",
        [
            ("a", "enqueue", 901, 1, 2, None),
            ("a", "enqueue", 902, 3, 4, None),
            ("b", "dequeue", None, 5, 6, 902),
        ],
    ),
    ("queue", "lost element", [("a", "enqueue", 901, 1, 2, None), ("b", "dequeue", None, 5, 6, None)]),
    (
        "queue",
        "empty although filled",
        [("a", "enqueue", 901, 1, 2, None), ("b", "dequeue", None, 3, 4, None), ("b", "dequeue", None, 5, 6, 901)],
    ),
    (
        "queue",
        "duplicate delivery",
        [("a", "enqueue", 901, 1, 2, None), ("b", "dequeue", None, 3, 4, 901), ("c", "dequeue", None, 5, 6, 901)],
    ),
    (
        "queue",
        "dequeue from the future",
        [("b", "dequeue", None, 1, 2, 901), ("a", "enqueue", 901, 3, 4, None)],
    ),
]

PUT, OUT = ("a", "enqueue", 901, 1, 2, None), ("b", "dequeue", None, 3, 4, 901)
ANOTHER_PUT, AGAIN = ("a", "enqueue", 902, 3, 4, None), ("c", "dequeue", None, 5, 6, 901)
PHANTOM_OUT = ("b", "dequeue", None, 1, 2, 909)
EMPTY = ("b", "dequeue", None, 3, 4, None)

BROKERS: list[Planted] = [
    ("unordered-queue", "phantom element", [PHANTOM_OUT]),
    (
        "unordered-queue",
        "dequeue from the future",
        [("b", "dequeue", None, 1, 2, 901), ("a", "enqueue", 901, 3, 4, None)],
    ),
    ("unordered-queue", "duplicate delivery", [PUT, OUT, AGAIN]),
    ("unordered-queue", "lost element", [PUT, EMPTY]),
    ("unordered-queue", "lost element", [PUT, ("b", "drain", None, 3, 4, [])]),
    ("unordered-queue", "empty although filled", [PUT, EMPTY, AGAIN]),
    ("unordered-queue", "empty although filled", [PUT, ("b", "drain", None, 3, 4, []), AGAIN]),
    ("total-queue", "phantom element", [PHANTOM_OUT]),
    ("total-queue", "phantom element", [("b", "drain", None, 1, 2, [909])]),
    ("total-queue", "lost element", [PUT]),
    ("at-least-once-queue", "lost element", [PUT]),
    ("at-most-once-queue", "phantom element", [PHANTOM_OUT]),
    ("at-most-once-queue", "duplicate delivery", [PUT, OUT, AGAIN]),
    ("exactly-once-queue", "phantom element", [PHANTOM_OUT]),
    ("exactly-once-queue", "duplicate delivery", [PUT, OUT, AGAIN]),
    ("exactly-once-queue", "lost element", [PUT]),
    (
        "pairwise-queue",
        "out of order",
        [PUT, ANOTHER_PUT, ("b", "dequeue", None, 5, 6, 902), ("b", "dequeue", None, 7, 8, 901)],
    ),
    ("pairwise-queue", "out of order", [PUT, ANOTHER_PUT, ("b", "drain", None, 5, 6, [902, 901])]),
    ("redelivery-queue", "redelivery without cause", [PUT, OUT, AGAIN]),
    (
        "redelivery-queue",
        "redelivery without cause",
        [PUT, OUT, ("d", "nack", 901, 4, 5, None), ("c", "dequeue", None, 7, 8, 901)],
    ),
    (
        "redelivery-queue",
        "redelivery after ack",
        [
            PUT,
            OUT,
            ("b", "ack", 901, 5, 6, None),
            ("b", "disconnect", None, 7, 8, None),
            ("c", "dequeue", None, 9, 10, 901),
        ],
    ),
    ("semaphore", "too many permits", [("a", "acquire", 4, 1, 2, None)]),
    ("equal-semaphore", "too many permits", [(client, "acquire", 1, 1, 2, None) for client in "abcd"]),
    ("equal-semaphore", "release of a free permit", [(client, "release", 1, 1, 2, None) for client in "abcd"]),
]

FINAL = txn("z", 50, 51, read("a", 1), read("b", 1))

TRANSACTIONS: list[Planted] = [
    (
        "list-append",
        "G0",
        [
            txn("p", 1, 9, append("a", 1), append("b", 1)),
            txn("q", 1, 9, append("a", 2), append("b", 2)),
            txn("z", 50, 51, read("a", 1, 2), read("b", 2, 1)),
        ],
    ),
    ("list-append", "G1a", [txn("p", 1, 9, append("a", 1), result=FAIL), txn("q", 1, 9, read("a", 1))]),
    (
        "list-append",
        "G1b",
        [
            txn("p", 1, 9, append("a", 1), append("a", 2)),
            txn("q", 1, 9, read("a", 1)),
            txn("z", 50, 51, read("a", 1, 2)),
        ],
    ),
    (
        "list-append",
        "G1c",
        [txn("p", 1, 9, append("a", 1), read("b", 1)), txn("q", 1, 9, append("b", 1), read("a", 1)), FINAL],
    ),
    (
        "list-append",
        "G-single",
        [txn("p", 1, 9, read("a"), read("b", 1)), txn("q", 1, 9, append("a", 1), append("b", 1)), FINAL],
    ),
    (
        "list-append",
        "G-nonadjacent",
        [
            txn("p", 1, 9, append("a", 1)),
            txn("q", 1, 9, append("b", 1)),
            txn("r", 1, 9, read("a", 1), read("b")),
            txn("s", 1, 9, read("a"), read("b", 1)),
            FINAL,
        ],
    ),
    (
        "list-append",
        "G2-item",
        [txn("p", 1, 9, read("a"), append("b", 1)), txn("q", 1, 9, read("b"), append("a", 1)), FINAL],
    ),
    (
        "list-append",
        "G-single-realtime",
        [txn("p", 1, 2, append("a", 1)), txn("q", 3, 4, read("a")), txn("z", 50, 51, read("a", 1))],
    ),
    (
        "list-append",
        "G-single-process",
        [txn("p", 1, 2, append("a", 1)), txn("p", 3, 4, read("a")), txn("z", 50, 51, read("a", 1))],
    ),
    (
        "list-append",
        "lost-update",
        [
            txn("p", 1, 9, read("a"), append("a", 1)),
            txn("q", 1, 9, read("a"), append("a", 2)),
            txn("z", 50, 51, read("a", 1, 2)),
        ],
    ),
    ("list-append", "internal", [txn("p", 1, 9, append("a", 1), read("a")), txn("z", 50, 51, read("a", 1))]),
    ("list-append", "future-read", [txn("p", 1, 9, read("a", 1), append("a", 1)), txn("z", 50, 51, read("a", 1))]),
    ("list-append", "garbage-read", [txn("p", 1, 9, read("a", 909))]),
    ("list-append", "duplicate-elements", [txn("p", 1, 9, append("a", 1)), txn("q", 1, 9, read("a", 1, 1))]),
    (
        "list-append",
        "incompatible-order",
        [
            txn("p", 1, 9, append("a", 1)),
            txn("q", 1, 9, append("a", 2)),
            txn("r", 1, 9, read("a", 1, 2)),
            txn("s", 1, 9, read("a", 2, 1)),
        ],
    ),
]

ALL = [*REGISTERS, *LOCKS, *COUNTERS, *QUEUES, *BROKERS, *TRANSACTIONS]


def planted(operations: Iterable[Operation], lines: Iterable[Line]) -> list[Operation]:
    """The history with these added after its end."""
    found = list(operations)
    start = 10 + max((max(each.invoked_ns, each.completed_ns or 0) for each in found), default=0)
    for client, f, value, begin, end, result in lines:
        outcome = FAIL if result is FAIL else INFO if end is None else OK
        found.append(
            Operation(
                index=len(found),
                client=f"planted {client}",
                f=f,
                value=value,
                invoked_ns=start + begin,
                completed_ns=None if end is None else start + end,
                outcome=outcome,
                result=None if result is FAIL else result,
            )
        )
    ordered = sorted(found, key=lambda each: each.invoked_ns)
    return [replace(each, index=place) for place, each in enumerate(ordered)]
