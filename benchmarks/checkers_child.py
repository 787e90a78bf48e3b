"""
Our side of ``benchmarks.checkers``, in a process of its own:

    python -m benchmarks.checkers_child MODEL LIMIT_S FILE...           the verdict alone, as Porcupine gives it
    python -m benchmarks.checkers_child MODEL+ LIMIT_S FILE...          with the fewest operations that prove a violation
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.histories import UNSET, Row, read
from chaos.checkers import check
from chaos.history import Operation, Outcome
from chaos.models import ILLEGAL, Kind, Model, keyed, text
from chaos.verdict import Verdict

WORDS = {"holds": "ok", "violated": "illegal", "unknown": "unknown"}
KINDS = {"failed": "cas", "maybe": "cas"}


def main() -> None:
    """A line a file: the verdict as Porcupine calls it, and the nanoseconds of the check alone."""
    model, limit_s, files = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    for file in files:
        operations = [operation(number, row) for number, row in enumerate(read(Path(file)))]
        began = time.perf_counter_ns()
        verdict = judge(model.rstrip("+"), operations, limit_s, shrink=model.endswith("+"))
        print(WORDS[verdict.status.value], time.perf_counter_ns() - began)


def judge(model: str, operations: Sequence[Operation], limit_s: float, *, shrink: bool) -> Verdict:
    """As the Go program understands the models' names."""
    if model == "register":
        return check(operations, "cas-register", initial=UNSET, failed_cas="mismatch", budget_s=limit_s, shrink=shrink)
    return check(operations, TEXTS if model == "texts" else STORE, budget_s=limit_s, shrink=shrink)


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
    if f == "get":
        return state if state == result else ILLEGAL
    return value[1] if f == "put" else state + value[1]


def _kind(f: str, value: Any, result: Any) -> Kind:
    return KIND[f]


KIND = {"get": Kind.OBSERVER, "put": Kind.OVERWRITER, "append": Kind.TOTAL}
TEXTS = Model(name="texts", init="", step=_text, kind=_kind, key=lambda f, value, result: value[0])
"""As one writes a model of one's own: each key is judged alone."""
STORE = keyed(text())
"""All keys in one state."""

if __name__ == "__main__":
    main()
