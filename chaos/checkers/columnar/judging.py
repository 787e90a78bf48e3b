"""
A large file of ours, judged without loading it as operations.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from chaos.checkers.columnar.finding import Holds, Suspects
from chaos.checkers.columnar.rules import RULES, find
from chaos.errors import UsageError
from chaos.history.columns import OUTCOMES, Columns, UnfitError, available, load_columns, load_rows
from chaos.history.source import opened
from chaos.verdict import Status, Verdict, holds

MOST_SUSPECTS = 2_000
"""More rows than these are no explanation: then the ordinary checkers look at everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdict, the operations by outcome, and when the run began."""

    verdict: Verdict
    counts: Mapping[str, int]
    started_ns: int


def judge_file(
    path: str | os.PathLike[str], model: str, *, initial: object, names: Mapping[str, str], budget_s: float = 60.0
) -> Judged | None:
    """
    The verdict on a file that ``archive.save`` wrote, or None if it needs the ordinary way.

    :param names: foreign kinds of operations, and what the type calls them.
    :param budget_s: what reading and explaining may take; the rules themselves are linear.
    """
    began = time.monotonic()
    if model not in RULES or not available():
        return None
    known = RULES[model].kinds
    kinds = {**known, **{foreign: known[own] for foreign, own in names.items() if own in known}}
    kinds = {name: code for name, code in kinds.items() if names.get(name, name) in known}
    try:
        with opened(path) as source:
            columns = load_columns(source, kinds)
    except UnfitError:
        return None
    found = find(columns, model, initial)
    count = len(columns) - _counts(columns)["fail"]
    if isinstance(found, Holds):
        verdict = holds(model, found.reason, operations_count=count, keys_count=1, spent_s=time.monotonic() - began)
    elif isinstance(found, Suspects) and len(found.rows) <= MOST_SUSPECTS:
        left_s = max(budget_s - (time.monotonic() - began), 0.001)
        explained = _explained(path, found, model, initial, names, left_s, operations_count=count)
        if explained is None:
            return None
        verdict = explained
    else:
        return None
    return Judged(verdict=verdict, counts=_counts(columns), started_ns=columns.started_ns)


def _counts(columns: Columns) -> dict[str, int]:
    return {outcome: int((columns.outcome == code).sum()) for outcome, code in OUTCOMES.items()}


def _explained(
    path: str | os.PathLike[str],
    found: Suspects,
    model: str,
    initial: object,
    names: Mapping[str, str],
    budget_s: float,
    **measures: float,
) -> Verdict | None:
    from chaos.checkers import check

    try:
        with opened(path) as source:
            operations = load_rows(source, found.rows)
    except (ValueError, UsageError):
        return None  # What is wrong with them, and where, the ordinary way says.
    verdict = check(operations, model, initial=initial, names=names, budget_s=budget_s)
    if verdict.status is not Status.VIOLATED:
        return None
    return replace(verdict, measures={**verdict.measures, **measures})
