"""
What a timeline shows, read from a history: a row per client, a lane per party whose role or leader was observed.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from chaos.guarantees.evidence import final_reads, identity
from chaos.history.records import Fault, History, Observation, Outcome, Value
from chaos.report.axis import Axis, Span, merged

_LEADING = frozenset({"master", "primary", "leader", "controller", "active", "holder"})
SILENCE = "probe-error"
"""Observations of this kind say that a server does not answer, or (None) that it answers again."""

_COLUMNS_BUDGET = 12_000
"""Pixel columns over all clients; with more, the grid gets coarser, so that a picture stays below 100 kB."""


@dataclass(slots=True)
class Marks:
    """One client's operations on the pixel grid. Not frozen: filled while the operations are walked once."""

    ok: set[Span] = field(default_factory=set)
    lost: set[Span] = field(default_factory=set)
    waited: set[Span] = field(default_factory=set)
    fail: set[Span] = field(default_factory=set)
    info: set[Span] = field(default_factory=set)
    points: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSpan:
    """How long a party had a role, or saw a leader: until the next such observation of that party."""

    begin_ns: int
    end_ns: int
    text: str
    leads: bool


def clients_of(history: History, axis: Axis) -> dict[str, Marks]:
    """Per client, in natural order of names, what it did: an ok at its answer, fail and info from asking to answer."""
    names = {operation.client for operation in history.operations}
    names |= {observation.party for observation in history.observations if observation.kind == "point"}
    rows = {name: Marks() for name in sorted(names, key=natural)}
    _mark_operations(history, axis, rows)
    for observation in history.observations:
        if observation.kind == "point":
            rows[observation.party].points.append((axis.x(observation.at_ns), words_of(observation.value)))
    return rows


def _mark_operations(history: History, axis: Axis, rows: dict[str, Marks]) -> None:
    # One pass over perhaps a million operations: plain arithmetic, sets absorb what falls into the same pixels.
    grid = 1 + len(rows) * (axis.right - axis.left) // _COLUMNS_BUDGET
    begin_ns, per_column = axis.begin_ns, axis.per_ns / grid
    last = (axis.right - axis.left) // grid
    lost = lost_writes(history)
    for operation in history.operations:
        marks = rows[operation.client]
        begin = max(0, int((operation.invoked_ns - begin_ns) * per_column))
        completed = operation.completed_ns
        end = last if completed is None else max(begin, int((completed - begin_ns) * per_column))
        if operation.outcome is Outcome.OK:
            (marks.lost if operation.index in lost else marks.ok).add((end, end + 1))
            if end - begin > 2:
                marks.waited.add((begin, end))
        else:
            bars = marks.fail if operation.outcome is Outcome.FAIL else marks.info
            bars.add((begin, max(end, begin + 2)))
    for marks in rows.values():
        for name in ("ok", "lost", "waited", "fail", "info"):
            setattr(marks, name, _in_pixels(getattr(marks, name), axis, grid))


def _in_pixels(columns: Iterable[Span], axis: Axis, grid: int) -> set[Span]:
    def pixel(column: int) -> int:
        return min(axis.right, axis.left + column * grid)

    return {(pixel(begin), max(pixel(end), pixel(begin) + 1)) for begin, end in merged(columns)}


def lost_writes(history: History) -> frozenset[int]:
    """The numbers of the writes that were acknowledged and are not in the final read: the heart of many pictures."""
    reads = final_reads(history)
    if not reads or not isinstance(reads[-1].result, list):
        return frozenset()
    read = reads[-1]
    found = {identity(value) for value in read.result}
    return frozenset(
        add.index
        for add in history.select("add", outcome=Outcome.OK)
        if identity(add.value) not in found and (add.completed_ns or 0) <= read.invoked_ns
    )


def totals(history: History) -> dict[Outcome, int]:
    """How many operations ended in which way."""
    counted = Counter(operation.outcome for operation in history.operations)
    return {outcome: counted[outcome] for outcome in Outcome}


def lanes_of(history: History, axis: Axis) -> dict[str, list[RoleSpan]]:
    """Per party, in natural order, its roles; a party that also reported a leader gets a second lane "n1 sees"."""
    seen: defaultdict[tuple[str, str], list[Observation]] = defaultdict(list)
    silent: defaultdict[str, list[Observation]] = defaultdict(list)
    for observation in history.observations:
        if observation.kind in {"role", "leader"}:
            seen[observation.party, observation.kind].append(observation)
        elif observation.kind == SILENCE:
            silent[observation.party].append(observation)
    lanes = {}
    for party, kind in sorted(seen, key=lambda key: (natural(key[0]), key[1] != "role")):
        name = f"{party} sees" if kind == "leader" and (party, "role") in seen else party
        lanes[name] = _spans([*seen[party, kind], *silent[party]], axis.end_ns)
    return lanes


def _spans(observations: Iterable[Observation], end_ns: int) -> list[RoleSpan]:
    """A probe's errors interrupt a role: what a server that does not answer holds itself for, nobody saw."""
    spans: list[RoleSpan] = []
    role, leads = "", False
    for observation in sorted(observations, key=lambda observation: observation.at_ns):
        if observation.kind != SILENCE:
            role, leads = _role(observation)
        silent = observation.kind == SILENCE and observation.value is not None
        text, blue = ("no answer", False) if silent else (role, leads)
        if spans and spans[-1].text == text:  # Seen again, not changed.
            continue
        if spans:
            spans[-1] = replace(spans[-1], end_ns=observation.at_ns)
        spans.append(RoleSpan(begin_ns=observation.at_ns, end_ns=end_ns, text=text, leads=blue))
    return [span for span in spans if span.text]


def _role(observation: Observation) -> tuple[str, bool]:
    text = words_of(observation.value)
    if observation.kind == "role":
        return text, text.split(",")[0].split(" ")[0].lower() in _LEADING
    if observation.value is True:
        return "leader", True
    if not observation.value:
        return "no leader", False
    return f"leader {text}", text == observation.party


def words_of(value: Value) -> str:
    """An observed value as a label: a text as it is, a mapping as its values with names where they are not obvious."""
    if value is None:
        return ""
    if isinstance(value, dict):
        plain = [words_of(value[key]) for key in ("name", "role", "leader") if key in value]
        rest = [f"{key} {words_of(item)}" for key, item in value.items() if key not in {"name", "role", "leader"}]
        return ", ".join(plain + rest)
    return str(value)


def struck(fault: Fault, names: Iterable[str]) -> list[str]:
    """The rows a fault names one by one (a paused client, a killed node); none when its target is a set of links."""
    tokens = [token for token in re.split(r"[,\s]+", fault.target) if token]
    known = set(names)
    return tokens if tokens and known.issuperset(tokens) else []


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key under which c2 comes before c10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
