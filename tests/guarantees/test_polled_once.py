"""
A record that a consumer was shown again is found.
"""

import pytest

from chaos.guarantees import of_client, polled_once
from chaos.history import History, Operation
from chaos.verdict import Status
from tests.guarantees.logs import LOG, add, poll
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

NAME = "polled_once"


def shows(*offsets: int, at: float, asked: int | None = None, client: str = "c2", **more: object) -> Operation:
    """A poll that shows the values "v0", "v1", ... of these offsets."""
    return poll(client, at, asked, *([n, f"v{n}"] for n in offsets), **more)


def counts(polled: int, repeated: int = 0) -> dict[str, float]:
    """The measures."""
    return {"polled_count": polled, "repeated_count": repeated}


def test_each_record_once_holds() -> None:
    """Of each consumer and each log; gaps are no repetitions."""
    polls = [
        shows(0, 1, at=1, asked=0),
        shows(2, 5, at=2, asked=2),
        shows(1, at=3, client="c3"),
        shows(1, at=4, asked=0, log="l-1"),
    ]
    assert told(polled_once(history(polls))) == (NAME, "holds", "each of 6 records was shown once", counts(6))


def test_repeated_records_are_told_in_full() -> None:
    """The one that was shown first, by the first and the last of its polls."""
    polls = [
        shows(0, at=0.5, client="c3"),
        shows(0, 1, 2, at=1, asked=0),
        shows(2, 1, at=2, asked=3),
        shows(1, 3, at=3, asked=2),
    ]
    verdict = polled_once(history(polls))
    sentence = (
        f"c2 was shown v1 at offset 1 of {LOG} 3 times, by polls at 1.000 s and 3.000 s; so it was with 2 records"
    )
    assert told(verdict) == (NAME, "violated", sentence, counts(5, 2))
    assert proof(verdict) == ("repeated records", sentence, [1, 3])


def test_a_repetition_within_one_poll_is_shown_by_that_poll() -> None:
    """It is one operation; a value that is no text is told as JSON."""
    verdict = polled_once(history([poll("c2", 1, 0, [0, [7]], [0, [7]])]))
    sentence = (
        f"c2 was shown [7] at offset 0 of {LOG} 2 times, by polls at 1.000 s and 1.000 s; so it was with 1 records"
    )
    assert proof(verdict) == ("repeated records", sentence, [0])


def test_another_value_at_the_same_offset_is_another_record() -> None:
    """A truncation put it there; the same value elsewhere was appended twice."""
    polls = [shows(0, 1, at=1, asked=0), poll("c2", 2, 2, [1, "new"], [2, "v1"], [3, 1], [4, "1"])]
    assert polled_once(history(polls)).measures == counts(6)
    types = [poll("c2", 1, 0, [0, 1]), poll("c2", 2, 1, [0, "1"]), poll("c2", 3, 1, [0, True])]
    assert polled_once(history(types)).status is Status.HOLDS


def test_what_a_consumer_asks_for_again_itself_is_no_repetition() -> None:
    """It asked from elsewhere than where its last poll ended: after a start anew, say."""
    polls = [shows(0, 1, at=1, asked=0), shows(2, at=2, asked=2), shows(0, 1, at=3, asked=0)]
    assert told(polled_once(history(polls)))[1:] == ("holds", "each of 5 records was shown once", counts(5))
    assert polled_once(history([*polls, shows(1, at=4, asked=2)])).measures == counts(5, 1)
    unanswered = [poll("c2", 3, 0, outcome="info"), shows(0, at=4, asked=0)]
    assert polled_once(history([*polls[:2], *unanswered])).status is Status.HOLDS
    refused = [poll("c2", 3, 0, outcome="fail"), shows(0, at=4, asked=0)]
    assert polled_once(history([*polls[:2], *refused])).status is Status.HOLDS


def test_a_consumer_whose_library_knows_the_place_is_shown_again_what_it_did_not_ask_for() -> None:
    """It says null, and a value that is no pair of a log and an offset says nothing."""
    for value in (None, LOG, [LOG], [LOG, None], [LOG, "0"], [LOG, True], [LOG, 0, 0]):
        polls = [op("c2", "poll", value, at=at, result=[[0, "v0"]], log=LOG) for at in (1, 2)]
        assert polled_once(history(polls)).measures == counts(1, 1)


def test_records_without_a_value_are_left_out() -> None:
    """Nobody can tell one from another."""
    polls = [poll("c2", 1, 0, [0, None], [1, "v1"]), poll("c2", 2, 2, [0, None], [2, None])]
    assert told(polled_once(history(polls))) == (NAME, "holds", "each of 1 records was shown once", counts(1))


