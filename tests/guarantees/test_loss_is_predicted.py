"""
What is lost is compared with what the new leader did not have.
"""

from dataclasses import replace

import pytest

from chaos.guarantees import loss_is_predicted
from chaos.history import History, Observation, Operation
from chaos.verdict import Status
from tests.guarantees.logs import add, lead, left, seen, snap
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told

NAME = "loss_is_predicted"
HALF = ("c1:0", "c1:1", "c1:2")
ALL = (*HALF, "c1:3", "c1:4", "c1:5")
ADDS = [add(value, at, offset=at, address="n1:9092") for at, value in enumerate(ALL)]
FAULT = fault(2.5, 8)
FOLLOWER = snap(3, "n2", *HALF)
ROLES = [lead(0, "n1"), seen(0, "n2", "role", "follower"), lead(6, "n2")]
SEEN = [*ROLES, snap(2.8, "n1", *ALL[:4]), FOLLOWER]
COUNTS = {"acked_count": 6, "predicted_count": 3, "lost_count": 3, "agreeing_count": 3}
ENDS = {"old_log_end_offset": 4, "new_log_end_offset": 3}


def judged(read: tuple[str, ...], *more: Observation, extra: tuple[Operation, ...] = ()) -> History:
    """n1 leads and acknowledges 0 to 5, one each second; a fault bites at 2.5 s; n2, which has 0 to 2, leads at 6 s."""
    return history([*ADDS, *extra, left(*read)], [FAULT], [*SEEN, *more])


def without(kind: str, party: str) -> list[Observation]:
    """What was seen but for this."""
    return [one for one in SEEN if (one.kind, one.party) != (kind, party)]


def test_loss_of_what_the_new_leader_lacked_holds() -> None:
    """And is told in full."""
    reason = "3 of 6 acknowledged records are lost, all that n2 lacked when it took over"
    assert told(loss_is_predicted(judged(HALF))) == (NAME, "holds", reason, {**COUNTS, **ENDS})


def test_no_loss_by_a_leader_that_had_all_holds() -> None:
    """Nothing was predicted, and nothing is lost."""
    measures = {"acked_count": 6, "predicted_count": 0, "lost_count": 0, "agreeing_count": 0}
    verdict = loss_is_predicted(judged(ALL, snap(5.5, "n2", *ALL)))
    reason = "0 of 6 acknowledged records are lost, all that n2 lacked when it took over"
    assert told(verdict) == (NAME, "holds", reason, {**measures, **ENDS, "new_log_end_offset": 6})


def test_what_the_new_leader_had_and_nobody_reads_is_violated() -> None:
    """The last acknowledged of them is shown."""
    verdict = loss_is_predicted(judged(HALF[:1]))
    sentence = (
        "record c1:2 was acknowledged at 2.100 s by n1 and lost although the new leader had it; "
        "n2 was seen to lead at 6.000 s, and so it went with 2 records"
    )
    measures = {**COUNTS, **ENDS, "lost_count": 5}
    assert told(loss_is_predicted(judged(HALF[:1]))) == (NAME, "violated", sentence, measures)
    assert proof(verdict) == ("lost although the new leader had it", sentence, [2])


def test_what_the_new_leader_lacked_and_is_there_is_violated() -> None:
    """Both kinds at once show the loss."""
    verdict = loss_is_predicted(judged((*HALF, "c1:4")))
    sentence = (
        "record c1:4 was acknowledged at 4.100 s by n1 and survived although the new leader lacked it; "
        "n2 was seen to lead at 6.000 s, and so it went with 1 records"
    )
    measures = {**COUNTS, **ENDS, "lost_count": 2, "agreeing_count": 2}
    assert told(verdict) == (NAME, "violated", sentence, measures)
    assert proof(verdict) == ("survived although the new leader lacked it", sentence, [4])
    both = loss_is_predicted(judged(("c1:0", "c1:1", "c1:4")))
    assert proof(both)[0] == "lost although the new leader had it"


