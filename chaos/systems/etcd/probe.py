"""
Watching an etcd cluster from outside: what changes is recorded when it is seen, and a member that is down is a finding.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from chaos.cluster.watching import Sink, Watch
from chaos.providers.contract import Lab
from chaos.systems.etcd.console import UNREACHABLE, Console
from chaos.systems.etcd.views import NOBODY, MemberView, parse_status, parse_syncs

NUMBERS_EVERY_S = 0.5
TIMEOUT_S = 0.5


class EtcdProbe:
    """
    One thread a member, over the management plane. Observations (only when the value changed):

    ``role`` (``leader``, ``follower``, ``no leader``), ``leader`` (whom it follows), ``term``, ``alarms``; each half second
    ``index``, ``revision``, ``leases`` (their ids) and ``syncs`` of its log (count, sum, slowest); and ``probe-error``
    with the reason (None: it answers again).
    """

    def __init__(
        self, *, lab: Lab, nodes: Sequence[str], names: Mapping[str, str], sink: Sink, every_s: float = 0.05
    ) -> None:
        self._names = dict(names)
        self._watch = Watch(sink, every_s=every_s, unreachable=UNREACHABLE)
        self.start, self.stop = self._watch.start, self._watch.stop
        for name in nodes:
            console = Console(lab, name, timeout_s=TIMEOUT_S)
            self._watch.look_at(name, partial(self._look, console), console.close)

    def _look(self, console: Console) -> None:
        view, party = parse_status(console.ask("maintenance/status").body), console.party
        self._watch.note(party, "role", view.role)
        self._watch.note(party, "leader", None if view.leader == NOBODY else self._names.get(view.leader, view.leader))
        self._watch.note(party, "term", view.term)
        self._watch.note(party, "alarms", list(view.alarms))
        if self._watch.due(party, NUMBERS_EVERY_S):
            self._look_at_numbers(console, view)

    def _look_at_numbers(self, console: Console, view: MemberView) -> None:
        party = console.party
        self._watch.note(party, "index", view.index)
        self._watch.note(party, "revision", view.revision)
        leases = console.ask("lease/leases").body.get("leases", ())
        self._watch.note(party, "leases", sorted(f"{int(lease['ID']):x}" for lease in leases))
        self._watch.note(party, "syncs", parse_syncs(console.get("/metrics")))
