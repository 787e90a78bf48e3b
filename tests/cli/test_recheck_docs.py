"""
What docs/recheck.md promises is what the command does: the table of types, and an example of each.
"""

import argparse
import re
from pathlib import Path

import pytest

from chaos import cli
from chaos.checkers import CHECKERS
from chaos.cli import recheck

PAGE = (Path(__file__).parents[2] / "docs" / "recheck.md").read_text(encoding="utf-8")
TYPES = PAGE[PAGE.index("## Types") : PAGE.index("## Size")]
ROWS = {
    match[1]: (match[2], match[3]) for match in re.finditer(r"^\| `([\w-]+)` \| (.+) \| (.+) \|$", TYPES, re.MULTILINE)
}

EXAMPLES = {
    "register": [("write", "1", "1"), ("read", "nil", "1"), ("cas", "[1 2]", "[1 2]"), ("read", "nil", "2")],
    "cas-register": [("read", "nil", "nil"), ("write", "1", "1"), ("cas", "[1 2]", "[1 2]"), ("read", "nil", "2")],
    "versioned-register": [
        ("write", "[nil 7]", "[1 7]"),
        ("read", "nil", "[1 7]"),
        ("cas", "[nil [7 8]]", "[2 [7 8]]"),
        ("read", "nil", "[nil 8]"),
    ],
    "mutex": [("acquire", "nil", "nil"), ("release", "nil", "nil"), ("acquire", ":n1", ":n1")],
    "lease": [("acquire", "nil", "33"), ("release", "nil", "nil"), ("acquire", "nil", '{"token" 34}')],
    "semaphore": [("acquire", "nil", "nil"), ("release", "1", "1"), ("acquire", "1", "1")],
    "set": [
        ("add", "1", "1"),
        ("contains", "1", "true"),
        ("read", "nil", "#{1}"),
        ("remove", "1", "1"),
        ("read", "nil", "[]"),
    ],
    "queue": [
        ("enqueue", "1", "1"),
        ("dequeue", "nil", "1"),
        ("enqueue", "2", "2"),
        ("drain", "nil", "[2]"),
        ("dequeue", "nil", "nil"),
    ],
    "unordered-queue": [
        ("enqueue", "1", "1"),
        ("dequeue", "nil", "1"),
        ("enqueue", "2", "2"),
        ("drain", "nil", "[2]"),
        ("dequeue", "nil", "nil"),
    ],
    "total-queue": [
        ("enqueue", "1", "1"),
        ("dequeue", "nil", "1"),
        ("enqueue", "2", "2"),
        ("drain", "nil", "[2]"),
        ("dequeue", "nil", "nil"),
    ],
    "at-least-once-queue": [
        ("enqueue", "1", "1"),
        ("dequeue", "nil", "1"),
        ("enqueue", "2", "2"),
        ("drain", "nil", "[2]"),
        ("dequeue", "nil", "nil"),
    ],
    "at-most-once-queue": [
        ("enqueue", "1", "1"),
        ("dequeue", "nil", "1"),
        ("enqueue", "2", "2"),
        ("drain", "nil", "[2]"),
        ("dequeue", "nil", "nil"),
    ],
    "exactly-once-queue": [
        ("enqueue", "1", "1"),
        ("dequeue", "nil", "1"),
        ("enqueue", "2", "2"),
        ("drain", "nil", "[2]"),
        ("dequeue", "nil", "nil"),
    ],
    "pairwise-queue": [
        ("enqueue", "1", "1"),
        ("dequeue", "nil", "1"),
        ("enqueue", "2", "2"),
        ("drain", "nil", "[2]"),
        ("dequeue", "nil", "nil"),
    ],
    "redelivery-queue": [
        ("enqueue", "1", "1"),
        ("dequeue", "nil", "1"),
        ("nack", "1", "1"),
        ("dequeue", "nil", "1"),
        ("disconnect", "nil", "nil"),
        ("dequeue", "nil", "1"),
        ("ack", "1", "1"),
    ],
    "counter": [("add", "1", "1"), ("add", "1", "1"), ("read", "nil", "2")],
    "text": [("append", '"a"', '"a"'), ("get", "nil", '"a"'), ("put", '"b"', '"b"'), ("get", "nil", '"b"')],
    "append-log": [
        ("send", "[:x 1]", "[:x [0 1]]"),
        ("assign", "[:x]", "[:x]"),
        ("poll", "nil", "{:x [[0 1]]}"),
        ("txn", "[[:send :x 2] [:poll]]", "[[:send :x [1 2]] [:poll {:x [[1 2]]}]]"),
        ("subscribe", "[:x]", "[:x]"),
        ("crash", "nil", "nil"),
    ],
    "session": [("write", "[nil 7]", "[1 7]"), ("read", "nil", "[1 7]"), ("cas", "[nil [7 8]]", "[2 [7 8]]")],
    "list-append": [
        ("txn", "[[:append :x 1] [:r :y nil]]", "[[:append :x 1] [:r :y []]]"),
        ("txn", "[[:r :x nil]]", "[[:r :x [1]]]"),
    ],
}
"""A history of each type that one client may see: f, value, result; every kind of operation at least once."""

