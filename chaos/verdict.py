"""
What a guarantee says of a history: holds, violated or unknown, with the reason, the witness and the measures.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn

from chaos.history.records import Operation, empty


class Status(StrEnum):
    """The only three verdicts."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """The fewest operations that show a violation, the anomaly's name, and one sentence a reader understands."""

    anomaly: str
    sentence: str
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    One guarantee's answer for one history.

    ``measures`` maps a name that ends in its unit (``window_s``, ``lost_count``, ``lost_share``) to a number; a measure
    that does not exist in this run (no operation was lost, so there is no last lost one) is absent.
    """

    guarantee: str
    status: Status
    reason: str
    witness: Witness | None = None
    measures: Mapping[str, float] = field(default_factory=empty)

    def __post_init__(self) -> None:
        if self.status is Status.VIOLATED and self.witness is None:
            raise ValueError(f"{self.guarantee}: a violation without a witness proves nothing")

    def __bool__(self) -> NoReturn:
        """Refuse: an ``if verdict`` would count unknown as good. Compare ``verdict.status``, or use ``run.expect``."""
        raise TypeError("a verdict has three values: compare verdict.status with Status.HOLDS, VIOLATED or UNKNOWN")

    def __str__(self) -> str:
        return f"{self.guarantee}: {self.status.value}: {self.reason}"


def holds(guarantee: str, reason: str, **measures: float | None) -> Verdict:
    """The promise was kept, on enough evidence."""
    return Verdict(guarantee=guarantee, status=Status.HOLDS, reason=reason, measures=_present(measures))


def violated(guarantee: str, witness: Witness, reason: str | None = None, /, **measures: float | None) -> Verdict:
    """The promise was broken; ``reason`` defaults to the witness' sentence."""
    return Verdict(
        guarantee=guarantee,
        status=Status.VIOLATED,
        reason=reason or witness.sentence,
        witness=witness,
        measures=_present(measures),
    )


def unknown(guarantee: str, reason: str, **measures: float | None) -> Verdict:
    """Evidence or budget was missing; ``reason`` says which."""
    return Verdict(guarantee=guarantee, status=Status.UNKNOWN, reason=reason, measures=_present(measures))


_RANK = {Status.VIOLATED: 2, Status.UNKNOWN: 1, Status.HOLDS: 0}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Merge verdicts of parts (keys, clients): violated ranks over unknown, unknown over holds; measures are the worst's."""
    ranked = sorted(verdicts, key=lambda verdict: _RANK[verdict.status], reverse=True)
    if not ranked:
        raise ValueError("nothing was judged, so there is no verdict to merge")
    return ranked[0]


def _present(measures: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in measures.items() if value is not None}
