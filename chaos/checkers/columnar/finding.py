"""
What a rule over columns finds.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Holds:
    """Certainly: an order exists."""

    reason: str


@dataclass(frozen=True, slots=True)
class Suspects:
    """These rows alone have no order, so the whole has none."""

    rows: tuple[int, ...]


Finding = Holds | Suspects | None
"""None: the rule does not apply, or cannot tell."""


def suspects(*rows: Any) -> Suspects:
    """Rows as numpy has them, each once."""
    return Suspects(tuple(sorted({int(row) for row in rows})))
