"""
What guarantees ask of a history before they believe it: when it was harmed, who met the fault, what was read at the end.
"""

import json
import math
from collections.abc import Hashable, Iterable
from typing import Any, Final

from chaos.errors import UsageError
from chaos.guarantees.guarantee import FINAL_READ
from chaos.history import Fault, History, Operation, Outcome, Value

NEVER: Final = 1 << 80
"""The end of an operation whose client saw none: after every stamp."""


def identity(value: Value) -> Hashable:
    """A JSON value as a key: 1, 1.0, true and "1" are four values, and a list can be one."""
    if type(value) is int or type(value) is str:
        return value
    return (json.dumps(value, sort_keys=True),)


def integer(value: Value) -> int | None:
    """A JSON integer, which true and false are not; anything else is None."""
    return value if type(value) is int else None


def harmed_ns(fault: Fault) -> int:
    """When the fault bit, or failing that when it began."""
    return fault.begun_ns if fault.effective_ns is None else fault.effective_ns


def heal_ns(fault: Fault) -> int | None:
    """When the fault's healing began: the rule is gone. That all nodes agree again comes later, if at all."""
    return fault.healed_ns if fault.healing_ns is None else fault.healing_ns


def first_harm_ns(history: History) -> int | None:
    """The first instant at which a fault bit."""
    return min((harmed_ns(fault) for fault in history.faults), default=None)


def last_heal_ns(history: History) -> int | None:
    """The last instant at which a fault began to heal; None when none did."""
    heals = [heal for fault in history.faults if (heal := heal_ns(fault)) is not None]
    return max(heals, default=None)


def end_ns(operation: Operation, never: int = NEVER) -> int:
    """When the operation ended; ``never`` for one whose client saw no end."""
    return never if operation.completed_ns is None else operation.completed_ns


def last_stamp_ns(history: History) -> int:
    """The last instant that the history knows."""
    stamps = [operation.completed_ns or operation.invoked_ns for operation in history]
    return max([history.header.ended_ns, *stamps])


def final_reads(history: History) -> tuple[Operation, ...]:
    """The acknowledged final reads in order; the last one counts."""
    return history.select(FINAL_READ, outcome=Outcome.OK)


def read_too_early(history: History, read: Operation) -> str | None:
    """Why this final read proves nothing: the last fault was not yet healing. None when it does."""
    heal, asked_ns = last_heal_ns(history), read.invoked_ns - clock_error_ns(history, read.client)
    if heal is None or asked_ns >= heal:
        return None
    return f"the final read came {(heal - asked_ns) / 1e9:.3f} s before the last fault healed"


def invoked_before_end(history: History, operations: Iterable[Operation], read: Operation) -> list[Operation]:
    """Those that the read may have met: what was invoked before it ended, or may have been for all that clocks are off."""
    end = end_ns(read)
    return [each for each in operations if each.invoked_ns - apart_ns(history, each.client, read.client) <= end]


def missed_faults(history: History, operations: Iterable[Operation]) -> str | None:
    """Why these operations prove nothing about the faults: some fault met none of them. None when all did, or no fault."""
    missed = list(history.faults)
    for operation in operations:
        if not missed:
            return None
        error = clock_error_ns(history, operation.client)
        begun, ended = operation.invoked_ns + error, end_ns(operation) - error
        missed = [fault for fault in missed if begun > _over_ns(fault) or ended < harmed_ns(fault)]
    if not missed:
        return None
    return f"no operation was under way during {', '.join(sorted({fault.name for fault in missed}))}"


def _over_ns(fault: Fault) -> int:
    return NEVER if fault.healed_ns is None else fault.healed_ns


def clock_error_ns(history: History, client: str) -> int:
    """How far this client's stamps may be off those of faults and of the observer."""
    return history.header.clock_error_ns.get(client, 0)


def apart_ns(history: History, one: str, other: str) -> int:
    """How far stamps of these two clients (or of one) may be off each other: not at all where they read one known clock."""
    clocks = history.header.clocks
    if one in clocks and clocks.get(one) == clocks.get(other):
        return 0
    return clock_error_ns(history, one) + clock_error_ns(history, other)


def doubts_ns(history: History, operations: Iterable[Operation]) -> dict[str, int]:
    """
    By how much each client's stamps must be stretched, so that what still comes first among these operations did so.

    All are read on the observer's clock; if there is but one other, on that one, and the observer's are stretched instead.
    """
    clients = {operation.client for operation in operations}
    clocks = {history.header.clocks.get(client) for client in clients if clock_error_ns(history, client)}
    if len(clocks) != 1 or None in clocks:
        return {client: clock_error_ns(history, client) for client in clients}
    error = max(clock_error_ns(history, client) for client in clients)
    return {client: 0 if clock_error_ns(history, client) else error for client in clients}


def worst_clock_error_ns(history: History) -> int:
    """How far any stamp of an operation may be off."""
    if not history.header.clock_error_ns:
        return 0
    return max((clock_error_ns(history, client) for client in {operation.client for operation in history}), default=0)


def worst_apart_ns(history: History) -> int:
    """How far any two stamps, of operations or faults, may be off each other."""
    one_clock = len({history.header.clocks.get(client, client) for client in history.header.clock_error_ns}) == 1
    return worst_clock_error_ns(history) * (1 if one_clock else 2)


def bound_ns(seconds: float) -> int:
    """A bound as it was stated; one that every time keeps, or that none can be compared with, is a mistake."""
    if not (math.isfinite(seconds) and seconds >= 0):
        raise UsageError(f"a bound is a number of seconds from 0 on, not {seconds!r}")
    return round(seconds * 1e9)


def shown(value: Any) -> str:
    """A value in a sentence, never longer than a line."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
