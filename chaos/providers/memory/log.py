"""
A replicated log: a leader that appends what a majority has, an arbiter that replaces it, and what may be wrong with them.

Bugs: ``acks_alone`` (the leader acknowledges what no follower has), ``appends_alone`` (its disk has it before any follower),
``appends_again`` (a repeated send is a new record), ``holds_back`` (some records stand behind the next of their producer),
``cuts_tail`` (who takes over throws the end of its log away), ``shows_the_next`` (who takes over leaves out the record that a
consumer asks from), ``shows_all_again`` (who takes over does not know how far a consumer is).
"""

from collections.abc import Callable, Generator
from typing import Any

from chaos.providers.memory.recorder import PORT, Recorder, Steps, once, told
from chaos.providers.memory.store import NODES
from chaos.providers.memory.world import Answer, Process, Program, Respond, Wait

NAME = "log-0"
MAJORITY = 2
PATIENCE_S = 0.05
TAIL = 5
BATCH = 20

Record = tuple[str, int]
"""A value and the epoch of the leader that appended it."""


def replica(process: Process, *, recorder: Recorder, bug: str | None = None) -> Program:
    """A replica; n1 leads first, but not again after its end."""
    process.listen(PORT, Replica(process, recorder, bug).handle)
    while True:
        yield process.sleep(1)


class Replica:
    """One replica's log and answers."""

    def __init__(self, process: Process, recorder: Recorder, bug: str | None) -> None:
        self._process, self._recorder, self._bug = process, recorder, bug
        self._peers = [name for name in NODES if name != process.party]
        self._leads = process.party == NODES[0] and "log" not in process.disk
        self._disk = process.disk.setdefault("log", {"epoch": 1, "accepted": 1, "records": []})
        self._sent: list[Record] = list(self._disk["records"])
        """All that a leader has been asked to append, whether or not it is on its disk."""
        self._strangers = bug == "shows_all_again" and not self._leads
        self._aside: Record | None = None
        self._tell_role()

    def handle(self, request: dict[str, Any], respond: Respond) -> None:
        """Any request."""
        act: Callable[[dict[str, Any], Respond], None] = getattr(self, f"_{request['do']}")
        act(request, respond)

    def _tell_role(self) -> None:
        self._recorder.observe(self._process, "role", "leader" if self._leads else "follower")

    def _store(self, records: list[Record]) -> None:
        self._disk["records"] = list(records)
        epochs = [[n, one[1]] for n, one in enumerate(records) if n == 0 or records[n - 1][1] != one[1]]
        value = {"log": NAME, "first": 0, "values": [value for value, _ in records], "epochs": epochs}
        self._recorder.observe(self._process, "replica-log", value)

    def _add(self, request: dict[str, Any], respond: Respond) -> None:
        if not self._leads:
            respond(("fail", "not the leader"))
            return
        values = [value for value, _ in self._sent]
        if request["value"] in values and self._bug != "appends_again":
            offset = values.index(request["value"])
        elif self._bug == "holds_back" and self._aside is None:
            self._aside = (request["value"], self._disk["epoch"])
            respond(("ok", None))
            return
        else:
            offset = self._append(request["value"])
        if self._bug == "acks_alone":
            respond(("ok", offset))
        self._replicate(lambda agreed: respond(("ok", offset) if agreed else ("info", "no majority")))

    def _append(self, value: str) -> int:
        self._sent.append((value, self._disk["epoch"]))
        if self._aside is not None and self._aside[0].partition(":")[0] == value.partition(":")[0]:
            self._sent.append(self._aside)
            self._aside = None
        if self._bug in ("acks_alone", "appends_alone"):
            self._store(self._sent)
        return len(self._sent) - 1

    def _read(self, request: dict[str, Any], respond: Respond) -> None:
        if not self._leads:
            respond(("fail", "not the leader"))
            return
        values = [value for value, _ in self._disk["records"]]
        self._replicate(lambda agreed: respond(("ok", values) if agreed else ("fail", "no majority")))

    def _poll(self, request: dict[str, Any], respond: Respond) -> None:
        records: list[Record] = self._disk["records"]
        if not self._leads:
            respond(("fail", "not the leader"))
            return
        first = request["offset"]
        if self._bug == "shows_the_next" and self._disk["epoch"] > 1:
            first += 1
        if self._strangers and records:
            first, self._strangers = 0, False
        respond(("ok", [[first + n, value] for n, (value, _) in enumerate(records[first : first + BATCH])]))

    def _replicate(self, then: Callable[[bool], None]) -> None:
        """Send the log to the others; ``then`` hears once whether a majority has it, and so the leader's disk."""
        records, heard, votes = list(self._sent), [0], [1]

        def count(answer: Answer) -> None:
            heard[0] += 1
            votes[0] += told(answer).result is True
            if told(answer).result is True and votes[0] == MAJORITY:
                if self._leads and len(records) > len(self._disk["records"]):
                    self._store(records)
                then(True)
            elif heard[0] == len(self._peers) and votes[0] < MAJORITY:
                then(False)

        message = {"do": "accept", "epoch": self._disk["epoch"], "records": records}
        for peer in self._peers:
            self._process.send(peer, PORT, message, count, within_s=PATIENCE_S)

    def _accept(self, request: dict[str, Any], respond: Respond) -> None:
        disk, epoch, records = self._disk, request["epoch"], request["records"]
        if epoch < disk["epoch"]:
            respond(("ok", False))
            return
        disk["epoch"] = epoch
        if (epoch, len(records)) > (disk["accepted"], len(disk["records"])):
            disk["accepted"] = epoch
            self._store(records)
        respond(("ok", True))

    def _promise(self, request: dict[str, Any], respond: Respond) -> None:
        self._disk["epoch"] = request["epoch"]
        self._store(self._disk["records"])
        respond(("ok", (self._disk["accepted"], len(self._disk["records"]))))

    def _lead(self, request: dict[str, Any], respond: Respond) -> None:
        records: list[Record] = self._disk["records"]
        self._sent = records[:-TAIL] if self._bug == "cuts_tail" else list(records)
        self._leads, self._disk["accepted"] = True, request["epoch"]
        self._tell_role()
        self._store(self._sent)
        self._replicate(lambda agreed: None)
        respond(("ok", None))

    def _who(self, request: dict[str, Any], respond: Respond) -> None:
        respond(("ok", self._leads))


