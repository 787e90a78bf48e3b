"""
Three members that elect a leader, and what may be wrong with how they do.

Bug: ``stands_at_once`` (a member that hears no leader raises its term without asking whether anybody would vote for it).
"""

from collections.abc import Generator
from typing import Any

from chaos.providers.memory.recorder import PORT, Recorder, once, told
from chaos.providers.memory.world import SECOND, Process, Program, Respond, Wait

NODES = ("n1", "n2", "n3")
BEAT_S = 0.01
TIMEOUT_S = (0.05, 0.1)
PATIENCE_S = 0.02


def member(process: Process, *, recorder: Recorder, bug: str | None = None) -> Program:
    """A member; n1 leads first."""
    own = Member(process, recorder, bug)
    process.listen(PORT, own.handle)
    while True:
        yield process.sleep(BEAT_S)
        yield from own.lead() if own.leads else own.follow()


class Member:
    """One member's view: its term, whether it leads, when it last heard who does."""

    def __init__(self, process: Process, recorder: Recorder, bug: str | None) -> None:
        self._process, self._recorder, self._bug = process, recorder, bug
        self._peers = [name for name in NODES if name != process.party]
        self.term, self.leads, self._heard_ns, self._beats = 1, process.party == NODES[0], process.now_ns, 0
        self._timeout_ns = int(process.random.uniform(*TIMEOUT_S) * SECOND)
        self._tell()

    def _tell(self) -> None:
        self._recorder.observe(self._process, "role", "leader" if self.leads else "follower")
        self._recorder.observe(self._process, "term", self.term)

    def _become(self, term: int, *, leads: bool) -> None:
        if (term, leads) != (self.term, self.leads):
            self.term, self.leads = term, leads
            self._tell()

    def handle(self, request: dict[str, Any], respond: Respond) -> None:
        """A heartbeat, a question whether one would vote, or for the vote itself."""
        if request["do"] == "would":
            respond(("ok", not self.leads and self._hears_nobody()))
            return
        newer = request["term"] > self.term
        if newer:
            self._become(request["term"], leads=False)
        if request["do"] == "beat" and request["term"] == self.term:
            self._heard_ns = self._process.now_ns
        respond(("ok", newer if request["do"] == "vote" else self.term))

    def _hears_nobody(self) -> bool:
        return self._process.now_ns - self._heard_ns > self._timeout_ns

    def lead(self) -> Generator[Wait, Any, None]:
        """Tell the others, and step back for a newer term."""
        for peer in self._peers:
            answer = yield from once(self._process, peer, {"do": "beat", "term": self.term}, PATIENCE_S)
            seen = told(answer)
            if seen.error is None and seen.result > self.term:
                self._become(seen.result, leads=False)
                self._heard_ns = self._process.now_ns
                return
        self._beats += 1
        self._recorder.observe(self._process, "index", self._beats)

    def follow(self) -> Generator[Wait, Any, None]:
        """Stand for election when nobody is heard, once somebody else hears nobody as well."""
        if not self._hears_nobody():
            return
        if self._bug != "stands_at_once" and not (yield from self._anybody({"do": "would"})):
            return
        self._become(self.term + 1, leads=False)
        self._heard_ns = self._process.now_ns
        if (yield from self._anybody({"do": "vote", "term": self.term})):
            self._become(self.term, leads=True)

    def _anybody(self, question: dict[str, Any]) -> Generator[Wait, Any, bool]:
        term, agreed = self.term, False
        for peer in self._peers:
            seen = told((yield from once(self._process, peer, question, PATIENCE_S)))
            agreed = agreed or seen.result is True
        return agreed and self.term == term
