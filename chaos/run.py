"""
A run: clients at work, faults on purpose, everything written down, and verdicts at the end.

An experiment has five beats: steady state, fault, recovery; then, outside the run, what broke and what survived.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from chaos.cluster import Cluster
from chaos.crew import Crew
from chaos.errors import ChaosError, HarnessError, NoProgressError, UsageError, VoidRunError, said
from chaos.faults.fault import FaultPlan, Scene
from chaos.folders import full_disk
from chaos.guarantees.guarantee import FINAL_READ, Guarantee
from chaos.history import Fault, History, Observation
from chaos.history.archive import save
from chaos.history.live import LiveHistory
from chaos.history.records import Value
from chaos.judgement import Bounds, Judged, blame, failure, judge
from chaos.nemesis import Nemesis, restarts_of, unproven
from chaos.observer import Observer, Watched, header_of, settle
from chaos.progress import idle, in_words, instead_of, on_the_way, since_phase
from chaos.providers.apps import RunningApp
from chaos.providers.contract import OBSERVER, Lab
from chaos.wait import FAST_S, monotonic_ns, wait_until
from chaos.workloads.plan import ClientPlan

PHASES = frozenset({"steady state", "settle", "final reads"})
"""The phases of a run in which nothing is harmed."""
__tracebackhide__ = said


class Launch(Protocol):
    """The ``launch`` fixture: ``with launch(cluster, *clients) as run:``."""

    def __call__(
        self, *clusters_and_clients: "Cluster | RunningApp | ClientPlan | Sequence[ClientPlan]"
    ) -> AbstractContextManager["Run"]:
        """Make a run, start its clients, seal its history at the end of the block."""
        ...


class Run:
    """
    One execution of an experiment, under one seed.

    Made by the ``launch`` fixture; inside its ``with`` block clients work, after it the history is final.
    """

    def __init__(
        self,
        lab: Lab,
        clusters: Sequence[Cluster],
        *,
        name: str,
        seed: int,
        files: Path,
        apps: Sequence[RunningApp] = (),
    ) -> None:
        self.lab, self.clusters, self.name, self.seed = lab, tuple(clusters), name, seed
        self._files, self._apps = files, tuple(apps)
        self.live = LiveHistory()
        scene = Scene(lab=lab, restarts=restarts_of(clusters) | {app.name: app.restart for app in apps})
        self.nemesis = Nemesis(scene, self.live, seed=seed)
        self._crew = Crew(lab, self.live, seed=seed, taken_down=scene.taken_down, hint=lambda: full_disk(files))
        self._probes = [
            cluster.probe(self.live.add_observation) for cluster in clusters if isinstance(cluster, Watched)
        ]
        self._observer = Observer(files, self.live)
        self._started_ns = monotonic_ns()
        self._judged: tuple[Judged, ...] = ()
        self._read_finally = False
        self.history: History | None = None

    # -- clients -----------------------------------------------------------------------------------------------------

    def start(self, *plans: ClientPlan) -> None:
        """Start clients; each is a process in a party of its own."""
        self._still_open("start()")
        if self._read_finally:
            raise UsageError("a client started after the final read would write what that read cannot show")
        self._crew.start(plans)

    def stop(self, *clients: str) -> None:
        """Ask these clients (or all) to end after their current operation."""
        self._crew.stop(clients or None)

    def release(self, client: str, point: str) -> None:
        """Let a client go on from a named point; a client that is paused goes on when it is resumed."""
        self._crew.release(client, point)

    # -- waiting -----------------------------------------------------------------------------------------------------

    def wait_oks(
        self, f: str, count: int, *, within_s: float, client: str | None = None, since_ns: int | None = None
    ) -> None:
        """Wait for so many more acknowledged operations, counted from this call (or from ``since_ns``)."""
        if client not in (None, OBSERVER):
            self._crew.ref(str(client))
        since = monotonic_ns() if since_ns is None else since_ns
        self._wait(
            lambda: self.live.count(f, client, "ok", since) >= count,
            within_s=within_s,
            wanted=f"{count} acknowledged {f!r} by {client or 'the clients'}",
            seen=lambda: instead_of(self.live, f, client, since) + self._idle(),
        )

    def wait_for(self, condition: Callable[[], Any], *, within_s: float, wanted: str | None = None) -> Any:
        """Wait until a condition on the cluster or the history holds; returns what it returned."""
        return self._wait(
            condition,
            within_s=within_s,
            wanted=wanted or in_words(condition),
            seen=lambda: since_phase(self.live, self._crew.names, condition) + self._idle(),
        )

    def wait_observation(
        self,
        kind: str,
        *,
        within_s: float,
        party: str | None = None,
        since_ns: int = 0,
        where: Callable[[Observation], bool] | None = None,
    ) -> Observation:
        """Wait until something was seen from outside: a role, a leader, an event."""
        found = self._wait(
            lambda: self.live.last_observation(kind, party, since_ns, where),
            within_s=within_s,
            wanted=f"an observation of {kind!r}" + (f" at {party}" if party else ""),
            seen=lambda: self.live.last_observation(kind, party) or "none of that kind",
        )
        assert isinstance(found, Observation)
        return found

    def wait_point(self, client: str, point: str, *, within_s: float) -> None:
        """Wait until a client stands at a named point at which it is held; each arrival needs a release of its own."""
        self._wait(
            lambda: self._crew.stands_at(client) == point,
            within_s=within_s,
            wanted=f"{client} to stand at {point!r}",
            seen=lambda: on_the_way(self.live, client) + self._idle(),
        )

    def _wait(
        self, condition: Callable[[], Any], *, within_s: float, wanted: str, seen: Callable[[], object] | None = None
    ) -> Any:
        self._still_open("waiting")

        def look() -> Any:
            self._crew.pump()
            return condition()

        return wait_until(look, within_s=within_s, wanted=wanted, seen=seen, every_s=FAST_S * 5, error=NoProgressError)

    def _idle(self) -> str:
        return idle(self.live, self._crew.names, self._crew.standing())

    # -- faults ------------------------------------------------------------------------------------------------------

    @contextmanager
    def inject(self, *faults: FaultPlan) -> Iterator[tuple[Fault, ...]]:
        """Hold these faults in force for the length of the block; they are healed in reverse order."""
        self._still_open("inject()")
        if not faults:
            raise UsageError("inject() needs at least one fault")
        for fault in faults:
            if not isinstance(fault, FaultPlan):
                raise UsageError(f"inject() takes faults such as Pause('c1'), not {fault!r}")
        with ExitStack() as stack:
            yield tuple(stack.enter_context(self.nemesis.inject(fault)) for fault in faults)

    def phase(self, name: str) -> None:
        """Name the stretch that begins now."""
        self.nemesis.phase(name)

    # -- the observer ------------------------------------------------------------------------------------------------

    def observe(self, f: str, action: Callable[[], Value], value: Value = None) -> Value:
        """Record an operation of the observer itself, over the management plane: a final read, a look at a key."""
        self._still_open("observe()")
        return self._observer.record(f, action, value)

    def final_read(self, read: Callable[[], Value]) -> Value:
        """
        Read what is left, after everything has settled: workers ended, no abandoned request on its way, all nodes agree.

        An app of yours that writes is yours to stop before.

        :param read: reads over the management plane, such as ``lambda: cluster.final_read("acked")``.
        """
        if not callable(read):
            raise UsageError(f"pass a function: run.final_read(lambda: cluster.final_read({read!r}))")
        harms = ", ".join(f"{fault.name} on {fault.target}" for fault in self.nemesis.in_force())
        if harms:
            raise UsageError(f"a final read shows what is left once all is healed; still in force: {harms}")
        self._still_open("final_read()")
        self._settle()
        self._read_finally = True
        return self.observe(FINAL_READ, read)

    def _settle(self) -> None:
        self._crew.stop()
        self.phase("settle")
        settle(self.lab, (*self._crew.names, *(app.name for app in self._apps)), self.clusters)
        self.phase("final reads")

    # -- beginning and end -------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start watching; called by the ``launch`` fixture."""
        for probe in self._probes:
            probe.start()
        self.phase("steady state")

    def finish(self) -> History:
        """Stop everything, seal the history, and refuse one that proves nothing; called by the ``launch`` fixture."""
        try:
            self._crew.stop()
            undeclared = {party: count for party, count in self.lab.undeclared().items() if count}
        finally:
            self._stop_probes()
        history = self._seal()
        unproven(history.faults)
        if self._crew.unplanned:
            raise VoidRunError("; ".join(self._crew.unplanned))
        if undeclared:
            raise VoidRunError(f"traffic outside the declared ports, which no fault could reach: {undeclared}")
        return history

    def abandon(self, problem: BaseException) -> Sequence[str]:
        """Seal what there is after a failure, which nothing here may hide; the ends that no fault of this run explains."""
        with suppress(Exception):
            self._crew.kill()
            self._crew.pump()
        with suppress(Exception):
            self._stop_probes()
        try:
            if self.history is None:
                self._seal()
        except (ChaosError, OSError) as another:
            problem.add_note(f"and {another}{full_disk(self._files)}")
        return self._crew.unplanned

    def _stop_probes(self) -> None:
        for probe in self._probes:
            probe.stop()
        self._probes = []

    def _seal(self) -> History:
        with suppress(HarnessError, OSError):  # Its last word is worth less than the history.
            self._observer.close()
        history = self.live.freeze()  # First: how far clocks are off is known once all stamps have been read.
        header = header_of(self.lab, self.clusters, self.name, seed=self.seed, started_ns=self._started_ns)
        self.history = replace(history, header=header)
        self._files.mkdir(parents=True, exist_ok=True)
        save(self.history, self.history_file)
        return self.history

    def _still_open(self, what: str) -> None:
        if self.history is not None:
            raise HarnessError(f"{what} belongs inside the run's block: the history is final after it")

    @property
    def history_file(self) -> Path:
        """Where the sealed history lies."""
        return self._files / "history.jsonl.gz"

    # -- verdicts ----------------------------------------------------------------------------------------------------

    @property
    def judged(self) -> tuple[Judged, ...]:
        """What was expected and found so far."""
        return self._judged

    def expect(
        self,
        *,
        holds: Sequence[Guarantee] = (),
        violated: Sequence[Guarantee] = (),
        bounded: Mapping[Guarantee, Bounds] | None = None,
    ) -> tuple[Judged, ...]:
        """
        Judge all expectations, keep all verdicts for the report, then fail once if any is not met.

        A reproduced failure is a *passing* experiment: what is ``violated`` must break, or the experiment fails.
        """
        if self.history is None:
            raise HarnessError("expect() belongs after the run's block: the history is not final inside it")
        self._judged += judge(self.history, holds=holds, violated=violated, bounded=bounded)
        missed = failure(self.history, self._judged)
        if missed:
            raise blame(self._judged)(f"{missed}\nagain: --chaos-seed {self.seed}; history: {self.history_file}")
        return self._judged
