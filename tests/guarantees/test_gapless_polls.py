"""
A record that a consumer went past without being shown it is found.
"""

import pytest

from chaos.guarantees import gapless_polls, of_client
from chaos.history import History, Observation, Operation
from chaos.verdict import Status
from tests.guarantees.logs import LOG, add, left, poll, seen, snap
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

NAME = "gapless_polls"
VALUES = [f"c1:{n}" for n in range(10)]
END = snap(20, "n1", *VALUES)


def counts(passed: int, skipped: int = 0, unsure: int = 0) -> dict[str, float]:
    """The measures."""
    return {"passed_count": passed, "skipped_count": skipped, "unsure_count": unsure}


def shows(*offsets: int, at: float, asked: int | None = None, client: str = "c2", **more: object) -> Operation:
    """A poll that shows what is in the log at these offsets in the end."""
    return poll(client, at, asked, *([n, VALUES[n]] for n in offsets), **more)


def read(*polls: Operation, logs: tuple[Observation, ...] = (END,)) -> History:
    """These polls, and what replicas have in the end."""
    return history(polls, observations=logs)


def test_consumers_that_were_shown_all_they_passed_hold() -> None:
    """From where each began to where it got, in whatever pieces."""
    polls = [
        shows(0, 1, 2, at=1, asked=0),
        poll("c2", 2, 3),
        shows(3, at=3, asked=3),
        shows(4, 5, client="c3", at=2),
    ]
    reason = "all 6 records that consumers passed were shown to them"
    assert told(gapless_polls(read(*polls))) == (NAME, "holds", reason, counts(6))


def test_skipped_records_are_told_in_full() -> None:
    """Of the consumer that skipped the most; with the polls before and after the first gap."""
    polls = [
        *(shows(0, 2, at=1, client=client, asked=0) for client in ("c3", "c4")),
        shows(0, 1, at=2, asked=0),
        poll("c2", 2.5, 2),
        shows(5, 6, at=3, asked=2),
        shows(7, 9, at=4, asked=7),
    ]
    verdict = gapless_polls(read(*polls))
    sentence = (
        f"c2 passed offset 2 of {LOG} at 3.000 s; it was shown nothing there and never c1:2, which is there in the end; "
        "it skipped 4 of 10 records"
    )
    assert told(verdict) == (NAME, "violated", sentence, counts(16, 6))
    assert proof(verdict) == ("skipped records", sentence, [2, 4])


def test_a_gap_within_one_poll_is_shown_by_that_poll() -> None:
    """And one at the very start, since it asked from there."""
    verdict = gapless_polls(read(shows(0, 2, at=1, asked=0)))
    assert proof(verdict)[2] == [0]
    several = gapless_polls(read(*(shows(n, at=n) for n in range(4)), shows(5, at=5), shows(6, at=6)))
    assert proof(several)[2] == [3, 4]
    first = gapless_polls(read(shows(3, 4, at=1, asked=2)))
    assert (proof(first)[2], first.measures) == ([0], counts(3, 1))


def test_values_that_are_no_text_are_told_too() -> None:
    """As JSON."""
    verdict = gapless_polls(
        read(poll("c2", 1, 0, [0, [7]], [1, {"a": 1}], [2, 9]), logs=(snap(9, "n1", [1], {"a": 1}, 9),))
    )
    assert "it was shown [7] there and never [1], which is there in the end; it skipped 1 of 3" in verdict.reason


