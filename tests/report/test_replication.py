"""
The picture of a replicated log: what it shows, that nothing covers or leaves it, and how small it stays.
"""

import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations

import pytest

from chaos.history.records import Fault, Header, History, Observation, Operation, Outcome, Value
from chaos.report import frame, offsets
from chaos.report.axis import Axis, text_width
from chaos.report.page import description
from chaos.report.replicas import Fall, Replication, Seat, replication_of
from chaos.report.replication import CAPTION, replication, summary
from tests.report.sample import at, finished, split_brain

END_S = 20
THREE = ["n1", "n2", "n3"]


def seen(seconds: float, party: str, **kinds: Value) -> list[Observation]:
    """What one look at a broker found; ``log_end=7`` is of the kind log-end."""
    return [
        Observation(at_ns=at(seconds) + index * 2_000, party=party, kind=kind.replace("_", "-"), value=value)
        for index, (kind, value) in enumerate(kinds.items())
    ]


def history_of(*looks: Iterable[Observation], operations: Iterable[Operation] = (), **more: Fault) -> History:
    return History(
        header=Header(started_ns=at(0), ended_ns=at(END_S)),
        operations=tuple(operations),
        faults=tuple(more.values()),
        observations=tuple(one for look in looks for one in look),
    )


def growing(party: str, begin: int = 0, end: int = END_S, *, rate: int = 50) -> list[Observation]:
    return [one for second in range(begin, end) for one in seen(second + 0.5, party, log_end=second * rate)]


def steady() -> list[list[Observation]]:
    """Three brokers, n1 leads, all of them in the in-sync set."""
    roles = [
        seen(0, name, role="leader" if name == "n1" else "follower", leader="n1", epoch=0, isr=THREE) for name in THREE
    ]
    return [*roles, *(growing(name) for name in THREE), seen(0.1, "n1", high_watermark=0)]


def zombie(*, operations: Iterable[Operation] = ()) -> History:
    """From 5 s on n2 leads in epoch 1, until 12 s n1 holds itself for the leader in epoch 0 and counts everybody."""
    return history_of(
        *steady(),
        seen(5, "n3", leader="n2", epoch=1, isr=["n2", "n3"]),
        seen(5, "n2", role="leader", leader="n2", epoch=1, isr=["n2", "n3"], high_watermark=250),
        seen(12, "n1", role="follower", leader="n2", epoch=1, isr=["n2", "n3"], log_end=200),
        seen(15, "n2", isr=THREE),
        operations=operations,
        partition=Fault(name="partition", target="n1 | n2, n3", mode="drop", begun_ns=at(3), healed_ns=at(11)),
    )


def killed() -> History:
    """The leader n1 is killed at 6 s and comes back at 12 s with 205 records less."""
    return history_of(
        *steady()[:3],
        growing("n1", 0, 6),
        growing("n2"),
        growing("n3"),
        seen(6, "n1", probe_error="connection refused"),
        seen(8, "n2", role="leader", leader="n2", epoch=1, isr=["n2", "n3"]),
        seen(12, "n1", role="follower", leader="n2", epoch=1, log_end=45, probe_error=None),
        kill=Fault(name="kill", target="n1", mode="SIGKILL", begun_ns=at(6), healed_ns=at(11)),
    )


def shrinking() -> History:
    return history_of(*steady(), seen(7, "n1", isr=["n1"], elr=["n2"]), seen(14, "n1", isr=THREE, elr=[]))


def acknowledged(seconds: float, value: str, result: Value) -> Operation:
    return Operation(
        index=int(value.partition(":")[2]),
        client="c1",
        f="add",
        value=value,
        invoked_ns=at(seconds) - 1,
        completed_ns=at(seconds),
        outcome=Outcome.OK,
        result=result,
    )


def final_read(*values: str) -> Operation:
    return Operation(
        index=99,
        client="observer",
        f="final-read",
        invoked_ns=at(19),
        completed_ns=at(19.5),
        outcome=Outcome.OK,
        result=list(values),
    )


def picture_of(history: History) -> bytes:
    picture = replication(history)
    assert picture is not None
    return picture


def log_of(history: History) -> Replication:
    log = replication_of(history, at(END_S))
    assert log is not None
    return log


def texts(picture: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(picture).iter() if one.tag.endswith("}text")]


def boxes_of(picture: bytes) -> list[tuple[str, float, float, float, float]]:
    """Each text with the room that it takes: left, top, right, bottom."""
    found = []
    for one in ET.fromstring(picture).iter():
        if not one.tag.endswith("}text"):
            continue
        size = int(one.get("font-size", frame.TEXT))
        said, x, y = "".join(one.itertext()), float(one.get("x", 0)), float(one.get("y", 0))
        # The estimate of a text's width is generous, so that names find room; what is drawn takes about 0.9 of it.
        width = 0.9 * text_width(said, size)
        left = {"end": x - width, "middle": x - width / 2}.get(one.get("text-anchor", ""), x)
        found.append((said, left, y - 0.75 * size, left + width, y + 0.2 * size))
    return found


