"""
The clock of parties under another kernel, read as the observer's: what its stamps were here, and how far that may be off.

An agent's answer carries its clock's time, and was on its way between two readings of ours: so much is certain, however uneven
the two ways were. Between two such answers the clocks part by no more than ``DRIFT_PPM``; what contradicts that was a step.

Stamps are translated by a line through points that are never moved again, so they keep their order and stay what they were.
"""

import threading
import time
from bisect import bisect_left
from dataclasses import dataclass

DRIFT_PPM = 1000
"""How much faster or slower one clock may go than the other: each kernel lets NTP steer its clock by 500."""
APART_NS = 20_000_000
"""So far points lie apart at least, unless a later stamp is to be translated."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An instant of their clock, with the earliest and the latest that ours can have shown then."""

    at_ns: int
    low_ns: int
    high_ns: int

    def carried_to(self, at_ns: int) -> "Reading":
        """What it says of an earlier or later instant of their clock."""
        apart = at_ns - self.at_ns
        drift = -(-abs(apart) * DRIFT_PPM // 1_000_000)
        return Reading(at_ns, self.low_ns + apart - drift, self.high_ns + apart + drift)

    def both(self, other: "Reading") -> "Reading | None":
        """What two readings of one instant say together; None if they contradict each other."""
        low, high = max(self.low_ns, other.low_ns), min(self.high_ns, other.high_ns)
        return Reading(self.at_ns, low, high) if low <= high else None

    @property
    def middle_ns(self) -> int:
        """The best guess."""
        return (self.low_ns + self.high_ns) // 2

    def off_ns(self, shown_ns: int) -> int:
        """How far this guess may be off."""
        return max(self.high_ns - shown_ns, shown_ns - self.low_ns)


@dataclass(frozen=True, slots=True)
class Point:
    """
    Where the line of translation goes through.

    :param shown_ns: what ``reading.at_ns`` is translated to.
    :param stepped: whether a clock stepped since the point before.
    """

    reading: Reading
    shown_ns: int
    stepped: bool


class Clock:
    """
    One foreign clock. Threads may share it.

    :param name: tells it from others.
    :param fineness_ns: by how much at most our own clock stands still between two ticks.
    """

    def __init__(self, name: str = "", fineness_ns: int | None = None) -> None:
        self.name = name
        ours = time.get_clock_info("monotonic").resolution
        self._fineness_ns = max(1, round(ours * 1e9)) if fineness_ns is None else fineness_ns
        self._lock = threading.Lock()
        self._latest: Reading | None = None
        self._stepped = False
        self._points: list[Point] = []
        self._times: list[int] = []
        """Of each point, on their clock: what is searched in."""
        self._worst_ns = 0

    def heard(self, asked_ns: int, at_ns: int, answered_ns: int) -> None:
        """An answer that was stamped ``at_ns`` there, and was asked for and came at these times of ours."""
        with self._lock:
            fresh = Reading(at_ns, asked_ns, answered_ns + self._fineness_ns)
            if self._latest is not None:
                if at_ns <= self._latest.at_ns:
                    return  # It lay here for a while, and says less than the one that overtook it.
                together = self._latest.carried_to(at_ns).both(fresh)
                self._stepped = self._stepped or together is None
                fresh = together or fresh
            self._latest = fresh
            if not self._times or at_ns - self._times[-1] >= APART_NS:
                self._set_point(fresh)

    def observed(self, at_ns: int) -> int:
        """This stamp of theirs on our clock; the same each time, as long as it is no later than the last answer."""
        with self._lock:
            latest = self._known()
            if self._times[-1] < at_ns and self._times[-1] < latest.at_ns:
                self._set_point(latest)
            sure, shown_ns = self._place(at_ns)
            self._worst_ns = max(self._worst_ns, sure.off_ns(shown_ns))
            return shown_ns

    def foreseen(self, at_ns: int) -> int:
        """
        An instant of theirs that may lie ahead (the end of a lease) on our clock.

        What is behind the last answer is a stamp like any other. What is ahead moves with the drift until then, which is no
        error of anything that was seen: all that lies on this side of it.
        """
        with self._lock:
            if at_ns > self._known().at_ns:
                return self._place(at_ns)[1]
        return self.observed(at_ns)

    @property
    def error_ns(self) -> int:
        """How far a stamp may be off that was translated so far, or would be translated now."""
        with self._lock:
            latest = self._known()
            return max(self._worst_ns, latest.off_ns(latest.middle_ns)) + self._fineness_ns

    @property
    def latest_ns(self) -> int:
        """Their time of the last answer."""
        with self._lock:
            return self._known().at_ns

    def may_be_ours(self) -> bool:
        """Whether both clocks show the same, as far as can be told."""
        with self._lock:
            latest = self._known()
            return latest.low_ns <= latest.at_ns <= latest.high_ns

    def _known(self) -> Reading:
        if self._latest is None:
            raise ValueError("nobody has answered yet, so nothing is known of this clock")
        return self._latest

    def _set_point(self, reading: Reading) -> None:
        before = self._points[-1].shown_ns if self._points else reading.middle_ns
        self._points.append(Point(reading, max(before, reading.middle_ns), self._stepped))
        self._times.append(reading.at_ns)
        self._stepped = False

    def _place(self, at_ns: int) -> tuple[Reading, int]:
        """What is sure of this instant, and what it is translated to."""
        after = bisect_left(self._times, at_ns)
        if after in (0, len(self._points)):
            nearest = self._points[min(after, len(self._points) - 1)]
            return nearest.reading.carried_to(at_ns), nearest.shown_ns + at_ns - nearest.reading.at_ns
        left, right = self._points[after - 1], self._points[after]
        passed, whole = at_ns - left.reading.at_ns, right.reading.at_ns - left.reading.at_ns
        shown_ns = left.shown_ns + (right.shown_ns - left.shown_ns) * passed // whole
        together = left.reading.carried_to(at_ns).both(right.reading.carried_to(at_ns))
        if right.stepped or together is None:  # All that is sure is that no clock goes back.
            together = Reading(at_ns, left.reading.low_ns, right.reading.high_ns)
        return together, shown_ns
