"""
Our histories for Jepsen's readers.
"""

from pathlib import Path

import pytest

from chaos.errors import HarnessError
from chaos.history.formats import edn_lines, read, save_edn
from chaos.history.source import opened
from tests.history.build import fault, history, op

RUN = history(
    [
        op("c1", "write", 1, at=0.0),
        op("c2", "read", at=0.05, result=None),
        op("c1", "cas", [1, "two"], at=1.0, outcome="info"),
        op("c1", "read", at=2.0, result="two"),
        op("c2", "compare set!", {"k": True}, at=3.0, took=None),
    ],
    faults=[fault(0.5, 1.5)],
)


def test_history_is_written_as_jepsen_writes_it() -> None:
    lines = list(edn_lines(RUN))

    assert lines[0] == "{:type :invoke, :f :write, :value 1, :process 0, :time 0, :index 0}"
    assert lines[2] == "{:type :ok, :f :write, :value 1, :process 0, :time 100000000, :index 2}"
    assert lines[3] == "{:type :ok, :f :read, :value nil, :process 1, :time 150000000, :index 3}"
    assert ':f :inject, :value {"fault" "isolate", "target" "n1"}, :process :nemesis' in lines[4]
    assert len(lines) == 11


def test_crashed_process_is_never_used_again() -> None:
    assert [line for line in edn_lines(RUN) if ":time 2000000000" in line] == [
        "{:type :invoke, :f :read, :value nil, :process 2, :time 2000000000, :index 8}"
    ]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    with opened(save_edn(RUN, tmp_path / "history.edn")) as source:
        again = read(source).history

    assert [each.f for each in again.operations] == [each.f for each in RUN.operations]
    assert [each.outcome for each in again.operations] == [each.outcome for each in RUN.operations]
    assert [each.value for each in again.operations] == [each.value for each in RUN.operations]
    assert [each.completed_ns for each in again.operations] == [each.completed_ns for each in RUN.operations]
    assert [each.kind for each in again.observations] == ["inject", "heal"]


def test_value_that_edn_has_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="is not EDN"):
        save_edn(history([op("c1", "write", object())]), tmp_path / "history.edn")
