"""
Promises on replicated logs against simulated ones of which the truth is known.
"""

import os
from collections import Counter
from dataclasses import replace
from itertools import combinations
from random import Random

from chaos.guarantees import (
    acked_records_survive,
    gapless_polls,
    log_agrees,
    loss_is_predicted,
    no_duplicates,
    order_per_producer,
    polled_once,
)
from chaos.history import History
from chaos.verdict import Status, Verdict
from tests.guarantees.simulated_log import CLIENTS, CONSUMERS, Consuming, Truth, simulated

HISTORIES = int(os.environ.get("FUZZ_HISTORIES", "2000"))
SEED = 20


def runs() -> list[tuple[History, Truth]]:
    """The same ones every time."""
    return [simulated(Random(f"{SEED}/{number}")) for number in range(HISTORIES)]


RUNS = runs()


def acked(history: History) -> list[str]:
    """Values of acknowledged adds."""
    return [add.value for add in history.select("add") if add.ok]


def broken(verdict: Verdict) -> bool:
    """Whether it is violated; it is not unknown."""
    assert verdict.status is not Status.UNKNOWN, verdict
    return verdict.status is Status.VIOLATED


def tried(statuses: Counter[bool]) -> None:
    """Both verdicts must have come often enough to mean something."""
    assert min(statuses[True], statuses[False]) > HISTORIES / 50, statuses


def kind(truth: Truth, value: str) -> str:
    """How a record was lost."""
    if value in truth.kept:
        return "not_consumed_count"
    return "truncated_count" if len(truth.had[value]) > 1 else "never_replicated_count"


def test_lost_records_and_their_kinds_are_those_of_the_simulation() -> None:
    """Whoever ever had them."""
    statuses, kinds = Counter[bool](), Counter[str]()
    for history, truth in RUNS:
        lost = Counter(kind(truth, value) for value in acked(history) if value not in truth.read)
        verdict = acked_records_survive(history)
        if not acked(history):
            assert verdict.status is Status.UNKNOWN
            continue
        found = {
            name: verdict.measures[name] for name in ("not_consumed_count", "truncated_count", "never_replicated_count")
        }
        assert broken(verdict) is bool(lost)
        assert {name: count for name, count in found.items() if count} == dict(lost)
        assert verdict.measures["lost_count"] == lost.total()
        statuses[bool(lost)] += 1
        kinds += lost
    tried(statuses)
    assert len(kinds) == 3


def test_predictions_are_what_the_new_leader_had_when_it_was_elected() -> None:
    """However much later it was seen to lead, and whatever it appended by then."""
    statuses = Counter[bool]()
    for history, truth in RUNS:
        if not truth.by_old:
            assert loss_is_predicted(history).status is Status.UNKNOWN
            continue
        predicted, lost = set(truth.by_old) - truth.new_had, set(truth.by_old) - set(truth.read)
        verdict = loss_is_predicted(history)
        assert broken(verdict) is (predicted != lost)
        counts = (len(set(truth.by_old)), len(predicted), len(lost), len(predicted & lost))
        names = ("acked_count", "predicted_count", "lost_count", "agreeing_count")
        assert tuple(verdict.measures[name] for name in names) == counts
        statuses[predicted != lost] += 1
    tried(statuses)


def thinned(history: History, rng: Random) -> History | None:
    """Without most snapshots of followers but the next of the new leader; None where it never led long enough for one."""
    begun = history.faults[0].begun_ns
    leaders = [one for one in history.observations if one.kind == "role" and one.at_ns > begun]
    new, end = leaders[0], leaders[1].at_ns if len(leaders) > 1 else history.operations[-1].invoked_ns
    disk = (one for one in history.observations if (one.kind, one.party) == ("replica-log", new.party))
    after = next((one for one in disk if new.at_ns <= one.at_ns < end), None)
    kept = (
        one
        for one in history.observations
        if one.kind != "replica-log" or one.party == "n1" or one.at_ns == begun or one is after or rng.random() < 0.3
    )
    return replace(history, observations=tuple(kept)) if after is not None else None


def test_predictions_from_few_snapshots_are_the_same() -> None:
    """The new leader's next snapshot says what it had when it took over."""
    rng, corrected = Random(SEED), 0
    for history, truth in RUNS:
        sparse = thinned(history, rng)
        if sparse is not None and truth.by_old:
            full, thin = loss_is_predicted(history), loss_is_predicted(sparse)
            assert thin.status is full.status
            assert thin.measures["predicted_count"] == full.measures["predicted_count"]
            corrected += thin.measures["new_log_end_offset"] < full.measures["new_log_end_offset"]
    assert corrected > HISTORIES / 50