def arbiter(process: Process) -> Program:
    """Watches the first leader, and has the other one lead that has the longer log when it is gone."""
    misses = 0
    while misses < 3:
        yield process.sleep(PATIENCE_S)
        seen = told((yield process.ask(NODES[0], PORT, {"do": "who"}, within_s=PATIENCE_S)))
        misses = 0 if seen.result is True else misses + 1
    lengths = yield from _promised(process)
    best = max(lengths, key=lambda name: lengths[name])
    yield process.ask(best, PORT, {"do": "lead", "epoch": 2}, within_s=PATIENCE_S)
    return 0


def _promised(process: Process) -> Generator[Wait, Any, dict[str, tuple[int, int]]]:
    promises = {}
    for name in NODES[1:]:
        seen = told((yield process.ask(name, PORT, {"do": "promise", "epoch": 2}, within_s=PATIENCE_S)))
        promises[name] = tuple(seen.result)
    return promises


def producer(process: Process, *, recorder: Recorder, pace_s: float = 0.03) -> Program:
    """Sends its numbers one after the other, each up to three times, to the replica that answered last."""
    at, number = process.random.randrange(len(NODES)), 0
    while not process.stopping:
        value = f"{process.party}:{number}"
        notes = {"log": NAME, "address": NODES[at]}
        seen = yield from recorder.operation(process, "add", value, _sends(process, NODES[at], value), notes)
        if seen.error is not None:
            at = (at + 1) % len(NODES)
        number += 1
        yield process.sleep(pace_s * process.random.uniform(0.5, 1.5))
    return 0


def _sends(process: Process, target: str, value: str) -> Steps:
    """As client libraries do: again after silence; whatever comes then but a yes says nothing of the first try."""
    request = {"do": "add", "value": value}
    first: Answer = yield from once(process, target, request, PATIENCE_S)
    for _ in range(2 if first.outcome == "silent" else 0):
        again = yield from once(process, target, request, PATIENCE_S)
        if again.outcome != "silent":
            return again if told(again).error is None else first
    return first


def consumer(process: Process, *, recorder: Recorder, pace_s: float = 0.02) -> Program:
    """Polls from where its last poll ended, the replica that answered last."""
    at, position = process.random.randrange(len(NODES)), 0
    while not process.stopping:
        notes: dict[str, Any] = {"log": NAME, "address": NODES[at]}
        request = {"do": "poll", "offset": position}
        steps = once(process, NODES[at], request, PATIENCE_S)
        seen = yield from recorder.operation(process, "poll", [NAME, position], steps, notes)
        if seen.error is not None:
            at = (at + 1) % len(NODES)
        elif seen.result:
            position = notes["position"] = seen.result[-1][0] + 1
        yield process.sleep(pace_s * process.random.uniform(0.5, 1.5))
    return 0
