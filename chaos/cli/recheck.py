"""
Judge a saved history again, without any server: its verdicts, witnesses and measures.
"""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.cli import exits
from chaos.cli.terminal import coloured, console, plain, say_json
from chaos.errors import UsageError

if TYPE_CHECKING:
    from chaos.history import History
    from chaos.history.records import Operation
    from chaos.verdict import Verdict

HELP = "judge a saved history again"
COLOURS = {"holds": "green", "violated": "red", "unknown": "yellow"}


def options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("file", type=Path, metavar="HISTORY", help="a history.jsonl or history.jsonl.gz")
    parser.add_argument(
        "-g",
        "--guarantee",
        action="append",
        metavar="NAME",
        help="judge this one; may be given again (default: all that apply)",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def main(options: argparse.Namespace) -> int:
    """Judge and say; violated is 1, unknown is 2."""
    from chaos.guarantees.recheck import recheck
    from chaos.history.archive import load

    if not options.file.is_file():
        raise UsageError(f"there is no history at {options.file}")
    history = load(options.file)
    verdicts = recheck(history, options.guarantee)
    if options.json:
        say_json([as_json(verdict) for verdict in verdicts])
    else:
        _show(history, verdicts)
    return exit_code(verdicts)


def exit_code(verdicts: "Sequence[Verdict]") -> int:
    """The worst verdict decides; no verdict at all is unknown."""
    from chaos.verdict import Status

    said = {verdict.status for verdict in verdicts}
    if Status.VIOLATED in said:
        return exits.NOT_KEPT
    return exits.FINE if said == {Status.HOLDS} else exits.UNKNOWN


def as_json(verdict: "Verdict") -> dict[str, object]:
    """A verdict as plain JSON values, the witness with its operations."""
    witness = verdict.witness and {
        "anomaly": verdict.witness.anomaly,
        "sentence": verdict.witness.sentence,
        "operations": [_operation(each) for each in verdict.witness.operations],
    }
    return {
        "guarantee": verdict.guarantee,
        "status": verdict.status.value,
        "reason": verdict.reason,
        "witness": witness,
        "measures": dict(verdict.measures),
    }


def _operation(operation: "Operation") -> dict[str, object]:
    plain_values = {field.name: getattr(operation, field.name) for field in fields(operation)}
    return {**plain_values, "notes": dict(operation.notes)}


def _show(history: "History", verdicts: "Sequence[Verdict]") -> None:
    out = console()
    out.print(plain(f"{len(history.operations)} operations, {len(history.faults)} faults, seed {history.header.seed}"))
    if not verdicts:
        out.print("no guarantee says anything of these kinds of operations: unknown")
    for verdict in verdicts:
        status = coloured(verdict.status.value, COLOURS[verdict.status.value])
        out.print(f"{plain(verdict.guarantee)}: {status}: {plain(verdict.reason)}")
        if verdict.witness is not None:
            out.print(plain(f"    {verdict.witness.anomaly}: {verdict.witness.sentence}"))
            for operation in verdict.witness.operations:
                out.print(plain(f"    {operation} {_times(history, operation.invoked_ns, operation.completed_ns)}"))
        if verdict.measures:
            out.print(plain("    " + ", ".join(f"{name} {value:g}" for name, value in verdict.measures.items())))


def _times(history: "History", invoked_ns: int, completed_ns: int | None) -> str:
    end = "never" if completed_ns is None else f"{history.seconds(completed_ns):.3f} s"
    return f"[{history.seconds(invoked_ns):.3f} s, {end}]"
