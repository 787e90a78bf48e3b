"""
What all pictures of a run share: one ink, the bands of the faults with their flags, seconds and phases below the plot.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from chaos.history.records import Fault, History
from chaos.report import words
from chaos.report.axis import Axis, Label, Span, fitted, merged, placed, text_width, ticks

INK: Final = "#767E86"
OK: Final = "#009E73"
LOST: Final = "#CC79A7"
FAIL: Final = "#D55E00"
INFO: Final = "#E69F00"
LEADER: Final = "#0072B2"
BAND: Final = "#56B4E9"

TEXT, SMALL = 14, 12
FLAG = 17
_FLAG_ROWS, _PHASE_ROWS = 6, 3
_MANY_FAULTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The plot of a picture: its time axis, its top and bottom edges."""

    axis: Axis
    top: int
    bottom: int


def opened(width: int, height: int) -> str:
    """The beginning of a picture of this size."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="Helvetica,Arial,sans-serif" font-size="{TEXT}" fill="{INK}">'
    )


def text(x: float, y: float, words_there: str, extra: str = "") -> str:
    """A text at its place, with markup made harmless."""
    return f'<text x="{x:g}" y="{y:g}"{extra}>{words.safe(words_there)}</text>'


def label(placed_there: Label, y: int, size: int = SMALL) -> str:
    """A placed label, on the side of its pole where it found room."""
    anchor = ' text-anchor="end"' if placed_there.before else ""
    return text(placed_there.text_at, y, placed_there.text, f'{anchor} font-size="{size}"')


def row_name(name: str, axis: Axis, y: int, size: int) -> str:
    """The name of a row, left of the plot."""
    return text(axis.left - 8, y, fitted(name, axis.left - 12, size), f' text-anchor="end" font-size="{size}"')


def boxes(spans: Iterable[Span], y: int, height: int) -> str:
    """Stretches of one row as the outline of one path."""
    return "".join(f"M{begin} {y}h{max(1, end - begin)}v{height}h-{max(1, end - begin)}z" for begin, end in spans)


def rows(labels: Sequence[Label]) -> int:
    """How many rows the labels take."""
    return 1 + max((one.row for one in labels), default=-1)


def flags(history: History, axis: Axis) -> tuple[list[Label], int]:
    """The names of the faults with their times, placed above the plot, and how many found no room."""
    longest = (axis.right - axis.left) * 7 // 10
    wanted = []
    for fault in history.faults:
        mode = f", {fault.mode}" if fault.mode else ""
        begun = words.moment(history, fault.begun_ns)
        times = f", from {begun} s, not healed"
        if fault.healed_ns is not None:
            times = f", {begun}–{words.moment(history, fault.healed_ns)} s"
        room = longest - text_width(mode + times, SMALL)
        what = fitted(f"{fault.name} {fault.target}".strip(), room, SMALL)
        wanted.append((axis.x(fault.begun_ns), what + mode + times))
    return placed(wanted, size=SMALL, right=axis.right, rows=_FLAG_ROWS)


def during(faults: Iterable[Fault], axis: Axis) -> list[Span]:
    """Where on the axis any of the faults was in force."""
    return merged(
        (axis.x(fault.begun_ns), max(axis.x(fault.healed_ns), axis.x(fault.begun_ns) + 1)) for fault in faults
    )


def bands(faults: Sequence[Fault], frame: Frame) -> Iterable[str]:
    """One translucent band over the whole plot for each stretch with a fault."""
    if faults:
        d = boxes(during(faults, frame.axis), frame.top, frame.bottom - frame.top)
        yield f'<path fill="{BAND}" opacity=".18" d="{d}"/>'


def banners(faults: Sequence[Fault], flags_there: Sequence[Label], frame: Frame, y: int) -> Iterable[str]:
    """The flags with their poles, and the edges of the bands; ``y`` is the top of the first row of flags."""
    if not faults:
        return
    poles = "".join(f"M{flag.at} {y + FLAG * flag.row}V{frame.top}" for flag in flags_there)
    yield f'<path stroke="{BAND}" fill="none" d="{poles}"/>'
    if len(faults) <= _MANY_FAULTS:  # With more, the lines would hide the marks; the bands' own edges must do.
        edges = {frame.axis.x(at) for fault in faults for at in (fault.begun_ns, fault.healed_ns) if at is not None}
        lines = "".join(f"M{x} {frame.top}V{frame.bottom}" for x in sorted(edges))
        yield f'<path stroke="{BAND}" stroke-dasharray="3 3" fill="none" d="{lines}"/>'
    for flag in flags_there:
        yield label(flag, y + FLAG * flag.row + 12)


def seconds(history: History, frame: Frame) -> Iterable[str]:
    """The axis itself, with round seconds."""
    axis, bottom = frame.axis, frame.bottom
    begin_s, end_s = history.seconds(axis.begin_ns), history.seconds(axis.end_ns)
    yield f'<path d="M{axis.left} {bottom}H{axis.right}" stroke="{INK}"/>'
    for tick in ticks(begin_s, end_s):
        x = axis.left + (axis.right - axis.left) * (tick - begin_s) / (end_s - begin_s)
        anchor = "end" if x > axis.right - 8 else "middle"
        yield f'<path d="M{x:.0f} {bottom}v4" stroke="{INK}"/>' + text(
            round(x), bottom + 17, f"{tick:g} s", f' text-anchor="{anchor}" font-size="{SMALL}"'
        )


def phases(history: History, axis: Axis) -> list[Label]:
    """The names of the phases, placed below the seconds."""
    moments = [(axis.x(phase.at_ns), phase.name) for phase in history.phases]
    return placed(moments, size=SMALL, right=axis.right, rows=_PHASE_ROWS, poles=False)[0]


def below(labels: Sequence[Label]) -> int:
    """How much the seconds and these phases take below the plot."""
    return 28 + FLAG * rows(labels)


def phase_names(labels: Sequence[Label], frame: Frame) -> Iterable[str]:
    """The phases, each with a tick where it begins."""
    for phase in labels:
        y = frame.bottom + 24 + FLAG * phase.row
        yield f'<path d="M{phase.at} {y}v13" stroke="{INK}"/>'
        yield label(phase, y + 11)