def test_the_last_snapshot_before_the_lead_counts() -> None:
    """One that was taken as it was seen to lead is after."""
    assert loss_is_predicted(judged(ALL[:4], snap(5.9, "n2", *ALL[:4]), snap(1, "n2"))).status is Status.HOLDS
    assert loss_is_predicted(judged(ALL[:4], snap(6, "n2", *ALL[:4]))).status is Status.VIOLATED
    for at, status in ((2.4, Status.UNKNOWN), (2.5, Status.HOLDS)):
        recorded = history([*ADDS, left(*HALF)], [FAULT], [*without("replica-log", "n2"), snap(at, "n2", *HALF)])
        assert loss_is_predicted(recorded).status is status


def test_the_next_snapshot_corrects_the_last() -> None:
    """Records of a known epoch had arrived in between; those of a new one are the new leader's, and not judged."""
    before = [snap(2.8, "n1", *ALL[:4], epochs=[[0, 1]]), snap(3, "n2", *HALF, epochs=[[0, 1]])]
    own = add("c1:6", 5.5, 5)
    after = [*ALL[:5], "c1:6"]

    def verdict(epochs: object, at: float = 7, *more: Observation) -> tuple[Status, dict[str, float]]:
        disks = [*ROLES, *before, snap(at, "n2", *after, epochs=epochs), *more]
        found = loss_is_predicted(history([*ADDS, own, left(*after)], [FAULT], disks))
        return found.status, dict(found.measures)

    counts = {**COUNTS, "predicted_count": 1, "lost_count": 1, "agreeing_count": 1}
    assert verdict([[0, 1], [5, 2]]) == (Status.HOLDS, {**counts, **ENDS})
    assert verdict([[0, 1], [5, 2]], 6)[0] is Status.HOLDS
    assert verdict([[0, 0], [3, 1], [5, 2]])[0] is Status.HOLDS
    assert verdict(None)[0] is Status.VIOLATED
    assert verdict([[5, 2]])[0] is Status.VIOLATED
    later = (snap(8, "n2", *after, epochs=[[0, 1], [6, 2]]), snap(7, "n1", *after, epochs=[[0, 1]]))
    assert verdict([[0, 1], [5, 2]], 7, *later)[0] is Status.HOLDS
    other_log = snap(6.5, "n2", *ALL, log="l-1", epochs=[[0, 1]])
    assert verdict([[0, 1], [5, 2]], 7, other_log)[0] is Status.HOLDS
    for at, status in ((6, Status.VIOLATED), (6.9, Status.VIOLATED), (7, Status.VIOLATED), (7.1, Status.HOLDS)):
        assert verdict([[0, 1], [5, 2]], 7, lead(at, "n3"))[0] is status
    assert verdict([[0, 1], [5, 2]], 7, lead(6.5, "n2"))[0] is Status.HOLDS


def test_the_old_leaders_epoch_is_known_too() -> None:
    """The new one may have had nothing of it when it was last looked at; without epochs before, nothing is corrected."""
    after = snap(7, "n2", *ALL, epochs=[[0, 0], [3, 1], [6, 2]])
    for epochs, status in (([[0, 0], [3, 1]], Status.HOLDS), ([[0, 0]], Status.VIOLATED), (None, Status.VIOLATED)):
        disks = [*ROLES, snap(2.8, "n1", *ALL, epochs=epochs), FOLLOWER, after]
        read = left(*(ALL if epochs != [[0, 0]] else ("c1:1", *HALF[2:])))
        assert loss_is_predicted(history([*ADDS, read], [FAULT], disks)).status is status
    for at, status in ((2.4, Status.HOLDS), (2.5, Status.HOLDS), (2.6, Status.VIOLATED)):
        third = [*SEEN, snap(at, "n3", *HALF, epochs=[[0, 1]]), after]
        assert loss_is_predicted(history([*ADDS, left(*ALL)], [FAULT], third)).status is status
    ahead = [*ROLES, snap(2.8, "n1", *ALL, epochs=[[0, 0]]), snap(3, "n2", *HALF, epochs=[[0, 0], [3, 1]]), after]
    assert loss_is_predicted(history([*ADDS, left(*ALL)], [FAULT], ahead)).status is Status.HOLDS


