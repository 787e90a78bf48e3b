"""
Op maps as JSON, in one array or one a line.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import HistoryFormatError
from chaos.history.formats.json_ops import JsonReader
from tests.history.formats.ops import operations, reading

OPS = [
    {"type": "invoke", "process": 0, "f": "write", "value": {"a": [1]}, "time": 1.0},
    {"type": "invoke", "process": "nemesis", "f": "kill", "value": None},
    {"type": "ok", "process": 0, "f": "write", "value": {"a": [1]}, "time": 5},
]
SAID = ["#0 process 0 write {'a': [1]} -> ok {'a': [1]}"]


def values(*texts: str) -> list[tuple[int, Any]]:
    return list(JsonReader("h.json").read(texts))


@pytest.mark.parametrize("indent", [None, 2])
def test_array_of_op_maps_is_read(indent: int | None) -> None:
    assert operations(json.dumps(OPS, indent=indent)) == SAID


def test_op_map_a_line_is_read() -> None:
    assert operations("\n".join(map(json.dumps, OPS))) == SAID


def test_map_with_the_same_key_twice_is_refused() -> None:
    """Nobody knows which of the two is meant."""
    with pytest.raises(HistoryFormatError, match=r"line 2, column 1: not JSON: a map with the same key twice"):
        values('{"type": "invoke"}\n', '{"type": "ok", "value": 1, "value": 2}\n')


def test_byte_order_mark_and_foreign_line_ends_are_no_obstacle() -> None:
    assert operations(b"\xef\xbb\xbf" + "\r\n".join(map(json.dumps, OPS)).encode()) == SAID


def test_empty_array_is_an_empty_history() -> None:
    assert operations("[]\n") == []


def test_client_names_are_kept() -> None:
    text = '{"type":"invoke","process":"c1","f":"read"}\n{"type":"ok","process":"c1","f":"read","value":3}'

    assert operations(text) == ["#0 c1 read -> ok 3"]


@given(
    st.lists(
        st.dictionaries(
            st.text(), st.integers() | st.text() | st.lists(st.floats(allow_nan=False, allow_infinity=False))
        )
    ),
    st.integers(1, 40),
)
def test_text_may_come_in_pieces_of_any_length(maps: list[Any], size: int) -> None:
    for text in (json.dumps(maps), "\n".join(map(json.dumps, maps)) if maps else "[]"):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert [value for _, value in values(*pieces)] == maps


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ('[{"a":1},\n{"a":', "line 2", "cut short: the value that begins in line 2"),
        ('[{"a":1}\n', "line 2", "the array is not closed"),
        ('[{"a":1} {"a":2}]', "line 1, column 10", "no comma"),
        ('[{"a":1}]\n{}', "line 2, column 1", "follows the end"),
        ('[{"a":1},]', "line 1, column 10", "not JSON"),
        ('{"a":1}\n{"a":tru}', "line 2, column 6", "not JSON"),
        ('{"a":1}\n{"a" 1}\n{"a":2}', "line 2, column 6", "not JSON"),
        ('{"a":NaN}', "line 1", "NaN is not JSON"),
        ('{"a":"tab\tinside"}', "line 1", "not JSON"),
        ('{"a":1}\n{"a":[1,2', "line 2", "cut short"),
    ],
)
def test_damage_is_refused_with_line_and_column(text: str, where: str, reason: str) -> None:
    with pytest.raises(HistoryFormatError) as refused:
        values(text)

    assert where in str(refused.value)
    assert reason in str(refused.value)


def test_text_that_is_not_utf8_is_refused_with_its_line() -> None:
    with pytest.raises(HistoryFormatError, match="h, line 2: not UTF-8"):
        reading(b'{"type":"invoke","process":0,"f":"read"}\n{"\xff":1}\n')
