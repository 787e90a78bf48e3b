"""
A history as one picture: what each client got, what was broken meanwhile, and who led.

A still SVG without scripts or outside fonts: Allure shows it as an image. Neighbouring columns are merged, so that fifty
thousand operations take less than 100 kB. The ink is readable on light and on dark, the colours are Okabe and Ito's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chaos.history.records import Fault, History, Outcome
from chaos.report import lanes, words
from chaos.report.axis import Axis, Label, Span, axis_of, fitted, merged, placed, text_width, ticks
from chaos.report.lives import lives_of, silent_parties

INK: Final = "#767E86"
OK: Final = "#009E73"
LOST: Final = "#CC79A7"
FAIL: Final = "#D55E00"
INFO: Final = "#E69F00"
LEADER: Final = "#0072B2"
BAND: Final = "#56B4E9"

Row = tuple[int, int]
"""The top edge and the height of a row, in pixels."""

_TEXT, _SMALL = 14, 12
_LEGEND, _FLAG, _LANE = 26, 17, 26
_FLAG_ROWS, _PHASE_ROWS = 6, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How tall a client's row is, and where in it each outcome lies (offset and thickness)."""

    height: int
    ok: tuple[int, int]
    fail: tuple[int, int]
    info: tuple[int, int]


_ROOMY = Shape(height=34, ok=(2, 14), fail=(18, 5), info=(25, 5))
_TIGHT = Shape(height=16, ok=(1, 7), fail=(9, 2), info=(12, 2))
_POINTS = 15
_MANY_CLIENTS, _MANY_FAULTS = 16, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where everything lies: each row's top and height, and the plot between its top and bottom edges."""

    axis: Axis
    clients: Mapping[str, lanes.Marks]
    roles: Mapping[str, Sequence[lanes.RoleSpan]]
    client_rows: Mapping[str, Row]
    role_rows: Mapping[str, Row]
    top: int
    bottom: int
    shape: Shape


def timeline(history: History, *, width: int = 960) -> bytes:
    """
    Draw a history as SVG.

    Rows of clients come from the operations, lanes from observations of the kinds ``role`` and ``leader``, marks on a
    client's row from observations of the kind ``point``.
    """
    axis = axis_of(history, left=_gutter(history), right=width - 14)
    flags, unnamed = _flags(history, axis)
    plan = _plan(history, axis, _LEGEND + _FLAG * _rows(flags) + 6)
    moments = [(axis.x(phase.at_ns), phase.name) for phase in history.phases]
    phases, _ = placed(moments, size=_SMALL, right=axis.right, rows=_PHASE_ROWS, poles=False)
    height = plan.bottom + 28 + _FLAG * _rows(phases)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="Helvetica,Arial,sans-serif" font-size="{_TEXT}" fill="{INK}">',
        *_legend(history, unnamed),
        *_bands(history.faults, plan),
        *_banners(history.faults, flags, plan),
        *_clients(plan),
        *_lanes(plan),
        *_ticks(history, plan),
        *_phases(phases, plan.bottom),
        "</svg>",
    ]
    return "\n".join(parts).encode()


def summary(history: History) -> str:
    """The picture in one sentence, for those who cannot see it."""
    counts = lanes.totals(history)
    faults = ", ".join(sorted({fault.name for fault in history.faults})) or "none"
    return (
        f"Timeline: {counts[Outcome.OK]:,} operations ok, {counts[Outcome.FAIL]:,} failed, "
        f"{counts[Outcome.INFO]:,} without an answer; faults: {faults}"
    )


def _gutter(history: History) -> int:
    names = {operation.client for operation in history.operations}
    names |= {f"{observation.party} sees" for observation in history.observations} | {*silent_parties(history)}
    return min(170, max(60, 18 + max((text_width(name, _TEXT) for name in names), default=0)))


def _text(x: float, y: int, text: str, extra: str = "") -> str:
    return f'<text x="{x:g}" y="{y}"{extra}>{words.safe(text)}</text>'


def _label(label: Label, y: int, size: int = _SMALL) -> str:
    anchor = ' text-anchor="end"' if label.before else ""
    return _text(label.text_at, y, label.text, f'{anchor} font-size="{size}"')


