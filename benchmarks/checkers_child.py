"""
Our side of ``benchmarks.checkers``, in a process of its own: ``python -m benchmarks.checkers_child MODEL LIMIT_S FILE...``.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.histories import UNSET, Row, read
from chaos.checkers import check
from chaos.history import Operation, Outcome
from chaos.models import Kind, Model, keyed, text
from chaos.verdict import Verdict

WORDS = {"holds": "ok", "violated": "illegal", "unknown": "unknown"}
KINDS = {"failed": "cas", "maybe": "cas"}


def main() -> None:
    """A line a file: the verdict as Porcupine calls it, and the nanoseconds of the check alone."""
    model, limit_s, files = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    for file in files:
        operations = [operation(number, row) for number, row in enumerate(read(Path(file)))]
        began = time.perf_counter_ns()
        verdict = judge(model, operations, limit_s)
        print(WORDS[verdict.status.value], time.perf_counter_ns() - began)


def judge(model: str, operations: Sequence[Operation], limit_s: float) -> Verdict:
    """As the Go program understands the models' names."""
    if model == "register":
        return check(operations, "cas-register", initial=UNSET, failed_cas="mismatch", budget_s=limit_s, shrink=False)
    return check(operations, TEXTS if model == "texts" else STORE, budget_s=limit_s)


def operation(number: int, row: Row) -> Operation:
    """A row as our history has it."""
    text = row.kind in ("get", "put", "append")
    reads = row.kind in ("read", "get")
    value: Any = [row.a, None if reads else row.b] if text else [row.a, row.b] if row.kind in ("cas", *KINDS) else row.a
    outcome = Outcome.INFO if row.end is None else Outcome.FAIL if row.kind == "failed" else Outcome.OK
    return Operation(
        index=number,
        client="c",
        f=KINDS.get(row.kind, row.kind),
        value=None if row.kind == "read" else value,
        result=row.b if row.kind == "get" else row.a if row.kind == "read" else None,
        invoked_ns=row.call,
        completed_ns=row.end,
        outcome=outcome,
    )


def _text(state: Any, f: str, value: Any, result: Any) -> Any:
    return TEXT.step(state, f, value[1], result)


def _kind(f: str, value: Any, result: Any) -> Kind:
    return TEXT.kind(f, value[1], result)


TEXT = text()
TEXTS = Model(name="texts", init="", step=_text, kind=_kind, key=lambda f, value, result: value[0])
STORE = keyed(TEXT)

if __name__ == "__main__":
    main()
