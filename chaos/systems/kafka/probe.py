"""
Watching a Kafka cluster from outside: what changes is recorded when it is seen, and a node that is down is a finding.
"""

import threading
from collections.abc import Callable

from chaos.history.records import Observation, Value
from chaos.systems.kafka import requests
from chaos.systems.kafka.console import Console, NoAnswerError
from chaos.systems.kafka.lines import Lines
from chaos.wait import monotonic_ns

Sink = Callable[[Observation], None]

ELIGIBLE_EVERY_S = 0.5
END_WITHIN_S = 5.0


class KafkaProbe:
    """
    One thread a node, over the management plane, for one log. Observations (only when the value changed):

    of a broker ``role`` (``leader``, ``follower``, ``no leader``), ``leader``, ``epoch`` and ``isr`` as it sees them,
    ``log-end`` of its replica, ``high-watermark`` while it leads, and each half second ``elr``; of a controller
    ``controller`` (the active one and its epoch, None while it is not active) and, after each change of epoch,
    ``unclean-elections``; of both ``probe-error`` with the reason (None: it answers again).

    :param unclean: what a controller's own log says of unclean elections.
    """

    def __init__(
        self,
        *,
        lines: Lines,
        log: str,
        unclean: Callable[[str], Value],
        sink: Sink,
        every_s: float,
    ) -> None:
        self._sink, self._names, self._log, self._every_s = sink, lines.names, log, every_s
        self._unclean = unclean
        self._topic = requests.parted(log)[0]
        self._ended = threading.Event()
        self._seen: dict[tuple[str, str], Value] = {}
        self._due_ns: dict[str, int] = {}
        self._told: dict[str, object] = {}
        """Per controller the newest epoch of the log after which its own log was read."""
        looks = [(console, self._look_at_broker) for console in lines.brokers.values()]
        looks += [(console, self._look_at_controller) for console in lines.quorum.values()]
        self._threads = [threading.Thread(target=self._watch, args=look, daemon=True) for look in looks]

    def start(self) -> None:
        """Begin to watch."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop watching; nothing is recorded afterwards. Safe to call again."""
        self._ended.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(END_WITHIN_S)

    def _watch(self, console: Console, look: Callable[[Console], None]) -> None:
        silent = False
        while not self._ended.wait(self._every_s):
            try:
                look(console)
                silent = False
                self._note(console.party, "probe-error", None)
            except NoAnswerError as problem:
                if not silent:  # The reason at first; later ones vary.
                    self._note(console.party, "probe-error", str(problem))
                silent = True
        console.close()

    def _look_at_broker(self, console: Console) -> None:
        party, view = console.party, requests.view(console, (self._topic,), self._names)
        log = view.logs.get(self._log)
        if log is None:
            return
        self._note(party, "role", log.role(party))
        self._note(party, "leader", log.leader)
        self._note(party, "epoch", log.epoch)
        self._note(party, "isr", list(log.isr))
        if party not in log.replicas:
            return
        self._try(party, "log-end", lambda: requests.log_end(console, self._log))
        if log.leader == party:
            self._try(party, "high-watermark", lambda: requests.high_watermark(console, self._log))
        now = monotonic_ns()
        if now >= self._due_ns.get(party, 0):
            self._due_ns[party] = now + int(ELIGIBLE_EVERY_S * 1e9)
            self._try(party, "elr", lambda: list(requests.eligible(console, self._topic, self._names)))

    def _look_at_controller(self, console: Console) -> None:
        found = requests.quorum(console)
        value = None if found is None else {"leader": self._names.get(found[0], str(found[0])), "epoch": found[1]}
        self._note(console.party, "controller", value)
        epoch = max((seen for (_, kind), seen in tuple(self._seen.items()) if kind == "epoch"), default=None)
        if self._told.setdefault(console.party, epoch) != epoch:
            self._note(console.party, "unclean-elections", self._unclean(console.party))
            self._told[console.party] = epoch

    def _try(self, party: str, kind: str, ask: Callable[[], Value]) -> None:
        """A refusal of one question (right after an election, say) is no silence of the node."""
        try:
            self._note(party, kind, ask())
        except requests.RefusedError:
            return

    def _note(self, party: str, kind: str, value: Value) -> None:
        if self._seen.get((party, kind), "never") != value and not self._ended.is_set():
            self._seen[party, kind] = value
            self._sink(Observation(at_ns=monotonic_ns(), party=party, kind=kind, value=value))
