"""
The ``launch`` fixture: makes runs for one test, and hands the finished ones to the report.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from chaos.cluster import Cluster
from chaos.errors import GuaranteeError, HarnessError, MissingAbilityError, UsageError, VoidRunError, said
from chaos.history import History
from chaos.judgement import FinishedRun
from chaos.observer import settings_of
from chaos.providers.apps import RunningApp
from chaos.providers.contract import Lab
from chaos.pytest_options import SESSION
from chaos.pytest_terminal import LINE
from chaos.report.allure import attach_run
from chaos.run import PHASES, Run
from chaos.workloads.plan import ClientPlan

__tracebackhide__ = said

Launched = Cluster | RunningApp | ClientPlan | Sequence[ClientPlan]


@dataclass(slots=True, kw_only=True)
class Launcher:
    """``with launch(cluster, *clients) as run:`` makes a run of an experiment; see ``chaos.run.Run``."""

    request: pytest.FixtureRequest
    lab: Lab
    files: Path
    seed: int
    runs: list[tuple[Run, str | None]] = field(default_factory=list)
    """Each run that ended, with the error that ended it."""

    @contextmanager
    def __call__(self, *given: Launched) -> Iterator[Run]:
        """Make a run, start its clients, seal its history at the end of the block, whatever the end."""
        clusters, apps, plans = sorted_out(given)
        run = self._run(clusters, apps)
        line = self.request.config.stash.get(LINE, None)
        try:
            if line is not None:
                line.live = run.live
            run.begin()
            if plans:
                run.start(*plans)
            yield run
            run.finish()
            if self.teaches:
                _refuse_fair_weather(run)
        except BaseException as problem:
            unplanned = run.abandon(problem)
            if isinstance(problem, GuaranteeError) and unplanned:
                # The system was not to blame: somebody took a part of it away.
                void = VoidRunError(f"{'; '.join(unplanned)}. What came of it: {problem}")
                self.runs.append((run, f"VoidRunError: {void}"))
                raise void from problem
            if not isinstance(
                problem, MissingAbilityError
            ):  # What is skipped is counted as such, and needs no verdict.
                self.runs.append((run, f"{type(problem).__name__}: {problem}"))
            raise
        self.runs.append((run, None))

    @property
    def teaches(self) -> bool:
        """Whether the test claims to be an experiment."""
        return self.request.node.get_closest_marker("lesson") is not None

    def judged(self) -> None:
        """Refuse an experiment that passed because nothing was asked of it."""
        if self.teaches and not any(run.judged for run, _ in self.runs):
            raise HarnessError("an experiment that judges nothing proves nothing: call run.expect(...) after its run")

    def report(self) -> None:
        """Hand over what was found; inside the test's call, so that the report files it under the test itself."""
        session = self.request.config.stash[SESSION]
        for run, error in self.runs:
            finished = self._finished(run, error)
            attach_run(finished)
            # The table at the end needs verdicts only; histories of a whole night would fill the memory.
            session.runs.append(replace(finished, history=History(header=finished.history.header)))
        self.runs.clear()

    def _finished(self, run: Run, error: str | None) -> FinishedRun:
        return FinishedRun(
            name=run.name,
            lesson=_lesson(self.request),
            history=run.history or History(),
            judged=run.judged,
            seed=run.seed,
            system=self.request.node.path.parent.name,
            provider=self.request.config.stash[SESSION].provider,
            settings=settings_of(run.clusters),
            history_file=run.history_file if run.history_file.exists() else None,
            log_files=_logs(self.files / "parties"),
            error=error,
        )

    def _run(self, clusters: list[Cluster], apps: list[RunningApp]) -> Run:
        earlier = self.request.node.stash.setdefault(_COUNT, 0)
        self.request.node.stash[_COUNT] = earlier + 1
        return Run(
            self.lab,
            clusters,
            name=self.request.node.nodeid,
            seed=self.seed,
            files=self.files / f"run-{earlier + 1}" if earlier else self.files,
            apps=apps,
        )


_COUNT = pytest.StashKey[int]()


def sorted_out(given: Sequence[Launched]) -> tuple[list[Cluster], list[RunningApp], list[ClientPlan]]:
    """Clusters, apps and client plans, told apart."""
    clusters: list[Cluster] = []
    apps: list[RunningApp] = []
    plans: list[ClientPlan] = []
    for one in _flat(given):
        if isinstance(one, ClientPlan):
            plans.append(one)
        elif isinstance(one, RunningApp):
            apps.append(one)
        elif hasattr(one, "nodes") and hasattr(one, "system"):
            clusters.append(one)
        else:
            raise UsageError(f"launch() takes clusters, apps and client plans, not {one!r}")
    if not clusters and not apps and not plans:
        raise UsageError("launch() needs at least one cluster, app or client plan: there is nothing to watch")
    return clusters, apps, plans


def _flat(given: Any) -> Iterator[Any]:
    for one in given:
        if isinstance(one, list | tuple):
            yield from _flat(one)
        else:
            yield one


def _refuse_fair_weather(run: Run) -> None:
    """A lesson is about a harm: a fault, or a stretch that the experiment names itself (the cache fills up)."""
    assert run.history is not None
    if not run.history.faults and {phase.name for phase in run.history.phases} <= PHASES:
        raise VoidRunError("this experiment injected no fault and named no phase of its own, so it shows nothing")


def _lesson(request: pytest.FixtureRequest) -> str:
    """The sentence that could be false: the test's own docstring, else its module's, else its name."""
    text = request.function.__doc__ or request.module.__doc__ or request.node.name
    return " ".join(str(text).split())


def _logs(folder: Path) -> dict[str, Path]:
    """The servers' and clients' logs by party and process; empty ones tell nothing."""
    return {
        f"{path.parent.name}/{path.stem}": path
        for path in sorted(folder.glob("*/*.log"))
        if path.stat().st_size and path.stem != "toxiproxy"
    }
