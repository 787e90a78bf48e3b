"""
The pytest plugin: options, the ``lab`` and ``launch`` fixtures, blames, the table at the end.

Loaded in every pytest run once the package is installed, so it imports nothing heavy until a chaos test asks for it.
"""

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chaos.cluster import Cluster
    from chaos.judgement import FinishedRun
    from chaos.providers.apps import RunningApp
    from chaos.providers.contract import Lab, Provider
    from chaos.run import Run
    from chaos.workloads.plan import ClientPlan

OPTIONS = {
    "provider": ("auto", "where labs are made: auto, local, docker, ... (chaos doctor says what works here)"),
    "seed": ("", "the seed of everything random; drawn and printed when not given"),
    "repeat": ("1", "run each experiment so many times; every time must pass"),
    "out": ("reports/out", "folder for histories, server logs and report data, relative to the root folder"),
}
FLAGS = {
    "keep": "leave the lab of a test up and print the command that enters it (chaos heal ends it)",
    "full": "run the rows that are left out of a short run as well",
}


# -- options ---------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Each option has a twin in the ini file: --chaos-seed and chaos_seed."""
    group = parser.getgroup("chaos", "chaos testing of middleware")
    for name, (default, text) in OPTIONS.items():
        group.addoption(f"--chaos-{name}", default=None, help=text)
        parser.addini(f"chaos_{name}", text, default=default)
    for name, text in FLAGS.items():
        group.addoption(f"--chaos-{name}", action="store_true", default=None, help=text)
        parser.addini(f"chaos_{name}", text, type="bool", default=False)


def option(config: pytest.Config, name: str) -> Any:
    """An option from the command line, else from the ini file."""
    given = config.getoption(f"--chaos-{name}")
    return config.getini(f"chaos_{name}") if given is None else given


def pytest_configure(config: pytest.Config) -> None:
    """Register markers; draw the seed once, in the process that the workers of xdist descend from."""
    config.addinivalue_line("markers", "lesson(name): the failure class that an experiment teaches")
    config.addinivalue_line("markers", "full: left out of a short run; --chaos-full runs it")
    given = option(config, "seed")
    config.stash[_SEED] = _whole("seed", given) if given else random.SystemRandom().randrange(1, 2**31)
    config.stash[_RUNS] = []
    # SIGTERM, as a CI runner sends it, must heal and clean up just as Ctrl-C does.
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt("SIGTERM")


def _whole(name: str, text: str, least: int = 0) -> int:
    if not str(text).isdigit() or int(text) < least:
        raise pytest.UsageError(f"--chaos-{name} needs a whole number of at least {least}, not {text!r}")
    return int(text)


def pytest_report_header(config: pytest.Config) -> str:
    """The seed first: with it a run can be asked for again."""
    return f"chaos: seed {config.stash[_SEED]}, provider {option(config, 'provider')}"


