"""
Three verdicts, and no way to mistake one for another.
"""

import pytest

from chaos.verdict import Status, Verdict, Witness, holds, unknown, violated, worst
from tests.history.build import op

WITNESS = Witness(anomaly="lost write", sentence="write 1 is gone", operations=(op("c1", "add", 1),))


def test_verdict_has_no_truth_value() -> None:
    for verdict in (holds("x", "kept"), violated("x", WITNESS), unknown("x", "nothing seen")):
        with pytest.raises(TypeError, match=r"compare verdict\.status"):
            bool(verdict)


def test_violation_without_witness_proves_nothing() -> None:
    with pytest.raises(ValueError, match="without a witness"):
        Verdict(guarantee="x", status=Status.VIOLATED, reason="because")


def test_violation_speaks_the_sentence_of_its_witness_unless_told_otherwise() -> None:
    assert violated("x", WITNESS).reason == "write 1 is gone"
    assert violated("x", WITNESS, "see there").reason == "see there"


def test_measure_that_does_not_exist_is_absent() -> None:
    assert holds("x", "kept", lost_count=0, window_s=None).measures == {"lost_count": 0}


def test_verdict_reads_as_a_line() -> None:
    assert str(unknown("x", "nothing seen")) == "x: unknown: nothing seen"


def test_worst_ranks_violated_over_unknown_over_holds() -> None:
    kept, gone, unseen = holds("a", "kept"), violated("b", WITNESS), unknown("c", "nothing seen")
    assert worst([kept, unseen, gone]) is gone
    assert worst([kept, unseen]) is unseen
    assert worst([kept]) is kept
    with pytest.raises(ValueError, match="nothing was judged"):
        worst([])
