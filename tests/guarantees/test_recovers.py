"""
Answers after the heal, how soon, and how long there were none.
"""

from collections.abc import Callable

import pytest

from chaos.errors import UsageError
from chaos.guarantees import BOUNDED, Guarantee, acked_writes_survive, of_client, of_kind, recovers, recovers_within
from chaos.history import Operation
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op

FAULT = fault(2, 6, healing=5)


def asks(outcome: str, *at: float, client: str = "c1") -> list[Operation]:
    return [op(client, "add", one, at=one, outcome=outcome) for one in at]


def test_answer_after_the_heal_holds_with_its_times() -> None:
    verdict = recovers(history([*asks("ok", 1, 2.5), *asks("info", 3, 4, 5.5), *asks("ok", 7, 8)], [FAULT]))
    assert verdict.status is Status.HOLDS
    assert verdict.measures["first_ok_after_inject_s"] == pytest.approx(0.6)
    assert verdict.measures["first_ok_after_heal_s"] == pytest.approx(2.1)
    assert verdict.measures["outage_s"] == pytest.approx(4.5)


def test_no_answer_though_clients_tried_is_violated() -> None:
    verdict = recovers(history([*asks("ok", 1), *asks("info", 5.5, 9)], [FAULT]))
    assert verdict.status is Status.VIOLATED
    assert verdict.witness is not None
    assert (
        verdict.witness.sentence == "none of 2 operations was acknowledged in the 4.100 s after the last fault healed"
    )
    assert "first_ok_after_heal_s" not in verdict.measures
    assert verdict.measures["outage_s"] == pytest.approx(7.1)


def test_answer_to_what_was_asked_before_the_heal_is_no_recovery() -> None:
    late = op("c1", "add", 1, at=4, took=2)
    assert recovers(history([late, *asks("fail", 7)], [FAULT])).status is Status.VIOLATED


def test_final_read_is_no_recovery() -> None:
    read = op("observer", "final-read", at=9, result=[])
    assert recovers(history([*asks("ok", 1), read], [FAULT])).status is Status.UNKNOWN
    assert recovers(history([*asks("fail", 7), read], [FAULT])).status is Status.VIOLATED


def test_last_heal_counts() -> None:
    faults = [FAULT, fault(10, 12)]
    assert recovers(history(asks("ok", 1, 7), faults)).status is Status.UNKNOWN
    assert recovers(history(asks("ok", 1, 7, 13), faults)).status is Status.HOLDS


def test_bound_separates_a_soon_answer_from_a_late_one() -> None:
    recorded = history([*asks("ok", 1), *asks("ok", 7)], [FAULT])
    assert recovers_within(3)(recorded).status is Status.HOLDS
    late = recovers_within(2)(recorded)
    assert (late.guarantee, late.status) == ("recovers_within(2s)", Status.VIOLATED)


def test_run_that_ends_before_the_bound_is_unknown() -> None:
    recorded = history([*asks("ok", 1), *asks("fail", 7)], [FAULT])
    assert recovers_within(10)(recorded).status is Status.UNKNOWN
    assert recovers_within(1)(recorded).status is Status.VIOLATED


def test_without_a_healed_fault_or_an_attempt_it_is_unknown() -> None:
    assert recovers(history(asks("ok", 1, 7))).status is Status.UNKNOWN
    assert recovers(history(asks("ok", 1, 7), [fault(2, None)])).status is Status.UNKNOWN
    assert recovers(history(asks("ok", 1), [FAULT])).status is Status.UNKNOWN


def test_one_client_may_recover_and_another_not() -> None:
    recorded = history([*asks("ok", 7), *asks("fail", 7.5, client="c2")], [FAULT])
    assert of_client(recovers, "c1")(recorded).status is Status.HOLDS
    assert of_client(recovers, "c2")(recorded).status is Status.VIOLATED


def test_while_a_fault_is_not_healed_nothing_is_said() -> None:
    verdict = recovers(history(asks("ok", 1, 7), [FAULT, fault(6, None, name="kill")]))
    assert (verdict.status, verdict.reason) == (Status.UNKNOWN, "kill was never healed")


def test_answer_nearer_to_the_bound_than_the_clocks_error_is_unknown() -> None:
    asked = [*asks("ok", 1), *asks("fail", 5.5), *asks("ok", 7)]
    recorded = history(asked, [FAULT], clock_error_ns={"c1": ns(0.5)})
    assert recovers_within(1.5)(recorded).status is Status.VIOLATED
    assert recovers_within(2.5)(recorded).status is Status.UNKNOWN
    assert recovers_within(3)(recorded).status is Status.HOLDS


def test_kept_to_one_kind_the_answers_of_others_do_not_count() -> None:
    release = op("c1", "release", "lock", at=5.5)
    recorded = history([*asks("ok", 1), release, op("c1", "acquire", "lock", at=8)], [FAULT])
    assert recovers_within(1)(recorded).status is Status.HOLDS
    verdict = of_kind(recovers_within(1), "acquire")(recorded)
    assert (verdict.guarantee, verdict.status) == ("recovers_within(1s){acquire}", Status.VIOLATED)


def test_promise_that_needs_all_its_operations_is_not_kept_to_a_kind() -> None:
    with pytest.raises(UsageError, match="acked_writes_survive needs all its operations"):
        of_kind(acked_writes_survive, "add")


@pytest.mark.parametrize("bound_s", [-1, float("nan"), float("inf")])
@pytest.mark.parametrize("within", BOUNDED.values())
def test_bound_that_no_time_can_be_compared_with_is_refused(
    within: Callable[[float], Guarantee], bound_s: float
) -> None:
    with pytest.raises(UsageError, match="a bound is a number of seconds from 0 on"):
        within(bound_s)