def test_a_consumer_that_was_shown_what_a_truncation_replaced_has_skipped_what_is_there_now() -> None:
    """If it read on in the new log: it was ahead of it, and nobody told it."""
    old = poll("c2", 1, 0, *([n, VALUES[n] if n < 3 else f"old:{n}"] for n in range(6)))
    verdict = gapless_polls(read(old, shows(6, 7, at=5, asked=6)))
    assert verdict.reason.startswith(
        f"c2 passed offset 3 of {LOG} at 5.000 s; it was shown old:3 there and never c1:3,"
    )
    assert verdict.measures == counts(8, 3)
    back_too_little = gapless_polls(read(old, shows(4, 5, at=5, asked=6)))
    assert (back_too_little.status, back_too_little.measures) == (Status.VIOLATED, counts(6, 1))
    for back in (3, 2, 0):
        found = gapless_polls(read(old, shows(*range(back, 8), at=5, asked=6)))
        assert (found.status, found.measures) == (Status.HOLDS, counts(8))


def test_a_consumer_that_went_back_passes_what_comes_then_anew() -> None:
    """What it had skipped before, ahead of where it is now, it may yet be shown."""
    polls = [shows(0, 1, 5, 6, at=1, asked=0), shows(1, 2, at=2, asked=7)]
    assert told(gapless_polls(read(*polls)))[1:] == (
        "holds",
        "all 3 records that consumers passed were shown to them",
        counts(3),
    )
    on = gapless_polls(read(*polls, shows(5, at=3, asked=3)))
    assert (on.status, on.measures) == (Status.VIOLATED, counts(6, 2))
    below = gapless_polls(read(shows(4, 5, at=1), shows(1, 3, at=2)))
    assert (below.status, below.measures) == (Status.VIOLATED, counts(3, 1))


def test_ahead_of_the_log_a_consumer_is_neither_past_its_records_nor_fine() -> None:
    """Its next poll may be told that it must go back; what it was shown before counts."""
    old = [[n, VALUES[n] if n < 3 else f"old:{n}"] for n in range(6)]
    reason = f"c2 was last shown old:5 at offset 5 of {LOG}, which is not there in the end"
    assert told(gapless_polls(read(poll("c2", 1, 0, *old)))) == (NAME, "unknown", reason, counts(3))
    skipping = gapless_polls(read(poll("c2", 1, 0, *old[::2])))
    assert (skipping.status, skipping.measures) == (Status.VIOLATED, counts(3, 1))
    beyond = gapless_polls(read(shows(0, 1, at=1), logs=(snap(9, "n1", "c1:0"),)))
    assert beyond.reason == f"c2 was last shown c1:1 at offset 1 of {LOG}, which is not there in the end"
    gone = gapless_polls(read(shows(0, 1, at=1), logs=(snap(9, "n1"),)))
    assert (gone.status, gone.measures) == (Status.UNKNOWN, counts(0))


def test_what_a_consumer_leaves_out_by_itself_is_not_skipped() -> None:
    """It asked from elsewhere than where its last poll ended; what it passes then counts from where it asked."""
    polls = [shows(0, 1, at=1, asked=0), shows(5, 6, at=2, asked=5)]
    assert (gapless_polls(read(*polls)).status, gapless_polls(read(*polls)).measures) == (Status.HOLDS, counts(4))
    late = gapless_polls(read(polls[0], shows(6, at=2, asked=5)))
    assert (late.status, late.measures) == (Status.VIOLATED, counts(4, 1))
    assert proof(late)[2] == [1]
    again = gapless_polls(read(shows(0, 2, at=1, asked=0), shows(0, 1, 2, at=2, asked=0)))
    assert (again.status, again.measures) == (Status.HOLDS, counts(3))


def test_a_consumer_whose_library_knows_the_place_reads_on() -> None:
    """It says null, and a value that is no pair says nothing."""
    for value in (None, LOG, [LOG], [LOG, None], [LOG, "7"], [LOG, 7, 7]):
        polls = [op("c2", "poll", value, at=at, result=[[n, VALUES[n]]], log=LOG) for at, n in ((1, 1), (2, 3))]
        verdict = gapless_polls(read(*polls))
        assert (verdict.status, verdict.measures) == (Status.VIOLATED, counts(3, 1))


