"""
Acknowledged records that are gone are found, and how each of them was lost.
"""

from chaos.guarantees import acked_records_survive, acked_writes_survive, of_client
from chaos.history import History, Observation
from chaos.verdict import Status
from tests.guarantees.logs import add, left, seen, snap
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

NAME = "acked_records_survive"
NO_KINDS = {"never_replicated_count": 0, "truncated_count": 0, "not_consumed_count": 0, "unexplained_count": 0}
HALF = ("c1:0", "c1:1", "c1:2")
ALL = (*HALF, "c1:3", "c1:4", "c1:5")
ADDS = [add(value, at, offset=at) for at, value in enumerate(ALL)]


def kept(read: tuple[str, ...], *seen: Observation) -> History:
    """c1 adds 0 to 5, one each second; a fault bites at 2.5 s; this is read at the end."""
    return history([*ADDS, left(*read)], [fault(2.5, 8)], seen)


def test_every_record_in_the_final_read_holds() -> None:
    """In the words of the writes, with a count for each kind."""
    recorded = kept(ALL, snap(9, "n1", *ALL))
    measures = {**acked_writes_survive(recorded).measures, **NO_KINDS}
    reason = "all 6 acknowledged writes are in the final read"
    assert told(acked_records_survive(recorded)) == (NAME, "holds", reason, measures)


def test_records_that_only_the_lost_leader_had_were_never_replicated() -> None:
    """It came back and threw them away."""
    recorded = kept(HALF, snap(2, "n1", *ALL), snap(2, "n2", *HALF), snap(9, "n1", *HALF), snap(9, "n2", *HALF))
    sentence = (
        "record c1:5 was acknowledged at 5.100 s and is not in the final read; 3 of 6 acknowledged records are gone: "
        "3 never replicated"
    )
    measures = {**acked_writes_survive(recorded).measures, **NO_KINDS, "never_replicated_count": 3}
    assert measures["lost_count"] == 3
    assert told(acked_records_survive(recorded)) == (NAME, "violated", sentence, measures)
    assert proof(acked_records_survive(recorded)) == ("lost record", sentence, [5])


def test_each_kind_of_loss_is_told() -> None:
    """Most telling first; each record is of one kind."""
    early = [snap(2, "n1", "c1:0", "c1:1", "c1:2", "c1:3"), snap(2, "n2", "c1:1", None, "c1:3")]
    recorded = kept(("c1:5",), *early, snap(9, "n1"), snap(9, "n2", "c1:3"), snap(9, "n3", "c1:5"))
    verdict = acked_records_survive(recorded)
    assert verdict.reason.endswith(
        "5 of 6 acknowledged records are gone: 2 never replicated, 1 truncated, 1 not consumed, 1 unexplained"
    )
    assert {name: verdict.measures[name] for name in NO_KINDS} == {
        "never_replicated_count": 2,
        "truncated_count": 1,
        "not_consumed_count": 1,
        "unexplained_count": 1,
    }


def test_replicas_need_not_have_had_a_record_at_once_to_be_several() -> None:
    """And one replica is one, however often it was looked at."""
    recorded = kept(ALL[1:], snap(1, "n1", "c1:0"), snap(2, "n1"), snap(3, "n2", "c1:0"), snap(4, "n2"))
    assert acked_records_survive(recorded).measures["truncated_count"] == 1
    again = kept(ALL[1:], snap(1, "n1", "c1:0"), snap(2, "n1", "c1:0", "x"), snap(4, "n1"))
    assert acked_records_survive(again).measures["never_replicated_count"] == 1


