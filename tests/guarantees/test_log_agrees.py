"""
An offset that was two different values is found, whoever saw them.
"""

import pytest

from chaos.guarantees import log_agrees
from chaos.history import History, Observation, Operation
from chaos.verdict import Status
from tests.guarantees.logs import LOG, add, snap
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

NAME = "log_agrees"
ADDS = [add("c1:0", 0, 0), add("c1:1", 1, 1), add("c1:2", 2)]


def poll(client: str, at: float, *pairs: object, **more: object) -> Operation:
    """A poll and what it got."""
    return op(client, "poll", [LOG, 0], at=at, **{"result": list(pairs), "log": LOG, **more})  # type: ignore[arg-type]


def test_all_who_say_the_same_hold() -> None:
    """Adds, polls and replicas; nothing is no value, and another log is another."""
    polls = [poll("c2", 5, [0, "c1:0"], [1, "c1:1"]), poll("c2", 6, [0, "other"], log="l-1"), poll("c2", 7)]
    disks = [snap(3, "n1", "c1:0", None, "c1:2"), snap(4, "n2", "c1:1", first=1), snap(8, "n2", None, None)]
    verdict = log_agrees(history([*ADDS, *polls], observations=disks))
    reason = "each of 4 offsets had one value, whoever saw it"
    assert told(verdict) == (NAME, "holds", reason, {"offsets_count": 4, "conflict_count": 0})


def test_an_offset_given_twice_is_told_in_full() -> None:
    """With both operations."""
    verdict = log_agrees(history([*ADDS, add("c2:0", 3, 1), poll("c3", 5, [0, "c2:9"], [1, "c2:0"])]))
    sentence = (
        f"offset 0 of {LOG}: c1 was acknowledged c1:0 there at 0.100 s and c3 read c2:9 there at 5.100 s; "
        "2 offsets had two values"
    )
    assert told(verdict) == (NAME, "violated", sentence, {"offsets_count": 2, "conflict_count": 2})
    assert proof(verdict) == ("diverging log", sentence, [0, 4])


def test_replicas_that_differ_are_told_in_full() -> None:
    """They are no operations."""
    verdict = log_agrees(history(ADDS, observations=[snap(3, "n1", "c1:0", "a"), snap(4, "n2", "c1:0", "c1:1")]))
    sentence = f"offset 1 of {LOG}: c1 was acknowledged c1:1 there at 1.100 s and n1 had a there at 3.000 s; 1 offsets had two values"
    assert told(verdict) == (NAME, "violated", sentence, {"offsets_count": 2, "conflict_count": 1})
    assert proof(verdict) == ("diverging log", sentence, [1])
    both = log_agrees(history(ADDS[2:], observations=[snap(3, "n1", 17, first=5), snap(4, "n2", [1], first=5)]))
    sentence = (
        f"offset 5 of {LOG}: n1 had 17 there at 3.000 s and n2 had [1] there at 4.000 s; 1 offsets had two values"
    )
    assert proof(both) == ("diverging log", sentence, [])


def test_one_replica_that_changes_its_mind_is_violated() -> None:
    """A tail that it threw away and took from another leader."""
    changed = [snap(3, "n1", "a"), snap(4, "n1"), snap(5, "n1", "b")]
    assert log_agrees(history(ADDS[2:], observations=changed)).status is Status.VIOLATED


def test_the_lowest_offset_is_shown_of_the_first_log_by_name() -> None:
    """Whichever was found first."""
    adds = [add("c1:2", 1, 2), add("c1:1", 2, 1), add("c1:0", 3, 0, log="l-1")]
    others = [add("c2:2", 4, 2), add("c2:1", 5, 1), add("c2:0", 6, 0, log="l-1")]
    assert log_agrees(history([*adds, *others])).reason.startswith(f"offset 1 of {LOG}: c1 was acknowledged c1:1")


def test_the_first_two_who_differ_are_shown() -> None:
    """A third who differs as well is the same conflict."""
    verdict = log_agrees(
        history([ADDS[0]], observations=[snap(3, "n1", "x"), snap(4, "n2", "y"), snap(5, "n3", "c1:0")])
    )
    assert "c1:0 there at 0.100 s and n1 had x there" in verdict.reason
    assert verdict.measures == {"offsets_count": 1, "conflict_count": 1}


