"""
The verdicts of a run as lines for a terminal: what was found, whether it was expected, and the numbers that tell most.
"""

import textwrap
from collections.abc import Iterable, Iterator

from chaos.judgement import FinishedRun, Judged
from chaos.report.words import amount, cut, is_harm, measure_words
from chaos.verdict import Status

WIDTH = 100
_VERDICT, _GUARANTEE = 9, 34
_INDENT = "    "


def verdict_lines(run: FinishedRun, width: int = WIDTH) -> Iterator[tuple[str, bool]]:
    """Each line with whether it is as expected: the test's name, then a line a guarantee, what was missed first."""
    met = not run.error and all(judged.met for judged in run.judged)
    yield cut(run.name.rpartition("::")[2], width), met
    if not run.judged:
        mark = "  ! " if run.error else _INDENT
        yield cut(f"{mark}not judged: {(run.error or 'no guarantee was asked for').splitlines()[0]}", width), met
    for judged in sorted(run.judged, key=_telling_first):
        yield from ((line, judged.met) for line in _lines(judged, width))


def _telling_first(judged: Judged) -> tuple[bool, bool]:
    return judged.met, judged.verdict.status is not Status.VIOLATED


def _lines(judged: Judged, width: int) -> Iterator[str]:
    verdict = judged.verdict
    mark = _INDENT if judged.met else "  ! "
    start = f"{mark}{verdict.status.value:{_VERDICT}} {cut(verdict.guarantee, _GUARANTEE):{_GUARANTEE}} "
    yield (start + "; ".join(_fitting(_told(judged), width - len(start)))).rstrip()
    indent = " " * (len(_INDENT) + _VERDICT + 1)
    yield from textwrap.wrap(judged.problem or "", width, initial_indent=indent, subsequent_indent=indent)


def _told(judged: Judged) -> Iterator[str]:
    """The measures that an expectation bounds, then harms, those after the heal first; a harm of nothing tells nothing."""
    measures = judged.verdict.measures
    for measure, (low, high) in judged.bounds.items():
        if measure in measures:
            yield f"{measure_words(measure, measures[measure])} (expected {amount(low)} to {amount(high)})"
    others = [measure for measure, value in measures.items() if value and measure not in judged.bounds]
    for measure in sorted(others, key=lambda name: (not is_harm(name), "after_heal" not in name)):
        yield measure_words(measure, measures[measure])


def _fitting(parts: Iterable[str], width: int) -> Iterator[str]:
    left = width
    for part in parts:
        if len(part) > left:
            return
        left -= len(part) + 2
        yield part