def test_the_disk_of_a_broker_that_is_down_keeps_nothing() -> None:
    """Whether it answered is looked at when the final read begins; what it had counts as seen."""
    disks = [snap(9, "n1", *ALL), snap(9, "n2", *HALF)]
    refused, again = seen(3, "n1", "probe-error", "refused"), seen(19, "n1", "probe-error", None)
    after = seen(21, "n1", "probe-error", "stopped")
    for more, kind in (((), "not_consumed"), ((refused,), "never_replicated"), ((refused, again), "not_consumed")):
        measures = acked_records_survive(kept(HALF, *disks, *more)).measures
        assert measures[f"{kind}_count"] == 3
    assert acked_records_survive(kept(HALF, *disks, after)).measures["not_consumed_count"] == 3
    at_once = seen(20, "n1", "probe-error", "stopped")
    assert acked_records_survive(kept(HALF, *disks, at_once)).measures["never_replicated_count"] == 3


def test_without_snapshots_every_loss_is_unexplained() -> None:
    """It is a loss all the same."""
    verdict = acked_records_survive(kept(HALF))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures["unexplained_count"] == 3


def test_the_broker_that_acknowledged_is_named_and_results_may_be_null() -> None:
    """With acks=0 nobody says an offset; an add without a log is a record like others."""
    recorded = history([op("c1", "add", "c1:0", at=1, address="n1:9092"), left(at=9)])
    assert acked_records_survive(recorded).reason == (
        "record c1:0 was acknowledged at 1.100 s by n1:9092 and is not in the final read; "
        "1 of 1 acknowledged records are gone: 1 unexplained"
    )


def test_what_nobody_acknowledged_in_time_is_no_loss() -> None:
    """Unanswered, failed, or acknowledged after the final read began."""
    others = [add("c2:1", 1, outcome="info"), add("c2:2", 2, outcome="fail"), add("c2:3", 3, took=None)]
    recorded = history([add("c1:0", 0), *others, add("c2:4", 19.95), left("c1:0")])
    assert acked_records_survive(recorded).status is Status.HOLDS
    assert acked_records_survive(recorded).measures["info_count"] == 2


def test_too_little_evidence_is_unknown_as_for_writes() -> None:
    """With the reason of the writes; a read that came too early counts its kinds."""
    for operations in ([], [ADDS[0]], [ADDS[0], op("o", "final-read", at=9)], [left("c1:0")]):
        recorded = history(operations)
        assert told(acked_records_survive(recorded))[1:] == told(acked_writes_survive(recorded))[1:]
        assert acked_records_survive(recorded).status is Status.UNKNOWN
        assert acked_records_survive(recorded).guarantee == NAME
    early = history([*ADDS, left(*HALF, at=7)], [fault(2.5, 8)])
    measures = {**acked_writes_survive(early).measures, **NO_KINDS, "unexplained_count": 3}
    reason = "the final read came 1.000 s before the last fault healed"
    assert told(acked_records_survive(early)) == (NAME, "unknown", reason, measures)


def test_a_loss_within_the_clocks_error_is_unknown() -> None:
    """And of no kind."""
    operations = [add("c1:0", 1), add("c1:1", 8.85), left("c1:0", at=9)]
    verdict = acked_records_survive(history(operations, clock_error_ns={"c1": ns(0.1)}))
    assert (verdict.status, verdict.measures["unexplained_count"]) == (Status.UNKNOWN, 0)
    assert acked_records_survive(history(operations)).status is Status.VIOLATED


def test_one_producers_records_can_be_judged_alone() -> None:
    """That of the losing side."""
    recorded = history([add("c1:0", 1), add("c2:0", 2), left("c2:0")], (), [snap(3, "n1", "c1:0"), snap(4, "n1")])
    of_c1, of_c2 = (of_client(acked_records_survive, client)(recorded) for client in ("c1", "c2"))
    assert (of_c1.guarantee, of_c1.measures["never_replicated_count"]) == (f"{NAME}[c1]", 1)
    assert of_c2.status is Status.HOLDS


def test_promise_applies_where_replicas_were_looked_at() -> None:
    """A set in a store has no replicas' logs."""
    assert acked_records_survive.applies(kept(ALL, snap(1, "n1")))
    assert not acked_records_survive.applies(kept(ALL, seen(1, "n1", "role", "leader")))
