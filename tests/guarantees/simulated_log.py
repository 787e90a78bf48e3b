"""
A replicated log with a leader, followers and truncation, simulated: histories of which the truth is known.

Every change of a replica's log is seen. What the simulation knows and no guarantee reads: who ever had a record, what the
new leader had at the instant of the election, and which value was at which offset.
"""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from chaos.history import History, Observation, Operation
from tests.guarantees.logs import LOG, lead, left, seen, snap
from tests.history.build import fault, history, op

BROKERS = ("n1", "n2", "n3")
CLIENTS = ("c1", "c2")
CONSUMERS = ("r1", "r2")
STEP_S = 0.25

Record = tuple[str, int]
"""A value and the epoch in which it was appended."""


@dataclass(slots=True)
class Truth:
    """What really happened."""

    had: dict[str, set[str]] = field(default_factory=dict)
    at: dict[int, set[str]] = field(default_factory=dict)
    by_old: list[str] = field(default_factory=list)
    new_had: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    read: list[str] = field(default_factory=list)
    consumers: dict[str, "Consuming"] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Consuming:
    """
    One consumer's way, as it knows it itself.

    :param shown: each life's records in order: a life ends when it is started anew, from a place of its own choice.
    :param asks: where its program wants to read on; at: where its library does.
    :param unrecorded: records that it was shown by polls of which the history has no answer.
    :param seen_s: when it was last shown a record by one that has an answer.
    """

    asks: int = 0
    at: int = 0
    lives: list[int] = field(default_factory=lambda: [0])
    shown: list[list[tuple[int, str]]] = field(default_factory=lambda: [[]])
    unrecorded: set[tuple[int, str]] = field(default_factory=set)
    unanswered: bool = False
    lost: bool = False
    seen_s: float = 0.0


@dataclass(slots=True)
class Simulation:
    """One run, one step after the other."""

    rng: Random
    now_s: float = 0.0
    leader: str = "n1"
    epoch: int = 0
    cut_off: set[str] = field(default_factory=set)
    logs: dict[str, list[Record]] = field(default_factory=lambda: {name: [] for name in BROKERS})
    numbers: Counter[str] = field(default_factory=Counter)
    operations: list[Operation] = field(default_factory=list)
    seen: list[Observation] = field(default_factory=list)
    truth: Truth = field(default_factory=Truth)
    elected: bool = False
    sighted: bool = False
    duplicates: float = 0.0
    swaps: float = 0.0
    acks_all: bool = False
    strays: float = 0.0

    def look(self, broker: str) -> None:
        """A snapshot of this replica."""
        log = self.logs[broker]
        epochs = [[n, epoch] for n, (_, epoch) in enumerate(log) if not n or log[n - 1][1] != epoch]
        self.seen.append(snap(self.now_s, broker, *(value for value, _ in log), epochs=epochs))

    def append(self, broker: str, record: Record) -> int:
        """The next record of this replica."""
        log = self.logs[broker]
        log.append(record)
        self.truth.had.setdefault(record[0], set()).add(broker)
        self.truth.at.setdefault(len(log) - 1, set()).add(record[0])
        self.look(broker)
        return len(log) - 1

    def step(self) -> None:
        """Someone does something."""
        self.now_s += STEP_S
        what = self.rng.random()
        if what < 0.2 and "n1" in self.cut_off and not self.sighted:
            self.send("n1")  # It does not know yet that another one leads.
        elif what < 0.55:
            self.send(self.leader)
        elif what < 0.9:
            self.replicate(self.rng.choice(BROKERS))
        elif what < 0.92:
            self.poll()
        else:
            self.consume(self.rng.choice(CONSUMERS))

    def send(self, leader: str) -> None:
        """One send, or two that arrive in the wrong order; perhaps with a copy."""
        client, count = self.rng.choice(CLIENTS), 2 if self.rng.random() < self.swaps else 1
        values = [f"{client}:{self.numbers[client] + n}" for n in range(count)]
        self.numbers[client] += count
        answers = {}
        for value in reversed(values):
            outcome = self.rng.choices(("ok", "info", "fail"), (8, 1, 1))[0]
            if self.acks_all and leader in self.cut_off:
                outcome = "info"
            offset = None
            if outcome == "ok" or (outcome == "info" and self.rng.random() < 0.5):
                for _ in range(2 if self.rng.random() < self.duplicates else 1):
                    offset = self.append(leader, (value, self.epoch if leader == self.leader else 0))
                while self.acks_all and any(map(self.replicate, BROKERS)):
                    pass
                if outcome == "ok" and leader == "n1" and not self.sighted:
                    self.truth.by_old.append(value)
            answers[value] = (outcome, offset if outcome == "ok" and self.rng.random() < 0.8 else None)
        for n, value in enumerate(values):
            outcome, offset = answers[value]
            told: dict[str, Any] = {"address": f"{leader}:9092"} if self.rng.random() < 0.5 else {}
            at, took = self.now_s - 0.1 + n / 100, 0.15
            self.operations.append(op(client, "add", value, at, took, offset, outcome, log=LOG, **told))

    def replicate(self, broker: str) -> int:
        """A follower throws away what its leader has not, and fetches some of the rest; how much."""
        if broker == self.leader or broker in self.cut_off or self.leader in self.cut_off:
            return 0
        theirs, mine = self.logs[self.leader], self.logs[broker]
        same = next(
            (n for n, (a, b) in enumerate(zip(theirs, mine, strict=False)) if a != b), min(len(theirs), len(mine))
        )
        if same < len(mine):
            del mine[same:]
            self.look(broker)
        fetched = theirs[same : same + self.rng.randint(1, 4)]
        for record in fetched:
            self.append(broker, record)
        return len(fetched)

    def poll(self) -> None:
        """A consumer reads some records of the leader."""
        log = self.logs[self.leader]
        first = self.rng.randint(0, len(log))
        pairs = [[n, log[n][0]] for n in range(first, min(len(log), first + 3))]
        self.operations.append(op("reader", "poll", [LOG, first], self.now_s, 0.1, pairs, log=LOG))

    def consume(self, name: str) -> None:
        """A consumer reads on, unless its library skips, repeats, or goes where the logs part when it is ahead."""
        one = self.truth.consumers.setdefault(name, Consuming())
        log = [value for value, _ in self.logs[self.leader]]
        place = self.rng.randint(0, len(log))
        if self.rng.random() < 0.05 and place != one.asks:
            one.asks = one.at = place  # Started anew, from where its program chooses.
            one.lives.append(place)
            one.shown.append([])
            one.unrecorded = set()  # What it does not know that it was shown, it passes anew or leaves out.
        asked, outcome = one.asks, self.rng.choices(("ok", "info", "fail"), (16, 1, 1))[0]
        if outcome == "ok" and not one.lost and self.rng.random() < self.strays:
            one.at = self.rng.randint(0, len(log))
        elif self.rng.random() < 0.8 or one.at > len(log):
            one.at = min(one.at, self.parting(one.shown[-1], log))
        found = [(n, log[n]) for n in range(one.at, min(len(log), one.at + self.rng.randint(0, 4)))]
        if outcome != "fail" and found:
            one.at, one.lost = found[-1][0] + 1, outcome == "info"
        if outcome == "ok" and found:
            one.shown[-1] += found
            one.asks, one.seen_s = one.at, self.now_s
        elif outcome == "info":
            one.unanswered, one.unrecorded = True, one.unrecorded | set(found)
        pairs = [list(pair) for pair in found] if outcome == "ok" else None
        self.operations.append(op(name, "poll", [LOG, asked], self.now_s, 0.1, pairs, outcome, log=LOG))

    def parting(self, shown: list[tuple[int, str]], log: list[str]) -> int:
        """The first offset at which the log now has something else than what was shown there last."""
        last = dict(shown)
        return min((n for n, value in last.items() if n >= len(log) or log[n] != value), default=1 << 30)

    def elect(self, broker: str, seen_after: int) -> None:
        """Another leader, with whatever it has; it is seen to lead some steps later."""
        self.leader, self.epoch = broker, self.epoch + 1
        if not self.elected:
            self.truth.new_had = {value for value, _ in self.logs[broker]}
        self.elected = True
        for _ in range(seen_after):
            self.step()
        self.now_s += STEP_S
        self.seen.append(lead(self.now_s, broker))
        self.sighted = True


