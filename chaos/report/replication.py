"""
A replicated log as one picture: log ends and high watermark, the in-sync set, and who led in which epoch.

A still SVG below the same bands as the timeline. A broker has one colour in all of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chaos.history.records import History
from chaos.report import frame, lanes, offsets
from chaos.report.axis import Axis, Span, axis_of, fitted, merged, text_width
from chaos.report.frame import BAND, FAIL, FLAG, INK, LOST, SMALL, TEXT, Frame
from chaos.report.offsets import Chart, Pen
from chaos.report.replicas import Reign, Replication, Seat, Sitting, replication_of

CAPTION = (
    "The replicated log: where each broker's log ended, who was in the in-sync set (ISR), and who led in which epoch."
)

_LANE, _REIGN, _ROW = 20, 26, 22
_GRAINS = (1, 2, 4, 8, 16, 32, 64)
_LARGEST = 95_000
"""Bytes; a picture that takes more is drawn on a coarser grid."""
_LEADS, _DEPOSED = "leader", "also leads"

Mark = tuple[str, str]
"""A mark of the legend, drawn at 0 0 in 18 by 12 pixels, and what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where everything lies: the plot, and in it the chart, the lanes of the brokers and the rows of the leaders."""

    frame: Frame
    chart: Chart
    pens: Mapping[str, Pen]
    lanes: Mapping[str, int]
    reigns: Sequence[tuple[str, int, Sequence[Reign]]]


def replication(history: History, *, width: int = 960) -> bytes | None:
    """
    Draw what was seen of the watched log as SVG; None when no log end was observed.

    From observations of the kinds ``log-end``, ``high-watermark``, ``role``, ``leader``, ``epoch``, ``isr``, ``elr`` and
    ``probe-error``, and from the acknowledged records that the final read does not have.
    """
    axis = axis_of(history, left=0, right=1)
    log = replication_of(history, axis.end_ns)
    if log is None:
        return None
    axis = axis_of(history, left=_gutter(log), right=width - _margin(log))
    for grain in _GRAINS:
        picture = _drawn(history, log, replace(axis, grain=grain), width)
        if len(picture) < _LARGEST:
            break
    return picture


def _drawn(history: History, log: Replication, axis: Axis, width: int) -> bytes:
    flags, unnamed = frame.flags(history, axis)
    legend, rows = _legend(log, unnamed, width)
    top = 4 + _ROW * rows
    plan = _plan(log, axis, top + FLAG * frame.rows(flags))
    phases = frame.phases(history, axis)
    parts = [
        frame.opened(width, plan.frame.bottom + frame.below(phases)),
        *_hatches(plan.pens),
        *legend,
        *frame.bands(history.faults, plan.frame),
        *_struck(history, plan),
        *frame.banners(history.faults, flags, plan.frame, top),
        *offsets.drawn(log, plan.chart, plan.pens),
        *_seats(log, plan),
        *_leaders(plan),
        *frame.seconds(history, plan.frame),
        *frame.phase_names(phases, plan.frame),
        "</svg>",
    ]
    return "\n".join(parts).encode()


def summary(history: History) -> str:
    """The picture in one sentence, for those who cannot see it; empty when there is none."""
    axis = axis_of(history, left=0, right=1_000)
    log = replication_of(history, axis.end_ns)
    if log is None:
        return ""
    parts = [f"Replicated log: log ends of {', '.join(log.ends)} up to {offsets.bounds(log)[1]:,} records"]
    for fall, records in offsets.gone_back(log.falls, axis)[:3]:
        parts.append(f"that of {fall.party} went back by {records:,} at {history.seconds(fall.at_ns):.1f} s")
    for old, new in log.disputes[:3]:
        begin, end = max(old.begin_ns, new.begin_ns), min(old.end_ns, new.end_ns)
        both = f"{_reign_name(old)}, and {_reign_name(new)}"
        parts.append(
            f"two leaders at once ({both}) for {(end - begin) / 1e9:.1f} s from {history.seconds(begin):.1f} s"
        )
    out = [broker for broker, mine in log.seats.items() if any(one.seat in {Seat.OUT, Seat.STALE} for one in mine)]
    parts.append(f"out of the ISR for a time: {', '.join(out) or 'nobody'}")
    if lost := len(log.lost) + log.lost_elsewhere:
        parts.append(f"{lost:,} acknowledged records lost")
    return "; ".join(parts)


def _gutter(log: Replication) -> int:
    names = [*(f"ISR {broker}" for broker in log.brokers), _DEPOSED]
    numbers = [f"{offset:,}" for offset in offsets.bounds(log)]
    widest = max(*(text_width(name, TEXT) for name in names), *(text_width(number, SMALL) for number in numbers))
    return min(170, max(60, 18 + widest))


def _margin(log: Replication) -> int:
    return 28 + max(text_width(name, SMALL) for name in (*log.ends, offsets.WATERMARK))


def _legend(log: Replication, unnamed: int, width: int) -> tuple[list[str], int]:
    """The marks that the picture has, in as many rows as they take."""
    parts, x, row = [], 4, 0
    for mark, meaning in _marks(log, unnamed):
        wide = (24 if mark else 0) + text_width(meaning, TEXT)
        if x > 4 and x + wide > width - 4:
            x, row = 4, row + 1
        parts.append(f'<g transform="translate({x} {4 + _ROW * row})">{mark}</g>' if mark else "")
        parts.append(frame.text(x + (24 if mark else 0), 15 + _ROW * row, meaning))
        x += wide + 18
    return parts, row + 1


def _marks(log: Replication, unnamed: int) -> Iterator[Mark]:
    pens = offsets.pens(log.brokers)
    pen = pens[next(iter(log.ends))]
    yield f'<path stroke="{pen.colour}" stroke-width="3" d="M0 6h18"/>', "log end of a broker"
    if log.watermark:
        mark = f'<path fill="{INK}" opacity=".2" d="M0 3h18v9h-18z"/>'
        mark += f'<path stroke="{INK}" stroke-width="2"{offsets.WATERMARK_DASH} d="M0 3h18"/>'
        yield mark, offsets.WATERMARK
    if log.falls:
        yield f'<path fill="{FAIL}" d="M9 13l-6 -9h12z"/><path fill="{FAIL}" d="M8 0h2v5h-2z"/>', "log end goes back"
    if lost := len(log.lost) + log.lost_elsewhere:
        nowhere = f" ({log.lost_elsewhere:,} at no known offset)" if log.lost_elsewhere else ""
        yield f'<rect width="12" height="12" x="3" fill="{LOST}"/>', f"acknowledged, and lost {lost:,}{nowhere}"
    sittings = [one for mine in log.seats.values() for one in mine]
    seats = {one.seat for one in sittings}
    for seat in (Seat.IN, Seat.STALE, Seat.REPORTED):
        if seat in seats:
            paint = _paint(seat, next(iter(pens.values())), 0)
            yield f'<rect width="18" height="12" {paint}/>', seat.value
    if any(one.eligible for one in sittings):
        yield f'<path {_ELIGIBLE} d="M1 1h16v10h-16z"/>', "in the ELR"
    if unnamed:
        yield "", f"{unnamed} faults unnamed here: no room"


def _plan(log: Replication, axis: Axis, top: int) -> Plan:
    low, high = offsets.bounds(log)
    chart = Chart(axis=axis, top=top + 8, low=low, high=high)
    y = chart.bottom + 14
    isr: dict[str, int] = {}
    for broker in log.brokers if log.seats else ():
        isr[broker] = y
        y += _LANE
    y += 6 if isr else 0
    reigns = []
    for name, mine in _reign_rows(log.reigns):
        reigns.append((name, y, mine))
        y += _REIGN
    plot = Frame(axis=axis, top=top, bottom=y + (4 if reigns or isr else -6))
    return Plan(frame=plot, chart=chart, pens=offsets.pens(log.brokers), lanes=isr, reigns=reigns)


def _reign_rows(reigns: Sequence[Reign]) -> Iterator[tuple[str, list[Reign]]]:
    """The leaders of the newest epoch in one row; leaders that it deposed below, in as many rows as they overlap."""
    for current, name in ((True, _LEADS), (False, _DEPOSED)):
        rows: list[list[Reign]] = []
        for reign in sorted((one for one in reigns if one.current is current), key=lambda one: one.begin_ns):
            row = next((row for row in rows if row[-1].end_ns <= reign.begin_ns), None)
            if row is None:
                rows.append([reign])
            else:
                row.append(reign)
        for row in rows:
            yield name, row


def _struck(history: History, plan: Plan) -> Iterator[str]:
    """Darker on the lane of a broker that a fault names."""
    clients = {operation.client for operation in history.operations}
    for broker, y in plan.lanes.items():
        mine = [fault for fault in history.faults if broker in lanes.struck(fault, {*plan.lanes, *clients})]
        if mine:
            boxes = frame.boxes(frame.during(mine, plan.frame.axis), y, _LANE - 2)
            yield f'<path fill="{BAND}" opacity=".35" d="{boxes}"/>'


_ELIGIBLE = f'stroke="{INK}" stroke-width="2" stroke-dasharray="3 2" fill="none"'


def _hatches(pens: Mapping[str, Pen]) -> Iterator[str]:
    for index, pen in enumerate(pens.values()):
        yield (
            f'<pattern id="h{index}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            f'<rect width="2.4" height="6" fill="{pen.colour}"/></pattern>'
        )


def _paint(seat: Seat, pen: Pen, index: int) -> str:
    if seat is Seat.STALE:
        return f'fill="url(#h{index})"'
    return f'fill="{pen.colour}"' + (' opacity=".4"' if seat is Seat.REPORTED else "")


def _seats(log: Replication, plan: Plan) -> Iterator[str]:
    axis = plan.frame.axis
    for index, (broker, pen) in enumerate(plan.pens.items()):
        if broker not in plan.lanes:
            continue
        y, mine = plan.lanes[broker], log.seats.get(broker, ())
        yield frame.row_name(f"ISR {broker}", axis, y + 13, TEXT)
        yield f'<path fill="{INK}" opacity=".12" d="{frame.boxes(_spans(mine, axis), y + 1, _LANE - 5)}"/>'
        for seat in (Seat.IN, Seat.STALE, Seat.REPORTED):
            spans = _spans((one for one in mine if one.seat is seat), axis)
            if spans:
                yield f'<path {_paint(seat, pen, index)} d="{frame.boxes(spans, y + 1, _LANE - 5)}"/>'
        spans = _spans((one for one in mine if one.eligible), axis)
        if spans:
            yield f'<path {_ELIGIBLE} d="{frame.boxes(spans, y + 2, _LANE - 7)}"/>'
        for begin, end in spans:
            if name := fitted("ELR", end - begin - 8, SMALL):
                yield frame.text(begin + 6, y + 13, name, f' font-size="{SMALL - 1}" font-weight="bold"')


def _spans(sittings: Iterable[Sitting], axis: Axis) -> list[Span]:
    return merged((axis.x(one.begin_ns), max(axis.x(one.end_ns), axis.x(one.begin_ns) + 1)) for one in sittings)


def _leaders(plan: Plan) -> Iterator[str]:
    axis, order = plan.frame.axis, list(plan.pens)
    named: set[str] = set()
    for name, y, reigns in plan.reigns:
        if name not in named:
            yield frame.row_name(name, axis, y + 15, TEXT)
        named.add(name)
        drawn = axis.left - 1
        for reign, after in zip(reigns, [*reigns[1:], None], strict=True):
            begin, end = axis.x(reign.begin_ns), axis.x(reign.end_ns)
            if end > drawn:  # Flapping inside one pixel adds nothing but size.
                room = (axis.x(after.begin_ns) if after else axis.right) - end
                yield _reign_box(reign, (begin, max(end, begin + 2)), (y, room), plan.pens[reign.party], order)
            drawn = end


def _reign_box(reign: Reign, span: Span, at: tuple[int, int], pen: Pen, order: Sequence[str]) -> str:
    """Filled for a leader of the newest epoch, hatched for a deposed one; named inside, or after it if too narrow."""
    (begin, end), (y, room) = span, at
    fill = f'fill="{pen.colour}"' if reign.current else f'fill="url(#h{order.index(reign.party)})"'
    edge = "" if reign.current else f' stroke="{pen.colour}"'
    box = f'<rect x="{begin}" y="{y}" width="{end - begin}" height="21" rx="3" {fill}{edge}/>'
    name, ink = _reign_name(reign), pen.ink if reign.current else INK
    wide = text_width(name, SMALL) + 10
    if wide <= end - begin and reign.current:
        return box + frame.text(begin + 6, y + 15, name, f' fill="{ink}" font-size="{SMALL}"')
    if wide <= room:
        return box + frame.text(end + 6, y + 15, name, f' font-size="{SMALL}"')
    short = fitted(name, end - begin - 8, SMALL) if reign.current else ""
    return box + (frame.text(begin + 4, y + 15, short, f' fill="{ink}" font-size="{SMALL}"') if short else "")


def _reign_name(reign: Reign) -> str:
    return reign.party if reign.epoch is None else f"{reign.party}, epoch {reign.epoch}"