BROKEN = {
    "text": [("get", "nil", '"z"')],
    "register": [("read", "nil", "5")],
    "cas-register": [("cas", "[5 6]", "[5 6]")],
    "versioned-register": [("read", "nil", "[5 5]")],
    "mutex": [("acquire", "nil", "nil")],
    "lease": [("release", "nil", "nil"), ("acquire", "nil", "3")],
    "semaphore": [("acquire", "1", "1")],
    "set": [("read", "nil", "[1]")],
    "queue": [("dequeue", "nil", "1")],
    "unordered-queue": [("dequeue", "nil", "1")],
    "total-queue": [("dequeue", "nil", "9")],
    "at-least-once-queue": [("enqueue", "3", "3")],
    "at-most-once-queue": [("dequeue", "nil", "1")],
    "exactly-once-queue": [("dequeue", "nil", "1")],
    "pairwise-queue": [
        ("enqueue", "3", "3"),
        ("enqueue", "4", "4"),
        ("dequeue", "nil", "4"),
        ("dequeue", "nil", "3"),
    ],
    "redelivery-queue": [("dequeue", "nil", "1")],
    "counter": [("read", "nil", "3")],
    "append-log": [("poll", "nil", "{:x [[0 9]]}")],
    "session": [("read", "nil", "[1 7]")],
    "list-append": [("txn", "[[:r :x nil]]", "[[:r :x [1 1]]]")],
}
"""What no longer fits behind it."""


def edn(operations: list[tuple[str, str, str]]) -> str:
    return "".join(
        f"{{:type :invoke, :f :{f}, :value {value}, :process 0}}\n{{:type :ok, :f :{f}, :value {result}, :process 0}}\n"
        for f, value, result in operations
    )


def test_table_has_every_type_and_no_other() -> None:
    assert set(ROWS) == set(CHECKERS)


@pytest.mark.parametrize("model", CHECKERS)
def test_table_names_every_kind_of_operation(model: str) -> None:
    assert set(re.findall(r"`(\w+)`", ROWS[model][0])) == set(CHECKERS[model].kinds)


@pytest.mark.parametrize("model", CHECKERS)
def test_shapes_of_the_table_are_accepted_and_judged(model: str, tmp_path: Path) -> None:
    file = tmp_path / "history.edn"
    assert {f for f, _, _ in EXAMPLES[model]} == set(CHECKERS[model].kinds)

    file.write_text(edn(EXAMPLES[model]))
    assert cli.main(["recheck", str(file), "--model", model]) == 0
    file.write_text(edn(EXAMPLES[model] + BROKEN[model]))
    assert cli.main(["recheck", str(file), "--model", model]) == 1


@pytest.mark.parametrize("model", CHECKERS)
def test_other_kinds_of_operations_are_refused(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "history.edn"
    file.write_text(edn([*EXAMPLES[model], ("dance", "nil", "nil")]))

    assert cli.main(["recheck", str(file), "--model", model]) == 3
    assert f"line {2 * len(EXAMPLES[model]) + 1}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "initial"),
    [
        ("register", "5"),
        ("cas-register", "5"),
        ("mutex", "true"),
        ("semaphore", "2"),
        ("set", "[5]"),
        ("queue", "[5]"),
        ("counter", "5"),
    ],
)
def test_initial_values_have_the_shape_of_the_table(model: str, initial: str, tmp_path: Path) -> None:
    first = {
        "mutex": ("release", "nil", "nil"),
        "semaphore": ("acquire", "2", "2"),
        "set": ("read", "nil", "[5]"),
        "queue": ("dequeue", "nil", "5"),
    }
    file = tmp_path / "history.edn"
    file.write_text(edn([first.get(model, ("read", "nil", "5"))]))

    assert cli.main(["recheck", str(file), "--model", model, "--initial", initial]) == 0
    assert cli.main(["recheck", str(file), "--model", model]) == 1


def test_every_option_is_on_the_page() -> None:
    parser = argparse.ArgumentParser()
    recheck.options(parser)
    said = set(re.findall(r"^\| `(-[\w-]+)", PAGE, re.MULTILINE))

    assert {max(action.option_strings, key=len) for action in parser._actions if action.option_strings} - {
        "--help"
    } == (said - {"-g"}) | {"--guarantee"}
