"""
Small histories by hand: one line an operation, times in seconds.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from chaos.history import Fault, Header, History, Observation, Operation, Outcome, Phase

SECOND = 1_000_000_000


def ns(seconds: float) -> int:
    """Seconds of the run as a stamp."""
    return round(seconds * SECOND)


def op(
    client: str,
    f: str,
    value: Any = None,
    at: float = 0.0,
    took: float | None = 0.1,
    result: Any = None,
    outcome: str = "ok",
    **notes: Any,
) -> Operation:
    """One operation; ``took=None`` leaves it open."""
    return Operation(
        index=0,
        client=client,
        f=f,
        value=value,
        invoked_ns=ns(at),
        outcome=Outcome.INFO if took is None else Outcome(outcome),
        completed_ns=None if took is None else ns(at + took),
        result=result,
        notes=notes,
    )


def fault(
    begun: float, healed: float | None, target: str = "n1", name: str = "isolate", healing: float | None = None
) -> Fault:
    """A fault that bit at once."""
    return Fault(
        name=name,
        target=target,
        begun_ns=ns(begun),
        effective_ns=ns(begun),
        healing_ns=None if healing is None else ns(healing),
        healed_ns=None if healed is None else ns(healed),
    )


def history(
    operations: Iterable[Operation],
    faults: Iterable[Fault] = (),
    observations: Iterable[Observation] = (),
    phases: Iterable[Phase] = (),
    clock_error_ns: Mapping[str, int] | None = None,
    clocks: Mapping[str, str] | None = None,
) -> History:
    """Operations sorted and numbered as a finished run has them."""
    ordered = sorted(operations, key=lambda operation: operation.invoked_ns)
    return History(
        header=Header(experiment="by hand", clock_error_ns=clock_error_ns or {}, clocks=clocks or {}),
        operations=tuple(numbered(operation, index) for index, operation in enumerate(ordered)),
        faults=tuple(faults),
        observations=tuple(observations),
        phases=tuple(phases),
    )


def numbered(operation: Operation, index: int) -> Operation:
    """The operation with this index."""
    fields = {name: getattr(operation, name) for name in Operation.__dataclass_fields__}
    return Operation(**{**fields, "index": index})
