"""
A saved history is the same history when it is read again, or it is refused.
"""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import HarnessError, HistoryFormatError
from chaos.history import Fault, Header, History, Observation, Operation, Outcome, Phase
from chaos.history.archive import load, save
from tests.history.build import fault, history, op
from tests.history.test_events import JSON

STAMP = st.integers(0, 10**18)
NAMES = st.text(max_size=8)
NOTES = st.dictionaries(NAMES, JSON, max_size=3)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    invoked = draw(STAMP)
    completed = draw(st.none() | st.integers(invoked, invoked + 10**12))
    outcome = Outcome.INFO if completed is None else draw(st.sampled_from(Outcome))
    return Operation(
        index=draw(st.integers(0, 99)),
        client=draw(NAMES),
        f=draw(NAMES),
        value=draw(JSON),
        invoked_ns=invoked,
        outcome=outcome,
        completed_ns=completed,
        result=draw(JSON),
        error=draw(st.none() | NAMES),
        notes=draw(NOTES),
    )


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    begun = draw(STAMP)
    later = st.none() | st.integers(begun, begun + 10**12)
    return Fault(
        name=draw(NAMES),
        target=draw(NAMES),
        begun_ns=begun,
        effective_ns=draw(later),
        healing_ns=draw(later),
        healed_ns=draw(later),
        mode=draw(st.none() | NAMES),
        evidence=draw(NOTES),
    )


HISTORIES = st.builds(
    History,
    header=st.builds(Header, experiment=NAMES, seed=STAMP, started_ns=STAMP, ended_ns=STAMP, systems=NOTES),
    operations=st.lists(operations(), max_size=6).map(tuple),
    faults=st.lists(faults(), max_size=3).map(tuple),
    observations=st.lists(st.builds(Observation, at_ns=STAMP, party=NAMES, kind=NAMES, value=JSON), max_size=3).map(
        tuple
    ),
    phases=st.lists(st.builds(Phase, at_ns=STAMP, name=NAMES), max_size=3).map(tuple),
)


@given(recorded=HISTORIES, suffix=st.sampled_from([".jsonl", ".jsonl.gz"]))
def test_loaded_history_equals_the_saved_one(
    tmp_path_factory: pytest.TempPathFactory, recorded: History, suffix: str
) -> None:
    path = save(recorded, tmp_path_factory.mktemp("archive") / f"history{suffix}")
    assert load(path) == recorded


def example() -> History:
    return history([op("c1", "add", 1, at=1), op("c2", "add", 2, at=2, took=None)], [fault(1, 2)])


def test_same_history_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = save(example(), tmp_path / "a.jsonl.gz"), save(example(), tmp_path / "b.jsonl.gz")
    assert first.read_bytes() == second.read_bytes()


def test_first_line_is_the_header_and_each_record_has_its_line(tmp_path: Path) -> None:
    text = save(example(), tmp_path / "history.jsonl").read_text()
    header, *records = [json.loads(line) for line in text.splitlines()]
    assert header["schema"] == 1
    assert [next(iter(record)) for record in records] == ["fault", "operation", "operation"]


def test_long_history_is_read_in_batches_without_loss(tmp_path: Path) -> None:
    recorded = history(op("c1", "add", value, at=value) for value in range(1000))
    assert load(save(recorded, tmp_path / "history.jsonl")) == recorded


def test_unsaveable_value_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot save the history"):
        save(history([op("c1", "add", {1, 2})]), tmp_path / "history.jsonl")
    assert list(tmp_path.iterdir()) == []


HEADER = '{"schema":1,"records":{"operation":1,"fault":0,"observation":0,"phase":0}}'
GOOD = '{"operation":0,"client":"c1","f":"add","invoked_ns":5,"outcome":"ok","completed_ns":9}'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD.replace('"ok"', '"maybe"'), "'maybe' is no outcome"),
        (GOOD.replace("9", "4"), "operation 0 completed at 4, before its invocation at 5"),
        (GOOD.replace(',"completed_ns":9', ""), "operation 0 is ok and never completed"),
        (GOOD.replace(',"invoked_ns":5', ""), "'invoked_ns' is missing"),
        (GOOD.replace("5", "5.5"), "whole numbers"),
        (GOOD.replace('"c1"', "1"), "a client and a name as text"),
        (GOOD.replace('"f"', '"g"'), "'f' is missing"),
        (GOOD.replace("}", ',"colour":"red"}'), "unexpected keyword argument 'colour'"),
        (GOOD.replace('"operation"', '"opera"'), "'opera' is missing, or no kind of record"),
        (GOOD[:-1], "not JSON"),
        ("17", "not iterable"),
        ("{}", "an empty record"),
        ('{"phase":"steady"}', "at_ns"),
        ('{"phase":1,"at_ns":1}', "name is not text"),
        ('{"observation":"role","at_ns":"noon","party":"n1"}', "at_ns is not a whole number"),
        ('{"fault":"isolate","target":"n1","begun_ns":5,"healed_ns":4}', "backwards within fault 'isolate'"),
        ('{"fault":"isolate","target":"n1","begun_ns":5,"healed_ns":"x"}', "not whole numbers"),
        (GOOD.replace("9", "NaN"), "NaN is not JSON"),
    ],
)
def test_wrong_line_is_refused_with_its_number_and_reason(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(f"{HEADER}\n{GOOD}\n{line}\n{GOOD}\n")
    with pytest.raises(HistoryFormatError, match=r"history.jsonl, in line 3: ") as refused:
        load(path)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("what is this\n", "line 1: not JSON"),
        ("[]\n", "line 1: not a record"),
        ('{"schema":2,"records":{}}\n', "line 1: schema 2 is not 1"),
        ('{"schema":1}\n', "does not say how many records"),
        (f'{HEADER[:-1]},"seeds":3}}\n', "unexpected keyword argument 'seeds'"),
        (f'{HEADER[:-1]},"started_ns":"now"}}\n', "started_ns is not a whole number"),
        (f"{HEADER}\n", "announced 1 operation records, 0 are here"),
        (f"{HEADER}\n{GOOD}\n{GOOD}\n", "announced 1 operation records, 2 are here"),
        (f"{HEADER}\n{GOOD}", "line 2: the line has no end"),
        (HEADER, "line 1: the line has no end"),
    ],
)
def test_wrong_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(text)
    with pytest.raises(HistoryFormatError) as refused:
        load(path)
    assert reason in str(refused.value)


def test_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = save(example(), tmp_path / "whole.jsonl.gz").read_bytes()
    path = tmp_path / "cut.jsonl.gz"
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(HistoryFormatError):
            load(path)


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    whole = bytearray(save(example(), tmp_path / "whole.jsonl.gz").read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path = tmp_path / "damaged.jsonl.gz"
    path.write_bytes(whole)
    with pytest.raises(HistoryFormatError):
        load(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl.gz"
    path.write_bytes(gzip.compress(HEADER.encode() + b"\n\xff\xfe\n"))
    with pytest.raises(HistoryFormatError, match="after line 0: not UTF-8"):
        load(path)


def test_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(HistoryFormatError, match=r"nowhere.jsonl.*cannot be read"):
        load(tmp_path / "nowhere.jsonl")
