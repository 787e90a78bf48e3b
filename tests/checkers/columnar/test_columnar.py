"""
The rules over columns say what the ordinary checkers say, of small histories in great number.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos.checkers import check
from chaos.checkers.columnar import RULES, Holds, Suspects, find, judge_file
from chaos.history import History, Operation
from chaos.history.archive import load, save
from chaos.history.columns import UnfitError, available, load_columns
from chaos.history.source import opened
from chaos.verdict import Status
from tests.history.build import history, op

pytestmark = pytest.mark.skipif(not available(), reason="numpy and msgspec are an extra")

HISTORIES = 400
Apply = Callable[[Any, str, int], Any]


def simulated(rng: random.Random, kinds: tuple[str, str], apply: Apply, state: Any) -> list[Operation]:
    """What a few clients see of a correct object, with crashes; now and then one answer is wrong, or late."""
    operations, clock = [], 0
    waiting: list[tuple[int, str, int]] = []
    length = rng.randint(3, 13)
    for value in range(1, length + 1):
        waiting.append((clock := clock + rng.randint(0, 2), rng.choice(kinds), value))
        while len(waiting) > (rng.randint(0, 3) if value < length else 0):
            begun, f, argument = waiting.pop(rng.randrange(len(waiting)))
            crashed = rng.random() < 0.1
            result = None if crashed and rng.random() < 0.5 else apply(state, f, argument)
            if rng.random() < 0.06 and isinstance(result, int):
                result = rng.randint(0, value)
            clock += rng.randint(0, 3)
            took = None if crashed else (clock - begun) / 1e9
            given = argument if f == kinds[0] else None
            operations.append(op("c", f, given, at=begun / 1e9, took=took, result=None if crashed else result))
    return operations


def register(state: list[int], f: str, value: int) -> int | None:
    if f == "write":
        state[:] = [value]
        return None
    return state[0] if state else None


def queue(state: list[int], f: str, value: int) -> int | None:
    if f == "enqueue":
        state.append(value)
        return None
    return state.pop(0) if state else None


def counter(state: list[int], f: str, value: int) -> int | None:
    if f == "add":
        state.append(1)
        return None
    return len(state)


def grown(state: list[int], f: str, value: int) -> list[int] | None:
    if f == "add":
        state.append(value)
        return None
    return [each for each in state if each % 7 or value % 5]


SHAPES: dict[str, tuple[tuple[str, str], Apply]] = {
    "register": (("write", "read"), register),
    "queue": (("enqueue", "dequeue"), queue),
    "counter": (("add", "read"), counter),
    "set": (("add", "read"), grown),
}


def made(rng: random.Random, model: str) -> History:
    kinds, apply = SHAPES[model]
    operations = simulated(rng, kinds, apply, [])
    if model == "counter":
        operations = [
            each if each.f == "read" else op(each.client, "add", 1, at=each.invoked_ns / 1e9, took=took_s(each))
            for each in operations
        ]
    return history(operations)


def took_s(operation: Operation) -> float | None:
    return None if operation.completed_ns is None else (operation.completed_ns - operation.invoked_ns) / 1e9


@pytest.mark.parametrize("model", SHAPES)
def test_rule_agrees_with_the_checker(model: str, tmp_path: Path) -> None:
    rng = random.Random(f"columns of {model}")
    said = dict.fromkeys(Status, 0)
    for _ in range(HISTORIES):
        path = save(made(rng, model), tmp_path / "history.jsonl")
        expected = check(load(path).operations, model).status
        with opened(path) as source:
            found = find(load_columns(source, RULES[model].kinds), model, None)
        if isinstance(found, Holds):
            assert expected is Status.HOLDS, path.read_text()
        elif isinstance(found, Suspects):
            chosen = [load(path).operations[row] for row in found.rows]
            assert expected is Status.VIOLATED, path.read_text()
            assert check(chosen, model).status is Status.VIOLATED, path.read_text()
        said[expected] += found is not None
    assert said[Status.HOLDS] > HISTORIES // 10
    assert said[Status.VIOLATED] > HISTORIES // 50 or model == "set"


def test_every_rule_is_of_a_type_and_has_its_kinds() -> None:
    from chaos.checkers import CHECKERS

    assert all(set(rule.kinds) <= set(CHECKERS[model].kinds) for model, rule in RULES.items())


def test_violation_is_explained_by_the_operations_that_show_it(tmp_path: Path) -> None:
    run = history(
        [
            op("c1", "write", 1, at=0.0),
            *(op("c1", "write", value, at=float(value)) for value in range(2, 9)),
            op("c2", "read", at=20.0, result=3),
        ]
    )
    judged = judge_file(save(run, tmp_path / "history.jsonl.gz"), "register", initial=None, names={})

    assert judged is not None
    assert judged.verdict.status is Status.VIOLATED
    assert judged.verdict.witness is not None
    assert any(each.result == 3 for each in judged.verdict.witness.operations)
    assert dict(judged.counts) == {"ok": 9, "fail": 0, "info": 0}


def test_foreign_names_are_mapped(tmp_path: Path) -> None:
    run = history([op("c1", "put", 1, at=0.0), op("c2", "get", at=1.0, result=1)])
    path = save(run, tmp_path / "history.jsonl")

    judged = judge_file(path, "register", initial=None, names={"put": "write", "get": "read"})

    assert judged is not None
    assert judged.verdict.status is Status.HOLDS


@pytest.mark.parametrize(
    "operation",
    [
        op("c1", "write", "text"),
        op("c1", "write", 1 << 70),
        op("c1", "write", True),
        op("c1", "write", 1.5),
        op("c1", "cas", [1, 2]),
        op("c1", "dance"),
    ],
)
def test_what_columns_have_no_place_for_is_left_to_others(operation: Operation, tmp_path: Path) -> None:
    path = save(history([operation]), tmp_path / "history.jsonl")

    with opened(path) as source, pytest.raises(UnfitError):
        load_columns(source, RULES["register"].kinds)
    assert judge_file(path, "register", initial=None, names={}) is None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text[:-9], id="cut short"),
        pytest.param(lambda text: text + text.splitlines()[-1] + "\n", id="one record too many"),
        pytest.param(lambda text: "", id="empty"),
        pytest.param(lambda text: text.replace('"value":1', '"valu":1'), id="a field that nobody knows"),
        pytest.param(lambda text: text.replace('"experiment"', '"experimen"'), id="a header that nobody knows"),
        pytest.param(lambda text: text.splitlines()[0] + "\n" + text, id="two headers"),
        pytest.param(lambda text: text.replace('"phase":0', '"phase":1') + "{}\n", id="a record that is none"),
        pytest.param(lambda text: text.replace('"phase":0', '"phase":1') + "phase\n", id="a line that is none"),
        pytest.param(lambda text: text.replace("}\n{", "}{").replace("}{", "}\n{", 1), id="two records in a line"),
        pytest.param(lambda text: text.replace('"f":', '\n"f":'), id="a record in two lines"),
    ],
)
def test_damaged_file_is_left_to_who_can_say_what_is_wrong(damage: Callable[[str], str], tmp_path: Path) -> None:
    path = save(history([op("c1", "write", 1), op("c1", "write", 2, 1)]), tmp_path / "history.jsonl")
    assert judge_file(path, "register", initial=None, names={}) is not None
    path.write_text(damage(path.read_text()))

    assert judge_file(path, "register", initial=None, names={}) is None


def test_operations_of_a_violation_that_cannot_be_read_again_are_left_to_others(tmp_path: Path) -> None:
    """Columns do not look at every text; whoever loads the file does, and says where it is wrong."""
    path = save(history([op("c1", "write", 1), op("c2", "read", None, 2, result=7, why="x")]), tmp_path / "h.jsonl")
    verdict = judge_file(path, "register", initial=None, names={})
    assert verdict is not None
    assert verdict.verdict.status is Status.VIOLATED
    path.write_bytes(path.read_bytes().replace(b'"x"', b'"\xff"'))
    assert judge_file(path, "register", initial=None, names={}) is None