def test_duplicates_are_those_of_the_log() -> None:
    """Each value was sent once."""
    statuses = Counter[bool]()
    for history, truth in RUNS:
        if not truth.read:
            assert no_duplicates(history).status is Status.UNKNOWN
            continue
        surplus = len(truth.read) - len(set(truth.read))
        verdict = no_duplicates(history)
        assert broken(verdict) is bool(surplus)
        assert verdict.measures["duplicate_count"] == surplus
        statuses[bool(surplus)] += 1
    tried(statuses)


def test_inversions_are_those_of_all_pairs() -> None:
    """By the numbers in the values, which grow with each send."""
    statuses = Counter[bool]()
    for history, truth in RUNS:
        firsts = list(dict.fromkeys(truth.read))
        by_client = [[int(one[3:]) for one in firsts if one.startswith(client)] for client in CLIENTS]
        wrong = sum(len({late for early, late in combinations(each, 2) if late < early}) for each in by_client)
        verdict = order_per_producer(history)
        if max(map(len, by_client)) < 2:
            assert verdict.status is Status.UNKNOWN
            continue
        assert broken(verdict) is bool(wrong)
        assert verdict.measures["inversion_count"] == wrong
        statuses[bool(wrong)] += 1
    tried(statuses)


def test_conflicts_are_the_offsets_that_had_two_values() -> None:
    """In any replica, at any time."""
    statuses = Counter[bool]()
    for history, truth in RUNS:
        wrong = sum(len(values) > 1 for values in truth.at.values())
        verdict = log_agrees(history)
        if verdict.status is Status.UNKNOWN:
            assert not wrong
            continue
        assert broken(verdict) is bool(wrong)
        assert verdict.measures == {"offsets_count": len(truth.at), "conflict_count": wrong}
        statuses[bool(wrong)] += 1
    tried(statuses)


def without_the_random_reader(history: History) -> History:
    """Consumers alone: it chooses each place itself."""
    kept = (one for one in history if one.f != "poll" or one.client in CONSUMERS)
    return replace(history, operations=tuple(kept))


def passed(one: Consuming, log: list[str]) -> set[tuple[int, str]]:
    """Records of the log that a consumer went past or was shown, in any of its lives."""
    found = set()
    for start, shown in zip(one.lives, one.shown, strict=True):
        there = [n for n, value in shown if n < len(log) and log[n] == value]
        found |= {(n, log[n]) for n in range(min([start, *(n for n, _ in shown)]), there[-1] + 1 if there else 0)}
    return found


def settled(history: History, read: list[Consuming], log: list[str]) -> bool:
    """Whether each was shown last what is in the log, and one something since the fault began."""
    lasts = [[pair for shown in one.shown for pair in shown][-1] for one in read]
    on = all(n < len(log) and log[n] == value for n, value in lasts)
    return on and any((one.seen_s + 0.1) * 1e9 >= history.faults[0].begun_ns for one in read)


def test_gaps_are_the_records_that_a_consumer_passed_and_was_never_shown() -> None:
    """By no poll at all if it is violated; where a poll has no answer it may be unknown."""
    statuses, unsure = Counter[Status](), 0
    for full, truth in RUNS:
        history = without_the_random_reader(full)
        read = [one for one in truth.consumers.values() if any(one.shown)]
        verdict = gapless_polls(history)
        statuses[verdict.status] += 1
        if not read:
            assert verdict.status is Status.UNKNOWN
            continue
        seen = [{pair for shown in one.shown for pair in shown} for one in read]
        ways = [passed(one, truth.log) for one in read]
        missing = [way - shown for way, shown in zip(ways, seen, strict=True)]
        never = [gap - one.unrecorded for gap, one in zip(missing, read, strict=True)]
        found = verdict.measures
        assert found["passed_count"] == sum(map(len, ways))
        assert found["skipped_count"] + found["unsure_count"] == sum(map(len, missing))
        assert found["skipped_count"] <= sum(map(len, never))
        unsure += found["unsure_count"] > 0
        if not any(one.unanswered for one in read):
            assert found["skipped_count"] == sum(map(len, missing))
        assert (verdict.status is Status.VIOLATED) is (found["skipped_count"] > 0)
        fine = not any(missing) and any(ways) and settled(history, read, truth.log)
        assert (verdict.status is Status.HOLDS) is fine, verdict
    assert min(*statuses.values(), unsure) > HISTORIES / 50, statuses


def test_repeated_records_are_those_that_one_life_of_a_consumer_was_shown_again() -> None:
    """As far as polls have answers."""
    statuses = Counter[Status]()
    for full, truth in RUNS:
        verdict = polled_once(without_the_random_reader(full))
        lives = [Counter(shown) for one in truth.consumers.values() for shown in one.shown]
        again = sum(count > 1 for life in lives for count in life.values())
        statuses[verdict.status] += 1
        assert (verdict.status is Status.VIOLATED) is bool(again)
        if any(lives):
            assert verdict.measures == {"polled_count": sum(map(len, lives)), "repeated_count": again}
    assert min(statuses.values()) > HISTORIES / 50, statuses
    assert len(statuses) == 3
