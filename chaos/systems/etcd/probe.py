"""
Watching an etcd cluster from outside: what changes is recorded when it is seen, and a member that is down is a finding.
"""

import threading
from collections.abc import Callable, Mapping, Sequence

from chaos.history.records import Observation, Value
from chaos.providers.contract import Lab
from chaos.systems.etcd.console import UNREACHABLE, Console
from chaos.systems.etcd.views import NOBODY, MemberView, parse_status, parse_syncs
from chaos.wait import monotonic_ns

Sink = Callable[[Observation], None]

NUMBERS_EVERY_S = 0.5
TIMEOUT_S = 0.5
END_WITHIN_S = 5.0


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
        self._sink, self._names, self._every_s = sink, dict(names), every_s
        self._ended = threading.Event()
        self._seen: dict[tuple[str, str], Value] = {}
        self._numbers_due_ns: dict[str, int] = {}
        consoles = [Console(lab, name, timeout_s=TIMEOUT_S) for name in nodes]
        self._threads = [threading.Thread(target=self._watch, args=(one,), daemon=True) for one in consoles]

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

    def _watch(self, console: Console) -> None:
        while not self._ended.wait(self._every_s):
            try:
                self._look(console)
                self._note(console.party, "probe-error", None)
            except UNREACHABLE as problem:
                if self._seen.get((console.party, "probe-error")) is None:  # The reason at first; later ones vary.
                    self._note(console.party, "probe-error", f"{type(problem).__name__}: {problem}")
        console.close()

    def _look(self, console: Console) -> None:
        view, party = parse_status(console.ask("maintenance/status").body), console.party
        self._note(party, "role", view.role)
        self._note(party, "leader", None if view.leader == NOBODY else self._names.get(view.leader, view.leader))
        self._note(party, "term", view.term)
        self._note(party, "alarms", list(view.alarms))
        now = monotonic_ns()
        if now >= self._numbers_due_ns.get(party, 0):
            self._numbers_due_ns[party] = now + int(NUMBERS_EVERY_S * 1e9)
            self._look_at_numbers(console, view)

    def _look_at_numbers(self, console: Console, view: MemberView) -> None:
        party = console.party
        self._note(party, "index", view.index)
        self._note(party, "revision", view.revision)
        leases = console.ask("lease/leases").body.get("leases", ())
        self._note(party, "leases", sorted(f"{int(lease['ID']):x}" for lease in leases))
        self._note(party, "syncs", parse_syncs(console.get("/metrics")))

    def _note(self, party: str, kind: str, value: Value) -> None:
        if self._seen.get((party, kind), "never") != value and not self._ended.is_set():
            self._seen[party, kind] = value
            self._sink(Observation(at_ns=monotonic_ns(), party=party, kind=kind, value=value))
