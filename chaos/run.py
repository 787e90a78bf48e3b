"""
A run: clients at work, faults on purpose, everything written down, and verdicts at the end.

An experiment has five beats: steady state, fault, recovery; then, outside the run, what broke and what survived.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from chaos.cluster import Cluster, Node
from chaos.crew import Crew
from chaos.errors import GuaranteeError, HarnessError, NoProgressError, UsageError, VoidRunError
from chaos.faults.fault import FaultPlan, Restart, Scene
from chaos.guarantees.guarantee import Guarantee
from chaos.history import Fault, Header, History, Observation, Operation, Phase
from chaos.history.archive import save
from chaos.history.live import LiveHistory
from chaos.history.records import Value
from chaos.judgement import Bounds, FinishedRun, Judged, judge
from chaos.nemesis import Nemesis, Tell, unproven
from chaos.observer import Observer, settle
from chaos.providers.apps import RunningApp
from chaos.providers.contract import Lab
from chaos.wait import FAST_S, monotonic_ns, wait_until
from chaos.workloads.plan import ClientPlan


class Probe(Protocol):
    """Watches a cluster over the management plane."""

    def start(self) -> None:
        """Begin to watch."""
        ...

    def stop(self) -> None:
        """Stop watching."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A cluster that can be watched."""

    def probe(self, sink: Callable[[Observation], None]) -> Probe:
        """A probe that tells what changes."""
        ...


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
        tell: Tell = lambda _: None,
    ) -> None:
        self.lab, self.clusters, self.name, self.seed = lab, tuple(clusters), name, seed
        self._files, self._tell = files, tell
        self.live = LiveHistory()
        self._crew = Crew(lab, self.live, seed=seed)
        scene = Scene(lab=lab, restarts=_restarts(clusters) | {app.name: app.restart for app in apps})
        self.nemesis = Nemesis(scene, self.live, seed=seed, tell=tell)
        self._probes = [
            cluster.probe(self.live.add_observation) for cluster in clusters if isinstance(cluster, Watched)
        ]
        self._observer = Observer(files, self.live)
        self._started_ns = monotonic_ns()
        self._judged: tuple[Judged, ...] = ()
        self.history: History | None = None

    # -- clients -----------------------------------------------------------------------------------------------------

    def start(self, *plans: ClientPlan) -> None:
        """Start clients; each is a process in a party of its own."""
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
        since = monotonic_ns() if since_ns is None else since_ns
        who = client or "the clients"
        self._wait(
            lambda: self.live.count(f, client, "ok", since) >= count,
            within_s=within_s,
            wanted=f"{count} acknowledged {f!r} by {who}",
            seen=lambda: self._progress(f, client, since),
        )

    def wait_for(self, condition: Callable[[], Any], *, within_s: float, wanted: str | None = None) -> Any:
        """Wait until a condition on the cluster or the history holds; returns what it returned."""
        return self._wait(condition, within_s=within_s, wanted=wanted or _words(condition))

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
        )
        assert isinstance(found, Observation)
        return found

    def wait_point(self, client: str, point: str, *, within_s: float) -> None:
        """Wait until a client stands at a named point at which it is held."""
        self._wait(
            lambda: self._crew.points(client, point),
            within_s=within_s,
            wanted=f"{client} to stand at {point!r}",
        )

    def _wait(
        self,
        condition: Callable[[], Any],
        *,
        within_s: float,
        wanted: str,
        seen: Callable[[], object] | None = None,
    ) -> Any:
        def look() -> Any:
            self._crew.pump()
            return condition()

        return wait_until(look, within_s=within_s, wanted=wanted, seen=seen, every_s=FAST_S * 5, error=NoProgressError)

    def _progress(self, f: str, client: str | None, since_ns: int) -> str:
        counts = {outcome: self.live.count(f, client, outcome, since_ns) for outcome in ("ok", "fail", "info")}
        last = self.live.last(f, client, None, since_ns)
        words = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        return words + (f"; the last one: {last}" if last else "")

    # -- faults ------------------------------------------------------------------------------------------------------

    @contextmanager
    def inject(self, *faults: FaultPlan) -> Iterator[tuple[Fault, ...]]:
        """Hold these faults in force for the length of the block; they are healed in reverse order."""
        if not faults:
            raise UsageError("inject() needs at least one fault")
        with ExitStack() as stack:
            yield tuple(stack.enter_context(self.nemesis.inject(fault)) for fault in faults)
        self.phase("recovery")

    def phase(self, name: str) -> None:
        """Name the stretch that begins now."""
        self.live.add_phase(Phase(at_ns=monotonic_ns(), name=name))
        self._tell(name)

    # -- the observer ------------------------------------------------------------------------------------------------

    def observe(self, f: str, action: Callable[[], Value], value: Value = None) -> Value:
        """Record an operation of the observer itself, over the management plane: a final read, a look at a key."""
        return self._observer.record(f, action, value)

    def final_read(self, read: Callable[[], Value]) -> Value:
        """
        Read what is left, after everything has settled: workers ended, no abandoned request on its way, all nodes agree.

        :param read: reads over the management plane, such as ``lambda: cluster.final_read("acked")``.
        """
        self._settle()
        return self.observe("final-read", read)

    def _settle(self) -> None:
        self._crew.stop()
        self.phase("settle")
        settle(self.lab, self._crew.names, self.clusters)
        self.phase("final reads")

    # -- beginning and end -------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start watching; called by the ``launch`` fixture."""
        for probe in self._probes:
            probe.start()
        self.phase("steady state")

    def finish(self) -> History:
        """Stop everything and seal the history; called by the ``launch`` fixture."""
        try:
            self._crew.stop()
            undeclared = {party: count for party, count in self.lab.undeclared().items() if count}
        finally:
            self._stop_probes()
        self.history = self._seal()
        unproven(self.history.faults)
        if undeclared:
            raise VoidRunError(f"traffic outside the declared ports, which no fault could reach: {undeclared}")
        return self.history

    def abandon(self) -> None:
        """Seal what there is after a failure; called by the ``launch`` fixture."""
        with suppress(Exception):
            self._crew.kill()
            self._crew.pump()
        with suppress(Exception):
            self._stop_probes()
        self.history = self._seal()

    def _stop_probes(self) -> None:
        for probe in self._probes:
            probe.stop()
        self._probes = []

    def _seal(self) -> History:
        self._observer.close()
        header = Header(
            experiment=self.name,
            seed=self.seed,
            started_ns=self._started_ns,
            ended_ns=monotonic_ns(),
            systems={cluster.system: dict(cluster.settings) for cluster in self.clusters},
            clock_error_ns={party: error for party in self.lab.parties if (error := self.lab.clock_error_ns(party))},
        )
        history = self.live.freeze(header)
        save(history, self.history_file)
        return history

    @property
    def history_file(self) -> Path:
        """Where the sealed history lies."""
        return self._files / "history.jsonl.gz"

    # -- verdicts ----------------------------------------------------------------------------------------------------

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
        missed = [judged for judged in self._judged if not judged.met]
        if missed:
            lines = [f"{judged.verdict.guarantee}: {judged.problem}" for judged in missed]
            lines += [f"  {operation}" for judged in missed for operation in self._witness(judged)]
            raise GuaranteeError("\n".join([*lines, f"seed {self.seed}; history: {self.history_file}"]))
        return self._judged

    def _witness(self, judged: Judged) -> Sequence[str]:
        witness = judged.verdict.witness
        return [self._line(operation) for operation in (witness.operations if witness else ())[:6]]

    def _line(self, operation: Operation) -> str:
        assert self.history is not None
        end = operation.completed_ns
        until = f"{self.history.seconds(end):.3f} s" if end is not None else "never answered"
        return f"{operation} [{self.history.seconds(operation.invoked_ns):.3f} s, {until}]"

    def finished(
        self, *, lesson: str, system: str, provider: str, logs: Mapping[str, Path], error: str | None
    ) -> FinishedRun:
        """All that a report shows of this run."""
        return FinishedRun(
            name=self.name,
            lesson=lesson,
            history=self.history or History(),
            judged=self._judged,
            seed=self.seed,
            system=system,
            provider=provider,
            settings={cluster.system: dict(cluster.settings) for cluster in self.clusters},
            history_file=self.history_file if self.history_file.exists() else None,
            log_files=logs,
            error=error,
        )


def _restarts(clusters: Sequence[Cluster]) -> dict[str, Restart]:
    return {
        node.name: cluster.restart for cluster in clusters if hasattr(cluster, "restart") for node in _servers(cluster)
    }


def _servers(cluster: Cluster) -> Sequence[Node]:
    return [*cluster.nodes, *getattr(cluster, "sentinels", ())]


def _words(condition: Callable[[], Any]) -> str:
    return f"{getattr(condition, '__qualname__', 'a condition').removesuffix('.<locals>.<lambda>')} to hold"
