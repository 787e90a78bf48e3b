"""
An acknowledged write that is not there at the end is found, with its window.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import UsageError
from chaos.guarantees import acked_writes_survive, acked_writes_survive_for, mutual_exclusion, of_client
from chaos.history import Fault, History, Operation, Outcome
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.telling import proof, told


def split_brain(survivors: list[int], faults: tuple[Fault, ...] = (fault(2.05, 5, healing=4.5),)) -> History:
    """c1 adds 0 to 9, one each second; then an observer reads."""
    adds = [op("c1", "add", value, at=value, address="n1:6379") for value in range(10)]
    return history([*adds, op("observer", "final-read", at=20, result=survivors)], faults)


def test_every_acknowledged_write_in_the_final_read_holds() -> None:
    verdict = acked_writes_survive(split_brain(list(range(10))))
    assert verdict.status is Status.HOLDS
    assert verdict.measures == {
        "acked_count": 10,
        "lost_count": 0,
        "lost_share": 0,
        "info_count": 0,
        "info_survived_count": 0,
    }


def test_lost_write_is_violated_with_the_last_one_as_witness() -> None:
    verdict = acked_writes_survive(split_brain([0, 1, 2, 7, 8, 9]))
    assert verdict.status is Status.VIOLATED
    assert verdict.witness is not None
    assert [operation.value for operation in verdict.witness.operations] == [6]
    assert verdict.witness.sentence == (
        "write 6 was acknowledged at 6.100 s by n1:6379 and is not in the final read; "
        "4 of 10 acknowledged writes are gone"
    )


def test_window_runs_from_the_first_harm_to_the_last_lost_acknowledgement() -> None:
    measures = acked_writes_survive(split_brain([0, 1, 2, 7, 8, 9])).measures
    assert measures["window_s"] == pytest.approx(4.05)
    assert measures["last_lost_after_fault_s"] == pytest.approx(4.05)
    assert measures["last_lost_after_heal_s"] == pytest.approx(1.6)
    assert (measures["lost_count"], measures["lost_share"]) == (4, 0.4)


def test_loss_that_ends_before_the_heal_has_a_negative_distance_to_it() -> None:
    measures = acked_writes_survive(split_brain([0, 1, 2, 4, 5, 6, 7, 8, 9])).measures
    assert measures["last_lost_after_heal_s"] == pytest.approx(-1.4)


def test_losses_all_before_the_fault_give_the_stretch_up_to_it() -> None:
    measures = acked_writes_survive(split_brain([0, 3, 4, 5, 6, 7, 8, 9], (fault(2.5, None),))).measures
    assert measures["window_s"] == pytest.approx(1.5)
    assert measures["last_lost_after_fault_s"] == pytest.approx(-0.4)
    assert "last_lost_after_heal_s" not in measures


def test_without_a_fault_the_window_runs_from_first_to_last_loss() -> None:
    measures = acked_writes_survive(split_brain([0, 1, 2, 3, 5, 6, 8, 9], ())).measures
    assert measures["window_s"] == pytest.approx(3.1)
    assert "last_lost_after_fault_s" not in measures


@pytest.mark.parametrize("faults", [(), (fault(9.1, None),)], ids=["no fault", "a fault as it was acknowledged"])
def test_single_loss_has_a_window_above_zero(faults: tuple[Fault, ...]) -> None:
    verdict = acked_writes_survive(split_brain([0, 1, 2, 3, 4, 5, 6, 7, 8], faults))
    assert verdict.status is Status.VIOLATED
    assert verdict.measures["window_s"] == pytest.approx(0.1)


def test_write_acknowledged_the_instant_the_final_read_began_is_judged() -> None:
    operations = [op("c1", "add", 1, at=1, took=1), op("observer", "final-read", at=2, result=[])]
    assert acked_writes_survive(history(operations)).status is Status.VIOLATED


def test_unanswered_and_failed_writes_may_be_gone() -> None:
    operations = [
        op("c1", "add", 1, at=1),
        op("c1", "add", 2, at=2, outcome="info"),
        op("c1", "add", 3, at=3, took=None),
        op("c1", "add", 4, at=4, outcome="fail"),
        op("c1", "add", 5, at=5, outcome="info"),
        op("observer", "final-read", at=9, result=[1, 3]),
    ]
    verdict = acked_writes_survive(history(operations))
    assert verdict.status is Status.HOLDS
    assert (verdict.measures["info_count"], verdict.measures["info_survived_count"]) == (3, 1)


def test_write_acknowledged_after_the_final_read_began_is_not_judged() -> None:
    operations = [op("c1", "add", 1, at=1), op("c1", "add", 2, at=8.95), op("o", "final-read", at=9, result=[1])]
    assert acked_writes_survive(history(operations)).status is Status.HOLDS


def test_last_final_read_counts() -> None:
    reads = [op("o", "final-read", at=8, result=[]), op("o", "final-read", at=9, result=[1])]
    assert acked_writes_survive(history([op("c1", "add", 1), *reads])).status is Status.HOLDS


@pytest.mark.parametrize(
    ("operations", "faults", "reason"),
    [
        ([op("c1", "add", 1)], (), "no acknowledged final read"),
        ([op("c1", "add", 1), op("o", "final-read", at=9, outcome="info")], (), "no acknowledged final read"),
        ([op("c1", "add", 1), op("o", "final-read", at=9, result=3)], (), "no acknowledged final read"),
        ([op("c1", "add", 1, outcome="fail"), op("o", "final-read", at=9, result=[1])], (), "no write was ackno"),
        ([op("c1", "add", 1), op("o", "final-read", at=9, result=[1])], (fault(4, 5),), "no operation was under way"),
        ([op("c1", "add", 1), op("o", "final-read", at=9, result=[])], (fault(0, 11),), "2.000 s before the last"),
        ([op("c1", "add", 1), op("o", "final-read", at=9, result=["1"])], (), "another type"),
    ],
)
def test_too_little_evidence_is_unknown(operations: list[Operation], faults: tuple[Fault, ...], reason: str) -> None:
    verdict = acked_writes_survive(history(operations, faults))
    assert verdict.status is Status.UNKNOWN
    assert reason in verdict.reason


def test_write_under_way_in_an_unhealed_fault_is_evidence() -> None:
    operations = [op("c1", "add", 1, at=8), op("o", "final-read", at=9, result=[1])]
    assert acked_writes_survive(history(operations, [fault(4, None)])).status is Status.HOLDS


def test_restricted_to_one_client_only_its_writes_count() -> None:
    operations = [
        op("c1", "add", 1, at=1),
        op("c2", "add", 2, at=2),
        op("observer", "final-read", at=9, result=[2]),
    ]
    of_c1, of_c2 = (
        acked_writes_survive_for("c1")(history(operations)),
        acked_writes_survive_for("c2")(history(operations)),
    )
    assert (of_c1.guarantee, of_c1.status, of_c1.measures["acked_count"]) == (
        "acked_writes_survive[c1]",
        Status.VIOLATED,
        1,
    )
    assert of_c2.status is Status.HOLDS
    assert acked_writes_survive_for("c3")(history(operations)).status is Status.UNKNOWN


def test_promise_between_clients_is_not_restricted_to_one() -> None:
    with pytest.raises(UsageError, match="mutual_exclusion is a promise between clients"):
        of_client(mutual_exclusion, "c1")


@given(st.data())
def test_verdict_is_what_a_set_difference_says_whatever_the_names(data: st.DataObject) -> None:
    outcomes = data.draw(st.lists(st.sampled_from(["ok", "fail", "info"]), min_size=1, max_size=12))
    survivors = data.draw(st.sets(st.integers(0, len(outcomes) - 1)))
    names = data.draw(st.permutations([f"v{number}" for number in range(len(outcomes))]))
    clients = data.draw(st.lists(st.sampled_from(["a", "b"]), min_size=len(outcomes), max_size=len(outcomes)))
    adds = [op(clients[n], "add", names[n], at=n, outcome=outcome) for n, outcome in enumerate(outcomes)]
    read = op("o", "final-read", at=99, result=[names[n] for n in survivors])
    lost = {n for n, outcome in enumerate(outcomes) if outcome == "ok"} - survivors
    verdict = acked_writes_survive(history([*adds, read]))
    if "ok" not in outcomes:
        assert verdict.status is Status.UNKNOWN
        return
    assert verdict.status is (Status.VIOLATED if lost else Status.HOLDS)
    assert verdict.measures["lost_count"] == len(lost)
    kept = [add for n, add in enumerate(adds) if n not in lost]
    assert acked_writes_survive(history([*kept, read])).status is not Status.VIOLATED


def test_final_read_that_found_nothing_says_how_to_read_a_total_loss() -> None:
    operations = [op("c1", "add", 1, at=1), op("o", "final-read", at=9, result=None)]
    verdict = acked_writes_survive(history(operations))
    assert verdict.status is Status.UNKNOWN
    assert "let it answer an empty list" in verdict.reason
    assert (
        acked_writes_survive(history([operations[0], op("o", "final-read", at=9, result=[])])).status is Status.VIOLATED
    )


def test_each_fault_must_meet_an_operation() -> None:
    operations = [op("c1", "add", 1, at=1), op("c1", "add", 2, at=4), op("o", "final-read", at=29, result=[1, 2])]
    assert acked_writes_survive(history(operations, [fault(4, 5)])).status is Status.HOLDS
    verdict = acked_writes_survive(history(operations, [fault(4, 5), fault(10, 12, name="kill")]))
    assert (verdict.status, verdict.reason) == (Status.UNKNOWN, "no operation was under way during kill")


@pytest.mark.parametrize(("error_ns", "status"), [(0, Status.VIOLATED), (ns(0.1), Status.UNKNOWN)])
def test_loss_nearer_to_the_read_than_the_clocks_error_is_unknown(error_ns: int, status: Status) -> None:
    operations = [op("c1", "add", 1, at=1), op("c1", "add", 2, at=8.85), op("o", "final-read", at=9, result=[1])]
    assert acked_writes_survive(history(operations, clock_error_ns={"c1": error_ns})).status is status


def test_fault_that_operations_met_only_within_the_clocks_error_is_unknown() -> None:
    operations = [op("c1", "add", 1, at=1), op("o", "final-read", at=9, result=[1])]
    recorded = history(operations, [fault(1.05, 2)], clock_error_ns={"c1": ns(0.1)})
    assert acked_writes_survive(recorded).status is Status.UNKNOWN
    assert acked_writes_survive(history(operations, [fault(1.05, 2)])).status is Status.HOLDS


NAME = "acked_writes_survive"


def test_lost_write_is_told_in_full() -> None:
    recorded = split_brain([0, 1, 2, 7, 8, 9])
    sentence = (
        "write 6 was acknowledged at 6.100 s by n1:6379 and is not in the final read; "
        "4 of 10 acknowledged writes are gone"
    )
    measures = {
        "acked_count": 10,
        "lost_count": 4,
        "lost_share": 0.4,
        "info_count": 0,
        "info_survived_count": 0,
        "window_s": 4.05,
        "last_lost_after_fault_s": 4.05,
        "last_lost_after_heal_s": 1.6,
    }
    assert told(acked_writes_survive(recorded)) == (NAME, "violated", sentence, measures)
    assert proof(acked_writes_survive(recorded)) == ("lost write", sentence, [6])


def test_writer_whose_address_is_not_known_is_left_out_of_the_sentence() -> None:
    recorded = history([op("c1", "add", 1, at=1), op("o", "final-read", at=9, result=[])])
    assert acked_writes_survive(recorded).reason == (
        "write 1 was acknowledged at 1.100 s and is not in the final read; 1 of 1 acknowledged writes are gone"
    )


def test_survival_of_all_is_told_in_full() -> None:
    name, status, reason, _ = told(acked_writes_survive(split_brain(list(range(10)))))
    assert (name, status, reason) == (NAME, "holds", "all 10 acknowledged writes are in the final read")


NOTHING_LOST = {"acked_count": 1, "lost_count": 0, "lost_share": 0, "info_count": 0, "info_survived_count": 0}
ALL_LOST = {**NOTHING_LOST, "lost_count": 1, "lost_share": 1, "window_s": 0.1}
ONE = op("c1", "add", 1, at=1)


@pytest.mark.parametrize(
    ("operations", "faults", "reason", "measures"),
    [
        (
            [ONE, op("o", "final-read", at=9)],
            (),
            "the final read found nothing (null); where all may be gone, let it answer an empty list",
            {},
        ),
        ([ONE], (), "there is no acknowledged final read with a list of values", {}),
        (
            [op("o", "final-read", at=9, result=[1]), op("c1", "add", 1, at=10)],
            (),
            "no write was acknowledged before the final read",
            {},
        ),
        (
            [ONE, op("c2", "get", at=4), op("o", "final-read", at=9, result=[1])],
            (fault(4, 5),),
            "no operation was under way during isolate",
            NOTHING_LOST,
        ),
        (
            [op("c1", "add", 17, at=1), op("o", "final-read", at=9, result=["17"])],
            (),
            "the final read shows values of another type than those written: 17 was written, '17' read",
            ALL_LOST,
        ),
    ],
)
def test_what_is_missing_is_told_in_full(
    operations: list[Operation], faults: tuple[Fault, ...], reason: str, measures: dict[str, float]
) -> None:
    assert told(acked_writes_survive(history(operations, faults))) == (NAME, "unknown", reason, measures)


def test_losses_within_the_clocks_error_are_told_in_full() -> None:
    operations = [ONE, op("c1", "add", 2, at=8.85), op("o", "final-read", at=9, result=[1])]
    verdict = acked_writes_survive(history(operations, clock_error_ns={"c1": ns(0.05), "o": ns(0.05)}))
    reason = "1 lost writes may, by their clocks, have been acknowledged after the final read began"
    assert told(verdict) == (NAME, "unknown", reason, {**NOTHING_LOST, "acked_count": 2})


def test_acknowledged_write_without_an_end_counts_from_when_it_was_asked() -> None:
    """As histories of other tools may have it."""
    add = Operation(index=0, client="c1", f="add", value=1, invoked_ns=ns(1), outcome=Outcome.OK)
    read = op("o", "final-read", at=9, result=[])
    verdict = acked_writes_survive(history([add, read]))
    assert "write 1 was acknowledged at 1.000 s" in verdict.reason
