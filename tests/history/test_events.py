"""
What clients write is what readers see, whole or torn, whatever the values.
"""

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import HarnessError, HistoryFormatError
from chaos.history import Outcome
from chaos.history.events import EventReader, EventWriter

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
START = b'{"start":"c1","at_ns":1,"schema":1}\n'


def read(path: Path, client: str = "c1") -> EventReader:
    reader = EventReader(client)
    reader.feed(path.read_bytes())
    return reader


def write_one_of_each(path: Path) -> EventWriter:
    writer = EventWriter(path, "c1")
    invocation = writer.invoke("add", 17)
    writer.point("between check and write")
    writer.complete(invocation, Outcome.OK, result=1, error="slow", notes={"address": "198.18.0.3:6379"})
    writer.observe("lease", {"ttl_ms": 300})
    writer.invoke("add", "ünïcode\n\u2028")
    writer.broken(TypeError("no such thing"))
    writer.done()
    return writer


def test_every_line_is_json_and_carries_a_stamp(tmp_path: Path) -> None:
    write_one_of_each(tmp_path / "c1.jsonl")
    events = [json.loads(line) for line in (tmp_path / "c1.jsonl").read_text().splitlines()]
    kinds = [next(iter(event)) for event in events]
    assert kinds == ["start", "invoke", "point", "complete", "observe", "invoke", "broken", "done"]
    stamps = [event["at_ns"] for event in events]
    assert stamps == sorted(stamps)


def test_reader_sees_what_the_writer_recorded(tmp_path: Path) -> None:
    write_one_of_each(tmp_path / "c1.jsonl")
    reader = read(tmp_path / "c1.jsonl")
    added, waiting = reader.operations()
    assert (added.f, added.value, added.outcome, added.result) == ("add", 17, Outcome.OK, 1)
    assert (added.error, added.notes) == ("slow", {"address": "198.18.0.3:6379"})
    assert (waiting.value, waiting.outcome, waiting.completed_ns) == ("ünïcode\n\u2028", Outcome.INFO, None)
    assert [point.value for point in reader.points] == ["between check and write"]
    assert [seen.kind for seen in reader.observations] == ["point", "lease", "broken"]
    assert reader.broken == ["TypeError: no such thing"]
    assert reader.ended


def test_invocation_is_in_the_file_before_invoke_returns(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "c1.jsonl", "c1")
    invocation = writer.invoke("add", 1)
    (waiting,) = read(tmp_path / "c1.jsonl").open_operations()
    assert waiting.invoked_ns == invocation.at_ns
    writer.close()


@given(value=JSON, result=JSON, notes=st.dictionaries(st.text(), JSON, max_size=3), cut=st.integers(0, 10_000))
def test_any_value_survives_in_any_two_chunks(
    tmp_path_factory: pytest.TempPathFactory, value: object, result: object, notes: dict[str, object], cut: int
) -> None:
    path = tmp_path_factory.mktemp("events") / "c1.jsonl"
    writer = EventWriter(path, "c1")
    writer.complete(writer.invoke("f", value), "info", result=result, notes=notes)
    writer.done()
    data, reader = path.read_bytes(), EventReader("c1")
    reader.feed(data[: cut % len(data)])
    reader.feed(data[cut % len(data) :])
    (operation,) = reader.operations()
    assert (operation.value, operation.result, dict(operation.notes)) == (value, result, notes)
    assert reader.ended


def test_torn_last_line_waits_for_its_rest(tmp_path: Path) -> None:
    write_one_of_each(tmp_path / "c1.jsonl")
    data = (tmp_path / "c1.jsonl").read_bytes()
    reader = EventReader("c1")
    news = [reader.feed(data[place : place + 1]) for place in range(len(data))]
    assert sum(len(one.operations) for one in news) == 1
    assert sum(len(one.observations) for one in news) == 3
    assert len(reader.operations()) == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{torn", "Expecting"),
        (b'{"invoke":0,"f":"add"}', "'at_ns' is missing"),
        (b'{"invoke":0,"at_ns":"noon","f":"add"}', "not a number of nanoseconds"),
        (b'{"invoke":"0","at_ns":3,"f":"add"}', "needs a number and a name"),
        (b'{"complete":7,"at_ns":3,"outcome":"ok"}', "which is not open"),
        (b'{"dance":7,"at_ns":3}', "'dance' is missing or unknown"),
        (b'{"observe":"load","at_ns":3,"value":NaN}', "NaN is not JSON"),
        (b"[]", "an empty event"),
        (b"{}", "an empty event"),
        (b'{"start":"c2","at_ns":3,"schema":1}', "events of 'c2', not of 'c1'"),
        (b'{"start":"c1","at_ns":3,"schema":9}', "schema 9"),
        (b"\xff\xfe", "decode"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_damaged_line_is_refused_with_its_number_and_reason(line: bytes, reason: str) -> None:
    with pytest.raises(HistoryFormatError, match=r"events of c1, line 2: ") as refused:
        EventReader("c1").feed(START + line + b"\n")
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        (b'{"complete":0,"at_ns":4,"outcome":"ok"}', "before its invocation"),
        (b'{"complete":0,"at_ns":6,"outcome":"maybe"}', "'maybe' is missing or unknown"),
        (b'{"invoke":0,"at_ns":6,"f":"add"}', "already open"),
    ],
)
def test_impossible_completion_is_refused(completion: bytes, reason: str) -> None:
    reader = EventReader("c1")
    reader.feed(START + b'{"invoke":0,"at_ns":5,"f":"add"}\n')
    with pytest.raises(HistoryFormatError, match=f"line 3: .*{reason}"):
        reader.feed(completion + b"\n")


