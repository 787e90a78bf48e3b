"""
Reads and writes with the revision of the store that answered them: what freshness is judged by, and never by values.

A write that timed out may be applied seconds later; by values, a read before it would look stale.
"""

from typing import NamedTuple

from chaos.guarantees.evidence import doubts_ns, integer
from chaos.history import History, Operation

WRITES = ("write", "cas", "add")


class Revised(NamedTuple):
    """An acknowledged operation, its revision, and the stretch in which it was certainly under way."""

    operation: Operation
    revision: int
    begin_ns: int
    end_ns: int


def reads(history: History) -> list[Revised]:
    """Acknowledged reads, in order of invocation; one that a late clock makes earlier is taken as earlier."""
    return _revised(history, ("read",))


def writes(history: History) -> list[Revised]:
    """Acknowledged writes, in order of their end."""
    return sorted(_revised(history, WRITES), key=lambda one: one.end_ns)


def _revised(history: History, kinds: tuple[str, ...]) -> list[Revised]:
    found: list[Revised] = []
    doubts = doubts_ns(history, history.select(("read", *WRITES)))
    for one in history.select(kinds):
        revision = integer(one.notes.get("revision"))
        if one.ok and revision is not None and one.completed_ns is not None:
            error = doubts[one.client]
            found.append(Revised(one, revision, one.invoked_ns - error, one.completed_ns + error))
    return found
