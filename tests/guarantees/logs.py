"""
Histories of a replicated log by hand: adds with offsets, polls, snapshots, roles.
"""

from typing import Any

from chaos.history import Observation, Operation
from tests.history.build import ns, op

LOG = "l-0"


def add(value: str, at: float, offset: int | None = None, **more: Any) -> Operation:
    """An acknowledged add; the client is in the value: "c1:5"."""
    given = {"result": offset, "log": LOG, **more}
    return op(value.partition(":")[0], "add", value, at=at, **given)


def poll(client: str, at: float, asked: int | None, *pairs: Any, **more: Any) -> Operation:
    """An acknowledged poll from this offset on, and the pairs of offset and value that came."""
    given = {"result": list(pairs), "log": LOG, **more}
    return op(client, "poll", [LOG, asked], at=at, **given)


def seen(at: float, party: str, kind: str, value: Any) -> Observation:
    """An observation at so many seconds."""
    return Observation(at_ns=ns(at), party=party, kind=kind, value=value)


def snap(at: float, party: str, *values: Any, log: str = LOG, first: int = 0, **more: Any) -> Observation:
    """What a replica's disk shows."""
    return seen(at, party, "replica-log", {"log": log, "first": first, "values": list(values), **more})


def lead(at: float, party: str) -> Observation:
    """A broker seen to lead."""
    return seen(at, party, "role", "leader")


def left(*values: Any, at: float = 20) -> Operation:
    """The final read."""
    return op("observer", "final-read", at=at, result=list(values))
