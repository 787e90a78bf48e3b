"""
How verdicts on saved histories are said: in words, and for programs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import isfinite
from typing import TYPE_CHECKING, Any

from chaos.cli.terminal import coloured, console, plain

if TYPE_CHECKING:
    from chaos.history import History
    from chaos.history.records import Operation
    from chaos.verdict import Verdict

COLOURS = {"holds": "green", "violated": "red", "unknown": "yellow"}
MOST_SHOWN = 20
"""Operations of a witness in words; --json has them all."""


def as_json(verdict: "Verdict") -> dict[str, object]:
    """A verdict as plain JSON values, the witness with its operations."""
    witness = verdict.witness and {
        "anomaly": verdict.witness.anomaly,
        "sentence": verdict.witness.sentence,
        "operations": [operation_as_json(each) for each in verdict.witness.operations],
    }
    return {
        "guarantee": verdict.guarantee,
        "status": verdict.status.value,
        "reason": verdict.reason,
        "witness": witness,
        "measures": dict(verdict.measures),
    }


def operation_as_json(operation: "Operation") -> dict[str, object]:
    """An operation with all its fields."""
    return {field.name: json_value(getattr(operation, field.name)) for field in fields(operation)}


def json_value(value: Any) -> Any:
    """The value, with what EDN has and JSON has not as text."""
    if isinstance(value, Mapping):
        return {name if isinstance(name, str) else str(name): json_value(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(each) for each in value]
    known = value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))
    return value if known else str(value)


def show(history: "History", verdicts: "Sequence[Verdict]") -> None:
    """The verdicts of guarantees in words."""
    out = console()
    out.print(plain(f"{len(history.operations)} operations, {len(history.faults)} faults, seed {history.header.seed}"))
    if not verdicts:
        out.print("no guarantee says anything of these kinds of operations: unknown")
    for verdict in verdicts:
        lines = [
            f"{operation} {_times(history, operation.invoked_ns, operation.completed_ns)}"
            for operation in (verdict.witness.operations if verdict.witness else ())
        ]
        show_verdict(verdict, lines)


def show_verdict(verdict: "Verdict", operations: Sequence[str]) -> None:
    """One verdict with its witness, whose operations come in words, and its measures."""
    out = console()
    status = coloured(verdict.status.value, COLOURS[verdict.status.value])
    out.print(f"{plain(verdict.guarantee)}: {status}: {plain(verdict.reason)}")
    if verdict.witness is not None:
        out.print(plain(f"    {verdict.witness.anomaly}: {verdict.witness.sentence}"))
        for line in operations:
            out.print(plain(f"    {line}"))
    if verdict.measures:
        out.print(plain("    " + ", ".join(f"{name} {value:g}" for name, value in verdict.measures.items())))


def _times(history: "History", invoked_ns: int, completed_ns: int | None) -> str:
    end = "never" if completed_ns is None else f"{history.seconds(completed_ns):.3f} s"
    return f"[{history.seconds(invoked_ns):.3f} s, {end}]"
