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
from tests.telling import proof, told

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


def test_bound_is_part_of_name_and_promise() -> None:
    promise = "Once the fault heals, operations are acknowledged again"
    assert (recovers.name, recovers.promise) == ("recovers", f"{promise}.")
    within = recovers_within(2.5)
    assert (within.name, within.promise) == ("recovers_within(2.5s)", f"{promise} within 2.5 s.")
    assert within.source == "availability as 1 - outage / time: MTBF / (MTBF + MTTR)"
    assert within.silent_on == (
        "whether the answers are right, and whether every client gets them (narrow it with of_client)"
    )


def test_recovery_is_told_in_full() -> None:
    recorded = history([*asks("ok", 1, 2.5), *asks("info", 3, 4, 5.5), *asks("ok", 7, 8)], [FAULT])
    reason = "the first answer came 2.100 s after the last fault healed"
    measures = {"first_ok_after_inject_s": 0.6, "first_ok_after_heal_s": 2.1, "outage_s": 4.5}
    assert told(recovers(recorded)) == ("recovers", "holds", reason, measures)
    late = recovers_within(2)(recorded)
    assert told(late) == ("recovers_within(2s)", "violated", reason, measures)
    assert proof(late) == ("late recovery", reason, [5])
    assert told(recovers_within(2.1)(recorded))[1] == "holds"


def test_no_recovery_is_told_in_full() -> None:
    recorded = history([*asks("ok", 1), *asks("info", 5.5, 9)], [FAULT])
    sentence = "none of 2 operations was acknowledged in the 4.100 s after the last fault healed"
    assert told(recovers(recorded)) == ("recovers", "violated", sentence, {"outage_s": 7.1})
    assert proof(recovers(recorded)) == ("no recovery", sentence, [2])
    assert told(recovers_within(4)(recorded))[1] == "violated"
    short = recovers_within(4.1)(recorded)
    reason = "no answer, but clients tried for 4.100 s only, and the bound is longer"
    assert told(short) == ("recovers_within(4.1s)", "unknown", reason, {"outage_s": 7.1})


def test_what_is_missing_is_told_in_full() -> None:
    assert told(recovers(history(asks("ok", 1)))) == ("recovers", "unknown", "no fault was healed", {})
    faults = [FAULT, fault(6, None, name="kill"), fault(6, None, name="hang"), fault(7, None, name="kill")]
    unhealed = recovers(history(asks("ok", 1, 7), faults))
    assert told(unhealed) == ("recovers", "unknown", "hang, kill was never healed", {})
    idle = recovers(history(asks("ok", 1), [FAULT]))
    assert told(idle) == ("recovers", "unknown", "nothing was asked after the last fault healed", {})


def test_answer_within_the_clocks_error_is_told_in_full() -> None:
    asked = [*asks("ok", 1), *asks("fail", 5.5), *asks("ok", 7)]
    measures = {"first_ok_after_inject_s": 5.1, "first_ok_after_heal_s": 2.1, "outage_s": 5.1}
    for bound_s, reason in (
        (2.5, "the first answer came 2.100 s after the last fault healed, and the clocks may be off by 0.5 s"),
        (1.7, "the first answer came 2.100 s after the last fault healed, and the clocks may be off by 0.5 s"),
    ):
        verdict = recovers_within(bound_s)(history(asked, [FAULT], clock_error_ns={"c1": ns(0.5)}))
        assert told(verdict) == (f"recovers_within({bound_s:g}s)", "unknown", reason, measures)


def test_instants_count_from_their_beginning() -> None:
    """Asked as the heal began: after it. Asked as the fault bit: after it. Never answered: until the end of the run."""
    assert recovers(history(asks("ok", 5), [FAULT])).measures["first_ok_after_heal_s"] == 0.1
    assert recovers(history(asks("ok", 2, 7), [FAULT])).measures["first_ok_after_inject_s"] == 0.1
    open_ = op("c1", "add", 9, at=6, took=None)
    verdict = recovers(history([*asks("ok", 1), open_, op("o", "final-read", at=8, took=1, result=[])], [FAULT]))
    assert told(verdict)[2:] == (
        "none of 1 operations was acknowledged in the 4.000 s after the last fault healed",
        {"outage_s": 7},
    )


def test_long_outage_is_told_to_the_millisecond() -> None:
    verdict = recovers(history([*asks("ok", 1), *asks("ok", 8_000_005)], [FAULT]))
    assert verdict.reason == "the first answer came 8000000.100 s after the last fault healed"