MADE = {"steady": history_of(*steady()), "zombie": zombie(), "killed": killed(), "shrinking": shrinking()}


@pytest.mark.parametrize("history", [History(), split_brain(100)])
def test_without_a_log_end_there_is_no_picture(history: History) -> None:
    """Other systems get no empty one."""
    assert replication(history) is None
    assert summary(history) == ""


@pytest.mark.parametrize("name", MADE)
def test_no_text_leaves_the_picture_or_covers_another(name: str) -> None:
    """In every one of the made runs."""
    picture = picture_of(MADE[name])
    root = ET.fromstring(picture)
    boxes = boxes_of(picture)

    for said, left, top, right, bottom in boxes:
        assert left >= 0, said
        assert top >= 0, said
        assert right <= float(root.get("width", 0)), said
        assert bottom <= float(root.get("height", 0)), said
    for one, two in combinations(boxes, 2):
        apart = one[3] <= two[1] or two[3] <= one[1] or one[4] <= two[2] or two[4] <= one[2]
        assert apart, f"{one} covers {two}"


def test_a_steady_state_shows_every_broker_and_one_leader() -> None:
    """And nothing of what did not happen."""
    shown = texts(picture_of(history_of(*steady())))

    assert {"n1", "n2", "n3", "ISR n1", "ISR n3", "n1, epoch 0", "high watermark", "records"} <= set(shown)
    assert "also leads" not in shown
    assert "log end goes back" not in shown
    assert Seat.STALE.value not in shown


def test_a_truncation_is_labelled_with_its_records() -> None:
    """Also when the broker did not answer meanwhile: the fall is dated when it was seen."""
    assert log_of(killed()).falls == [Fall(at_ns=at(12) + 6_000, party="n1", before=250, after=45)]
    assert "n1 −205" in texts(picture_of(killed()))


def test_falls_without_room_for_a_name_are_counted() -> None:
    """No truncation is left out without a word."""
    falls = [seen(second / 2, "n1", log_end=1_000 - second * 10) for second in range(39)]
    shown = texts(picture_of(history_of(*falls)))

    named = sum(text.startswith("n1 −") for text in shown)
    assert named > 0
    assert f"{38 - named} more went back, unnamed here" in shown


def test_a_log_end_has_a_gap_while_its_broker_does_not_answer() -> None:
    """What is in the log of a dead broker, nobody saw."""
    first, second = log_of(killed()).ends["n1"]

    assert first.end_ns == at(6)
    assert second.steps[0][0] == at(12) + 8_000
    assert second.steps[0][1] == 45


def test_two_leaders_at_once_both_appear() -> None:
    """Each with its epoch; the deposed one in a row of its own, as long as it holds itself for the leader."""
    shown = texts(picture_of(zombie()))
    ((old, new),) = log_of(zombie()).disputes

    assert {"n1, epoch 0", "n2, epoch 1", "also leads"} <= set(shown)
    assert (old.party, old.epoch, old.current, old.begin_ns, old.end_ns) == ("n1", 0, False, at(5), at(12))
    assert (new.party, new.epoch, new.current, new.end_ns) == ("n2", 1, True, at(END_S))
    assert "two leaders at once (n1, epoch 0, and n2, epoch 1) for 7.0 s from 5.0 s" in summary(zombie())


def test_a_role_that_is_noted_before_its_epoch_is_no_second_leader() -> None:
    """A probe notes one after the other; in between n2 would lead in epoch 0."""
    assert {(reign.party, reign.epoch) for reign in log_of(zombie()).reigns} == {("n1", 0), ("n2", 1)}


def test_who_only_a_deposed_leader_counts_is_not_in_the_set() -> None:
    """The leader of the newest epoch says who is in it."""
    seats = [(one.seat, one.begin_ns, one.end_ns) for one in log_of(zombie()).seats["n1"]]

    assert seats == [
        (Seat.IN, at(0), at(5)),
        (Seat.STALE, at(5), at(12)),
        (Seat.OUT, at(12), at(15)),
        (Seat.IN, at(15), at(END_S)),
    ]
    assert Seat.STALE.value in texts(picture_of(zombie()))


def test_a_set_that_shrinks_leaves_its_lanes_empty_and_marks_the_eligible() -> None:
    """n2 is out and still eligible, n3 is out."""
    log = log_of(shrinking())

    assert [(one.seat, one.eligible) for one in log.seats["n2"]] == [
        (Seat.IN, False),
        (Seat.OUT, True),
        (Seat.IN, False),
    ]
    assert [one.eligible for one in log.seats["n3"]] == [False, False, False]
    assert {"ELR", "in the ELR"} <= set(texts(picture_of(shrinking())))
    assert "out of the ISR for a time: n2, n3" in summary(shrinking())


