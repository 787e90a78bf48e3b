"""
Scenarios in simulated time, each honest or with one bug planted: what every guarantee must hold of, and find.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chaos.errors import UsageError
from chaos.history.records import Fault, History
from chaos.network.rules import LinkRule, Wire
from chaos.providers.contract import ProcessRef
from chaos.providers.memory import counter, leader, lease, lock, log, register, store
from chaos.providers.memory.recorder import Recorder
from chaos.providers.memory.world import SECOND, Process, Program, World

BUGS = {
    "acked_writes_survive": ("store", "ack_before_replication"),
    "no_phantom_writes": ("store", "fail_but_keep"),
    "no_duplicates": ("log", "appends_again"),
    "order_per_producer": ("log", "holds_back"),
    "acked_records_survive": ("log", "acks_alone"),
    "loss_is_predicted": ("log", "cuts_tail"),
    "log_agrees": ("log", "appends_alone"),
    "gapless_polls": ("log", "shows_the_next"),
    "polled_once": ("log", "shows_all_again"),
    "recovers": ("store", "promise_and_forget"),
    "counts_match": ("counter", "no_dedup"),
    "mutual_exclusion": ("lock", "grants_twice"),
    "monotonic_tokens": ("lock", "tokens_in_memory"),
    "lock_is_kept": ("lock", "early_expiry"),
    "lock_is_freed": ("lock", "no_expiry"),
    "exclusive_writes": ("pause", "one_token_for_all"),
    "fenced_writes": ("pause", "ignores_tokens"),
    "only_owner_releases": ("pause", "release_without_compare"),
    "linearizable": ("register", "swaps_blindly"),
    "fresh_reads": ("register", "answers_by_itself"),
    "read_your_writes": ("register", "answers_by_itself"),
    "monotonic_reads": ("register", "answers_by_itself"),
    "lease_kept": ("lease", "ends_early"),
    "lock_is_never_lost": ("lease", "forgets_renewals"),
    "leader_is_kept": ("leader", "stands_at_once"),
}
"""For each guarantee the scenario in which it holds, and the bug that breaks it there."""


class Play:
    """One simulation on its way."""

    def __init__(self, seed: int, bug: str | None) -> None:
        self.world, self.bug = World(seed), bug
        self.recorder = Recorder(self.world)

    def start(self, party: str, program: Callable[..., Program], **arguments: Any) -> Process:
        """Start a program in a party of its own."""
        process = Process(self.world, ProcessRef(party=party, name="main"))
        process.start(program(process, **arguments))
        return process

    def start_buggy(self, party: str, program: Callable[..., Program]) -> Process:
        """Start a program that may carry the bug."""
        return self.start(party, program, bug=self.bug)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.world.advance(int(seconds * SECOND))

    def between(self, least_s: float, most_s: float) -> None:
        """Let a while pass that the seed chooses."""
        self.run(self.world.random.uniform(least_s, most_s))

    def wait_point(self, process: Process) -> None:
        """Until the process stands where it is about to write."""
        known = self._arrivals(process)
        self.world.run_until(lambda: self._arrivals(process) > known, within_ns=5 * SECOND)

    def _arrivals(self, process: Process) -> int:
        return sum(point.ref == process.ref for point in self.world.points)

    @contextmanager
    def fault(self, name: str, target: str) -> Iterator[None]:
        """Record a fault around what is done."""
        begun_ns = self.world.now_ns
        yield
        healed_ns = self.world.now_ns
        self.recorder.faults.append(
            Fault(
                name=name,
                target=target,
                begun_ns=begun_ns,
                effective_ns=begun_ns,
                healing_ns=healed_ns,
                healed_ns=healed_ns,
            )
        )

    @contextmanager
    def cut(self, one: str, others: Sequence[str]) -> Iterator[None]:
        """A partition of one party from others, by dropped packets."""
        pairs = [pair for other in others for pair in ((one, other), (other, one))]
        rules: list[LinkRule] = [Wire(source=source, target=target, action="drop") for source, target in pairs]
        with self.fault("partition", f"{one} | {', '.join(others)}"):
            for rule in rules:
                self.world.apply(rule)
            yield
            for rule in rules:
                self.world.withdraw(rule)


def _store(play: Play) -> None:
    for name in store.NODES:
        play.start_buggy(name, store.node)
    play.start_buggy("s1", store.arbiter)
    writers = [play.start(f"c{n}", store.writer, recorder=play.recorder, number=n) for n in (1, 2)]
    play.between(0.1, 0.2)
    with play.cut("n1", ("n2", "n3")):  # The arbiter still sees n1, so n1 stays leader without a majority.
        play.run(0.1)
    play.between(0.1, 0.2)
    with play.cut("n1", ("n2", "n3", "s1", "c2")):
        play.between(0.5, 0.7)
    play.run(0.4)
    _stop(play, writers)
    play.start("observer", store.reader, recorder=play.recorder)
    play.run(1)


def _counter(play: Play) -> None:
    play.start_buggy("n1", counter.server)
    clients = [play.start(f"c{n}", counter.client, recorder=play.recorder) for n in (1, 2, 3)]
    play.between(0.1, 0.2)
    rule = Wire(source="n1", target="c1", action="drop")
    with play.fault("one-way partition", "n1 -> c1"):
        play.world.apply(rule)
        play.between(0.2, 0.3)
        play.world.withdraw(rule)
    play.run(0.2)
    _stop(play, clients)
    play.start("observer", counter.reader, recorder=play.recorder)
    play.run(0.5)


def _lock_parties(play: Play) -> list[Process]:
    play.start_buggy(lock.SERVER, lock.server)
    play.start_buggy(lock.RESOURCE, lock.resource)
    return [play.start(f"c{n}", lock.client, recorder=play.recorder) for n in (1, 2, 3)]


def _lock(play: Play) -> None:
    clients = _lock_parties(play)
    play.between(0.3, 0.6)
    with play.fault("kill", lock.SERVER):
        play.world.processes[ProcessRef(party=lock.SERVER, name="main")].end(-9)
        play.run(0.05)
        play.start_buggy(lock.SERVER, lock.server)
    play.between(0.3, 0.6)
    with play.cut("c1", (lock.SERVER,)):
        play.between(0.4, 0.5)
    play.wait_point(clients[1])
    with play.fault("kill", "c2"):
        clients[1].end(-9)
        play.run(1.0)  # Past its lease: others must be seen to get in, or the death was met by nobody.
    play.run(0.5)
    _stop(play, clients)


def _pause(play: Play) -> None:
    clients = _lock_parties(play)
    play.wait_point(clients[0])
    with play.fault("pause", "c1"):
        clients[0].stop()
        play.between(lock.LEASE_S, 2 * lock.LEASE_S)
        play.wait_point(clients[1])  # Another is inside now, and writes before the sleeper wakes.
        play.run(0.002)
        clients[0].go_on()
    play.run(0.5)
    _stop(play, clients)


def _register(play: Play) -> None:
    for name in (register.ORIGINAL, register.COPY):
        play.start_buggy(name, register.node)
    ways = (("c1", (register.COPY,), "write"), ("c2", (register.ORIGINAL, register.COPY), "write"))
    clients = [
        play.start(name, register.client, recorder=play.recorder, read_at=at, writes=writes)
        for name, at, writes in (*ways, ("c3", (register.ORIGINAL,), "cas"))
    ]
    play.between(0.1, 0.2)
    with play.cut(register.COPY, (register.ORIGINAL,)):
        play.between(0.3, 0.4)
    play.run(0.2)
    _stop(play, clients)


def _lease(play: Play) -> None:
    play.start_buggy(lease.SERVER, lease.server)
    keeper = play.start("c1", lease.keeper, recorder=play.recorder)
    play.between(0.1, 0.2)
    with play.cut("c1", (lease.SERVER,)):
        play.between(0.05, 0.08)  # Less than a lease has left that is renewed each third of its time.
    play.run(0.4)
    _stop(play, [keeper])


def _leader(play: Play) -> None:
    for name in leader.NODES:
        play.start(name, leader.member, recorder=play.recorder, bug=play.bug)
    play.between(0.1, 0.2)
    rules = [Wire(source=source, target="n3", action="drop") for source in ("n1", "n2")]
    with play.fault("one way", "{n1, n2} -> {n3}"):
        for rule in rules:
            play.world.apply(rule)
        play.between(0.3, 0.5)
        for rule in rules:
            play.world.withdraw(rule)
    play.run(0.3)


def _log(play: Play) -> None:
    for name in store.NODES:
        play.start(name, log.replica, recorder=play.recorder, bug=play.bug)
    play.start("s1", log.arbiter)
    clients = [play.start(f"c{n}", log.producer, recorder=play.recorder) for n in (1, 2)]
    clients.append(play.start("c3", log.consumer, recorder=play.recorder))
    play.between(0.1, 0.2)
    lost_answers = Wire(source="n1", target="c1", action="drop")
    with play.fault("one-way partition", "n1 -> c1"):
        play.world.apply(lost_answers)
        play.between(0.2, 0.3)
        play.world.withdraw(lost_answers)
    play.run(0.3)
    with play.cut("n1", ("n2", "n3")):  # Only the leader has what is sent now, and then it is gone.
        play.between(0.2, 0.3)
        with play.fault("kill", "n1"):
            play.world.processes[ProcessRef(party="n1", name="main")].end(-9)
            play.run(0.5)
            play.start("n1", log.replica, recorder=play.recorder, bug=play.bug)
    play.run(0.4)
    _stop(play, clients)
    play.start("observer", store.reader, recorder=play.recorder)
    play.run(1)


def _stop(play: Play, processes: Sequence[Process]) -> None:
    for process in processes:
        process.stopping = True
    play.run(0.3)


SCENARIOS: dict[str, Callable[[Play], None]] = {
    "store": _store,
    "counter": _counter,
    "lock": _lock,
    "pause": _pause,
    "register": _register,
    "lease": _lease,
    "leader": _leader,
    "log": _log,
}


def simulate(scenario: str, seed: int, bug: str | None = None) -> History:
    """
    Play a scenario and return its history; the same arguments give the same history.

    :param bug: one of ``BUGS``' names for this scenario; None is the honest system.
    """
    if scenario not in SCENARIOS:
        raise UsageError(f"there is no scenario {scenario!r}; there are: {', '.join(SCENARIOS)}")
    known = sorted({name for at, name in BUGS.values() if at in (scenario, _TWIN.get(scenario))})
    if bug is not None and bug not in known:
        raise UsageError(f"the scenario {scenario} knows no bug {bug!r}; it knows: {', '.join(known)}")
    play = Play(seed, bug)
    SCENARIOS[scenario](play)
    return play.recorder.history(f"memory-{scenario}", seed)


_TWIN = {"lock": "pause", "pause": "lock"}
"""Scenarios over the same system can carry one another's bugs."""
