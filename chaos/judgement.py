"""
Expectations against verdicts: what an experiment asserts, judged all at once, failed once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.errors import GuaranteeError, UsageError, VoidRunError, said
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.history import History, Operation
from chaos.history.records import empty
from chaos.verdict import Status, Verdict, unknown

__tracebackhide__ = said

Bounds = Mapping[str, tuple[float, float]]
WITNESS_LINES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One guarantee of a run: its verdict, what was expected of it, and whether the two agree."""

    verdict: Verdict
    expected: str
    met: bool
    problem: str | None = None
    bounds: Bounds = field(default_factory=empty)
    """The measures whose range was part of the expectation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """All that a report shows of one run; nothing in it needs the lab any more."""

    name: str
    lesson: str
    history: History
    judged: tuple[Judged, ...]
    seed: int
    system: str
    provider: str = ""
    settings: Mapping[str, object] = field(default_factory=empty)
    """Per system: topology, version, configuration as rendered; secrets already masked."""
    history_file: Path | None = None
    log_files: Mapping[str, Path] = field(default_factory=empty)
    error: str | None = None
    """Why the run could not be judged (void, a dead worker, no server), when it could not."""


def judge(
    history: History,
    *,
    holds: Sequence[Guarantee] = (),
    violated: Sequence[Guarantee] = (),
    bounded: Mapping[Guarantee, Bounds] | None = None,
) -> tuple[Judged, ...]:
    """
    Judge every expectation on one history.

    :param bounded: violated *and* each named measure within (low, high), low above 0: a loss that stays in a window.
    """
    for name, given in (("holds", holds), ("violated", violated), ("bounded", bounded or {})):
        _refuse_what_is_no_guarantee(name, given)
    bounds = dict(bounded or {})
    _refuse_contradictions(holds, violated, bounds)
    expectations: list[tuple[Guarantee, Status, Bounds]] = [(guarantee, Status.HOLDS, {}) for guarantee in holds]
    expectations += [(guarantee, Status.VIOLATED, {}) for guarantee in violated]
    expectations += [(guarantee, Status.VIOLATED, ranges) for guarantee, ranges in bounds.items()]
    return tuple(_judge_one(history, *expectation) for expectation in expectations)


def _judge_one(history: History, guarantee: Guarantee, status: Status, ranges: Bounds) -> Judged:
    try:
        verdict = guarantee(history)
    except Exception as problem:  # A crashing checker is no verdict on the system, and never a pass.
        verdict = unknown(guarantee.name, f"the checker failed: {type(problem).__name__}: {problem}")
    wanted = status.value if not ranges else f"bounded ({', '.join(_range(*item) for item in ranges.items())})"
    problem_text = _mismatch(verdict, status, ranges)
    return Judged(verdict=verdict, expected=wanted, met=problem_text is None, problem=problem_text, bounds=ranges)


def _mismatch(verdict: Verdict, status: Status, ranges: Bounds) -> str | None:
    if verdict.status is not status:
        return f"expected {status.value}, {verdict.status.value}: {verdict.reason}"
    for measure, (low, high) in ranges.items():
        value = verdict.measures.get(measure)
        if value is None:
            return f"expected {measure} in {low:g} to {high:g}, but the verdict has no such measure"
        if not low <= value <= high:
            return f"expected {measure} in {low:g} to {high:g}, measured {value:g}"
    return None


def _range(measure: str, bounds: tuple[float, float]) -> str:
    return f"{measure} {bounds[0]:g} to {bounds[1]:g}"


def _refuse_what_is_no_guarantee(where: str, given: object) -> None:
    if isinstance(given, str | Guarantee) or not isinstance(given, Iterable):
        raise UsageError(f"{where}= takes a list of guarantees: {where}=[...], not {given!r}")
    for one in given:
        if isinstance(one, str):
            raise UsageError(f"pass the guarantee itself (from chaos.guarantees import {one}), not its name")
        if not isinstance(one, Guarantee):
            raise UsageError(f"{where}= takes guarantees, not {one!r}")


def _refuse_contradictions(
    holds: Sequence[Guarantee], violated: Sequence[Guarantee], bounds: Mapping[Guarantee, Bounds]
) -> None:
    named = [guarantee.name for guarantee in (*holds, *violated, *bounds)]
    if not named:
        raise UsageError("expect() needs at least one guarantee: a run that asserts nothing proves nothing")
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise UsageError(f"expected in two ways at once: {', '.join(twice)}")
    for guarantee, ranges in bounds.items():
        if not ranges:
            raise UsageError(f"bounded {guarantee.name} needs a measure with its (low, high)")
        for measure, (low, high) in ranges.items():
            if not 0 < low <= high:
                raise UsageError(f"{guarantee.name}: {measure} needs 0 < low <= high, not ({low:g}, {high:g})")


def blame(judged: Sequence[Judged]) -> type[GuaranteeError | VoidRunError]:
    """Whose doing unmet expectations are: where nothing was contradicted and something unknown, nobody's promise broke."""
    contradicted = any(not one.met and one.verdict.status is not Status.UNKNOWN for one in judged)
    return GuaranteeError if contradicted else VoidRunError


def failure(history: History, judged: Sequence[Judged]) -> str | None:
    """What to say of the expectations that were not met: each with the operations that prove it; None if all were met."""
    missed = [one for one in judged if not one.met]
    lines = [f"{one.verdict.guarantee}: {one.problem}{_forgotten(history, one.verdict)}" for one in missed]
    lines += [f"  {_dated(history, operation)}" for one in missed for operation in _witness(one)]
    return "\n".join(lines) or None


def _forgotten(history: History, verdict: Verdict) -> str:
    """What to do about a verdict that needs a final read, where nobody has read."""
    if verdict.status is not Status.UNKNOWN or "final read" not in verdict.reason or history.select(FINAL_READ):
        return ""
    return "; call run.final_read(...) before the block ends"


def _witness(judged: Judged) -> Sequence[Operation]:
    witness = judged.verdict.witness
    return witness.operations[:WITNESS_LINES] if witness else ()


def _dated(history: History, operation: Operation) -> str:
    end = operation.completed_ns
    until = f"{history.seconds(end):.3f} s" if end is not None else "never answered"
    return f"{operation} [{history.seconds(operation.invoked_ns):.3f} s, {until}]"
