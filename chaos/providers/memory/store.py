"""
A replicated set: a leader that waits for a majority, an arbiter that replaces it, and what may be wrong with them.

Bugs: ``ack_before_replication`` (loses acknowledged writes), ``fail_but_keep`` (a write that was said to have failed
shows up), ``promise_and_forget`` (after a leader is lost there is none for ever).
"""

from collections.abc import Callable, Generator
from typing import Any

from chaos.providers.memory.recorder import PORT, Recorder, once, told
from chaos.providers.memory.world import Answer, Process, Program, Respond, Wait

NODES = ("n1", "n2", "n3")
MAJORITY = 2
PATIENCE_S = 0.05


def node(process: Process, *, bug: str | None = None) -> Program:
    """A member; n1 leads first."""
    process.listen(PORT, Member(process, bug).handle)
    while True:
        yield process.sleep(1)


class Member:
    """One member's state and answers."""

    def __init__(self, process: Process, bug: str | None) -> None:
        self._process, self._bug = process, bug
        first = process.party == NODES[0]
        self._disk = process.disk.setdefault("store", {"epoch": 1, "accepted": 1, "log": [], "leads": first})
        self._peers = [name for name in NODES if name != process.party]

    def handle(self, request: dict[str, Any], respond: Respond) -> None:
        """Any request."""
        act: Callable[[dict[str, Any], Respond], None] = getattr(self, f"_{request['do']}", self._canary)
        act(request, respond)

    def _canary(self, request: dict[str, Any], respond: Respond) -> None:
        respond(("ok", "alive"))

    def _add(self, request: dict[str, Any], respond: Respond) -> None:
        if not self._disk["leads"]:
            respond(("fail", "not the leader"))
            return
        self._disk["log"].append(request["value"])
        if self._bug == "ack_before_replication":
            respond(("ok", None))
        unsure = ("fail" if self._bug == "fail_but_keep" else "info", "no majority")
        self._replicate(lambda agreed: respond(("ok", None) if agreed else unsure))

    def _read(self, request: dict[str, Any], respond: Respond) -> None:
        if not self._disk["leads"]:
            respond(("fail", "not the leader"))
            return
        log = list(self._disk["log"])
        self._replicate(lambda agreed: respond(("ok", log) if agreed else ("fail", "no majority")))

    def _replicate(self, then: Callable[[bool], None]) -> None:
        """Send the log to the others; ``then`` hears once whether a majority has it."""
        message = {"do": "accept", "epoch": self._disk["epoch"], "log": list(self._disk["log"])}
        votes, heard = [1], [0]

        def count(answer: Answer) -> None:
            heard[0] += 1
            if told(answer).result is True:
                votes[0] += 1
                if votes[0] == MAJORITY:
                    then(True)
            elif answer.outcome == "answered":
                self._disk["leads"] = False  # Somebody knows a later epoch.
            if heard[0] == len(self._peers) and votes[0] < MAJORITY:
                then(False)

        for peer in self._peers:
            self._process.send(peer, PORT, message, count, within_s=PATIENCE_S)

    def _accept(self, request: dict[str, Any], respond: Respond) -> None:
        disk, epoch, log = self._disk, request["epoch"], request["log"]
        if epoch < disk["epoch"]:
            respond(("ok", False))
            return
        if epoch > disk["epoch"]:
            disk["leads"] = False
        disk["epoch"] = epoch
        if (epoch, len(log)) >= (disk["accepted"], len(disk["log"])):
            disk["accepted"], disk["log"] = epoch, list(log)
        respond(("ok", True))

    def _promise(self, request: dict[str, Any], respond: Respond) -> None:
        if request["epoch"] <= self._disk["epoch"]:
            respond(("fail", self._disk["epoch"]))
            return
        self._disk["epoch"], self._disk["leads"] = request["epoch"], False
        respond(("ok", (self._disk["accepted"], len(self._disk["log"]))))

    def _lead(self, request: dict[str, Any], respond: Respond) -> None:
        if request["epoch"] != self._disk["epoch"]:
            respond(("fail", self._disk["epoch"]))
            return
        self._disk["leads"], self._disk["accepted"] = True, request["epoch"]
        self._replicate(lambda agreed: None)
        respond(("ok", None))

    def _who(self, request: dict[str, Any], respond: Respond) -> None:
        respond(("ok", self._disk["leads"]))


def arbiter(process: Process, *, bug: str | None = None) -> Program:
    """Watches the leader, and has a majority choose the one that has accepted most when it is gone."""
    leader, epoch, misses = NODES[0], 1, 0
    while True:
        yield process.sleep(PATIENCE_S)
        seen = told((yield process.ask(leader, PORT, {"do": "who"}, within_s=PATIENCE_S)))
        misses = 0 if seen.result is True else misses + 1
        if misses < 3:
            continue
        epoch += 1
        best = yield from _best(process, epoch)
        if best is None or bug == "promise_and_forget":
            continue
        chosen = told((yield process.ask(best, PORT, {"do": "lead", "epoch": epoch}, within_s=PATIENCE_S)))
        if chosen.error is None:
            leader, misses = best, 0


def _best(process: Process, epoch: int) -> Generator[Wait, Any, str | None]:
    promises = {}
    for name in NODES:
        seen = told((yield process.ask(name, PORT, {"do": "promise", "epoch": epoch}, within_s=PATIENCE_S)))
        if seen.error is None:
            promises[name] = tuple(seen.result)
    return max(promises, key=lambda name: promises[name]) if len(promises) >= MAJORITY else None


def writer(process: Process, *, recorder: Recorder, number: int, pace_s: float = 0.012) -> Program:
    """Adds numbers that nobody else adds, at the member that answered last."""
    at, value = process.random.randrange(len(NODES)), number
    while not process.stopping:
        request = {"do": "add", "value": value}
        seen = yield from recorder.operation(
            process, "add", value, once(process, NODES[at], request), {"address": NODES[at]}
        )
        if seen.error is not None:
            at = (at + 1) % len(NODES)
        value += 10
        yield process.sleep(pace_s * process.random.uniform(0.5, 1.5))
    return 0


def reader(process: Process, *, recorder: Recorder) -> Program:
    """Reads what is left, at whichever node leads; a replicated log is read so too."""
    for attempt in range(30):
        target = NODES[attempt % len(NODES)]
        seen = yield from recorder.operation(process, "final-read", None, once(process, target, {"do": "read"}))
        if seen.error is None:
            return 0
        yield process.sleep(0.02)
    return 1