@pytest.mark.parametrize("result", [[[2, "c1:2"]], None, 7])
def test_what_a_poll_without_an_answer_may_have_shown_is_not_skipped_for_sure(result: object) -> None:
    """Its records are lost to the history, perhaps not to the consumer; that of a refused poll are certain."""
    hidden = op("c2", "poll", [LOG, 2], at=2, outcome="info", result=result, log=LOG)
    polls = [shows(0, 1, at=1, asked=0), hidden, shows(4, at=3, asked=2)]
    reason = f"2 records that c2 passed in {LOG} may have been shown to it by a poll without an answer"
    assert told(gapless_polls(read(*polls))) == (NAME, "unknown", reason, counts(5, 0, 2))
    refused = op("c2", "poll", [LOG, 2], at=2, outcome="fail", log=LOG)
    assert gapless_polls(read(polls[0], refused, polls[2])).measures == counts(5, 2)


def test_an_answer_that_cannot_be_read_is_none() -> None:
    """Another that is empty is one."""
    polls = [shows(0, 1, at=1, asked=0), shows(3, at=3, asked=2)]
    unread = op("c2", "poll", [LOG, 2], at=2, result="many", log=LOG)
    assert gapless_polls(read(*polls, unread)).status is Status.UNKNOWN
    assert gapless_polls(read(*polls, poll("c2", 2, 2))).status is Status.VIOLATED


def hidden(at: float, asked: int | None) -> Operation:
    """A poll without an end."""
    return op("c2", "poll", [LOG, asked], at=at, took=None, log=LOG)


def test_a_poll_without_an_answer_excuses_what_lies_below_the_next_record_that_was_shown() -> None:
    """It may have gone back that far; a later jump has nothing to do with it."""
    polls = [shows(0, 1, at=1, asked=0), hidden(2, 2), shows(2, 3, at=3, asked=2), shows(6, at=4, asked=4)]
    assert gapless_polls(read(*polls)).measures == counts(7, 2)
    at_first = [hidden(1, 0), shows(0, 2, at=2, asked=0)]
    assert gapless_polls(read(*at_first)).measures == counts(3, 1)
    before = [shows(0, 2, at=1, asked=0), hidden(2, 3), shows(3, 5, at=3, asked=3)]
    assert gapless_polls(read(*before)).measures == counts(6, 1, 1)
    unknown_place = [hidden(1, None), shows(3, at=2), shows(1, 3, at=3)]
    assert gapless_polls(read(*unknown_place)).measures == counts(3, 0, 1)
    twice = [hidden(1, 0), shows(4, at=2, asked=0), hidden(3, 5), shows(2, 5, at=4, asked=5)]
    assert gapless_polls(read(*twice)).measures == counts(6, 0, 3)
    last = [shows(0, 2, at=1, asked=0), hidden(2, 3)]
    assert gapless_polls(read(*last)).measures == counts(3, 0, 1)


def test_the_reason_names_who_cannot_be_told() -> None:
    """The first consumer that has some."""
    polls = [shows(0, 1, at=1, client="c3"), shows(0, at=1, asked=0), hidden(2, 1), shows(2, at=3, asked=1)]
    assert gapless_polls(read(*polls)).reason.startswith(f"1 records that c2 passed in {LOG} may")


def test_records_without_a_value_are_passed_and_not_missed() -> None:
    """A place of the log with nothing to show: markers of transactions, deletions."""
    log = snap(9, "n1", "c1:0", None, "c1:2", None)
    assert gapless_polls(read(poll("c2", 1, 0, [0, "c1:0"], [2, "c1:2"]), logs=(log,))).measures == counts(2)
    ends = gapless_polls(read(poll("c2", 1, 0, [0, "c1:0"], [1, None], [2, "c1:2"], [3, None]), logs=(log,)))
    assert (ends.status, ends.measures) == (Status.HOLDS, counts(2))
    instead = gapless_polls(read(poll("c2", 1, 0, [0, None], [2, "c1:2"]), logs=(log,)))
    assert "it was shown null there and never c1:0" in instead.reason
    only = gapless_polls(read(poll("c2", 1, 1, [1, None]), logs=(log,)))
    reason = "no consumer passed a record that is in its log in the end"
    assert told(only) == (NAME, "unknown", reason, counts(0))


