"""
The picture of a run: what it shows, how small it stays, and that its texts never cover each other.
"""

import re
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations, pairwise

import pytest

from chaos.history.records import Fault, Header, History, Observation, Operation, Outcome, Phase
from chaos.report import frame as drawing
from chaos.report.axis import Axis, merged, placed, text_width, ticks
from chaos.report.lanes import RoleSpan, clients_of, lanes_of, struck
from chaos.report.lives import lives_of, silent_parties
from chaos.report.timeline import timeline
from tests.report.sample import START_NS, at, split_brain

AXIS = Axis(begin_ns=0, end_ns=1_000, left=0, right=1_000)


def texts(picture: bytes) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(picture).iter() if element.tag.endswith("}text")]


def test_a_run_shows_clients_roles_faults_points_and_phases() -> None:
    shown = texts(timeline(split_brain()))

    assert {"c1", "c5", "n1", "s1", "master", "leader n2", "checked", "written"} <= set(shown)
    assert "partition n1, c1, c2 | n2, n3, c3-c5, drop, 10.0–20.0 s" in shown
    assert "pause c3, 13.0–17.0 s" in shown
    assert {"steady state", "fault", "recovery", "settle", "final reads"} <= set(shown)


def test_an_empty_history_says_that_it_is_empty() -> None:
    assert "No operation was recorded." in texts(timeline(History()))


def test_a_fault_without_operations_is_still_drawn() -> None:
    assert "partition n1, c1, c2 | n2, n3, c3-c5, drop, 10.0–20.0 s" in texts(timeline(split_brain(0)))


def test_an_app_without_operations_has_a_lane_with_what_became_of_it() -> None:
    """Its name, its states, and the bands of the faults that struck it."""
    history = History(
        header=Header(started_ns=at(0), ended_ns=at(20)),
        faults=(
            Fault(name="pause", target="app", begun_ns=at(2), healed_ns=at(6)),
            Fault(name="kill", target="app", begun_ns=at(8), healed_ns=at(12)),
            Fault(name="partition", target="app | n1", begun_ns=at(13), healed_ns=at(14)),
        ),
        observations=(
            Observation(at_ns=at(8), party="app", kind="exit", value={"process": "app", "code": -9}),
            Observation(at_ns=at(16), party="app", kind="exit", value={"process": "app", "code": 3}),
        ),
    )
    axis = Axis(begin_ns=at(0), end_ns=at(20), left=0, right=1_000)
    assert [(span.text, span.begin_ns, span.end_ns) for span in lives_of(history, axis)["app"]] == [
        ("running", at(0), at(2)),
        ("paused", at(2), at(6)),
        ("running", at(6), at(8)),
        ("ended by SIGKILL", at(8), at(12)),
        ("running", at(12), at(16)),
        ("ended, code 3", at(16), at(20)),
    ]
    shown = texts(timeline(history))
    assert {"app", "paused", "ended by SIGKILL"} <= set(shown)
    assert "No operation was recorded." not in shown


def test_who_has_a_row_already_gets_no_second_one() -> None:
    """A paused client, a killed node whose role was seen."""
    assert silent_parties(split_brain()) == []


def test_names_are_escaped() -> None:
    nasty = '<script>"&\x00'
    operation = Operation(index=0, client=nasty, f="w", invoked_ns=at(1), completed_ns=at(2), outcome=Outcome.OK)
    fault = Fault(name=nasty, target=nasty, mode=nasty, begun_ns=at(1))
    seen = Observation(at_ns=at(1), party=nasty, kind="role", value=nasty)
    picture = timeline(
        replace(
            split_brain(0),
            operations=(operation,),
            faults=(fault,),
            observations=(seen,),
            phases=(Phase(at_ns=at(1), name=nasty),),
        )
    )

    assert b"<script" not in picture
    assert '<script>"&\ufffd' in texts(picture)


@pytest.mark.parametrize("clients", [1, 5, 50])
def test_fifty_thousand_operations_stay_small_and_quick(clients: int) -> None:
    history = split_brain(50_000, clients=clients)
    began = time.perf_counter()
    picture = timeline(history)

    assert len(picture) < 100_000
    assert time.perf_counter() - began < 1.5, "0.06 s on an idle core; the rest is for busy machines"


def test_the_worst_case_of_scattered_marks_stays_below_a_hundred_kilobytes() -> None:
    # Every second column of every client and outcome: nothing merges.
    outcomes = list(Outcome)
    operations = tuple(
        Operation(
            index=index,
            client=f"c{index % 40}",
            f="w",
            invoked_ns=at(30 * index / 40_000),
            completed_ns=at(30 * index / 40_000),
            outcome=outcomes[index % 3],
        )
        for index in range(40_000)
    )

    assert len(timeline(replace(split_brain(0), operations=operations))) < 100_000


def test_no_two_labels_cover_each_other_and_no_pole_runs_through_one() -> None:
    wanted = [(at_x, f"kill n{index}, SIGKILL, {index}.0–{index}.5 s") for index, at_x in enumerate(range(60, 940, 7))]
    labels, left_out = placed(wanted, size=12, right=946, rows=6)

    assert len(labels) + left_out == len(wanted)
    assert len(labels) >= 10
    for one, other in combinations(labels, 2):
        upper, lower = (one, other) if one.row <= other.row else (other, one)
        if upper.row == lower.row:
            assert one.end <= other.begin or other.end <= one.begin, (one, other)
        else:
            assert not lower.begin < upper.at < lower.end, f"the pole of {upper} runs through {lower}"
    assert all(label.begin >= 0 and label.end <= 946 for label in labels)


