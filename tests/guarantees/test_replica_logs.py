"""
Snapshots of replicas are read as they are meant; what is none of them is left out.
"""

import pytest

from chaos.guarantees.replica_logs import down, last_of_each, snapshots
from chaos.history import Observation
from tests.guarantees.logs import LOG, seen, snap
from tests.history.build import history, ns


def test_snapshots_are_in_order_of_time_and_the_last_of_each_replica_counts() -> None:
    """Of each of its logs."""
    taken = [snap(3, "n1", "a"), snap(1, "n2", "b"), snap(2, "n1", "c"), snap(1, "n1", "d", log="l-1")]
    found = snapshots(history([], observations=[*taken, seen(1, "n1", "role", "leader")]))
    assert [(one.at_ns, one.party, one.log, one.values) for one in found] == [
        (ns(1), "n2", LOG, ["b"]),
        (ns(1), "n1", "l-1", ["d"]),
        (ns(2), "n1", LOG, ["c"]),
        (ns(3), "n1", LOG, ["a"]),
    ]
    assert {(one.party, one.log): one.values for one in last_of_each(found)} == {
        ("n1", LOG): ["a"],
        ("n2", LOG): ["b"],
        ("n1", "l-1"): ["d"],
    }
    assert len(last_of_each(found)) == 3


def test_values_have_their_offsets_and_nothing_has_none() -> None:
    """The end is the offset of the next record."""
    (found,) = snapshots(history([], observations=[snap(1, "n1", "a", None, "b", first=5)]))
    assert list(found.records()) == [(5, "a"), (7, "b")]
    assert found.end == 8


def test_records_have_the_epoch_in_which_they_were_appended() -> None:
    """None where the log does not say."""
    pairs = [[2, 0], [4, 3], [6, 4], [1], 7, [0, "x"], ["x", 0], None]
    (found,) = snapshots(history([], observations=[snap(1, "n1", "a", epochs=pairs)]))
    assert found.epochs == [(2, 0), (4, 3), (6, 4)]
    assert [found.epoch(offset) for offset in range(1, 8)] == [None, 0, 0, 3, 3, 4, 4]
    nothing: tuple[object, ...] = (None, 7, {})
    for none in nothing:
        (found,) = snapshots(history([], observations=[snap(1, "n1", "a", epochs=none)]))
        assert found.epoch(0) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        [],
        {},
        {"log": 1, "first": 0, "values": []},
        {"log": LOG, "first": None, "values": []},
        {"log": LOG, "first": True, "values": []},
        {"log": LOG, "first": 0, "values": None},
        {"first": 0, "values": []},
    ],
)
def test_what_is_no_snapshot_is_left_out(value: object) -> None:
    """A broker whose disk could not be read."""
    assert snapshots(history([], observations=[seen(1, "n1", "replica-log", value)])) == []


def test_an_empty_log_is_a_snapshot() -> None:
    """Of a replica that has nothing yet."""
    (found,) = snapshots(history([], observations=[snap(1, "n1", first=3)]))
    assert (list(found.records()), found.end) == ([], 3)


def test_who_did_not_answer_last_is_down() -> None:
    """Until that instant, in order of time."""
    said: list[Observation] = [
        seen(5, "n1", "probe-error", None),
        seen(1, "n1", "probe-error", "refused"),
        seen(3, "n2", "probe-error", "refused"),
        seen(3, "n3", "isr", []),
    ]
    recorded = history([], observations=said)
    assert [down(recorded, ns(at)) for at in (0, 1, 3, 5, 9)] == [set(), {"n1"}, {"n1", "n2"}, {"n2"}, {"n2"}]