def test_numbers_of_another_type_are_other_values() -> None:
    """What is no pair of an offset and a value is nothing."""
    log = snap(9, "n1", 0, 1, 2)
    pairs = [[0, 0], None, [1], ["1", 1], [True, 1], [1, 1, 1], [2, 2]]
    assert gapless_polls(read(poll("c2", 1, 0, *pairs), logs=(log,))).measures == counts(3, 1)
    assert gapless_polls(read(poll("c2", 1, 0, [0, 0], [1, "1"], [2, 2]), logs=(log,))).measures == counts(3, 1)


def test_what_retention_took_is_not_missed() -> None:
    """The log begins behind it."""
    log = snap(9, "n1", *VALUES[4:], first=4)
    assert gapless_polls(read(shows(5, at=1, asked=0), logs=(log,))).measures == counts(2, 1)
    assert gapless_polls(read(shows(0, 4, 5, at=1, asked=0), logs=(log,))).measures == counts(2)
    both = gapless_polls(read(shows(4, 5, at=1), logs=(log, snap(9, "n2", *VALUES[:6]))))
    assert (both.status, both.measures) == (Status.HOLDS, counts(2))


def test_each_log_of_each_consumer_is_passed_by_itself() -> None:
    """Polls in turn of several logs are no jumps."""
    logs = (END, snap(9, "n1", "a", "b", "c", log="l-1"))
    polls = [
        shows(0, 1, at=1, asked=0),
        poll("c2", 2, 0, [0, "a"], log="l-1"),
        shows(2, at=3, asked=2),
        poll("c2", 4, 1, [1, "b"], log="l-1"),
    ]
    assert gapless_polls(read(*polls, logs=logs)).measures == counts(5)
    skipping = gapless_polls(read(*polls[:3], poll("c2", 4, 1, [2, "c"], log="l-1"), logs=logs))
    assert skipping.reason.startswith("c2 passed offset 1 of l-1 at 4.000 s")
    unnamed = [op("c2", "poll", [LOG, 3], at=5, result=[[9, "c1:9"]], log=log) for log in (None, 7)]
    assert gapless_polls(read(*polls, *unnamed, logs=logs)).status is Status.HOLDS


def test_the_log_in_the_end_is_that_of_the_latest_leader_epoch() -> None:
    """A replica that is behind may be longer; of one epoch the longest counts; an old snapshot does not."""
    leads = snap(9, "n1", "c1:0", "c1:1", epochs=[[0, 0], [1, 1]])
    behind = snap(9, "n2", "c1:0", epochs=[[0, 0]])
    longer = snap(9, "n3", "c1:0", None, "x", "y", epochs=[[0, 0]])
    two = (shows(0, 1, at=1, asked=0),)
    for logs in ((leads, behind), (longer, leads, behind), (behind, leads)):
        assert gapless_polls(read(*two, logs=logs)).status is Status.HOLDS
    unsaid = (snap(9, "n1", "c1:0"), snap(9, "n2", "c1:0", "c1:1"), snap(9, "n3", "c1:0"))
    assert gapless_polls(read(*two, logs=unsaid)).status is Status.HOLDS
    zero = snap(9, "n2", "c1:0", "c1:1", epochs=[[0, 0]])
    assert gapless_polls(read(*two, logs=(snap(9, "n1", "c1:0", None, "z"), zero))).status is Status.HOLDS
    old = (snap(3, "n1", "c1:0", "old", "older", epochs=[[0, 7]]), leads)
    assert gapless_polls(read(*two, logs=old)).status is Status.HOLDS


