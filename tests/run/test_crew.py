"""
Clients: started, listened to, stopped; and whose doing the end of a process was.
"""

import signal

import pytest

from chaos import crew as crew_module
from chaos.crew import Crew
from chaos.errors import HarnessError, OutcomeTableError, UsageError, WorkerDiedError
from chaos.history.live import LiveHistory
from chaos.providers.clock import Clock
from chaos.wait import monotonic_ns
from chaos.workloads.plan import ClientPlan
from tests.run.fakes import APP, NODE, FakeLab, worker

PLANS = [ClientPlan(name=name, workload="x:y") for name in ("c1", "c2")]


@pytest.fixture
def lab() -> FakeLab:
    """A node and an app."""
    return FakeLab(parties={"n1": NODE, "app": APP})


@pytest.fixture
def live() -> LiveHistory:
    return LiveHistory()


@pytest.fixture
def taken_down() -> set[str]:
    """What faults have ended."""
    return set()


@pytest.fixture
def crew(lab: FakeLab, live: LiveHistory, taken_down: set[str]) -> Crew:
    """Two clients at work."""
    crew = Crew(lab.as_lab, live, seed=1, taken_down=taken_down, hint=lambda: "; the disk is full")
    crew.start(PLANS)
    return crew


def test_started_clients_have_parties_and_have_written(crew: Crew, lab: FakeLab) -> None:
    """Whoever is silent has not started."""
    assert crew.names == ("c1", "c2")
    assert set(lab.parties) == {"n1", "app", "c1", "c2"}