@pytest.mark.parametrize(
    "other",
    [
        shows(0, at=3, outcome="info"),
        shows(0, at=3, outcome="fail"),
        shows(0, at=3, log=None),
        shows(0, at=3, log=7),
        op("c2", "peek", [LOG, 3], at=3, result=[[0, "v0"]], log=LOG),
        op("c2", "poll", [LOG, 3], at=3, result="v0", log=LOG),
        poll("c2", 3, None, None, 7, [0], ["0", "v0"], [0.0, "v0"], [False, "v0"], [0, "v0", 1]),
    ],
)
def test_what_is_no_acknowledged_poll_of_the_log_shows_nothing(other: Operation) -> None:
    """And what is no pair of an offset and a value."""
    polls = [shows(0, 1, at=1, asked=0), shows(2, at=2, asked=2)]
    assert polled_once(history([*polls, other])).status is Status.HOLDS
    assert polled_once(history([*polls, other, shows(0, at=9)])).status is Status.VIOLATED


NOTHING = "no consumer was shown a record with a value"
NOT_ON = "no consumer was shown records by two polls without asking from elsewhere"


@pytest.mark.parametrize(
    ("polls", "reason", "polled"),
    [
        ([], NOTHING, None),
        ([poll("c2", 1, 0), poll("c2", 2, 0, [0, None])], NOTHING, None),
        ([shows(0, 1, at=1, asked=0)], NOT_ON, 2),
        ([shows(0, 1, at=1, asked=0), poll("c2", 2, 2), poll("c2", 3, 2, outcome="info")], NOT_ON, 2),
        ([shows(0, 1, at=1, asked=0), shows(0, 1, at=2, asked=0)], NOT_ON, 4),
        ([shows(0, at=1), shows(1, at=2, client="c3"), shows(1, at=3, log="l-1")], NOT_ON, 3),
    ],
)
def test_without_a_consumer_that_read_on_it_is_unknown(polls: list[Operation], reason: str, polled: int | None) -> None:
    """One poll alone, or each from a place of its own, shows nothing again."""
    measures = {} if polled is None else counts(polled)
    assert told(polled_once(history([*polls, add("c1:0", 0)]))) == (NAME, "unknown", reason, measures)


def test_one_consumer_that_read_on_is_evidence() -> None:
    """Whatever the others did."""
    polls = [shows(0, at=1), shows(0, at=1, client="c3"), shows(1, at=2, client="c3"), shows(0, at=3, client="c4")]
    assert polled_once(history(polls)).status is Status.HOLDS


def faulty(*polls: Operation, error_ns: int = 0) -> History:
    """These polls, and a fault from 3 to 5 s."""
    return history(polls, [fault(3, 5)], clock_error_ns={"c2": error_ns})


def test_polls_that_met_no_fault_or_showed_nothing_since_prove_nothing() -> None:
    """What was shown again was shown again."""
    steady, met, after = [shows(0, at=1), shows(1, at=2)], poll("c2", 4, None), shows(2, at=6)
    assert polled_once(faulty(*steady, met, after)).status is Status.HOLDS
    missed = "no operation was under way during isolate"
    assert told(polled_once(faulty(*steady, add("c1:0", 4), after))) == (NAME, "unknown", missed, counts(3))
    nothing = "no consumer was shown a record after the last fault began"
    assert told(polled_once(faulty(*steady, met))) == (NAME, "unknown", nothing, counts(2))
    assert polled_once(faulty(*steady, shows(1, at=2.5))).status is Status.VIOLATED
    within = [*steady, shows(2, at=4.95), shows(3, at=7)]
    assert polled_once(faulty(*within)).status is Status.HOLDS
    assert polled_once(faulty(*within, error_ns=ns(0.1))).status is Status.UNKNOWN


def test_one_consumer_can_be_judged_alone() -> None:
    """What one is shown is nothing to another."""
    recorded = history([shows(at % 2, at=at, client=client) for client, n in (("c2", 2), ("c3", 4)) for at in range(n)])
    assert of_client(polled_once, "c2")(recorded).status is Status.HOLDS
    assert of_client(polled_once, "c3")(recorded).status is Status.VIOLATED


def test_promise_applies_where_a_poll_names_its_log() -> None:
    """A queue has no offsets."""
    assert polled_once.applies(history([shows(0, at=1)]))
    assert not polled_once.applies(history([op("c2", "poll", at=1)]))
    assert not polled_once.applies(history([add("c1:0", 1)]))