def test_where_replicas_differ_in_the_end_nobody_knows_the_log() -> None:
    """From the lowest such offset on; what was skipped before is skipped."""
    logs = (snap(9, "n1", *VALUES), snap(9, "n2", *VALUES[:4], "x", "y"), snap(9, "n3", "c1:0", None, "c1:2"))
    reason = f"the replicas of {LOG} have different values at offset 4 in the end"
    for n in (4, 5):
        assert told(gapless_polls(read(shows(*range(n + 1), at=1), logs=logs))) == (NAME, "unknown", reason, counts(4))
    assert told(gapless_polls(read(shows(*range(4), at=1), logs=logs)))[1] == "holds"
    skipping = gapless_polls(read(shows(0, 1, 3, 6, at=1), logs=logs))
    assert (skipping.status, skipping.measures) == (Status.VIOLATED, counts(4, 1))


def test_the_disk_of_a_broker_that_is_down_is_not_the_log() -> None:
    """However long it is; whether it answered is looked at when the final read begins, or at the end without one."""
    logs = (snap(9, "n1", *VALUES, epochs=[[0, 9]]), snap(9, "n2", "c1:0", "x", "c1:2", epochs=[[0, 0]]))
    refused, again = seen(5, "n1", "probe-error", "refused"), seen(15, "n1", "probe-error", None)
    polls = [poll("c2", 1, 0, [0, "c1:0"], [1, "x"], [2, "c1:2"])]
    assert gapless_polls(read(*polls, logs=logs)).status is Status.UNKNOWN
    assert gapless_polls(read(*polls, logs=(*logs, refused))).status is Status.HOLDS
    assert gapless_polls(read(*polls, logs=(*logs, refused, again))).status is Status.UNKNOWN
    for at, status in ((10, Status.HOLDS), (16, Status.UNKNOWN)):
        assert gapless_polls(read(*polls, left(at=at), logs=(*logs, refused, again))).status is status
    twice = [left(at=10), left(at=16)]
    assert gapless_polls(read(*polls, *twice, logs=(*logs, refused, again))).status is Status.UNKNOWN


NO_END = f"what is in {LOG} in the end, which c2 read, no replica says"


@pytest.mark.parametrize(
    ("polls", "logs", "reason"),
    [
        ([], [END], "no consumer was shown a record"),
        ([poll("c2", 1, 0), poll("c2", 2, 0, outcome="info")], [END], "no consumer was shown a record"),
        ([shows(0, at=1, outcome="info"), shows(1, at=2, outcome="fail")], [END], "no consumer was shown a record"),
        ([shows(0, at=1, log=None)], [END], "no consumer was shown a record"),
        ([op("c2", "peek", [LOG, 0], at=1, result=[[0, "c1:0"]], log=LOG)], [END], "no consumer was shown a record"),
        ([shows(0, at=1)], [], NO_END),
        ([shows(0, at=1)], [snap(9, "n1", *VALUES, log="l-1")], NO_END),
        ([shows(0, at=1)], [END, seen(3, "n1", "probe-error", "refused")], NO_END),
    ],
)
def test_without_a_consumer_and_the_end_of_its_log_it_is_unknown(
    polls: list[Operation], logs: list[Observation], reason: str
) -> None:
    """Unacknowledged, of no log, or of one that no replica was seen of."""
    recorded = history([*polls, add("c1:0", 0)], observations=logs)
    measures = {} if reason != NO_END else counts(0)
    assert told(gapless_polls(recorded)) == (NAME, "unknown", reason, measures)


def test_one_consumer_whose_log_is_not_known_leaves_it_open() -> None:
    """What another skipped is skipped all the same."""
    other = poll("c3", 1, 0, [0, "a"], log="l-1")
    unknown = gapless_polls(read(shows(0, 1, at=1), other))
    assert unknown.reason == "what is in l-1 in the end, which c3 read, no replica says"
    assert unknown.measures == counts(2)
    assert gapless_polls(read(shows(0, 2, at=1), other)).status is Status.VIOLATED


