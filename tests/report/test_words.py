"""
Numbers, measures and operations in words.
"""

import pytest

from chaos.history.records import Operation, Outcome
from chaos.report.words import cut, measure_words, operation_words, safe
from tests.report.sample import at, split_brain


@pytest.mark.parametrize(
    ("measure", "value", "words"),
    [
        ("lost_window_s", 4.2, "lost window 4.2 s"),
        ("lost_count", 4912, "4,912 lost"),
        ("lost_share", 0.0279, "lost share 2.79 %"),
        ("outage_ms", 1234.5, "outage 1,234 ms"),
        ("overlap_s", 0.00133, "overlap 1.33 ms"),
        ("epoch", 3, "epoch 3"),
        ("s", 1, "s 1"),
    ],
)
def test_a_measure_reads_with_its_unit(measure: str, value: float, words: str) -> None:
    assert measure_words(measure, value) == words


def test_markup_and_control_characters_are_made_harmless() -> None:
    assert safe("<b a='1'>&\x00\x1b\ud800é") == "&lt;b a=&#x27;1&#x27;&gt;&amp;\ufffd\ufffd\ufffdé"


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    short = cut("partition n1, n2 | n3, n4, n5", 12)

    assert len(short) <= 12
    assert short.startswith("partiti")
    assert short.endswith(" n5")


def test_an_operation_that_was_never_answered_may_have_happened() -> None:
    asked = Operation(index=1, client="c1", f="write", value=7, invoked_ns=at(2), outcome=Outcome.INFO)

    assert operation_words(asked, split_brain(0)) == (
        "At 2.000 s c1 asked write 7: it never got an answer, so it may have happened."
    )


def test_a_refused_operation_says_why() -> None:
    asked = Operation(
        index=1,
        client="c1",
        f="write",
        invoked_ns=at(2),
        completed_ns=at(2.003),
        outcome=Outcome.FAIL,
        error="READONLY",
    )

    assert operation_words(asked, split_brain(0)) == (
        "At 2.000 s c1 asked write: refused, so it did not happen, after 3 ms (READONLY)."
    )