# -- collection ------------------------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat experiments; each round is a test of its own, and none of them may fail."""
    rounds = _whole("repeat", str(option(metafunc.config, "repeat")), least=1)
    if rounds > 1 and "launch" in metafunc.fixturenames:
        metafunc.fixturenames.append("chaos_round")
        metafunc.parametrize("chaos_round", range(rounds), ids=lambda number: f"round{number}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what belongs to a full run, and say so; refuse to time experiments side by side."""
    full = option(config, "full")
    for item in items:
        if item.get_closest_marker("full") and not full:
            item.add_marker(pytest.mark.skip(reason="part of the full run: --chaos-full"))
    if hasattr(config, "workerinput") and any("launch" in getattr(item, "fixturenames", ()) for item in items):
        raise pytest.UsageError("experiments measure time, so they do not run under pytest-xdist: leave out -n")
    _label(items)


def _label(items: list[pytest.Item]) -> None:
    """Labels for the report at collection, so that skipped experiments have them too."""
    if not any(item.get_closest_marker("lesson") for item in items):
        return
    from chaos.report.allure import label_item

    for item in items:
        marker = item.get_closest_marker("lesson")
        if marker and isinstance(item, pytest.Function):
            label_item(item, lesson=str(marker.args[0]), system=item.path.parent.name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A missing ability skips the experiment by name; whatever the end, its runs go to the report."""
    try:
        yield from _skipping()
    finally:
        launcher = item.stash.get(_LAUNCHER, None)
        if launcher is not None:
            launcher.report()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """A missing ability skips the experiment by name, also when a fixture finds it out."""
    yield from _skipping()


def _skipping() -> Iterator[None]:
    if "chaos.errors" not in sys.modules:  # No chaos test is involved so far.
        return (yield)
    from chaos.errors import MissingAbilityError

    try:
        return (yield)
    except MissingAbilityError as missing:
        pytest.skip(str(missing))


# -- fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chaos_provider(pytestconfig: pytest.Config) -> "Provider":
    """The provider of this session."""
    from chaos.providers import choose

    provider, reason = choose(str(option(pytestconfig, "provider")))
    pytestconfig.stash[_PROVIDER] = f"{provider.name} ({reason})"
    return provider


@pytest.fixture
def chaos_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this test: from the session's seed and the test's name, so that order does not matter."""
    return random.Random(f"{request.config.stash[_SEED]}:{request.node.nodeid}").randrange(2**31)


@pytest.fixture
def chaos_files(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder of this test below reports/out: histories and logs, the one declared survivor."""
    runs = request.config.rootpath / str(option(request.config, "out")) / "runs"
    with _folder_of_ones_own(runs, _file_name(request.node.nodeid)) as folder:
        yield folder


@contextmanager
def _folder_of_ones_own(runs: Path, name: str) -> Iterator[Path]:
    """An empty folder that no other test run (another terminal, the same test) writes to meanwhile."""
    import fcntl
    import shutil

    locks = runs / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    for candidate in (name, *(f"{name}~{number}" for number in range(2, 100))):
        with (locks / candidate).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            folder = runs / candidate
            shutil.rmtree(folder, ignore_errors=True)  # Logs of an earlier run beside these would mislead.
            folder.mkdir()
            yield folder
            return
    raise pytest.UsageError(f"a hundred runs of {name} at once: is {locks} on a file system without locks?")


@pytest.fixture
def lab(request: pytest.FixtureRequest, chaos_provider: "Provider", chaos_files: Path) -> Iterator["Lab"]:
    """An empty lab of this test's own; systems and apps are placed in it, and everything in it ends with the test."""
    marker = request.node.get_closest_marker("direct")
    opened = chaos_provider.open(keep_at=str(chaos_files / "parties"), mesh=marker is None, warm=WARM)
    try:
        yield opened
    finally:
        if option(request.config, "keep"):
            entry = opened.keep()
            _say(request.config, f"kept {opened.name}: {entry}")
        opened.close()


@pytest.fixture
def launch(request: pytest.FixtureRequest, lab: "Lab", chaos_files: Path, chaos_seed: int) -> "Callable[..., Any]":
    """``with launch(cluster, *clients) as run:`` makes a run of an experiment; see ``chaos.run.Run``."""
    return _Launcher(request, lab, chaos_files, chaos_seed)


WARM = ("chaos.workloads.worker", "redis")
"""What the clients of our own systems import; an absent library costs nothing here and is said by the workload."""


class _Launcher:
    """Makes runs for one test, and hands the finished ones to the report."""

    def __init__(self, request: pytest.FixtureRequest, lab: "Lab", files: Path, seed: int) -> None:
        self._request, self._lab, self._files, self._seed = request, lab, files, seed
        self._count = 0
        self.runs: list[tuple[Run, str | None]] = []
        request.node.stash[_LAUNCHER] = self

    @contextmanager
    def __call__(
        self, *clusters_and_clients: "Cluster | RunningApp | ClientPlan | Sequence[ClientPlan]"
    ) -> "Iterator[Run]":
        from chaos.run import Run

        clusters, apps, plans = _sorted_out(clusters_and_clients)
        self._count += 1
        files = self._files if self._count == 1 else self._files / f"run-{self._count}"
        run = Run(
            self._lab,
            clusters,
            name=self._request.node.nodeid,
            seed=self._seed,
            files=files,
            apps=apps,
            tell=lambda text: _say(self._request.config, text),
        )
        try:
            run.begin()
            if plans:
                run.start(*plans)
            yield run
            run.finish()
        except BaseException as problem:
            run.abandon()
            self.runs.append((run, f"{type(problem).__name__}: {problem}"))
            raise
        self.runs.append((run, None))

    def report(self) -> None:
        """Hand over what was found; inside the test's call, so that the report files it under the test itself."""
        from chaos.report.allure import attach_run

        for run, error in self.runs:
            finished = run.finished(
                lesson=_lesson(self._request),
                system=self._request.node.path.parent.name,
                provider=self._request.config.stash.get(_PROVIDER, ""),
                logs=_logs(self._files / "parties"),
                error=error,
            )
            self._request.config.stash[_RUNS].append(finished)
            attach_run(finished)


def _sorted_out(given: Sequence[Any]) -> "tuple[list[Cluster], list[RunningApp], list[ClientPlan]]":
    from chaos.errors import UsageError
    from chaos.providers.apps import RunningApp
    from chaos.workloads.plan import ClientPlan

    clusters: list[Cluster] = []
    apps: list[RunningApp] = []
    plans: list[ClientPlan] = []
    for one in given:
        if isinstance(one, ClientPlan):
            plans.append(one)
        elif isinstance(one, RunningApp):
            apps.append(one)
        elif isinstance(one, list | tuple):
            plans += one
        elif hasattr(one, "nodes"):
            clusters.append(one)
        else:
            raise UsageError(f"launch() takes clusters, apps and client plans, not {one!r}")
    return clusters, apps, plans


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


def _file_name(nodeid: str) -> str:
    """A test's name as a folder: readable, and the same every night."""
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in nodeid)
    return kept.replace(".py--", "-").strip("-")[-150:]


def _say(config: pytest.Config, text: str) -> None:
    """Progress for a person at a terminal; a log file gets only the results."""
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None and reporter.isatty and not os.environ.get("CI"):
        reporter.rewrite(f"  {text[:100]}", erase=True)


# -- the end ---------------------------------------------------------------------------------------------------------


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The guarantee table: what was expected, what was found, by how much."""
    runs: list[FinishedRun] = config.stash[_RUNS]
    if not runs:
        return
    terminalreporter.section("what survived")
    for run in runs:
        for line in _table(run):
            terminalreporter.write_line(line)
    terminalreporter.write_line(f"seed {config.stash[_SEED]}; histories and logs: {option(config, 'out')}/runs")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Describe the environment to the report."""
    if not session.config.stash[_RUNS]:
        return
    results = session.config.getoption("--alluredir", default=None)
    if not results:
        return
    from chaos.report import results as report

    folder = Path(str(results))
    report.write_environment(folder, _environment(session.config))
    report.write_executor(folder, os.environ)
    for run in session.config.stash[_RUNS]:
        report.write_measures(folder, run)


def _environment(config: pytest.Config) -> dict[str, object]:
    import platform

    from chaos import __version__

    systems = sorted({name for run in config.stash[_RUNS] for name in run.settings})
    return {
        "middleware-chaos": __version__,
        "provider": config.stash.get(_PROVIDER, ""),
        "seed": config.stash[_SEED],
        "systems": ", ".join(systems),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _table(run: "FinishedRun") -> Iterator[str]:
    from chaos.report.page import terminal_table

    yield run.name.rpartition("::")[2]
    if run.error and not run.judged:
        yield f"  not judged: {run.error.splitlines()[0]}"
    for row in terminal_table(run.judged):
        yield f"  {row.guarantee:34} expected {row.expected:38} {row.verdict:10} {row.measures}"


_SEED = pytest.StashKey[int]()
_RUNS = pytest.StashKey["list[FinishedRun]"]()
_PROVIDER = pytest.StashKey[str]()
_LAUNCHER = pytest.StashKey["_Launcher"]()
