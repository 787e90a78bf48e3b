"""
The chart of a replicated log: each broker's log end and the high watermark over time, what went back, what was lost.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chaos.report import frame
from chaos.report.axis import Axis, text_width, ticks
from chaos.report.frame import FAIL, INFO, INK, LEADER, LOST, OK, SMALL
from chaos.report.replicas import Fall, Piece, Replication

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""

Points = list[tuple[int, int]]

HEIGHT = 230
WATERMARK = "high watermark"
WATERMARK_DASH = ' stroke-dasharray="6 4"'
LINE_GAP = 14

_COLOURS = (LEADER, OK, INFO)
_DASHES = ("", ' stroke-dasharray="9 3"', ' stroke-dasharray="2 3"')
_WIDTHS = (5, 3, 1.4)
_CELLS_BUDGET = 1_500
_FALLS_NAMED = 12
_NEAR = 14
"""Pixels; falls of one broker that are closer together are told as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """How one broker is drawn. The lines of the first are the widest, so that lines over each other all show."""

    colour: str
    dash: str
    width: float
    ink: str
    """Of a text on the colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Offsets to pixels."""

    axis: Axis
    top: int
    low: int
    high: int

    @property
    def bottom(self) -> int:
        """The pixel of the lowest offset."""
        return self.top + HEIGHT

    def y(self, offset: float) -> int:
        """The pixel of an offset, kept inside the chart."""
        height = round(HEIGHT * (offset - self.low) / (self.high - self.low))
        return self.bottom - min(HEIGHT, max(0, height))


