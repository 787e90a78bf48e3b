"""
What was seen of a replicated log, read from a history: log ends, who led in which epoch, who was in the in-sync set.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TypeVar

from chaos.history.records import History, Observation, Value
from chaos.report.lanes import SILENCE, lost_writes, natural

LOG_END = "log-end"
_WATERMARK = "high-watermark"
_VIEW = frozenset({"role", "leader", "epoch", "isr", "elr", _WATERMARK, SILENCE})

_ONE_LOOK_NS = 2_000_000
"""Observations this close together are one look: a probe notes the role a moment before the epoch that goes with it."""

T = TypeVar("T")

State = Mapping[str, Mapping[str, Value]]
"""Per party the latest value of each kind."""


class Seat(Enum):
    """Whether a broker is in the in-sync set, and who says so."""

    IN = "in the ISR"
    """The leader of the newest epoch counts it."""
    STALE = "only a deposed leader counts it"
    """The leader of the newest epoch does not; one of an older epoch, that has not heard of its end, still does."""
    REPORTED = "nobody leads; others count it"
    """No leader of the newest epoch answers; a broker that knows this epoch counts it."""
    OUT = "not in the ISR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A number as it went while it could be seen: (stamp, value) from each change on, until the end."""

    steps: Sequence[tuple[int, int]]
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """A log end that went back: a truncation. Behind a silence it is dated when it was seen."""

    at_ns: int
    party: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reign:
    """How long a broker held itself for the leader, and whether no newer epoch was known anywhere meanwhile."""

    begin_ns: int
    end_ns: int
    party: str
    epoch: int | None
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """How long a broker's membership stayed the same; eligible: in the ELR, out of the ISR and still safe to elect."""

    begin_ns: int
    end_ns: int
    seat: Seat
    eligible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """All that a picture of one replicated log shows."""

    ends: Mapping[str, Sequence[Piece]]
    falls: Sequence[Fall]
    watermark: Sequence[Piece]
    reigns: Sequence[Reign]
    seats: Mapping[str, Sequence[Sitting]]
    lost: Sequence[tuple[int, int]]
    """(stamp of the acknowledgement, offset) of each acknowledged record that is not in the final read."""
    lost_elsewhere: int
    """How many more were lost whose offset is not known: their acknowledgement named none."""

    @property
    def brokers(self) -> list[str]:
        """Everybody with a replica, and who else was counted or led."""
        return sorted({*self.ends, *self.seats, *(reign.party for reign in self.reigns)}, key=natural)

    @property
    def disputes(self) -> list[tuple[Reign, Reign]]:
        """Leaders of an older epoch, each with the leader of the newest at the same time."""
        new = [reign for reign in self.reigns if reign.current]
        old = [reign for reign in self.reigns if not reign.current]
        return [(one, two) for one in old for two in new if one.begin_ns < two.end_ns and two.begin_ns < one.end_ns]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What one moment looked like."""

    leaders: Mapping[str, tuple[int | None, bool]]
    seats: Mapping[str, tuple[Seat, bool]]
    watermark: int | None


def replication_of(history: History, end_ns: int) -> Replication | None:
    """What was seen of the log; None when no log end was."""
    seen: defaultdict[str, list[Observation]] = defaultdict(list)
    for observation in sorted(history.observations, key=lambda observation: observation.at_ns):
        if observation.kind in {LOG_END, SILENCE}:
            seen[observation.party].append(observation)
    ends = {
        party: list(_pieces(mine, end_ns)) for party, mine in seen.items() if any(one.kind == LOG_END for one in mine)
    }
    if not ends:
        return None
    scenes = list(_scenes(history))
    lost, elsewhere = _lost(history)
    return Replication(
        ends={party: ends[party] for party in sorted(ends, key=natural)},
        falls=[fall for party in ends for fall in _falls(seen[party])],
        watermark=_watermark(scenes, end_ns),
        reigns=_reigns(scenes, end_ns),
        seats=_sittings(scenes, end_ns),
        lost=lost,
        lost_elsewhere=elsewhere,
    )


def _pieces(mine: Iterable[Observation], end_ns: int) -> Iterator[Piece]:
    """A log end as it went; what a broker that does not answer has in its log, nobody saw."""
    steps: list[tuple[int, int]] = []
    last: int | None = None
    silent = False
    for one in mine:
        if one.kind == LOG_END:
            last = _number(one.value)
        elif one.value is not None and steps:
            yield Piece(steps=steps, end_ns=one.at_ns)
            steps = []
        if one.kind == SILENCE:
            silent = one.value is not None
        if last is not None and not silent:  # A first answer is noted before the end of the silence that it ends.
            steps.append((one.at_ns, last))
    if steps:
        yield Piece(steps=steps, end_ns=max(end_ns, steps[-1][0]))


def _falls(mine: Iterable[Observation]) -> Iterator[Fall]:
    numbers = [(one, number) for one in mine if one.kind == LOG_END and (number := _number(one.value)) is not None]
    for (_, before), (one, after) in pairwise(numbers):
        if after < before:
            yield Fall(at_ns=one.at_ns, party=one.party, before=before, after=after)


def _scenes(history: History) -> Iterator[tuple[int, _Scene]]:
    newest: int | None = None
    for at_ns, state in _looks(history.observations):
        known = [epoch for mine in state.values() if (epoch := _number(mine.get("epoch"))) is not None]
        newest = max([*known, *([] if newest is None else [newest])], default=None)
        yield at_ns, _scene(state, newest)


def _looks(observations: Iterable[Observation]) -> Iterator[tuple[int, State]]:
    state: defaultdict[str, dict[str, Value]] = defaultdict(dict)
    began: int | None = None
    for one in sorted((one for one in observations if one.kind in _VIEW), key=lambda one: one.at_ns):
        if began is not None and one.at_ns - began > _ONE_LOOK_NS:
            yield began, state
            began = None
        began = one.at_ns if began is None else began
        state[one.party][one.kind] = one.value
    if began is not None:
        yield began, state


def _scene(state: State, newest: int | None) -> _Scene:
    answering = {party: mine for party, mine in state.items() if mine.get(SILENCE) is None}
    knowing = {party: mine for party, mine in answering.items() if _number(mine.get("epoch")) == newest}
    leading = {party: mine for party, mine in answering.items() if _leads(party, mine)}
    current = {party: mine for party, mine in leading.items() if party in knowing}
    deposed = {party: mine for party, mine in leading.items() if party not in knowing}
    told = current or {party: mine for party, mine in knowing.items() if "isr" in mine}
    counted = _names(told, "isr")
    stale, eligible = _names(deposed, "isr"), _names(told, "elr")
    seat = Seat.IN if current else Seat.REPORTED
    everybody = {*_names(state, "isr"), *_names(state, "elr"), *(party for party in state if "isr" in state[party])}
    seats = {
        party: (seat if party in counted else Seat.STALE if party in stale else Seat.OUT, party in eligible)
        for party in everybody
        if told or deposed
    }
    marks = [mark for mine in current.values() if (mark := _number(mine.get(_WATERMARK))) is not None]
    return _Scene(
        leaders={party: (_number(mine.get("epoch")), party in current) for party, mine in leading.items()},
        seats=seats,
        watermark=max(marks, default=None),
    )


def _leads(party: str, mine: Mapping[str, Value]) -> bool:
    return mine["role"] == "leader" if "role" in mine else mine.get("leader") == party


def _names(views: State, kind: str) -> set[str]:
    return {str(name) for mine in views.values() if isinstance(mine.get(kind), list) for name in mine[kind]}


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _runs(moments: Iterable[tuple[int, T]], end_ns: int) -> Iterator[tuple[int, int, T]]:
    """Stretches in which a thing stayed the same."""
    begin: int | None = None
    held: T
    for at_ns, thing in moments:
        if begin is None:
            begin, held = at_ns, thing
        elif thing != held:
            yield begin, at_ns, held
            begin, held = at_ns, thing
    if begin is not None:
        yield begin, max(begin, end_ns), held


def _reigns(scenes: Sequence[tuple[int, _Scene]], end_ns: int) -> list[Reign]:
    parties = sorted({party for _, scene in scenes for party in scene.leaders}, key=natural)
    return [
        Reign(begin_ns=begin, end_ns=end, party=party, epoch=lead[0], current=lead[1])
        for party in parties
        for begin, end, lead in _runs(((at_ns, scene.leaders.get(party)) for at_ns, scene in scenes), end_ns)
        if lead
    ]


def _sittings(scenes: Sequence[tuple[int, _Scene]], end_ns: int) -> dict[str, list[Sitting]]:
    parties = sorted({party for _, scene in scenes for party in scene.seats}, key=natural)
    return {
        party: [
            Sitting(begin_ns=begin, end_ns=end, seat=held[0], eligible=held[1])
            for begin, end, held in _runs(((at_ns, scene.seats.get(party)) for at_ns, scene in scenes), end_ns)
            if held
        ]
        for party in parties
    }


def _watermark(scenes: Sequence[tuple[int, _Scene]], end_ns: int) -> list[Piece]:
    """The high watermark as the leader of the newest epoch says; nothing while there is none that answers."""
    pieces: list[Piece] = []
    steps: list[tuple[int, int]] = []
    for begin, end, mark in _runs(((at_ns, scene.watermark) for at_ns, scene in scenes), end_ns):
        if mark is not None:
            steps.append((begin, mark))
        if steps and (mark is None or end >= end_ns):
            pieces.append(Piece(steps=steps, end_ns=begin if mark is None else end))
            steps = []
    return pieces


def _lost(history: History) -> tuple[list[tuple[int, int]], int]:
    # A run may write to other logs too; the snapshots say which one is watched.
    logs = {one.value["log"] for one in history.observations if one.kind == "replica-log"}
    lost, elsewhere = lost_writes(history), 0
    marks = []
    for operation in history.operations:
        if operation.index not in lost or (logs and operation.notes.get("log", next(iter(logs))) not in logs):
            continue
        offset = _number(operation.result)
        if offset is None or offset < 0 or operation.completed_ns is None:  # Libraries say -1 where a broker said none.
            elsewhere += 1
        else:
            marks.append((operation.completed_ns, offset))
    return marks, elsewhere
