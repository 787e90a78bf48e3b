"""
One screen of HTML a run: verdict table, witness, picture, settings.
"""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

from chaos.judgement import Judged
from chaos.report.page import description, terminal_table
from chaos.verdict import Witness, violated
from tests.report.sample import finished, split_brain

VOID = {"br", "img", "wbr"}


class Balance(HTMLParser):
    """Notes every tag, and fails on one that closes what is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_has_the_lesson_the_verdicts_the_witness_and_the_picture() -> None:
    page = description(finished())

    assert "goes on acknowledging writes" in page
    assert ">violated</span>" in page
    assert "137 lost, lost share 2.8 %, lost window 9.8 s" in page
    assert "At 12.201 s c2 asked write 41: acknowledged after 3 ms." in page
    assert "min-replicas-to-write 0" in page


def test_the_picture_is_the_svg_itself() -> None:
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', description(finished()))

    assert found
    assert base64.b64decode(found[1]).startswith(b"<svg ")


def test_what_differs_from_its_expectation_comes_first() -> None:
    rows = terminal_table(finished(met=True).judged)

    assert [(row.guarantee, row.met) for row in rows] == [
        ("recovers", False),
        ("acked_writes_survive", True),
        ("linearizable", True),
    ]


def test_a_violation_outside_its_bounds_shows_the_measure_and_the_problem() -> None:
    judged = finished().judged[0]
    problem = "expected lost_window_s in 5 to 9, measured 9.8"
    missed = replace(judged, expected="violated", met=False, problem=problem)

    assert terminal_table([missed])[0].measures.endswith(f"lost window 9.8 s; {problem}")


def test_tags_are_balanced_and_none_is_of_a_kind_that_allure_strips() -> None:
    parser = Balance()
    parser.feed(description(finished()))

    assert parser.open == []
    assert not parser.tags & {"svg", "style", "script", "iframe", "link"}


def test_nothing_that_a_run_says_becomes_markup() -> None:
    nasty = "<script>alert('x')</script>"
    witness = Witness(anomaly=nasty, sentence=nasty, operations=())
    judged = Judged(verdict=violated(nasty, witness, nasty, **{nasty: 1}), expected=nasty, met=False, problem=nasty)
    run = replace(
        finished(), lesson=nasty, judged=(judged,), provider=nasty, error=nasty, settings={nasty: {nasty: nasty}}
    )

    assert "<script" not in description(run)


def test_a_void_run_says_why_instead_of_a_table() -> None:
    page = description(replace(finished(split_brain(0)), judged=(), error="the pause did not bite on n1"))

    assert ">not judged</span> the pause did not bite on n1" in page
    assert "<th " not in page


def test_a_long_setting_is_cut_and_says_where_the_rest_is() -> None:
    page = description(replace(finished(), settings={"redis": {"redis.conf": "x" * 5_000}}))

    assert "… 1,000 more characters in the attachment" in page


def test_a_witness_of_many_operations_shows_the_first_and_counts_the_rest() -> None:
    history = split_brain(100)
    witness = Witness(anomaly="cycle", sentence="They cannot be ordered.", operations=history.operations[:10])
    judged = Judged(verdict=violated("linearizable", witness), expected="violated", met=True)

    assert "… and 4 more operations in the history." in description(replace(finished(history), judged=(judged,)))