def pens(brokers: Sequence[str]) -> dict[str, Pen]:
    """A colour a broker; with more than three, dashes tell those of one colour apart."""
    return {
        broker: Pen(
            colour=_COLOURS[index % 3],
            dash=_DASHES[index // 3 % 3],
            width=_WIDTHS[index % 3],
            ink="#fff" if index % 3 == 0 else "#000",
        )
        for index, broker in enumerate(brokers)
    }


def bounds(log: Replication) -> tuple[int, int]:
    """The lowest and the highest offset to show: from nothing on, unless that would press all into one corner."""
    pieces = [*log.watermark, *(piece for mine in log.ends.values() for piece in mine)]
    values = [value for piece in pieces for _, value in piece.steps]
    values += [offset for _, offset in log.lost] + [value for fall in log.falls for value in (fall.before, fall.after)]
    low, high = min(values, default=0), max(values, default=1)
    low = 0 if 0 <= low <= high / 2 else low
    return low, max(high, low + 1)


def round_records(low: int, high: int) -> list[int]:
    """Round offsets for the axis; there are no halves of a record."""
    return [int(tick) for tick in ticks(low, high, about=5) if tick == int(tick)]


def drawn(log: Replication, chart: Chart, pens_there: Mapping[str, Pen]) -> Iterator[str]:
    """Everything of the chart, from the bottom layer up."""
    lines = {broker: _joined(pieces, chart) for broker, pieces in log.ends.items()}
    marks = _joined(log.watermark, chart)
    yield from _grid(chart)
    yield from _watermark(marks, chart)
    for broker, pieces in lines.items():
        pen = pens_there[broker]
        d = "".join(_path(points) for points in pieces)
        yield f'<path stroke="{pen.colour}" stroke-width="{pen.width}" fill="none"{pen.dash} d="{d}"/>'
    yield from _lost(log.lost, chart)
    yield from _arrows(log.falls, chart)
    taken: list[Box] = []
    yield from _line_names(lines, marks, chart, pens_there, taken)
    yield from _fall_names(log.falls, chart, [points for pieces in lines.values() for points in pieces], taken)


def gone_back(falls: Sequence[Fall], axis: Axis) -> list[tuple[Fall, int]]:
    """Falls with the number of records that each took, those of a broker within a few pixels as one; the largest first."""
    told: list[tuple[Fall, int]] = []
    for fall in sorted(falls, key=lambda fall: (fall.party, fall.at_ns)):
        records = fall.before - fall.after
        if told and told[-1][0].party == fall.party and axis.x(fall.at_ns) - axis.x(told[-1][0].at_ns) < _NEAR:
            told[-1] = (told[-1][0], told[-1][1] + records)
        else:
            told.append((fall, records))
    return sorted(told, key=lambda one: -one[1])


def _grid(chart: Chart) -> Iterator[str]:
    rounds = round_records(chart.low, chart.high)
    lines = "".join(f"M{chart.axis.left} {chart.y(offset)}H{chart.axis.right}" for offset in rounds)
    yield f'<path stroke="{INK}" opacity=".25" d="{lines}"/>'
    for offset in rounds:
        yield frame.text(
            chart.axis.left - 8, chart.y(offset) + 4, f"{offset:,}", f' text-anchor="end" font-size="{SMALL}"'
        )
    yield frame.text(
        chart.axis.left - 8, chart.y(rounds[-1]) + 18, "records", f' text-anchor="end" font-size="{SMALL}"'
    )


def _joined(pieces: Sequence[Piece], chart: Chart) -> list[Points]:
    """Where a line steps, at most once a column: (column, height) from there on, then where it ends."""
    lines: list[Points] = []
    for piece in pieces:
        columns = {chart.axis.x(at_ns): chart.y(value) for at_ns, value in piece.steps}
        points = [(x, y) for (_, before), (x, y) in pairwise([(0, -1), *columns.items()]) if y != before]
        points.append((max(chart.axis.x(piece.end_ns), points[-1][0] + 1), points[-1][1]))
        if lines and points[0][0] <= lines[-1][-1][0]:  # A gap that no pixel shows.
            lines[-1] = [point for point in lines[-1] if point[0] < points[0][0]] + points
        else:
            lines.append(points)
    return lines


def _path(points: Points) -> str:
    (x, y), *rest = points
    steps = [f"M{x} {y}"]
    for to_x, to_y in rest:
        steps.append((f"h{to_x - x}" if to_x != x else "") + (f"v{to_y - y}" if to_y != y else ""))
        x, y = to_x, to_y
    return "".join(steps)


def _watermark(marks: Sequence[Points], chart: Chart) -> Iterator[str]:
    """As an area, because the line itself lies below a log end most of the time."""
    if marks:
        line = "".join(_path(points) for points in marks)
        area = "".join(f"{_path(points)}V{chart.bottom}H{points[0][0]}z" for points in marks)
        yield f'<path fill="{INK}" opacity=".12" d="{area}"/>'
        yield f'<path stroke="{INK}" stroke-width="2" fill="none"{WATERMARK_DASH} d="{line}"/>'


def _lost(lost: Sequence[tuple[int, int]], chart: Chart) -> Iterator[str]:
    marks = [(chart.axis.x(at_ns), chart.y(offset)) for at_ns, offset in lost]
    size = 4
    while len(cells := {((x - 2) // size * size, (y - 2) // size * size) for x, y in marks}) > _CELLS_BUDGET:
        size *= 2
    if cells:
        d = "".join(f"M{x} {y}h{size}v{size}h-{size}z" for x, y in sorted(cells))
        yield f'<path fill="{LOST}" d="{d}"/>'


def _arrows(falls: Sequence[Fall], chart: Chart) -> Iterator[str]:
    """Down from where the log end was to where it went; never so short that nobody sees it."""
    spots: dict[int, tuple[int, int]] = {}
    for fall in falls:
        x, tip = chart.axis.x(fall.at_ns), chart.y(fall.after)
        top, lowest = spots.get(x, (tip, tip))
        spots[x] = (min(top, chart.y(fall.before), tip - 16), max(lowest, tip))
    if spots:
        shafts = "".join(f"M{x} {top}V{tip - 7}" for x, (top, tip) in sorted(spots.items()))
        heads = "".join(f"M{x} {tip}l-6 -9h12z" for x, (_, tip) in sorted(spots.items()))
        yield f'<path stroke="{FAIL}" stroke-width="2.5" fill="none" d="{shafts}"/><path fill="{FAIL}" d="{heads}"/>'


def _line_names(
    lines: Mapping[str, Sequence[Points]],
    marks: Sequence[Points],
    chart: Chart,
    pens_there: Mapping[str, Pen],
    taken: list[Box],
) -> Iterator[str]:
    """Right of the plot, where each line ends, and fanned out; a line that ends sooner has its name at its end."""
    right, wanted = chart.axis.right, []
    for broker, pieces in lines.items():
        if not pieces:
            continue
        pen, (x, y) = pens_there[broker], pieces[-1][-1]
        style = f'stroke="{pen.colour}" stroke-width="2.5"{pen.dash}'
        if x >= right - 1:
            wanted.append((y, broker, style))
        else:
            room = _spot(_around(x, y, f"{broker}, no answer"), taken, [], chart)
            yield from _put(f"{broker}, no answer", room, taken, INK)
    if marks and marks[-1][-1][0] >= right - 1:
        wanted.append((marks[-1][-1][1], WATERMARK, f'stroke="{INK}" stroke-width="2"{WATERMARK_DASH}'))
    for (y, name, style), at in zip(sorted(wanted), _spread([y for y, *_ in sorted(wanted)], chart), strict=True):
        yield f'<path {style} fill="none" d="M{right} {y}L{right + 12} {at}h6"/>'
        yield frame.text(right + 22, at + 4, name, f' font-size="{SMALL}" font-weight="bold"')


def _spread(heights: Sequence[int], chart: Chart) -> list[int]:
    """Ascending heights moved apart by a line of text, inside the chart as far as there is room."""
    placed: list[int] = []
    for y in heights:
        placed.append(max(y, placed[-1] + LINE_GAP) if placed else max(y, chart.top + 6))
    over = max(0, placed[-1] - chart.bottom) if placed else 0
    for index in range(len(placed) - 1, -1, -1):
        limit = chart.bottom if index == len(placed) - 1 else placed[index + 1] - LINE_GAP
        placed[index] = min(placed[index], limit) if over else placed[index]
    return placed


def _fall_names(falls: Sequence[Fall], chart: Chart, lines: Sequence[Points], taken: list[Box]) -> Iterator[str]:
    # The arrows are in the way too: a name on the arrow of another fall would be taken for its own.
    arrows = {(chart.axis.x(fall.at_ns), chart.y(fall.before), chart.y(fall.after)) for fall in falls}
    taken += [(x - 6, min(top, tip - 16), x + 6, tip) for x, top, tip in arrows]
    unnamed = 0
    for index, (fall, records) in enumerate(gone_back(falls, chart.axis)):
        name = f"{fall.party} −{records:,}"
        around = _around(chart.axis.x(fall.at_ns), chart.y(fall.after), name)
        spot = _spot(around, taken, lines, chart) if index < _FALLS_NAMED else None
        unnamed += spot is None
        yield from _put(name, spot, taken, FAIL)
    if unnamed:
        yield frame.text(
            chart.axis.left + 6, chart.top + 12, f"{unnamed:,} more went back, unnamed here", f' font-size="{SMALL}"'
        )


def _around(x: int, y: int, name: str) -> list[Box]:
    """Places for a name beside a point, the best first."""
    width, height = text_width(name, SMALL), SMALL + 3
    places = []
    for drop in (2, -20, 18, -36, 34, -52, 50):
        places += [
            (x + 9, y + drop, x + 9 + width, y + drop + height),
            (x - 9 - width, y + drop, x - 9, y + drop + height),
        ]
    return places


def _spot(places: Iterable[Box], taken: Sequence[Box], lines: Sequence[Points], chart: Chart) -> Box | None:
    """The place that covers no other text and the least of the lines; None when all are taken."""
    axis = chart.axis
    free = [
        box
        for box in places
        if box[0] > axis.left + 2
        and box[2] < axis.right
        and box[1] >= chart.top
        and box[3] <= chart.bottom - 1
        and not any(
            box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3] for other in taken
        )
    ]
    return min(free, key=lambda box: sum(_covered(box, line) for line in lines), default=None)


def _covered(box: Box, line: Points) -> int:
    """How many pixels of a line lie in a box, about."""
    left, top, right, bottom = box
    found = 0
    for (x, y), (to_x, to_y) in pairwise(line):
        if top <= y <= bottom:
            found += max(0, min(right, to_x) - max(left, x))
        if left <= to_x <= right:
            found += max(0, min(bottom, max(y, to_y)) - max(top, min(y, to_y)))
    return found


def _put(name: str, box: Box | None, taken: list[Box], colour: str) -> Iterator[str]:
    if box:
        taken.append(box)
        yield frame.text(box[0], box[3] - 3, name, f' fill="{colour}" font-size="{SMALL}" font-weight="bold"')