def test_the_old_leaders_log_end_is_told_where_it_was_seen() -> None:
    """Before the other led, of the same log, the last time."""
    recorded = history([*ADDS, left(*HALF)], [FAULT], [*ROLES, FOLLOWER, snap(7, "n1", *ALL), snap(2, "n1", log="l-1")])
    assert loss_is_predicted(recorded).measures == {**COUNTS, "new_log_end_offset": 3}
    assert loss_is_predicted(judged(HALF, snap(4, "n1", *ALL, first=7))).measures["old_log_end_offset"] == 13


def test_only_what_the_old_leader_acknowledged_is_judged() -> None:
    """Not what another broker did, as its address or the new leader's log says, nor what is of another log, or late."""
    others = (
        add("c2:0", 3, 9, address="n2:9092"),
        add("c2:1", 3, 0, log="l-1"),
        add("c2:2", 5.9, 9),
        add("c2:3", 3, outcome="info"),
        add("c2:4", 3, outcome="fail"),
        add("c2:5", 3, took=None),
    )
    read = (*HALF, *(one.value for one in others))
    assert loss_is_predicted(judged(read, extra=others)).measures["acked_count"] == 6
    assert loss_is_predicted(judged(read, extra=others)).status is Status.HOLDS
    third = judged(read, seen(0, "n3", "role", "follower"), extra=(add("c2:6", 3, address="n3:9092"),))
    assert loss_is_predicted(third).measures["acked_count"] == 6
    unsaid = (op("c2", "add", "c2:6", at=3), add("c2:7", 3, address=None), add("c2:8", 3, address="n11:9092"))
    assert loss_is_predicted(judged(HALF, extra=unsaid)).measures["acked_count"] == 9


def test_acknowledgements_near_the_lead_are_left_out_within_the_clocks_error() -> None:
    """One that ended a moment before is judged, if the clocks are right."""
    near = add("c2:0", 5.85, 9)
    for error, count in ((0, 7), (ns(0.04), 7), (ns(0.05), 6), (ns(0.1), 6)):
        recorded = history([*ADDS, near, left(*HALF)], [FAULT], SEEN, clock_error_ns={"c2": error})
        assert loss_is_predicted(recorded).measures["acked_count"] == count


UNSEEN = "nobody was seen to lead before the first fault"


@pytest.mark.parametrize(
    ("faults", "seen", "reason"),
    [
        ([], SEEN, "there was no fault"),
        ([FAULT], [], UNSEEN),
        ([FAULT], ROLES, UNSEEN),
        ([FAULT], without("role", "n1"), UNSEEN),
        ([FAULT], [*without("role", "n1"), lead(2.6, "n1")], UNSEEN),
        ([FAULT], SEEN[:2] + SEEN[3:], "nobody but n1 was seen to lead after the first fault began"),
        (
            [FAULT, fault(6.5, 7)],
            [*SEEN[:2], *SEEN[3:], lead(7, "n1")],
            "nobody but n1 was seen to lead after the first fault began",
        ),
        ([FAULT], [*ROLES, snap(2.8, "n1")], "no snapshot shows the log of n2 between the first fault and its lead"),
        (
            [FAULT],
            [*ROLES, snap(2.4, "n2"), snap(6, "n2")],
            "no snapshot shows the log of n2 between the first fault and its lead",
        ),
    ],
)
def test_without_a_takeover_it_is_unknown(faults: list[object], seen: list[Observation], reason: str) -> None:
    """Or one whose logs were not looked at."""
    recorded = history([*ADDS, left(*HALF)], faults, seen)  # type: ignore[arg-type]
    assert told(loss_is_predicted(recorded)) == (NAME, "unknown", reason, {})


def test_the_first_other_leader_since_the_first_fault_takes_over() -> None:
    """From the instant at which that began; the old one is the last before."""
    early = [lead(1, "n3"), lead(2, "n1"), snap(2.6, "n3", *ALL)]
    assert loss_is_predicted(judged(HALF, *early, lead(6.5, "n3"))).status is Status.HOLDS
    assert loss_is_predicted(judged(ALL, *early, lead(5.9, "n3"))).status is Status.HOLDS
    for looks, reason in (
        ([lead(2.5, "n1"), lead(2.5, "n2")], "no snapshot shows the log of n2 between the first fault and its lead"),
        ([lead(0, "n1"), lead(2.5, "n2")], "nobody but n2 was seen to lead after the first fault began"),
    ):
        assert loss_is_predicted(history([*ADDS, left(*HALF)], [FAULT], [*looks, FOLLOWER])).reason == reason
    two = history([*ADDS, left(*HALF)], [fault(5, 8), FAULT], SEEN)
    assert loss_is_predicted(two).status is Status.HOLDS