def test_restarted_client_leaves_its_open_operations_open_for_ever(tmp_path: Path) -> None:
    first = EventWriter(tmp_path / "c1.jsonl", "c1")
    first.invoke("add", 1)
    first.close()
    second = EventWriter(tmp_path / "c1.jsonl", "c1")
    second.complete(second.invoke("add", 2), "ok")
    second.done()
    outcomes = [(one.value, one.outcome.value) for one in read(tmp_path / "c1.jsonl").operations()]
    assert outcomes == [(1, "info"), (2, "ok")]


def test_line_torn_by_a_crash_is_dropped_when_a_later_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "c1.jsonl"
    path.write_bytes(START + b'{"invoke":0,"at_ns":5,"f":"a')
    writer = EventWriter(path, "c1")
    writer.complete(writer.invoke("add", 2), "ok")
    writer.done()
    assert [one.value for one in read(path).operations()] == [2]


def test_full_disk_names_the_file() -> None:
    with pytest.raises(HarnessError, match=r"c1 cannot write to its event file /dev/full: .*No space left"):
        EventWriter("/dev/full", "c1")


def test_line_half_written_when_the_disk_was_full_loses_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real, room = tmp_path / "c1.jsonl", os.write, [1_000_000]

    def write(descriptor: int, data: bytes) -> int:
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, data[: room[0]])
        room[0] -= written
        return written

    writer = EventWriter(path, "c1")
    writer.complete(writer.invoke("add", 1), "ok")
    monkeypatch.setattr(os, "write", write)
    room[0] = 10
    with pytest.raises(HarnessError, match="No space left"):
        writer.invoke("add", 2)
    room[0] = 1_000_000
    writer.complete(writer.invoke("add", 3), "ok")
    writer.done()
    assert [one.value for one in read(path).operations()] == [1, 3]


@pytest.mark.parametrize("value", [float("nan"), b"bytes", {1, 2}, object()])
def test_value_that_is_not_json_is_refused_by_name(tmp_path: Path, value: object) -> None:
    writer = EventWriter(tmp_path / "c1.jsonl", "c1")
    with pytest.raises(HarnessError, match="c1 cannot record"):
        writer.invoke("add", value)
    writer.close()


def test_unknown_outcome_is_refused(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "c1.jsonl", "c1")
    with pytest.raises(HarnessError, match="ok, fail or info, not 'maybe'"):
        writer.complete(writer.invoke("add"), "maybe")
    writer.close()


def test_closed_writer_writes_into_no_other_file(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "c1.jsonl", "c1")
    writer.done()
    writer.close()
    with pytest.raises(HarnessError, match="Bad file descriptor"):
        writer.point("too late")


def test_unwritable_place_is_a_harness_error(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot open the event file"):
        EventWriter(tmp_path / "missing" / "c1.jsonl", "c1")


def test_a_foreign_clocks_stamps_are_read_as_ours() -> None:
    """All instants, ends of leases in notes or in a result too; lengths of time and everything else stay as they are."""
    lines = [
        {"start": "c1", "at_ns": 1001, "schema": 1},
        {"invoke": 0, "at_ns": 1010, "f": "acquire", "value": "lock"},
        {
            "complete": 0,
            "at_ns": 1020,
            "outcome": "ok",
            "result": {"token": 1500, "expires_ns": 1300},
            "notes": {"expires_ns": 1400, "ttl_ms": 1000},
        },
        {"invoke": 1, "at_ns": 1030, "f": "renew", "value": "lock"},
        {"complete": 1, "at_ns": 1040, "outcome": "ok", "result": 1, "notes": {"expires_ns": None}},
        {"observe": "acquired-after", "at_ns": 1050, "value": {"s": 1000}},
        {"invoke": 2, "at_ns": 1060, "f": "release", "value": "lock"},
    ]
    reader = EventReader("c1")
    clock = Ahead()
    news = reader.feed(b"".join(json.dumps(line).encode() + b"\n" for line in lines), clock)
    acquire, renew, release = reader.operations()
    assert list(news.operations) == [acquire, renew]
    assert (acquire.invoked_ns, acquire.completed_ns, renew.completed_ns, release.invoked_ns) == (10, 20, 40, 60)
    assert acquire.result == {"token": 1500, "expires_ns": 300}
    assert acquire.notes == {"expires_ns": 400, "ttl_ms": 1000}
    assert renew.notes == {"expires_ns": None}
    (seen,) = reader.observations
    assert (seen.at_ns, seen.value) == (50, {"s": 1000})
    clock.drifted = 7
    assert reader.operations()[0].notes["expires_ns"] == 407, "an instant that lay ahead is known better by now"
    assert reader.operations()[0].completed_ns == 20


class Ahead:
    """A clock that is 1000 ahead, and may be found to be a little less by and by."""

    drifted = 0

    def observed(self, at_ns: int) -> int:
        return at_ns - 1000

    def foreseen(self, at_ns: int) -> int:
        return at_ns - 1000 + self.drifted
