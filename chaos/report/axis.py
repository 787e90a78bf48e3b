"""
The geometry of a timeline: seconds to pixels, marks merged on a pixel grid, labels that never overlap.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chaos.history.records import History
from chaos.report.words import cut

Span = tuple[int, int]
"""A stretch of pixels, from and to."""

POLE_GAP = 4
"""Pixels between a label's pole and its text."""

TEXT_GAP = 8
"""Pixels between two texts in one row."""

_CHARACTER_EM = 0.56
"""Mean width of a character; wide enough for the broad sans-serif faces that Linux falls back to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """
    The one time axis of a picture: stamps on the run's clock to pixels.

    :param grain: pixels that are told apart; a coarser one makes a picture of very many changes smaller.
    """

    begin_ns: int
    end_ns: int
    left: int
    right: int
    grain: int = 1

    @property
    def per_ns(self) -> float:
        """Pixels a nanosecond."""
        return (self.right - self.left) / (self.end_ns - self.begin_ns)

    def x(self, at_ns: int | None) -> int:
        """The pixel of a stamp, kept inside the plot; None, which never came, is the right edge."""
        if at_ns is None or at_ns >= self.end_ns:
            return self.right
        along = int((at_ns - self.begin_ns) * self.per_ns)
        return min(self.right, max(self.left, self.left + along - along % self.grain))


def axis_of(history: History, *, left: int, right: int) -> Axis:
    """The axis that shows all of a history. It begins where the header says the run began."""
    stamps = [operation.invoked_ns for operation in history.operations]
    stamps += [operation.completed_ns for operation in history.operations if operation.completed_ns is not None]
    for fault in history.faults:
        stamps += [at for at in (fault.begun_ns, fault.healing_ns, fault.healed_ns) if at is not None]
    stamps += [observation.at_ns for observation in history.observations]
    stamps += [phase.at_ns for phase in history.phases]
    begin = history.header.started_ns or min(stamps, default=0)
    end = max([*stamps, history.header.ended_ns, begin])
    return Axis(begin_ns=begin, end_ns=end if end > begin else begin + 1_000_000_000, left=left, right=right)


def ticks(begin_s: float, end_s: float, *, about: int = 8) -> list[float]:
    """Round seconds between two times, one, two or five apart at some power of ten."""
    raw = (end_s - begin_s) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first, last = math.ceil(begin_s / step - 1e-9), math.floor(end_s / step + 1e-9)
    return [round(index * step, 9) for index in range(first, last + 1)]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Touching and overlapping stretches joined into one, in order."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def text_width(text: str, size: int) -> int:
    """About how many pixels a text takes; wide (East Asian) characters count double."""
    return math.ceil(sum(1.0 if ord(letter) > 0x2E80 else _CHARACTER_EM for letter in text) * size)


def fitted(text: str, room: int, size: int) -> str:
    """The text cut to the room there is; nothing when not even three letters fit."""
    if text_width(text, size) <= room:
        return text
    letters = int(room / (size * _CHARACTER_EM))
    return cut(text, letters) if letters >= 4 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A placed text: the pixel it points at, the stretch it covers, and its row counted from the top."""

    at: int
    begin: int
    end: int
    row: int
    text: str

    @property
    def before(self) -> bool:
        """Whether the text stands left of what it points at."""
        return self.begin < self.at

    @property
    def text_at(self) -> int:
        """Where the text begins, clear of the pole; for a text left of its pole, where it ends."""
        return self.at - POLE_GAP if self.before else self.begin + POLE_GAP


def placed(
    wanted: Sequence[tuple[int, str]], *, size: int, right: int, rows: int, poles: bool = True
) -> tuple[list[Label], int]:
    """
    Give each text a row in which it covers no other text, and no flag pole runs through it.

    A pole runs from its label down to the plot. A text stands right of its pole, or left of it where the right edge is
    near. Returns the labels and how many found no room.

    :param poles: whether poles are drawn; without them only other texts are in the way.
    """
    labels: list[Label] = []
    for at, text in sorted(wanted):
        width = text_width(text, size) + POLE_GAP
        begin = at if at + width <= right else max(0, at - width)
        ends = begin + width
        row = next((row for row in range(rows) if _clear(labels, row, at, begin, ends, poles=poles)), None)
        if row is not None:
            labels.append(Label(at=at, begin=begin, end=ends, row=row, text=text))
    return labels, len(wanted) - len(labels)


def _clear(labels: Sequence[Label], row: int, at: int, begin: int, end: int, *, poles: bool) -> bool:
    for other in labels:
        if other.row == row and begin < other.end + TEXT_GAP and other.begin < end + TEXT_GAP:
            return False
        if poles and other.row < row and begin < other.at < end:
            return False
        if poles and other.row > row and other.begin - 1 < at < other.end:
            return False
    return True
