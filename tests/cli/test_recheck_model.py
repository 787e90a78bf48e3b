"""
Rechecking any history as an object of some type: verdicts, witnesses, exit codes, bad input.
"""

import gzip
import io
import json
from pathlib import Path

import pytest

from chaos import cli
from chaos.checkers import CHECKERS
from chaos.history.archive import save
from tests.history.build import history, ns, op

GOOD = """{:type :invoke, :f :write, :value 1, :process 0}
{:type :ok, :f :write, :value 1, :process 0}
{:type :info, :f :start, :value nil, :process :nemesis}
{:type :invoke, :f :write, :value 2, :process 0}
{:type :info, :f :write, :value 2, :process 0}
{:type :invoke, :f :read, :value nil, :process 1}
{:type :ok, :f :read, :value 2, :process 1}
"""
BAD = GOOD.replace(":ok, :f :read, :value 2", ":ok, :f :read, :value 3")


def recheck(folder: Path, content: str | bytes, *options: str) -> int:
    path = folder / "history.edn"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return cli.main(["recheck", str(path), *options])


def test_foreign_history_that_holds_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert recheck(tmp_path, GOOD, "--model", "register") == 0

    said = capsys.readouterr().out
    assert "Jepsen EDN, 3 operations (2 ok, 1 info)" in said
    assert "register: holds" in said


def test_violation_shows_its_operations_with_their_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert recheck(tmp_path, BAD, "--model", "register") == 1

    said = capsys.readouterr().out
    assert "register: violated" in said
    assert "#2 process 1 read -> ok 3 [line 6, line 7]" in said


def test_verdict_for_programs_has_counts_and_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert recheck(tmp_path, BAD, "--model", "register", "--json") == 1

    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["status"] == "violated"
    assert answer["operations"] == {"ok": 2, "fail": 0, "info": 1}
    assert answer["lines"][-1] == [6, 7]


def test_values_that_json_has_not_are_texts_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = BAD.replace(":value 3", ":value [1/3 ##Inf {[1 2] 3}]")
    assert recheck(tmp_path, bad, "--model", "register", "--json") == 1

    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["witness"]["operations"][-1]["result"] == ["1/3", "inf", {"(1, 2)": 3}]


def test_text_that_no_encoding_has_is_shown_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert recheck(tmp_path, BAD.replace(":value 3", ':value "\\ud800"'), "--model", "register") == 1
    assert "violated" in capsys.readouterr().out


def test_gzip_and_standard_input_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    zipped = gzip.compress(GOOD.encode())
    assert recheck(tmp_path, zipped, "--model", "register") == 0

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(zipped))))
    assert cli.main(["recheck", "-", "--model", "register"]) == 0
    assert "standard input: Jepsen EDN" in capsys.readouterr().out


def test_our_own_history_is_judged_by_model_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = history([op("c1", "write", 1, at=0.0), op("c2", "read", at=1.0, result=7)])
    file = save(run, tmp_path / "history.jsonl.gz")

    assert cli.main(["recheck", str(file), "--model", "register"]) == 1
    assert "c2 read -> ok 7 [1.000 s, 1.100 s]" in capsys.readouterr().out


def test_names_of_the_file_can_be_mapped(tmp_path: Path) -> None:
    foreign = GOOD.replace(":write", ":put").replace(":f :read", ":f :get")

    assert recheck(tmp_path, foreign, "--model", "register", "--name", "put=write", "--name", ":get=:read") == 0


@pytest.mark.parametrize(("value", "code"), [("3", 0), ("4", 1), ("nil", 1), ("null", 1)])
def test_initial_value_is_given_as_json_or_edn(value: str, code: int, tmp_path: Path) -> None:
    text = "{:type :invoke, :f :read, :process 1}\n{:type :ok, :f :read, :value 3, :process 1}\n"

    assert recheck(tmp_path, text, "--model", "register", "--initial", value) == code


def test_keys_are_objects_of_their_own(tmp_path: Path) -> None:
    text = (
        "{:type :invoke, :f :write, :value [:x 1], :process 0}\n{:type :ok, :f :write, :value [:x 1], :process 0}\n"
        "{:type :invoke, :f :read, :value [:y nil], :process 1}\n{:type :ok, :f :read, :value [:y nil], :process 1}\n"
    )

    assert recheck(tmp_path, text, "--model", "register", "--by-key") == 0


@pytest.mark.parametrize("policy", ["dropped", "mismatch"])
def test_failed_cas_may_say_that_it_met_another_value(policy: str, tmp_path: Path) -> None:
    text = (
        "{:type :invoke, :f :write, :value 1, :process 0}\n{:type :ok, :f :write, :value 1, :process 0}\n"
        "{:type :invoke, :f :cas, :value [1 2], :process 1}\n{:type :fail, :f :cas, :value [1 2], :process 1}\n"
    )

    assert recheck(tmp_path, text, "--model", "cas-register", "--failed-cas", policy) == (policy == "mismatch")


def test_history_is_exported_on_request(tmp_path: Path) -> None:
    target = tmp_path / "out.edn"

    assert recheck(tmp_path, GOOD, "--model", "register", "--export", str(target)) == 0
    assert cli.main(["recheck", str(target), "--model", "register"]) == 0


def test_foreign_history_without_model_lists_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert recheck(tmp_path, GOOD) == 3

    said = capsys.readouterr().err
    assert "--model" in said
    assert all(name in said for name in CHECKERS)


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        (GOOD, ["--model", "nonsense"], "there are register"),
        (GOOD, ["--model", "register", "-g", "recovers"], "not by both"),
        (GOOD, ["--model", "queue"], "line 1: #0"),
        (GOOD + "{:type :ok, :f :read, :value 3, :process 1}", ["--model", "register"], "line 8: process 1 completes"),
        (GOOD + "{:type :invoke, :f :re", ["--model", "register"], "line 8"),
        (GOOD.replace(":value 1", ":value"), ["--model", "register"], "line 1, column"),
        ('{"start":"c1","at_ns":1,"schema":1}\n', ["--model", "register"], "one client"),
        (b"{:type :invoke, :f :\xff", ["--model", "register"], "not UTF-8"),
        ("", ["--model", "register"], "empty"),
        ("what is this?", ["--model", "register"], "no history that is known"),
    ],
)
def test_bad_input_is_one_sentence(
    content: str | bytes, options: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert recheck(tmp_path, content, *options) == 3

    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "option",
    [["--budget-s", "0"], ["--budget-s", "nan"], ["--initial", "{"], ["--name", "put"], ["--failed-cas", "maybe"]],
)
def test_wrong_option_is_bad_input(option: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="3"):
        recheck(tmp_path, GOOD, "--model", "register", *option)


@pytest.mark.parametrize(("error_s", "code"), [(0, 1), (0.1, 1), (0.3, 2)])
@pytest.mark.parametrize("large", [False, True])
def test_history_of_several_clocks_is_violated_only_beyond_their_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error_s: float, code: int, large: bool
) -> None:
    """The old value was read 0.4 s after the new one was written. A large file is judged no other way."""
    if large:
        monkeypatch.setattr("chaos.cli.recheck_model.LARGE_BYTES", 0)
    operations = [op("a", "write", 1, at=1), op("a", "write", 2, at=2), op("b", "read", at=2.5, result=1)]
    errors = {"a": ns(error_s), "b": ns(error_s)} if error_s else {}
    save(history(operations, clock_error_ns=errors), tmp_path / "history.jsonl")
    assert cli.main(["recheck", str(tmp_path / "history.jsonl"), "--model", "register"]) == code