def test_without_a_leader_the_set_is_what_the_others_report() -> None:
    """A last replica that is dead: nobody leads, and it is still the only one in the set."""
    history = history_of(
        *steady()[:3],
        growing("n1", 0, 6),
        seen(5, "n1", isr=["n1"]),
        seen(6, "n1", probe_error="refused"),
        seen(7, "n2", role="no leader", leader=None, epoch=1, isr=["n1"]),
    )

    assert log_of(history).seats["n1"][-1].seat is Seat.REPORTED
    assert log_of(history).seats["n3"][-1].seat is Seat.OUT
    assert "n1, no answer" in texts(picture_of(history))


def test_lost_records_are_marked_where_they_were_acknowledged() -> None:
    """Those that acknowledgements gave no offset are counted in the legend."""
    operations = [
        acknowledged(6, "c1:1", 300),
        acknowledged(7, "c1:2", 350),
        acknowledged(7.5, "c1:3", None),
        acknowledged(7.6, "c1:5", -1),
        acknowledged(8, "c1:4", 360),
        final_read("c1:4"),
    ]
    log, picture = log_of(zombie(operations=operations)), picture_of(zombie(operations=operations))

    assert log.lost == [(at(6), 300), (at(7), 350)]
    assert "acknowledged, and lost 4 (2 at no known offset)" in texts(picture)
    assert f'<path fill="{frame.LOST}"'.encode() in picture
    assert frame.LOST.encode() not in picture_of(zombie())


def test_records_of_another_log_are_not_on_this_chart() -> None:
    """Their offsets mean nothing here."""
    lost = acknowledged(6, "c1:1", 300)
    elsewhere = replace(acknowledged(7, "c1:2", 9_000), notes={"log": "other-0"})
    history = zombie(operations=[replace(lost, notes={"log": "acked-0"}), elsewhere, final_read()])
    snapshot = seen(19.6, "n1", replica_log={"log": "acked-0", "first": 0, "values": [], "epochs": []})

    assert log_of(replace(history, observations=(*history.observations, *snapshot))).lost == [(at(6), 300)]


def test_faults_have_their_bands_and_names() -> None:
    """The same as in the timeline."""
    picture = picture_of(killed())

    assert "kill n1, SIGKILL, 6.0–11.0 s" in texts(picture)
    assert picture.count(f'<path fill="{frame.BAND}" opacity=".35"'.encode()) == 1, "only the lane of n1 is struck"


def test_names_are_escaped() -> None:
    """Nothing that a run says becomes markup."""
    nasty = '<script>"&\x00'
    picture = picture_of(history_of(seen(1, nasty, role="leader", epoch=0, isr=[nasty], log_end=3)))

    assert b"<script" not in picture
    assert '<script>"&\ufffd' in texts(picture)


@pytest.mark.parametrize("brokers", [3, 9, 30])
def test_fifty_thousand_observations_stay_small(brokers: int) -> None:
    """Also when everything changes all the time."""
    chance, names = random.Random(7), [f"n{number}" for number in range(1, brokers + 1)]
    kinds: dict[str, Callable[[], Value]] = {
        "log-end": lambda: chance.randrange(100_000),
        "high-watermark": lambda: chance.randrange(100_000),
        "role": lambda: chance.choice(("leader", "follower")),
        "epoch": lambda: chance.randrange(100),
        "isr": lambda: sorted(chance.sample(names, 2)),
        "elr": lambda: sorted(chance.sample(names, 1)),
        "probe-error": lambda: chance.choice((None, "refused")),
    }
    observations = []
    for index in range(50_000):
        kind = chance.choice(list(kinds))
        observations.append(
            Observation(at_ns=at(END_S * index / 50_000), party=chance.choice(names), kind=kind, value=kinds[kind]())
        )

    assert len(picture_of(history_of(observations))) < 100_000


def test_colours_are_the_ones_that_colour_blind_readers_tell_apart() -> None:
    """No other than in the timeline."""
    used = set(re.findall(r"#[0-9A-Fa-f]{6}", picture_of(zombie()).decode()))

    assert used <= {frame.INK, frame.OK, frame.FAIL, frame.INFO, frame.LEADER, frame.BAND, frame.LOST}


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 7), (0, 12_345), (900_000, 1_000_001)])
def test_the_axis_has_round_whole_records(low: int, high: int) -> None:
    """There is no half of a record."""
    rounds = offsets.round_records(low, high)

    assert 2 <= len(rounds) <= 8
    assert all(low <= one <= high for one in rounds)


def test_falls_of_one_broker_close_together_are_told_as_one() -> None:
    """A probe may look in the middle of a truncation."""
    falls = [Fall(at_ns=stamp, party="n1", before=100, after=60) for stamp in (100, 105, 500)]
    told = offsets.gone_back(falls, Axis(begin_ns=0, end_ns=1_000, left=0, right=1_000))

    assert [(fall.at_ns, records) for fall, records in told] == [(100, 80), (500, 40)]


def test_the_page_has_the_picture_below_the_timeline_with_its_words() -> None:
    """And none where there is nothing to see."""
    page = description(finished(zombie()))

    assert page.index("Timeline: ") < page.index("in-sync set") < page.index("Replicated log: log ends of n1, n2, n3")
    assert page.count("data:image/svg+xml") == 2
    assert CAPTION.split(":")[0] not in description(finished())