@pytest.mark.parametrize(
    "other",
    [
        add("c2:0", 3, 0, outcome="info"),
        add("c2:0", 3, 0, outcome="fail"),
        add("c2:0", 3, 0, log=None),
        add("c2:0", 3, 0, log="l-1"),
        op("c2", "add", "c2:0", at=3, result=0),
        op("c2", "add", "c2:0", at=3, result=True, log=LOG),
        op("c2", "add", None, at=3, result=0, log=LOG),
        op("c2", "write", "c2:0", at=3, result=0, log=LOG),
        op("c2", "poll", "c2:0", at=3, result=0, log=LOG),
        op("c2", "poll", at=3, log=LOG),
        op("c2", "peek", at=3, result=[[0, "c2:0"]], log=LOG),
        op("c2", "poll", at=3, result=[0, "c2:0"], log=LOG),
        poll("c2", 3, [0, "c2:0"], outcome="info"),
        poll("c2", 3, [0, None], [0], [0, "x", 1], ["0", "x"], [None, "x"], [0.0, "x"], None, 7),
        poll("c2", 3, [0, "c2:0"], log=7),
    ],
)
def test_what_says_nothing_of_the_offset_contradicts_nobody(other: Operation) -> None:
    """Unacknowledged, of another log or of none, without an offset or a value, or malformed."""
    recorded = history([*ADDS, other, poll("c3", 9, [0, "c1:0"])])
    assert log_agrees(recorded).status is Status.HOLDS


def test_malformed_pairs_do_not_hide_those_behind_them() -> None:
    """Each pair for itself."""
    assert (
        log_agrees(history([*ADDS, poll("c2", 3, None, [0], [1, None], ["1", "x"], [0, "x"])])).status
        is Status.VIOLATED
    )


@pytest.mark.parametrize(
    ("operations", "seen", "offsets"),
    [
        (ADDS, [], 2),
        (ADDS, [snap(3, "n1", first=9), snap(4, "n1", "c1:9", first=9), snap(5, "n1", "c1:9", first=9)], 3),
        ([ADDS[2]], [snap(3, "n1", "a", None), snap(3, "n2", None, "b")], 2),
    ],
)
def test_without_two_sources_of_an_offset_it_is_unknown(
    operations: list[Operation], seen: list[Observation], offsets: int
) -> None:
    """One that looks twice is one source."""
    measures = {"offsets_count": offsets, "conflict_count": 0}
    reason = "no offset was seen by two different sources"
    assert told(log_agrees(history(operations, observations=seen))) == (NAME, "unknown", reason, measures)


def test_two_sources_early_on_are_evidence_to_the_end() -> None:
    """Though the last offsets were seen by one."""
    assert log_agrees(history(ADDS, observations=[snap(3, "n1", "c1:0", "c1:1", "x", "y")])).status is Status.HOLDS


def with_a_fault(at: float, error_ns: int = 0, outcome: str = "ok") -> History:
    """Adds at 0 to 2 s, and a fault."""
    asked = [op(one.client, "add", one.value, one.invoked_ns / 1e9, 0.1, one.result, outcome, log=LOG) for one in ADDS]
    disks = [snap(8, "n1", "c1:0"), snap(8, "n2", "c1:0")]
    errors = {"c1": error_ns}
    return history([*asked, op("c2", "get", at=4)], [fault(at, at + 1)], disks, clock_error_ns=errors)


def test_operations_that_ended_and_met_the_fault_are_evidence() -> None:
    """Clocks that may be off included."""
    measures = {"offsets_count": 2, "conflict_count": 0}
    assert log_agrees(with_a_fault(2)).status is Status.HOLDS
    unmet = (NAME, "unknown", "no operation was under way during isolate", measures)
    assert told(log_agrees(with_a_fault(4))) == unmet
    assert log_agrees(with_a_fault(2.05, ns(0.1))).status is Status.UNKNOWN
    reason = "no write and no poll was acknowledged"
    assert told(log_agrees(with_a_fault(2, outcome="info"))) == (
        NAME,
        "unknown",
        reason,
        {**measures, "offsets_count": 1},
    )
    polled = history([*ADDS, poll("c2", 4)], [fault(4, 5)], [snap(8, "n1", "c1:0")])
    assert log_agrees(polled).status is Status.HOLDS


def test_acknowledged_add_without_an_end_counts_from_when_it_was_asked() -> None:
    """As histories of other tools may have it."""
    open_end = Operation(
        **{name: getattr(ADDS[0], name) for name in Operation.__dataclass_fields__} | {"completed_ns": None}
    )
    assert "c1:0 there at 0.000 s" in log_agrees(history([open_end], observations=[snap(3, "n1", "x")])).reason


def test_promise_applies_where_an_add_names_its_log() -> None:
    """A set has no offsets."""
    assert log_agrees.applies(history(ADDS))
    assert not log_agrees.applies(history([op("c1", "add", 1, address="n1")]))