def simulated(rng: Random) -> tuple[History, Truth]:
    """A run with a fault that takes the leader, and what really happened."""
    acks_all = rng.random() < 0.4
    run = Simulation(rng, duplicates=rng.choice((0, 0, 0.1)), swaps=rng.choice((0, 0, 0.1)), acks_all=acks_all)
    run.strays = rng.choice((0, 0, 0.1))
    run.seen.append(lead(0, "n1"))
    while not run.logs["n1"]:
        run.now_s += STEP_S
        run.send("n1")
    for _ in range(rng.randint(2, 12)):
        run.step()
    begun_s = run.now_s = run.now_s + STEP_S
    run.cut_off = {"n1"}
    for broker in BROKERS:
        run.look(broker)
    for _ in range(rng.randint(1, 5)):
        run.now_s += STEP_S
        run.send("n1")
    run.elect(rng.choice(BROKERS[1:]), rng.randint(0, 3))
    for _ in range(rng.randint(0, 6)):
        run.step()
    gone = rng.random() < 0.2
    run.cut_off = {"n1"} if gone else set()
    if gone:
        run.seen.append(seen(run.now_s, "n1", "probe-error", "refused"))
    elif rng.random() < 0.2:
        run.elect(rng.choice([one for one in BROKERS if one != run.leader]), 0)
    healed_s = run.now_s = run.now_s + STEP_S
    for _ in range(rng.randint(1, 6)):
        run.step()
    for _ in range(20):
        for broker in BROKERS:
            run.now_s += STEP_S
            run.replicate(broker)
    reads_on(run, healed_s)
    return finished(run, fault(begun_s, healed_s), rng.choice((0, 0, 0.1))), run.truth


def reads_on(run: Simulation, healed_s: float) -> None:
    """Consumers go on for a while after the last step, most of them to the log's end, and each has asked during the fault."""
    run.truth.log = [value for value, _ in run.logs[run.leader]]
    for name in CONSUMERS:
        for _ in range(run.rng.randint(0, 12)):
            run.now_s += STEP_S
            run.consume(name)
        asked = op(name, "poll", [LOG, None], healed_s - STEP_S / 2, 0.1, outcome="fail", log=LOG)
        if name in run.truth.consumers:
            run.operations.append(asked)


def finished(run: Simulation, harm: Any, skips: float) -> History:
    """The final read of the leader's log, which may pass over some records, and the history."""
    read = [value for value, _ in run.logs[run.leader] if run.rng.random() >= skips]
    run.truth.read = read
    run.truth.kept = {value for name in BROKERS if name not in run.cut_off for value, _ in run.logs[name]}
    return history([*run.operations, left(*read, at=run.now_s + 1)], [harm], run.seen)