def faulty(*polls: Operation, error_ns: int = 0, faults: tuple[tuple[float, float], ...] = ((3, 5),)) -> History:
    """These polls around faults."""
    harms = [fault(*each) for each in faults]
    return history(polls, harms, [END], clock_error_ns={"c2": error_ns})


def test_polls_that_met_no_fault_or_showed_nothing_since_prove_nothing() -> None:
    """What was skipped is skipped."""
    first, after, met = shows(0, 1, at=1, asked=0), shows(2, at=6, asked=2), poll("c2", 4, 2)
    assert gapless_polls(faulty(first, met, after)).status is Status.HOLDS
    missed = (NAME, "unknown", "no operation was under way during isolate", counts(3))
    assert told(gapless_polls(faulty(first, after))) == missed
    asked = [poll("c3", 4, 0), add("c1:0", 4), poll("c2", 4, 0, log=None)]
    assert told(gapless_polls(faulty(first, after, *asked))) == missed
    nothing = "no consumer was shown a record after the last fault began"
    assert told(gapless_polls(faulty(first, met))) == (NAME, "unknown", nothing, counts(2))
    assert gapless_polls(faulty(shows(0, 2, at=1))).status is Status.VIOLATED
    twice = ((3, 5), (7, 8))
    again, met_again = shows(3, at=9, asked=3), poll("c2", 7, 3)
    assert gapless_polls(faulty(first, met, after, met_again, faults=twice)).reason == nothing
    assert gapless_polls(faulty(first, met, after, met_again, faults=twice[::-1])).reason == nothing
    assert gapless_polls(faulty(first, met, after, met_again, again, faults=twice)).status is Status.HOLDS
    other = [shows(0, client="c3", at=9), shows(0, client="c4", at=1)]
    assert gapless_polls(faulty(first, met, *other)).status is Status.HOLDS


def test_a_record_shown_when_the_fault_began_counts_up_to_the_clocks_error() -> None:
    """A poll counts from its end."""
    first, met = shows(0, at=1, asked=0), poll("c2", 4, 2)
    at_once = shows(1, at=2.9, asked=1)
    assert gapless_polls(faulty(first, at_once, met)).status is Status.HOLDS
    assert gapless_polls(faulty(first, shows(1, at=2.89, asked=1), met)).status is Status.UNKNOWN
    assert gapless_polls(faulty(first, at_once, met, error_ns=1)).status is Status.UNKNOWN
    assert gapless_polls(faulty(first, shows(1, at=3, asked=1), met, error_ns=ns(0.1))).status is Status.HOLDS
    open_end = {name: getattr(at_once, name) for name in Operation.__dataclass_fields__} | {"completed_ns": None}
    assert gapless_polls(faulty(first, Operation(**open_end), met)).status is Status.UNKNOWN
    open_end["invoked_ns"] = ns(3)
    assert gapless_polls(faulty(first, Operation(**open_end), met)).status is Status.HOLDS


def test_one_consumer_can_be_judged_alone() -> None:
    """Against everybody's replicas."""
    recorded = read(shows(0, 1, at=1), shows(0, 2, at=1, client="c3"), left(at=30))
    assert of_client(gapless_polls, "c2")(recorded).status is Status.HOLDS
    assert of_client(gapless_polls, "c3")(recorded).status is Status.VIOLATED


def test_promise_applies_where_logs_are_polled_and_replicas_were_looked_at() -> None:
    """A queue has no offsets."""
    assert gapless_polls.applies(read(shows(0, at=1)))
    assert not gapless_polls.applies(read(shows(0, at=1), logs=()))
    assert not gapless_polls.applies(read(op("c2", "poll", at=1)))
    assert not gapless_polls.applies(read(add("c1:0", 1)))
