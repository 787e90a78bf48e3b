"""
The live history answers what waits ask of it, while clients are still writing.
"""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import HarnessError
from chaos.history import Header, Observation, Outcome, Phase
from chaos.history.events import EventWriter, LiveHistory
from chaos.history.index import TimeIndex
from tests.history.build import fault


def lines(*events: str) -> bytes:
    return "".join(f"{event}\n" for event in events).encode()


def started(client: str) -> str:
    return f'{{"start":"{client}","at_ns":1,"schema":1}}'


def done_operation(number: int, f: str, value: int, at_ns: int, outcome: str = "ok") -> tuple[str, str]:
    return (
        f'{{"invoke":{number},"at_ns":{at_ns},"f":"{f}","value":{value}}}',
        f'{{"complete":{number},"at_ns":{at_ns + 5},"outcome":"{outcome}"}}',
    )


@pytest.fixture
def live() -> LiveHistory:
    history = LiveHistory()
    history.feed("c1", lines(started("c1"), *done_operation(0, "add", 1, 10), *done_operation(1, "add", 2, 30)))
    history.feed("c2", lines(started("c2"), *done_operation(0, "add", 3, 20, "fail"), *done_operation(1, "get", 4, 40)))
    return history


def test_count_selects_by_kind_client_outcome_and_time(live: LiveHistory) -> None:
    assert live.count() == 3
    assert live.count("add") == 2
    assert live.count("add", client="c2") == 0
    assert live.count("add", client="c2", outcome="fail") == 1
    assert live.count(outcome=None) == 4
    assert live.count("add", since_ns=11) == 1
    assert live.count("add", since_ns=30) == 1
    assert live.count("add", outcome=Outcome.FAIL) == 1
    assert live.count(where=lambda operation: operation.value > 1) == 2


def test_last_is_the_one_invoked_last(live: LiveHistory) -> None:
    last = live.last()
    assert last is not None
    assert last.value == 4
    earlier = live.last(where=lambda operation: operation.value < 4)
    assert earlier is not None
    assert earlier.value == 2
    assert live.last("add", since_ns=31) is None
    assert live.last("no such thing") is None


def test_operations_come_in_order_of_invocation_across_clients(live: LiveHistory) -> None:
    assert [operation.value for operation in live.operations(outcome=None)] == [1, 3, 2, 4]
    assert [operation.value for operation in live.operations("add", where=lambda one: one.value != 1)] == [2]


def test_open_operation_counts_only_when_it_ends(live: LiveHistory) -> None:
    live.feed("c1", lines('{"invoke":2,"at_ns":50,"f":"add","value":9}'))
    assert live.count("add") == 2
    assert [operation.value for operation in live.open_operations()] == [9]
    assert live.open_operations("c2") == ()
    live.feed("c1", lines('{"complete":2,"at_ns":60,"outcome":"ok"}'))
    assert live.count("add", since_ns=50) == 1
    assert live.open_operations("c1") == ()


def test_points_and_observations_are_found_by_kind_party_and_time(live: LiveHistory) -> None:
    live.feed("c1", lines('{"point":"checked","at_ns":70}', '{"observe":"lease","at_ns":80,"value":3}'))
    live.add_observation(Observation(at_ns=75, party="n1", kind="role", value="master"))
    live.add_observation(Observation(at_ns=65, party="n1", kind="role", value="slave"))
    assert [seen.value for seen in live.observations()] == ["slave", "checked", "master", 3]
    assert [seen.value for seen in live.observations("point", "c1")] == ["checked"]
    assert [seen.value for seen in live.observations("role", since_ns=70)] == ["master"]
    newest = live.last_observation("role", "n1")
    assert newest is not None
    assert newest.value == "master"


def test_broken_and_ended_are_told_by_client(live: LiveHistory) -> None:
    live.feed("c2", lines('{"broken":"KeyError: x","at_ns":90}', '{"done":true,"at_ns":91}'))
    assert live.broken == (("c2", "KeyError: x"),)
    assert live.ended("c2")
    assert not live.ended("c1")
    assert not live.ended("never heard of")


def test_fault_is_replaced_by_its_fuller_record(live: LiveHistory) -> None:
    begun, healed = fault(1, None), fault(1, 2)
    live.add_fault(begun)
    live.replace_fault(begun, healed)
    assert live.faults == (healed,)
    with pytest.raises(HarnessError, match="no such fault to replace: isolate on n1"):
        live.replace_fault(begun, healed)


def test_frozen_history_numbers_operations_and_keeps_open_ones_as_info(live: LiveHistory) -> None:
    live.feed("c1", lines('{"invoke":2,"at_ns":15,"f":"add","value":9}'))
    live.add_phase(Phase(at_ns=2, name="steady state"))
    live.add_fault(fault(1, 2))
    frozen = live.freeze(Header(experiment="x"))
    assert [(one.index, one.value, one.outcome.value) for one in frozen] == [
        (0, 1, "ok"),
        (1, 9, "info"),
        (2, 3, "fail"),
        (3, 2, "ok"),
        (4, 4, "ok"),
    ]
    assert frozen.operations[1].completed_ns is None
    assert frozen.phases == live.phases
    assert frozen.faults == live.faults


def test_threads_may_feed_and_count_at_once(tmp_path: Path) -> None:
    live, clients = LiveHistory(), [f"c{number}" for number in range(4)]
    for client in clients:
        writer = EventWriter(tmp_path / client, client)
        for value in range(200):
            writer.complete(writer.invoke("add", value), "ok")
        writer.done()

    def feed(client: str) -> None:
        data = (tmp_path / client).read_bytes()
        for place in range(0, len(data), 1000):
            live.feed(client, data[place : place + 1000])
            live.count("add", since_ns=1)

    threads = [threading.Thread(target=feed, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert live.count("add") == 800
    assert len(live.freeze(Header()).operations) == 800


KEYS = st.tuples(st.sampled_from("ab"), st.sampled_from("xy"))


@given(
    items=st.lists(st.tuples(KEYS, st.integers(0, 9))),
    pattern=st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["x", "y", None])),
    since=st.integers(0, 10),
)
def test_index_agrees_with_a_walk_over_everything(
    items: list[tuple[tuple[str, str], int]], pattern: tuple[str | None, str | None], since: int
) -> None:
    index = TimeIndex[int]()
    for (first, second), at_ns in items:
        index.add((first, second), at_ns, at_ns)
    expected = sorted(
        at_ns
        for key, at_ns in items
        if at_ns >= since and all(wanted in (None, word) for wanted, word in zip(pattern, key, strict=True))
    )
    assert sorted(index.items(pattern, since)) == expected
    assert index.count(pattern, since) == len(expected)
    assert index.last(pattern, since) == (expected[-1] if expected else None)
    even = [at_ns for at_ns in expected if at_ns % 2 == 0]
    assert index.count(pattern, since, lambda at_ns: at_ns % 2 == 0) == len(even)
    assert index.last(pattern, since, lambda at_ns: at_ns % 2 == 0) == (even[-1] if even else None)