def _legend(history: History, unnamed: int) -> Iterable[str]:
    if not history.operations:
        if not history.faults and not history.observations:
            yield _text(4, 15, "No operation was recorded.")
        return
    counts, lost = lanes.totals(history), len(lanes.lost_writes(history))
    x = 4
    for colour, name, count in (
        (OK, "ok", counts[Outcome.OK] - lost),
        (LOST, "ok, and lost", lost),
        (FAIL, "fail (did not happen)", counts[Outcome.FAIL]),
        (INFO, "info (may have happened)", counts[Outcome.INFO]),
    ):
        if colour is LOST and not lost:
            continue
        text = f"{name} {count:,}"
        yield f'<rect x="{x}" y="4" width="12" height="12" fill="{colour}"/>' + _text(x + 17, 15, text)
        x += 36 + text_width(text, _TEXT)
    if unnamed:
        yield _text(x, 15, f"{unnamed} faults unnamed here: no room")


def _flags(history: History, axis: Axis) -> tuple[list[Label], int]:
    longest = (axis.right - axis.left) * 7 // 10
    wanted = []
    for fault in history.faults:
        mode = f", {fault.mode}" if fault.mode else ""
        begun = words.moment(history, fault.begun_ns)
        times = f", from {begun} s, not healed"
        if fault.healed_ns is not None:
            times = f", {begun}–{words.moment(history, fault.healed_ns)} s"
        room = longest - text_width(mode + times, _SMALL)
        what = fitted(f"{fault.name} {fault.target}".strip(), room, _SMALL)
        wanted.append((axis.x(fault.begun_ns), what + mode + times))
    return placed(wanted, size=_SMALL, right=axis.right, rows=_FLAG_ROWS)


def _rows(labels: Sequence[Label]) -> int:
    return 1 + max((label.row for label in labels), default=-1)


def _plan(history: History, axis: Axis, top: int) -> Plan:
    clients, roles = lanes.clients_of(history, axis), lanes.lanes_of(history, axis) | lives_of(history, axis)
    shape = _TIGHT if len(clients) > _MANY_CLIENTS else _ROOMY  # So that the picture still fits a screen.
    client_rows, role_rows, y = {}, {}, top
    for name, marks in clients.items():
        client_rows[name] = (y, shape.height + (_POINTS if marks.points else 0))
        y += client_rows[name][1]
    y += 8 if clients and roles else 0
    for name in roles:
        role_rows[name] = (y, _LANE)
        y += _LANE
    return Plan(
        axis=axis,
        clients=clients,
        roles=roles,
        client_rows=client_rows,
        role_rows=role_rows,
        top=top - 6,
        bottom=max(y, top + 30) + 6,
        shape=shape,
    )


def _bands(faults: Sequence[Fault], plan: Plan) -> Iterable[str]:
    if not faults:
        return
    top, bottom = plan.top, plan.bottom
    yield f'<path fill="{BAND}" opacity=".18" d="{_boxes(_during(faults, plan.axis), top, bottom - top)}"/>'
    rows = {name: (y, plan.shape.height) for name, (y, _) in plan.client_rows.items()}
    for heights in (rows, plan.role_rows):
        for name, (y, height) in heights.items():
            struck = [fault for fault in faults if name in lanes.struck(fault, (*rows, *plan.role_rows))]
            if struck:
                boxes = _boxes(_during(struck, plan.axis), y - 1, height - 2)
                yield f'<path fill="{BAND}" opacity=".35" d="{boxes}"/>'


def _during(faults: Iterable[Fault], axis: Axis) -> list[Span]:
    return merged(
        (axis.x(fault.begun_ns), max(axis.x(fault.healed_ns), axis.x(fault.begun_ns) + 1)) for fault in faults
    )


def _banners(faults: Sequence[Fault], flags: Sequence[Label], plan: Plan) -> Iterable[str]:
    if not faults:
        return
    poles = "".join(f"M{flag.at} {_LEGEND + _FLAG * flag.row}V{plan.top}" for flag in flags)
    yield f'<path stroke="{BAND}" fill="none" d="{poles}"/>'
    if len(faults) <= _MANY_FAULTS:  # With more, the lines would hide the marks; the bands' own edges must do.
        edges = {plan.axis.x(at) for fault in faults for at in (fault.begun_ns, fault.healed_ns) if at is not None}
        lines = "".join(f"M{x} {plan.top}V{plan.bottom}" for x in sorted(edges))
        yield f'<path stroke="{BAND}" stroke-dasharray="3 3" fill="none" d="{lines}"/>'
    for flag in flags:
        yield _label(flag, _LEGEND + _FLAG * flag.row + 12)


def _boxes(spans: Iterable[Span], y: int, height: int) -> str:
    return "".join(f"M{begin} {y}h{max(1, end - begin)}v{height}h-{max(1, end - begin)}z" for begin, end in spans)