def test_faults_without_room_for_a_name_are_counted() -> None:
    faults = tuple(
        Fault(name="kill", target=f"n{index % 3}", begun_ns=at(index / 4), healed_ns=at(index / 4 + 0.1))
        for index in range(100)
    )
    shown = texts(timeline(replace(split_brain(), faults=faults)))

    named = sum(text.startswith("kill ") for text in shown)
    assert f"{100 - named} faults unnamed here: no room" in shown


def test_a_fault_that_was_never_healed_lasts_to_the_end_and_says_so() -> None:
    fault = Fault(name="kill", target="n1", mode="SIGKILL", begun_ns=at(12))

    assert "kill n1, SIGKILL, from 12.0 s, not healed" in texts(timeline(replace(split_brain(), faults=(fault,))))


def test_long_names_are_cut_and_keep_their_times() -> None:
    fault = Fault(name="latency", target="very-long-node-name-" * 20, begun_ns=at(1), healed_ns=at(2))
    shown = texts(timeline(replace(split_brain(), faults=(fault,))))

    label = next(text for text in shown if text.startswith("latency"))
    assert "…" in label
    assert label.endswith(", 1.0–2.0 s")
    assert text_width(label, 12) < 960 * 0.7


def test_an_operation_without_an_answer_reaches_to_the_end_of_the_run() -> None:
    asked = Operation(index=0, client="c1", f="w", invoked_ns=100, outcome=Outcome.INFO)
    marks = clients_of(History(operations=(asked,)), AXIS)["c1"]

    assert marks.info == {(100, 1_000)}


def test_clients_are_in_natural_order() -> None:
    history = split_brain(2_000, clients=11)

    assert list(clients_of(history, AXIS)) == [f"c{number}" for number in range(1, 12)]


def test_a_role_lasts_until_the_next_one_is_seen() -> None:
    spans = lanes_of(split_brain(0), replace(AXIS, end_ns=at(30)))["n1"]

    assert spans == [
        RoleSpan(begin_ns=at(0), end_ns=at(21.2), text="master", leads=True),
        RoleSpan(begin_ns=at(21.2), end_ns=at(30), text="slave", leads=False),
    ]


def test_a_server_that_does_not_answer_has_no_role_until_it_does() -> None:
    observations = tuple(
        Observation(at_ns=START_NS + stamp, party="n1", kind=kind, value=value)
        for stamp, kind, value in (
            (0, "role", "master"),
            (5, "probe-error", "ConnectionError: refused"),
            (9, "probe-error", None),
            (12, "role", "slave"),
        )
    )
    history = replace(split_brain(0), observations=observations)
    spans = lanes_of(history, replace(AXIS, end_ns=START_NS + 20))["n1"]

    assert [(span.begin_ns - START_NS, span.text) for span in spans] == [
        (0, "master"),
        (5, "no answer"),
        (9, "master"),
        (12, "slave"),
    ]


def test_a_node_with_a_role_and_a_view_of_the_leader_has_two_lanes() -> None:
    seen = tuple(
        Observation(at_ns=at(0), party="n1", kind=kind, value=value)
        for kind, value in (("role", "follower"), ("leader", "n1"))
    )
    lanes = lanes_of(replace(split_brain(0), observations=seen), replace(AXIS, end_ns=at(1)))

    assert [(name, spans[0].text, spans[0].leads) for name, spans in lanes.items()] == [
        ("n1", "follower", False),
        ("n1 sees", "leader n1", True),
    ]


@pytest.mark.parametrize(
    ("target", "rows"), [("c3", ["c3"]), ("n1, n2", ["n1", "n2"]), ("n1 | n2", []), ("c1 -> n1", []), ("", [])]
)
def test_only_a_fault_that_names_parties_strikes_their_rows(target: str, rows: list[str]) -> None:
    assert struck(Fault(name="kill", target=target, begun_ns=0), ["c1", "c3", "n1", "n2"]) == rows


@pytest.mark.parametrize("length", [1e-5, 0.004, 0.9, 1, 7, 30, 61, 3_600])
def test_ticks_are_few_round_and_even(length: float) -> None:
    found = ticks(0, length)

    assert 3 <= len(found) <= 12
    assert len({round(later - sooner, 12) for sooner, later in pairwise(found)}) == 1


def test_merging_joins_what_touches() -> None:
    assert merged([(5, 6), (1, 2), (2, 4), (8, 9)]) == [(1, 4), (5, 6), (8, 9)]


def test_colours_are_the_ones_that_colour_blind_readers_tell_apart() -> None:
    used = set(re.findall(r"#[0-9A-Fa-f]{6}", timeline(split_brain()).decode()))

    assert used <= {drawing.INK, drawing.OK, drawing.FAIL, drawing.INFO, drawing.LEADER, drawing.BAND}


def test_acknowledged_writes_that_were_lost_stand_out() -> None:
    kept, gone = (
        Operation(
            index=i, client="c1", f="add", value=i, invoked_ns=at(i), completed_ns=at(i + 0.1), outcome=Outcome.OK
        )
        for i in range(2)
    )
    read = Operation(
        index=2,
        client="observer",
        f="final-read",
        invoked_ns=at(5),
        completed_ns=at(5.1),
        outcome=Outcome.OK,
        result=[0],
    )
    picture = timeline(History(operations=(kept, gone, read)))
    assert "ok, and lost 1" in texts(picture)
    assert drawing.LOST.encode() in picture
    assert "ok, and lost" not in " ".join(texts(timeline(History(operations=(kept, read)))))
