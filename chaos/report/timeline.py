"""
A history as one picture: what each client got, what was broken meanwhile, and who led.

A still SVG without scripts or outside fonts: Allure shows it as an image. Neighbouring columns are merged, so that fifty
thousand operations take less than 100 kB. The ink is readable on light and on dark, the colours are Okabe and Ito's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chaos.history.records import Fault, History, Outcome
from chaos.report import frame, lanes
from chaos.report.axis import Axis, Span, axis_of, fitted, merged, placed, text_width
from chaos.report.frame import BAND, FAIL, FLAG, INFO, INK, LEADER, LOST, OK, SMALL, TEXT, Frame
from chaos.report.lives import lives_of, silent_parties

Row = tuple[int, int]
"""The top edge and the height of a row, in pixels."""

_LEGEND, _LANE = 26, 26


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
_MANY_CLIENTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where everything lies: the plot, and in it each row's top and height."""

    frame: Frame
    clients: Mapping[str, lanes.Marks]
    roles: Mapping[str, Sequence[lanes.RoleSpan]]
    client_rows: Mapping[str, Row]
    role_rows: Mapping[str, Row]
    shape: Shape


def timeline(history: History, *, width: int = 960) -> bytes:
    """
    Draw a history as SVG.

    Rows of clients come from the operations, lanes from observations of the kinds ``role`` and ``leader``, marks on a
    client's row from observations of the kind ``point``.
    """
    axis = axis_of(history, left=_gutter(history), right=width - 14)
    flags, unnamed = frame.flags(history, axis)
    plan = _plan(history, axis, _LEGEND + FLAG * frame.rows(flags) + 6)
    phases = frame.phases(history, axis)
    parts = [
        frame.opened(width, plan.frame.bottom + frame.below(phases)),
        *_legend(history, unnamed),
        *frame.bands(history.faults, plan.frame),
        *_struck(history.faults, plan),
        *frame.banners(history.faults, flags, plan.frame, _LEGEND),
        *_clients(plan),
        *_lanes(plan),
        *frame.seconds(history, plan.frame),
        *frame.phase_names(phases, plan.frame),
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
    return min(170, max(60, 18 + max((text_width(name, TEXT) for name in names), default=0)))


def _legend(history: History, unnamed: int) -> Iterable[str]:
    if not history.operations:
        if not history.faults and not history.observations:
            yield frame.text(4, 15, "No operation was recorded.")
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
        yield f'<rect x="{x}" y="4" width="12" height="12" fill="{colour}"/>' + frame.text(x + 17, 15, text)
        x += 36 + text_width(text, TEXT)
    if unnamed:
        yield frame.text(x, 15, f"{unnamed} faults unnamed here: no room")


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
        frame=Frame(axis=axis, top=top - 6, bottom=max(y, top + 30) + 6),
        clients=clients,
        roles=roles,
        client_rows=client_rows,
        role_rows=role_rows,
        shape=shape,
    )


def _struck(faults: Sequence[Fault], plan: Plan) -> Iterable[str]:
    rows = {name: (y, plan.shape.height) for name, (y, _) in plan.client_rows.items()}
    for heights in (rows, plan.role_rows):
        for name, (y, height) in heights.items():
            struck = [fault for fault in faults if name in lanes.struck(fault, (*rows, *plan.role_rows))]
            if struck:
                boxes = frame.boxes(frame.during(struck, plan.frame.axis), y - 1, height - 2)
                yield f'<path fill="{BAND}" opacity=".35" d="{boxes}"/>'


def _clients(plan: Plan) -> Iterable[str]:
    shape = plan.shape
    size = TEXT if shape is _ROOMY else SMALL - 1
    for name, marks in plan.clients.items():
        y, _ = plan.client_rows[name]
        yield frame.row_name(name, plan.frame.axis, y + shape.ok[0] + shape.ok[1] - 1, size)
        yield from _strokes(marks.waited, OK, (y + shape.ok[0] + shape.ok[1] / 2, 2), ' stroke-opacity=".6"')
        for spans, colour, (offset, thick) in (
            (marks.ok, OK, shape.ok),
            (marks.lost, LOST, shape.ok),
            (marks.fail, FAIL, shape.fail),
            (marks.info, INFO, shape.info),
        ):
            yield from _strokes(spans, colour, (y + offset + thick / 2, thick))
        yield from _points(marks.points, plan.frame.axis, y + shape.height)


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
    named, _ = placed([(x + 3, name) for x, name in points], size=SMALL - 1, right=axis.right, rows=1, poles=False)
    for label in named:
        yield frame.label(label, y + 9, SMALL - 1)


def _lanes(plan: Plan) -> Iterable[str]:
    for name, spans in plan.roles.items():
        y, _ = plan.role_rows[name]
        yield frame.row_name(name, plan.frame.axis, y + 16, TEXT)
        drawn = -1
        for span in spans:
            begin, end = plan.frame.axis.x(span.begin_ns), plan.frame.axis.x(span.end_ns)
            if end > drawn:  # Flapping inside one pixel adds nothing but size.
                yield _role_box(span, begin, max(end - 1, begin + 1), y)
            drawn = end


def _role_box(span: lanes.RoleSpan, begin: int, end: int, y: int) -> str:
    colour, opacity, ink = (LEADER, "1", "#fff") if span.leads else (INK, ".2", INK)
    box = f'<rect x="{begin}" y="{y}" width="{end - begin}" height="21" rx="3" fill="{colour}" opacity="{opacity}"/>'
    text = fitted(span.text, end - begin - 10, SMALL)
    return box + frame.text(begin + 6, y + 15, text, f' fill="{ink}" font-size="{SMALL}"') if text else box
