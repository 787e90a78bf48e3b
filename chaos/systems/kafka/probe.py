"""
Watching a Kafka cluster from outside: what changes is recorded when it is seen, and a node that is down is a finding.
"""

from collections.abc import Callable
from functools import partial

from chaos.cluster.watching import Sink, Watch
from chaos.history.records import Value
from chaos.systems.kafka import requests
from chaos.systems.kafka.console import Console, NoAnswerError
from chaos.systems.kafka.lines import Lines

ELIGIBLE_EVERY_S = 0.5


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
        self._names, self._log, self._unclean = lines.names, log, unclean
        self._topic = requests.parted(log)[0]
        self._told: dict[str, object] = {}
        """Per controller the newest epoch of the log after which its own log was read."""
        self._watch = Watch(sink, every_s=every_s, unreachable=(NoAnswerError,))
        self.start, self.stop = self._watch.start, self._watch.stop
        for consoles, look in ((lines.brokers, self._look_at_broker), (lines.quorum, self._look_at_controller)):
            for name, console in consoles.items():
                self._watch.look_at(name, partial(look, console), console.close)

    def _look_at_broker(self, console: Console) -> None:
        party, view = console.party, requests.view(console, (self._topic,), self._names)
        log = view.logs.get(self._log)
        if log is None:
            return
        self._watch.note(party, "role", log.role(party))
        self._watch.note(party, "leader", log.leader)
        self._watch.note(party, "epoch", log.epoch)
        self._watch.note(party, "isr", list(log.isr))
        if party not in log.replicas:
            return
        self._try(party, "log-end", lambda: requests.log_end(console, self._log))
        if log.leader == party:
            self._try(party, "high-watermark", lambda: requests.high_watermark(console, self._log))
        if self._watch.due(party, ELIGIBLE_EVERY_S):
            self._try(party, "elr", lambda: list(requests.eligible(console, self._topic, self._names)))

    def _look_at_controller(self, console: Console) -> None:
        found = requests.quorum(console)
        value = None if found is None else {"leader": self._names.get(found[0], str(found[0])), "epoch": found[1]}
        self._watch.note(console.party, "controller", value)
        epoch = max(self._watch.seen("epoch"), default=None)
        if self._told.setdefault(console.party, epoch) != epoch:
            self._watch.note(console.party, "unclean-elections", self._unclean(console.party))
            self._told[console.party] = epoch

    def _try(self, party: str, kind: str, ask: Callable[[], Value]) -> None:
        """A refusal of one question (right after an election, say) is no silence of the node."""
        try:
            self._watch.note(party, kind, ask())
        except requests.RefusedError:
            return
