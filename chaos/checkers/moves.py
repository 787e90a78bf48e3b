"""
Calls of registers as the sweep sees them: numbers for values, one bit for each open operation, events in order of time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chaos.checkers.calls import NEVER, Call

READ: Final = 0
WRITE: Final = 1
CAS: Final = 2
FAILED: Final = 3
"""A compare-and-set known to have found another value."""

Move = tuple[int, int, int, int, int, int]
"""Kind; value read, written or expected; new value of a cas; bit; end; index of the call."""

Event = tuple[int, Move]
"""A call at an even time, a return at an odd one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Everything that a sweep needs to know beforehand.

    Open operations recycle the low bits, ``live``; those that never return have high bits of their own, in order of call.
    ``counted`` are the bits that can be used once; the others may be placed any number of times.
    """

    events: list[Event]
    live: int
    crashed: int
    crashed_writes: int
    counted: int


_KINDS = {"read": READ, "write": WRITE, "cas": CAS, "cas, failed": FAILED, "acquire": CAS, "release": CAS}


def plan(calls: Sequence[Call], initial: Any, soft: Collection[int] = ()) -> Plan:
    """Events of these calls, which are in order of call. ``soft`` calls never return and may take effect any number of times, or never."""
    stamps: list[tuple[int, int]] = []
    crashed: list[int] = []
    for index, call in enumerate(calls):
        begin, end = call[0], call[1]
        if end == NEVER or index in soft:
            if _may_change(call):
                crashed.append(index)
                stamps.append((begin, index))
        else:
            stamps.append((begin, index))
            stamps.append((end, index))
    stamps.sort()
    never = set(crashed)
    bits, width = _recycled(stamps, len(calls), never)
    for place, index in enumerate(crashed):
        bits[index] = 1 << width + place
    events = _events(calls, stamps, bits, never, {initial: 0})
    reusable = sum(bits[index] for index in crashed if index in soft)
    mask = (1 << len(crashed)) - 1 << width
    writes = sum(bits[index] for index in crashed if calls[index].f == "write")
    return Plan(events, (1 << width) - 1, mask, writes, mask & ~reusable if reusable else -1)


def _events(
    calls: Sequence[Call], stamps: list[tuple[int, int]], bits: list[int], never: set[int], numbers: dict[Any, int]
) -> list[Event]:
    moves: list[Move | None] = [None] * len(calls)
    events: list[Event] = []
    for time, index in stamps:
        move = moves[index]
        if move is None:
            _, end, f, value, result, _ = calls[index]
            kind = _KINDS[f]
            new = 0
            if kind >= CAS:
                value, second = value
                new = numbers.setdefault(second, len(numbers))
            elif kind == READ:
                value = result
            first = numbers.setdefault(value, len(numbers))
            moves[index] = move = (kind, first, new, bits[index], NEVER if index in never else end, index)
        events.append((time, move))
    return events


def _may_change(call: Call) -> bool:
    """A cas of a value to itself changes nothing, and whether it happened is not known."""
    if call.f == "cas":
        return bool(call.value[0] != call.value[1])
    return call.f not in ("read", "cas, failed")


def _recycled(stamps: list[tuple[int, int]], size: int, never: set[int]) -> tuple[list[int], int]:
    """A bit for each operation that returns, free again after its return, and how many bits that takes."""
    bits, free, width = [0] * size, list[int](), 0
    for time, index in stamps:
        if time & 1:
            free.append(bits[index])
        elif index in never:
            continue
        elif free:
            bits[index] = free.pop()
        else:
            bits[index] = 1 << width
            width += 1
    return bits, width
