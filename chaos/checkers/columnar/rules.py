"""
The rule over columns of each type that has one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chaos.checkers.columnar import counters, queues, registers, sets
from chaos.checkers.columnar.finding import Finding
from chaos.history.columns import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A code for each kind of operation that it knows, and what it finds from columns and an initial value."""

    kinds: Mapping[str, int]
    find: Callable[[Columns, int | None], Finding]


_REGISTER = Rule(kinds=registers.KINDS, find=registers.find)

RULES: dict[str, Rule] = {
    "register": _REGISTER,
    "cas-register": _REGISTER,
    "queue": Rule(kinds=queues.KINDS, find=queues.find),
    "counter": Rule(kinds=counters.KINDS, find=counters.find),
    "set": Rule(kinds=sets.KINDS, find=sets.find),
}


def find(columns: Columns, model: str, initial: object) -> Finding:
    """What the rule of a type finds."""
    if initial is not None and type(initial) is not int:
        return None
    return RULES[model].find(columns, initial)