def _clients(plan: Plan) -> Iterable[str]:
    shape = plan.shape
    size = _TEXT if shape is _ROOMY else _SMALL - 1
    for name, marks in plan.clients.items():
        y, _ = plan.client_rows[name]
        yield _row_name(name, plan.axis, y + shape.ok[0] + shape.ok[1] - 1, size)
        yield from _strokes(marks.waited, OK, (y + shape.ok[0] + shape.ok[1] / 2, 2), ' stroke-opacity=".6"')
        for spans, colour, (offset, thick) in (
            (marks.ok, OK, shape.ok),
            (marks.lost, LOST, shape.ok),
            (marks.fail, FAIL, shape.fail),
            (marks.info, INFO, shape.info),
        ):
            yield from _strokes(spans, colour, (y + offset + thick / 2, thick))
        yield from _points(marks.points, plan.axis, y + shape.height)


def _row_name(name: str, axis: Axis, y: int, size: int) -> str:
    return _text(axis.left - 8, y, fitted(name, axis.left - 12, size), f' text-anchor="end" font-size="{size}"')


def _strokes(spans: Iterable[Span], colour: str, line: tuple[float, int], extra: str = "") -> Iterable[str]:
    """All marks of one outcome on one row as one path; relative moves, because they are the shortest."""
    y, thick = line
    steps: list[str] = []
    at = 0
    for begin, end in merged(spans):
        steps.append(f"m{begin - at} 0h{end - begin}" if steps else f"M{begin} {y:g}h{end - begin}")
        at = end
    if steps:
        yield f'<path stroke="{colour}" stroke-width="{thick}"{extra} d="{"".join(steps)}"/>'


def _points(points: Sequence[tuple[int, str]], axis: Axis, y: int) -> Iterable[str]:
    if not points:
        return
    marks = "".join(f"M{x} {y}l4 5l-4 5l-4 -5z" for x in sorted({x for x, _ in points}))
    yield f'<path fill="{INK}" d="{marks}"/>'
    # A mark is drawn left and right of its moment, so its name begins after it; a name without room is left out.
    named, _ = placed([(x + 3, name) for x, name in points], size=_SMALL - 1, right=axis.right, rows=1, poles=False)
    for label in named:
        yield _label(label, y + 9, _SMALL - 1)


def _lanes(plan: Plan) -> Iterable[str]:
    for name, spans in plan.roles.items():
        y, _ = plan.role_rows[name]
        yield _row_name(name, plan.axis, y + 16, _TEXT)
        drawn = -1
        for span in spans:
            begin, end = plan.axis.x(span.begin_ns), plan.axis.x(span.end_ns)
            if end > drawn:  # Flapping inside one pixel adds nothing but size.
                yield _role_box(span, begin, max(end - 1, begin + 1), y)
            drawn = end


def _role_box(span: lanes.RoleSpan, begin: int, end: int, y: int) -> str:
    colour, opacity, ink = (LEADER, "1", "#fff") if span.leads else (INK, ".2", INK)
    box = f'<rect x="{begin}" y="{y}" width="{end - begin}" height="21" rx="3" fill="{colour}" opacity="{opacity}"/>'
    text = fitted(span.text, end - begin - 10, _SMALL)
    return box + _text(begin + 6, y + 15, text, f' fill="{ink}" font-size="{_SMALL}"') if text else box


def _ticks(history: History, plan: Plan) -> Iterable[str]:
    axis, bottom = plan.axis, plan.bottom
    begin_s, end_s = history.seconds(axis.begin_ns), history.seconds(axis.end_ns)
    yield f'<path d="M{axis.left} {bottom}H{axis.right}" stroke="{INK}"/>'
    for tick in ticks(begin_s, end_s):
        x = axis.left + (axis.right - axis.left) * (tick - begin_s) / (end_s - begin_s)
        anchor = "end" if x > axis.right - 8 else "middle"
        yield f'<path d="M{x:.0f} {bottom}v4" stroke="{INK}"/>' + _text(
            round(x), bottom + 17, f"{tick:g} s", f' text-anchor="{anchor}" font-size="{_SMALL}"'
        )


def _phases(phases: Sequence[Label], bottom: int) -> Iterable[str]:
    for phase in phases:
        y = bottom + 24 + _FLAG * phase.row
        yield f'<path d="M{phase.at} {y}v13" stroke="{INK}"/>'
        yield _label(phase, y + 11)
