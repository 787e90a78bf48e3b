"""
Judging a history as an object of some type: the question, and the answer in words and for programs.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from chaos.checkers import CHECKERS, check
from chaos.checkers.calls import Says
from chaos.cli.recheck_said import MOST_SHOWN, as_json, show_verdict
from chaos.cli.terminal import say
from chaos.errors import UsageError
from chaos.guarantees.doubt import judge_in_doubt
from chaos.guarantees.evidence import doubts_ns
from chaos.history import History, Operation, Outcome
from chaos.history.archive import load_from
from chaos.history.formats import ARCHIVE, Reading, read, recognise
from chaos.history.formats.recognition import LIVE
from chaos.history.source import Source
from chaos.verdict import Status, Verdict, unknown

if TYPE_CHECKING:
    from chaos.checkers.columnar import Judged

LARGE_BYTES = 1 << 20
_NUMBERED = re.compile(r"#(\d+) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What ``check`` is asked beside the operations."""

    model: str
    initial: object
    by_key: bool
    budget_s: float
    failed_cas: Literal["dropped", "mismatch"]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    The verdict, and what the file was.

    :param counts: operations by outcome.
    :param history: None if the file was judged without being loaded as a whole.
    """

    name: str
    format: str
    verdict: Verdict
    counts: Mapping[str, int]
    started_ns: int = 0
    history: History | None = None
    reading: Reading | None = None

    def as_json(self) -> dict[str, object]:
        """The verdict with format and counts; operations of the witness with the lines of a foreign file."""
        said = as_json(self.verdict)
        witness = self.verdict.witness
        if witness is not None and self.reading is not None:
            lines = [self._lines(operation) for operation in witness.operations]
            said["lines"] = [[begun, ended or None] for begun, ended in lines]
        remarks = list(self.reading.remarks) if self.reading else []
        return {**said, "file": self.name, "format": self.format, "operations": dict(self.counts), "remarks": remarks}

    def show(self) -> None:
        """The verdict in words."""
        total = sum(self.counts.values())
        by_outcome = ", ".join(f"{count} {outcome}" for outcome, count in self.counts.items() if count)
        say(f"{self.name}: {self.format}, {total} operations" + (f" ({by_outcome})" if by_outcome else ""))
        for remark in self.reading.remarks if self.reading else ():
            say(f"note: {remark}")
        show_verdict(self.verdict, self._witness())

    def _witness(self) -> list[str]:
        operations = self.verdict.witness.operations if self.verdict.witness else ()
        lines = [f"{operation} {self._when(operation)}" for operation in operations[-MOST_SHOWN:]]
        hidden = len(operations) - len(lines)
        return [f"({hidden} operations before these: --json has them)", *lines] if hidden else lines

    def _when(self, operation: Operation) -> str:
        if self.reading is not None:
            begun, ended = self._lines(operation)
            return f"[line {begun}, {f'line {ended}' if ended else 'no end'}]"
        ended_ns = operation.completed_ns
        end = "never" if ended_ns is None else f"{self._seconds(ended_ns):.3f} s"
        return f"[{self._seconds(operation.invoked_ns):.3f} s, {end}]"

    def _seconds(self, at_ns: int) -> float:
        return (at_ns - self.started_ns) / 1e9

    def _lines(self, operation: Operation) -> tuple[int, int]:
        assert self.reading is not None
        return self.reading.invoked[operation.index], self.reading.completed[operation.index]


def models() -> str:
    """The names of all types."""
    return ", ".join(CHECKERS)


def ask(source: Source, question: Question, *, whole: bool = False) -> Answer:
    """
    Judge the file; ``whole`` asks for its history too.

    :raises UsageError: for a type that there is not, and for everything in the file that is not as it must be.
    """
    if question.model not in CHECKERS:
        raise UsageError(f"there is no model {question.model!r}; there are {models()}")
    form = recognise(source.peek(), source.name)
    if form == LIVE:
        raise UsageError(
            f"{source.name} has what one client did, alone; judge the run's own history, which has all of them"
        )
    if form == ARCHIVE and not whole and (judged := _by_columns(source, question)):
        return Answer(
            name=source.name,
            format=form,
            verdict=judged.verdict,
            counts=judged.counts,
            started_ns=judged.started_ns,
        )
    reading = None if form == ARCHIVE else read(source)
    if reading is not None:
        question = replace(question, by_key=question.by_key or reading.keyed)
        reading = _remarked(reading, question)
    history = reading.history if reading else load_from(source)
    return Answer(
        name=source.name,
        format=form,
        verdict=_verdict(source.name, history, question, reading),
        counts=_counts(history.operations),
        started_ns=history.header.started_ns,
        history=history,
        reading=reading,
    )


def _by_columns(source: Source, question: Question) -> "Judged | None":
    """The fast way, where there is one; for small files, loading numpy takes longer than judging."""
    if question.by_key or source.path is None or source.path.stat().st_size < LARGE_BYTES:
        return None
    from chaos.checkers.columnar import judge_file

    return judge_file(
        source.path, question.model, initial=question.initial, names=question.names, budget_s=question.budget_s
    )


def _counts(operations: Sequence[Operation]) -> dict[str, int]:
    found = Counter(operation.outcome.value for operation in operations)
    return {outcome: found[outcome] for outcome in ("ok", "fail", "info")}


def _verdict(name: str, history: History, question: Question, reading: Reading | None) -> Verdict:
    operations = history.operations
    if not operations:
        return unknown(question.model, "there is no operation in it")
    try:
        asked = _filled(operations, question) if reading else operations
        verdict = judge_in_doubt(asked, doubts_ns(history, asked), lambda these: _checked(these, question))
        return _seen(verdict, operations, question)
    except UsageError as problem:
        raise UsageError(f"{name}{_line(str(problem), reading)}: {problem}") from problem
    except MemoryError:
        return unknown(question.model, "the analysis needs more memory than this machine has")
    except RecursionError:
        return unknown(question.model, "some value has too many lists or maps inside each other to be compared")


def _checked(operations: Sequence[Operation], question: Question) -> Verdict:
    return check(
        operations,
        question.model,
        initial=question.initial,
        by_key=question.by_key,
        budget_s=question.budget_s,
        failed_cas=question.failed_cas,
        names=question.names,
    )


def _seen(verdict: Verdict, operations: Sequence[Operation], question: Question) -> Verdict:
    """A set that nobody read kept what it promised only because nobody looked; under ``by_key``, so did that of each key."""
    if question.model != "set" or verdict.status is not Status.HOLDS:
        return verdict
    filled, read_ = dict[str, object](), set[str]()
    for each in operations:
        key = each.value[0] if question.by_key and isinstance(each.value, list) and each.value else None
        if each.ok and question.names.get(each.f, each.f) in ("read", "contains"):
            read_.add(repr(key))
        elif each.ok:
            filled[repr(key)] = key
    unread = [key for name, key in filled.items() if name not in read_]
    if read_ and not unread:
        return verdict
    of = f" of key {unread[0]}" if question.by_key and unread else ""
    return replace(unknown(question.model, f"nobody read the set{of}"), measures=verdict.measures)


def _filled(operations: Sequence[Operation], question: Question) -> Sequence[Operation]:
    """
    With the arguments that their clients chose only after the invocation was recorded: its value is nil, and the completion
    says what was written or added.
    """
    kinds = CHECKERS[question.model].kinds
    arguing = {f for f, says in kinds.items() if says is Says.VALUE or f == "txn"} - {"acquire", "release"}
    late = set[str]()

    def filled(each: Operation) -> Operation:
        f = question.names.get(each.f, each.f)
        nothing = _bare(each.value, question) is None
        if f not in arguing or not nothing or not each.ok or _bare(each.result, question) is None:
            return each
        late.add(f)
        return replace(each, value=each.result)

    found = [filled(each) for each in operations]
    for each in found:
        if (
            each.outcome is Outcome.INFO
            and question.names.get(each.f, each.f) in late
            and _bare(each.value, question) is None
        ):
            raise UsageError(
                f"{each}: neither its invocation nor a completion says its value, so nobody knows what it did"
            )
    return found


def _bare(value: object, question: Question) -> object:
    return value[1] if question.by_key and isinstance(value, list) and len(value) == 2 else value


def _remarked(reading: Reading, question: Question) -> Reading:
    """With a word on values that look like keys and values, if nobody said that they are."""
    if reading.keyed:
        return replace(
            reading, remarks=(*reading.remarks, "each op names its key, so each key is an object of its own")
        )
    reads = [each.value for each in reading.history.operations if each.f in ("read", "get")]
    keyed = reads and all(isinstance(each, list) and len(each) == 2 and each[1] is None for each in reads)
    if question.by_key or not keyed or question.model in ("session", "versioned-register"):
        return reading
    remark = "reads ask for [key nil]: if values are pairs of key and value, judge with --by-key"
    return replace(reading, remarks=(*reading.remarks, remark))


def _line(reason: str, reading: Reading | None) -> str:
    """Where the operation stands that a checker complains of: it begins with the operation's number."""
    found = _NUMBERED.match(reason)
    index = int(found[1]) if found else -1
    return f", line {reading.invoked[index]}" if reading and 0 <= index < len(reading.invoked) else ""
