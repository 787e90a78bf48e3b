"""
The EDN that Jepsen writes: every notation, any cut into pieces, and errors that say where.
"""

from contextlib import suppress
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import HistoryFormatError
from chaos.history.formats.edn import DEEPEST, EdnReader, parse
from chaos.history.formats.export import edn

PIECES = """; a history
[{:type :invoke, :f :cas, :value [0 "it's; \\"so\\"\n"], :process 3} ; cas
 #jepsen.history.Op{:index 0, :error [:timeout #object[java.lang.Object 0x2f "Object@2f"]]}
 #_ {:never :seen} #:jepsen{:node n1}
]"""
WHOLE = [
    (2, {"type": "invoke", "f": "cas", "value": [0, 'it\'s; "so"\n'], "process": 3}),
    (4, {"index": 0, "error": ["timeout", ["java.lang.Object", 47, "Object@2f"]]}),
    (5, {"jepsen/node": "n1"}),
]


def forms(*texts: str) -> list[tuple[int, Any]]:
    return list(EdnReader("h.edn").read(texts))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nil", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-17", -17),
        ("+5", 5),
        ("123456789012345678901N", 123456789012345678901),
        ("1.5", 1.5),
        ("-2e3", -2000.0),
        ("1.25M", 1.25),
        ("3M", 3.0),
        ("1/3", Fraction(1, 3)),
        ("4/2", 2),
        ("##Inf", float("inf")),
        (":timed-out", "timed-out"),
        (":knossos.op/type", "knossos.op/type"),
        ("java.lang.Object$fn__123", "java.lang.Object$fn__123"),
        ('"a\\tb\\u00e9\\\\"', "a\tbé\\"),
        ("\\a", "a"),
        ('"\\ud83d\\ude00"', "😀"),
        ("\\newline", "\n"),
        ("\\u0041", "A"),
        ("[1, [2] ()]", [1, [2], []]),
        ("#{1 2}", [1, 2]),
        ("{:a 1, [1 2] 3}", {"a": 1, (1, 2): 3}),
        ('#inst "2020-01-01"', "2020-01-01"),
        ("#<ConnectException refused>", "#<ConnectException refused>"),
        ('#"a\\d+"', "a\\d+"),
        ("[1 #_ 2 3 #_ #_ 4 5 6]", [1, 3, 6]),
    ],
)
def test_every_notation_has_its_value(text: str, value: Any) -> None:
    assert parse(text, "text") == [value]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 21, 1000])
def test_text_may_come_in_pieces_of_any_length(size: int) -> None:
    pieces = [PIECES[at : at + size] for at in range(0, len(PIECES), size)]

    assert forms(*pieces) == WHOLE


def test_map_a_line_is_read_line_by_line() -> None:
    assert forms("{:a 1}\n\n{:a 2}\n{:a\n3}\n") == [(1, {"a": 1}), (3, {"a": 2}), (4, {"a": 3})]


@pytest.mark.parametrize("text", ["[{:a 1} {:a 2}]", "({:a 1} {:a 2})"])
def test_one_vector_around_everything_is_taken_off(text: str) -> None:
    assert [value for _, value in forms(text)] == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("{:a 1}\n{:b", "line 2", "the { of line 2 is not closed"),
        ("[{:a 1}\n", "line 2", "the [ of line 1 is not closed"),
        ("{:a 1]", "line 1, column 6", "] closes the { of line 1"),
        ("{:a 1}\n  }", "line 2, column 3", "} closes nothing"),
        ("{:a 1 :b}", "line 1, column 9", "a key that has no value"),
        ("{:a 1 :a 2}", "line 1, column 11", "the same key twice"),
        ('{:a 1}\n{:b "unt', "line 2, column 5", "the string does not end"),
        ("{:a 12x}", "line 1, column 5", "not a number: 12x"),
        ("{:a 012}", "line 1, column 5", "not a number: 012"),
        ("{:a 1/0}", "line 1, column 5", "not a number"),
        ("{:a ##NaN}", "line 1, column 5", "equals nothing"),
        ('{:a "\\q"}', "line 1, column 5", "no escape"),
        ("{:a \\unknown}", "line 1, column 5", "no character"),
        ("{:a `b}", "line 1, column 5", "not EDN"),
        ("{:a #tag}", "line 1, column 9", "without its form"),
        ("{:a 1}\n#_", "line 2", "without its form"),
        ("[{:a 1}]\n{:b 2}", "line 2, column 6", "follows the end"),
        ("[" * (DEEPEST + 2), "line 1", "inside each other"),
        (f"{{:a {'9' * 5000}}}", "line 1, column 5", "limit"),
    ],
)
def test_damage_is_refused_with_line_and_column(text: str, where: str, reason: str) -> None:
    with pytest.raises(HistoryFormatError) as refused:
        forms(text)

    assert where in str(refused.value)
    assert reason in str(refused.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES, st.integers(1, 30))
def test_what_is_written_is_read_again(value: Any, size: int) -> None:
    text = edn(value)
    reader = EdnReader("text", unwrap=False)

    assert [each for _, each in reader.read(text[at : at + size] for at in range(0, len(text), size))] == [value]


@given(st.text(alphabet='{}[]()#_:;"\\ a1.,\n-/<>', max_size=40))
def test_noise_is_read_or_refused_and_nothing_else(text: str) -> None:
    with suppress(HistoryFormatError):
        forms(text)
