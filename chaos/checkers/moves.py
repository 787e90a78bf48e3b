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
    """Events of these calls. ``soft`` calls never return and may take effect any number of times, or never."""
    numbers: dict[Any, int] = {initial: 0}
    stamps: list[tuple[int, int]] = []
    crashed: list[int] = []
    for index, call in enumerate(calls):
        if call.end == NEVER or index in soft:
            if _may_change(call):
                crashed.append(index)
        else:
            stamps.append((call.begin, index))
            stamps.append((call.end, index))
    stamps.sort()
    bits, width = _recycled(stamps, len(calls))
    for place, index in enumerate(crashed):
        bits[index] = 1 << width + place
    stamps += [(calls[index].begin, index) for index in crashed]
    stamps.sort()
    never = set(crashed)
    moves: list[Move | None] = [None] * len(calls)
    for _, index in stamps:
        if moves[index] is None:
            call = calls[index]
            kind, first, second = _content(call, numbers)
            moves[index] = (kind, first, second, bits[index], NEVER if index in never else call.end, index)
    reusable = sum(bits[index] for index in crashed if index in soft)
    events: list[Event] = [(time, moves[index]) for time, index in stamps]  # type: ignore[misc]
    mask = (1 << len(crashed)) - 1 << width
    writes = sum(bits[index] for index in crashed if calls[index].f == "write")
    return Plan(events, (1 << width) - 1, mask, writes, mask & ~reusable if reusable else -1)


def _may_change(call: Call) -> bool:
    """A cas of a value to itself changes nothing, and whether it happened is not known."""
    if call.f == "cas":
        return bool(call.value[0] != call.value[1])
    return call.f not in ("read", "cas, failed")


def _recycled(stamps: list[tuple[int, int]], size: int) -> tuple[list[int], int]:
    bits, free, width = [0] * size, list[int](), 0
    for time, index in stamps:
        if time & 1:
            free.append(bits[index])
        elif free:
            bits[index] = free.pop()
        else:
            bits[index] = 1 << width
            width += 1
    return bits, width


def _content(call: Call, numbers: dict[Any, int]) -> tuple[int, int, int]:
    kind = _KINDS[call.f]
    if kind == READ:
        return kind, numbers.setdefault(call.result, len(numbers)), 0
    if kind == WRITE:
        return kind, numbers.setdefault(call.value, len(numbers)), 0
    expected, new = call.value
    return kind, numbers.setdefault(expected, len(numbers)), numbers.setdefault(new, len(numbers))