def test_a_client_that_stays_silent_is_named(lab: FakeLab, live: LiveHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what may be the reason."""
    monkeypatch.setattr(crew_module, "UP_S", 0.01)
    monkeypatch.setattr(lab, "write", lambda *_: None)
    with pytest.raises(WorkerDiedError, match=r"c1, c2 to start working.*silent: c1, c2; the disk is full"):
        Crew(lab.as_lab, live, seed=1, hint=lambda: "; the disk is full").start(PLANS)


@pytest.mark.parametrize("name", ["n1", "app"])
def test_a_client_cannot_move_into_somebody_elses_party(crew: Crew, name: str) -> None:
    """A fault on one would be a fault on both."""
    with pytest.raises(UsageError, match=f"{name} is the name of a party of role"):
        crew.start([ClientPlan(name=name, workload="x:y")])


def test_an_unknown_workload_is_answered_with_those_there_are(crew: Crew, lab: FakeLab) -> None:
    """Before a party is made for it."""
    with pytest.raises(UsageError, match=r"no workload 'redis-sett'; there are redis-set, .*module:function of yours"):
        crew.start([ClientPlan(name="c3", workload="redis-sett")])
    assert "c3" not in lab.parties


def test_what_clients_write_is_in_the_live_history(crew: Crew, lab: FakeLab, live: LiveHistory) -> None:
    """A torn line waits for its rest."""
    lab.write("c1", {"invoke": 0, "f": "add", "value": 1})
    line = b'{"complete":0,"at_ns":9000000000000000000,"outcome":"ok"}\n'
    lab.files["c1"] += line[:20]
    crew.pump()
    assert (live.count("add"), len(live.open_operations())) == (0, 1)
    lab.files["c1"] += line[20:]
    crew.pump()
    assert live.count("add") == 1


def test_what_a_client_under_another_kernel_writes_is_read_on_our_clock(
    crew: Crew, lab: FakeLab, live: LiveHistory
) -> None:
    """Of two clients each has its own."""
    before = monotonic_ns()
    lab.clocks["c1"] = ahead = Clock()
    ahead.heard(before - 1_000_000_000_000, before, before - 1_000_000_000_000)
    for client in ("c1", "c2"):
        lab.write(client, {"invoke": 0, "f": "add"}, {"complete": 0, "outcome": "ok"})
    crew.pump()
    shifted, plain = live.last("add", "c1"), live.last("add", "c2")
    assert shifted is not None
    assert plain is not None
    assert before <= plain.invoked_ns
    assert before <= shifted.invoked_ns + 1_000_000_000_000 <= monotonic_ns()


@pytest.mark.parametrize(
    ("reported", "error", "message"),
    [
        ("OutcomeTableError: no rule for X", OutcomeTableError, "^c1: no rule for X$"),
        ("Traceback:\n  line 1\nKeyError: 'x'", HarnessError, "^c1: its workload broke: KeyError: 'x'\nTraceback:"),
    ],
)
def test_a_broken_client_breaks_the_run(
    crew: Crew, lab: FakeLab, reported: str, error: type[Exception], message: str
) -> None:
    """The sentence first, its traceback below."""
    lab.write("c1", {"broken": reported})
    lab.end("c1", 70)
    with pytest.raises(error, match=message):
        crew.pump()


def test_what_a_client_reported_counts_more_than_its_end(
    crew: Crew, lab: FakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker reports and ends between two looks of ours: its report must be found all the same."""
    really = lab.exits

    def reports_and_ends_just_now() -> object:
        monkeypatch.setattr(lab, "exits", really)
        lab.write("c1", {"broken": "OutcomeTableError: no rule for X"})
        lab.end("c1", 70)
        return really()

    monkeypatch.setattr(lab, "exits", reports_and_ends_just_now)
    with pytest.raises(OutcomeTableError):
        crew.pump()


ENDS = {
    "asked to": ("c1", "worker", 0, False, None),
    "crash": ("c1", "worker", 3, False, "c1: its worker ended with code 3: last words; the disk is full"),
    "killed by a stranger": ("c1", "worker", -signal.SIGKILL, False, "c1: its worker was ended by SIGKILL"),
    "terminated by a stranger": ("c1", "worker", -signal.SIGTERM, False, "c1: its worker was ended by SIGTERM"),
    "killed by a fault": ("c1", "worker", -signal.SIGKILL, True, None),
    "crashed under a fault": ("c1", "worker", -signal.SIGSEGV, True, "c1: its worker was ended by SIGSEGV"),
    "an app": ("app", "app", -signal.SIGKILL, False, None),
}


@pytest.mark.parametrize("how", ENDS)
def test_an_end_is_a_surprise_unless_a_fault_explains_it(
    crew: Crew, lab: FakeLab, taken_down: set[str], how: str
) -> None:
    """Only a party that a fault took down may be killed; a crash is a crash, fault or no fault."""
    party, name, code, planned, complaint = ENDS[how]
    lab.logs["c1"] = b"first\nlast words\n"
    if planned:
        taken_down.add(party)
    lab.end(party, code, name)
    if complaint is None:
        crew.pump()
        assert crew.unplanned == []
    else:
        for _ in range(2):  # A death that was complained of once is still one.
            with pytest.raises(WorkerDiedError, match=complaint):
                crew.pump()


@pytest.mark.parametrize(
    ("name", "code", "planned", "words"),
    [
        ("redis", -signal.SIGKILL, False, "n1: redis was ended by SIGKILL, and no fault of this run did that"),
        ("redis", -signal.SIGKILL, True, None),
        ("redis", 1, False, None),
        ("toxiproxy", 1, True, "n1: its Toxiproxy ended with code 1"),
    ],
)
def test_the_unplanned_end_of_a_server_makes_a_run_void(
    crew: Crew, lab: FakeLab, taken_down: set[str], name: str, code: int, planned: bool, words: str | None
) -> None:
    """A kill from outside is the environment's; a server that ends by itself is a finding; a mesh never ends."""
    taken_down.update(["n1"] if planned else [])
    lab.end("n1", code, name)
    crew.pump()
    assert [words in one for one in crew.unplanned] == ([True] if words else [])  # type: ignore[operator]


def test_every_end_is_in_the_history(crew: Crew, lab: FakeLab, live: LiveHistory) -> None:
    """Once, also when a later look finds an earlier end."""
    lab.end("n1", 1, "redis", at_ns=500)
    crew.pump()
    lab.end("app", 0, "app", at_ns=400)
    crew.pump()
    crew.pump()
    assert [(seen.party, seen.value) for seen in live.observations("exit")] == [
        ("app", {"process": "app", "code": 0}),
        ("n1", {"process": "redis", "code": 1}),
    ]


def test_ends_before_the_run_are_none_of_its_business(lab: FakeLab, live: LiveHistory) -> None:
    """A server that was restarted while the cluster came up, say."""
    lab.end("n1", -signal.SIGKILL, "redis")
    crew = Crew(lab.as_lab, live, seed=1)
    crew.pump()
    assert crew.unplanned == []
    assert live.observations("exit") == ()


def test_stopping_asks_and_waits(crew: Crew, lab: FakeLab, live: LiveHistory) -> None:
    """Only those that were named."""
    crew.stop(["c1"])
    assert lab.told == ["stop c1"]
    assert (live.ended("c1"), live.ended("c2")) == (True, False)


def test_who_did_not_hear_is_asked_again(crew: Crew, lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that had not yet said hello has nobody who could have heard."""
    monkeypatch.setattr(crew_module, "ASK_AGAIN_S", 0.01)
    lab.deaf.add("c2")
    crew.stop()
    assert lab.told.count("stop c2") == 2
    assert not [one for one in lab.told if one.startswith("signal")]


def test_who_hangs_is_killed_and_that_is_no_surprise(
    crew: Crew, lab: FakeLab, live: LiveHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last operation stays open."""
    monkeypatch.setattr(crew_module, "ENDED_S", 0.02)
    monkeypatch.setattr(lab, "ask_to_stop", lambda ref: None)
    lab.write("c1", {"invoke": 0, "f": "add", "value": 1})
    crew.stop()
    assert lab.told == ["signal 9 c1", "signal 9 c2"]
    assert [operation.outcome.value for operation in live.open_operations("c1")] == ["info"]


def test_a_client_may_be_started_again(crew: Crew, lab: FakeLab) -> None:
    """As a new life of the same name; what killed the one before does not excuse this one."""
    crew.kill([worker("c1")])
    crew.start(PLANS[:1])
    lab.end("c1", -signal.SIGKILL)
    with pytest.raises(WorkerDiedError):
        crew.pump()


def test_a_stranger_is_answered_with_those_there_are(crew: Crew) -> None:
    """Names, not objects."""
    with pytest.raises(UsageError, match="no client named 'c9'; there are: c1, c2"):
        crew.release("c9", "here")


def test_a_client_stands_at_a_point_until_it_is_released(crew: Crew, lab: FakeLab) -> None:
    """That it stood there once proves nothing about now."""
    assert crew.stands_at("c1") is None
    lab.arrive("c1", "turn")
    assert (crew.stands_at("c1"), crew.standing()) == ("turn", {"c1": "turn"})
    crew.release("c1", "turn")
    assert crew.stands_at("c1") is None
    lab.arrive("c1", "turn")
    assert crew.stands_at("c1") == "turn"


def test_a_release_that_came_early_lets_the_arrival_pass(crew: Crew, lab: FakeLab) -> None:
    """So nobody stands there."""
    crew.release("c1", "turn")
    lab.arrive("c1", "turn")
    assert crew.stands_at("c1") is None


def test_neither_a_dead_client_nor_its_earlier_life_stands_anywhere(crew: Crew, lab: FakeLab) -> None:
    """Arrivals and releases belong to a life."""
    lab.arrive("c1", "turn")
    crew.release("c1", "later")
    crew.kill([worker("c1")])
    assert crew.stands_at("c1") is None
    crew.start(PLANS[:1])
    assert crew.stands_at("c1") is None
    lab.arrive("c1", "later")
    assert crew.stands_at("c1") == "later"