def test_a_store_beside_the_cluster_is_no_broker() -> None:
    """Though it is master of itself from then on."""
    recorded = judged(HALF, seen(3, "store", "role", "master"))
    assert loss_is_predicted(recorded).status is Status.UNKNOWN
    systems = {"redis": {"nodes": ["store", "s2"]}, "kafka": {"nodes": ["n1", "n2"]}}
    named = replace(recorded, header=replace(recorded.header, systems=systems))
    assert loss_is_predicted(named).status is Status.HOLDS


def test_without_acknowledged_adds_or_a_final_read_it_is_unknown() -> None:
    """As where nothing can be said of survival."""
    no_list = "there is no acknowledged final read with a list of values"
    assert told(loss_is_predicted(history(ADDS, [FAULT], SEEN))) == (NAME, "unknown", no_list, {})
    late = history([add("c1:0", 7), left("c1:0")], [FAULT], SEEN)
    reason = "no write was acknowledged by n1 before n2 was seen to lead"
    assert told(loss_is_predicted(late)) == (NAME, "unknown", reason, {})


def test_a_final_read_before_the_takeover_or_the_heal_proves_nothing() -> None:
    """Nor does one of other types, nor one that may be too early by its clock."""
    operations = [*ADDS, left(*HALF, at=7)]
    reason = "the final read came 1.000 s before the last fault healed"
    assert told(loss_is_predicted(history(operations, [FAULT], SEEN))) == (NAME, "unknown", reason, {**COUNTS, **ENDS})
    before = "the final read came before n2 was seen to lead"
    for at, error, status in (
        (5.95, 0, Status.UNKNOWN),
        (6, 0, Status.VIOLATED),
        (6.2, ns(0.2), Status.VIOLATED),
        (6.2, ns(0.3), Status.UNKNOWN),
    ):
        recorded = history([*ADDS[:5], left(*ALL, at=at)], [fault(2.5, 5)], SEEN, clock_error_ns={"observer": error})
        verdict = loss_is_predicted(recorded)
        assert verdict.status is status
        assert (verdict.reason == before) is (status is Status.UNKNOWN)
    numbers = history([op("c1", "add", 17, at=1), left("17")], [FAULT], SEEN)
    assert "another type" in loss_is_predicted(numbers).reason


def test_a_fault_that_no_write_met_proves_nothing() -> None:
    """A wrong prediction is wrong all the same."""
    second = fault(9, 10, name="kill")
    reason = "no operation was under way during kill"
    verdict = loss_is_predicted(history([*ADDS, op("c", "get", at=9), left(*HALF)], [FAULT, second], SEEN))
    assert told(verdict) == (NAME, "unknown", reason, {**COUNTS, **ENDS})
    later = history([*ADDS, add("c1:6", 9), left(*HALF, "c1:6")], [FAULT, second], SEEN)
    assert loss_is_predicted(later).status is Status.HOLDS
    assert loss_is_predicted(history([*ADDS, left(*ALL)], [FAULT, second], SEEN)).status is Status.VIOLATED


def test_acknowledged_add_without_an_end_counts_from_when_it_was_asked() -> None:
    """As histories of other tools may have it."""
    last = {name: getattr(ADDS[5], name) for name in Operation.__dataclass_fields__} | {"completed_ns": None}
    verdict = loss_is_predicted(history([*ADDS[:5], Operation(**last), left(*HALF, "c1:5")], [FAULT], SEEN))
    assert verdict.reason.startswith("record c1:5 was acknowledged at 5.000 s by n1 and survived")


def test_promise_applies_where_roles_and_logs_were_seen() -> None:
    """One of them is not enough."""
    assert loss_is_predicted.applies(judged(HALF))
    assert not loss_is_predicted.applies(history([*ADDS, left(*HALF)], [FAULT], ROLES))
