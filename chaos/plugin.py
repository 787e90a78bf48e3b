"""
The pytest plugin: hooks and fixtures. What they do is in the ``pytest_*`` modules beside this one.

Loaded in every pytest run once the package is installed, so it imports nothing heavy, changes nothing and says nothing
until a test asks for a lab.
"""

import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chaos.pytest_options import (
    SESSION,
    Session,
    add_options,
    chosen_images,
    option,
    refuse_idle_images,
    runs_folder,
    session_of,
)

if TYPE_CHECKING:
    from chaos.providers.contract import Lab, Provider
    from chaos.pytest_launch import Launcher

Hook = Generator[None, object, object]
"""What a hook around other hooks is."""
WARM = ("chaos.workloads.worker", "redis", "http.client")
"""What the clients of our own systems import; an absent library costs nothing here and is said by the workload."""
TOGETHER_S = 2.0
"""Signals to end that are so close together are one."""
_LAUNCHER: "pytest.StashKey[Launcher]" = pytest.StashKey()


# -- options and collection --------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Each option has a twin in the ini file."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register markers; refuse wrong options; draw the seed."""
    config.addinivalue_line("markers", "lesson(name): the failure class that an experiment teaches")
    config.addinivalue_line("markers", "full: an experiment that is left out of a short run; --chaos-full runs it")
    config.addinivalue_line("markers", "direct: a lab without proxies, for comparison with the direct network")
    config.stash[SESSION] = session_of(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """All workers of pytest-xdist draw from one seed."""
    node.workerinput["chaos_seed"] = node.config.stash[SESSION].seed


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat experiments; each round is a test of its own under a seed of its own, and none of them may fail."""
    rounds = metafunc.config.stash[SESSION].rounds
    if rounds > 1 and "launch" in metafunc.fixturenames:
        metafunc.fixturenames.append("chaos_round")
        metafunc.parametrize("chaos_round", range(rounds), ids=lambda number: f"round{number}")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what belongs to a full run, and count it; label the rest, so that skipped experiments have labels too."""
    session, full = config.stash[SESSION], option(config, "full")
    for item in filter(_ours, items):
        if item.get_closest_marker("full") and not full:
            item.add_marker(pytest.mark.skip(reason="part of the full run: --chaos-full"))
            session.left_out["part of the full run: --chaos-full"] += 1
        lesson = item.get_closest_marker("lesson")
        if lesson and isinstance(item, pytest.Function):
            from chaos.report.allure import label_item

            label_item(item, lesson=str(lesson.args[0]), system=item.path.parent.name)


def _ours(item: pytest.Item) -> bool:
    return "lab" in getattr(item, "fixturenames", ()) or item.get_closest_marker("lesson") is not None


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """The seed, where chaos tests were found: with it a run can be asked for again."""
    if not any(map(_ours, items)):
        return []
    return [f"chaos: seed {config.stash[SESSION].seed}, provider {option(config, 'provider')}"]


# -- one test ----------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Hook:
    """Show a person at a terminal what a chaos test waits for."""
    if not _ours(item):
        return (yield)
    from chaos.pytest_terminal import shown

    with shown(item.config):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Hook:
    """Refuse to time experiments side by side; a missing ability skips by name, also when a fixture finds it out."""
    if getattr(item.config, "workerinput", {}).get("workercount", 1) > 1 and "launch" in _fixtures(item):
        from chaos.errors import HarnessError

        raise HarnessError("experiments measure time, so they do not run side by side under pytest-xdist: leave out -n")
    return (yield from _skipping(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Hook:
    """A missing ability skips the experiment by name; whatever the end, its runs go to the report."""
    __tracebackhide__ = True
    launcher = None
    try:
        result = yield from _skipping(item)
        launcher = item.stash.get(_LAUNCHER, None)
        if launcher is not None:
            launcher.judged()
    except BaseException as problem:
        _report_beside(problem, item)
        raise
    if launcher is not None:
        launcher.report()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """What the environment lacks is said in its sentence; the way through our code to it would bury that."""
    report = yield
    if call.when == "setup" and call.excinfo is not None and "chaos.errors" in sys.modules:
        from chaos.errors import ProviderError

        if call.excinfo.errisinstance(ProviderError):
            report.longrepr = call.excinfo.exconly()
    return report


def _report_beside(problem: BaseException, item: pytest.Item) -> None:
    """Report a test that fails; that reporting fails too must not hide why."""
    launcher = item.stash.get(_LAUNCHER, None)
    try:
        if launcher is not None:
            launcher.report()
    except Exception as another:
        problem.add_note(f"and its report could not be written: {type(another).__name__}: {another}")


def _fixtures(item: pytest.Item) -> tuple[str, ...]:
    return tuple(getattr(item, "fixturenames", ()))


def _skipping(item: pytest.Item) -> Hook:
    __tracebackhide__ = True
    if "chaos.errors" not in sys.modules:  # No chaos test is involved so far.
        return (yield)
    from chaos.errors import MissingAbilityError

    try:
        return (yield)
    except MissingAbilityError as missing:
        item.config.stash[SESSION].left_out[str(missing)] += 1
        raise pytest.skip.Exception(str(missing), _use_item_location=True) from None


# -- fixtures ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chaos_provider(pytestconfig: pytest.Config) -> "Iterator[Provider]":
    """The provider of this session."""
    from chaos.providers import choose

    provider, reason = choose(str(option(pytestconfig, "provider")))
    refuse_idle_images(pytestconfig, provider)
    pytestconfig.stash[SESSION].provider = f"{provider.name} ({reason})"
    with _healing_on_signals():
        yield provider


@contextmanager
def _healing_on_signals() -> Iterator[None]:
    """
    SIGTERM, as a CI runner sends it, must heal and clean up just as Ctrl-C does; of two at once the second must not stop that.

    Two come at once from ``timeout`` and from ``chaos run``: to the process group, and to the process.
    """
    last_s = -TOGETHER_S

    def interrupt(number: int, *_: object) -> None:
        nonlocal last_s
        if time.monotonic() - last_s > TOGETHER_S:
            last_s = time.monotonic()
            raise KeyboardInterrupt(signal.Signals(number).name)

    usual: dict[int, Any] = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    ours = [number for number, handler in usual.items() if signal.getsignal(number) is handler]  # Else somebody cares.
    for number in ours:
        signal.signal(number, interrupt)
    yield
    for number in ours:
        signal.signal(number, usual[number])


@pytest.fixture
def chaos_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this test: the session's, one more in each round, so that any round can be asked for again by itself."""
    session: Session = request.config.stash[SESSION]
    params = getattr(getattr(request.node, "callspec", None), "params", {})
    return session.seed + int(params.get("chaos_round", 0))


@pytest.fixture
def chaos_files(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder of this test below reports/out: histories and logs, the one declared survivor."""
    from chaos.folders import folder_name, folder_of_ones_own

    with folder_of_ones_own(runs_folder(request.config), folder_name(request.node.nodeid)) as folder:
        yield folder


@pytest.fixture(scope="session")
def chaos_images(pytestconfig: pytest.Config) -> dict[str, str]:
    """
    The container images of systems by name, as ``--chaos-image`` and the ini file choose them; override it for your own.

    Only the docker provider runs images. A choice holds where the experiment asks for no version that the image has not.
    """
    return chosen_images(pytestconfig)


@pytest.fixture
def lab(
    request: pytest.FixtureRequest, chaos_provider: "Provider", chaos_files: Path, chaos_images: dict[str, str]
) -> "Iterator[Lab]":
    """An empty lab of this test's own; systems and apps are placed in it, and everything in it ends with the test."""
    marker = request.node.get_closest_marker("direct")
    opened = chaos_provider.open(
        keep_at=str(chaos_files / "parties"), mesh=marker is None, warm=WARM, images=chaos_images
    )
    try:
        yield opened
    finally:
        if option(request.config, "keep"):
            entry = opened.keep()
            request.config.stash[SESSION].kept.append(f"kept {opened.name} of {request.node.name}: {entry}")
        opened.close()


@pytest.fixture
def launch(request: pytest.FixtureRequest, lab: "Lab", chaos_files: Path, chaos_seed: int) -> "Callable[..., Any]":
    """``with launch(cluster, *clients) as run:`` makes a run of an experiment; see ``chaos.run.Run``."""
    from chaos.pytest_launch import Launcher

    launcher = Launcher(request=request, lab=lab, files=chaos_files, seed=chaos_seed)
    request.node.stash[_LAUNCHER] = launcher
    return launcher


# -- the end -----------------------------------------------------------------------------------------------------------


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The table of verdicts."""
    session = config.stash[SESSION]
    if session.runs or session.left_out or session.kept:
        from chaos.pytest_terminal import summarize

        summarize(terminalreporter, config)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Describe the environment to the report."""
    results = session.config.getoption("--alluredir", default=None)
    if results and session.config.stash[SESSION].runs:
        from chaos.pytest_results import write_session

        write_session(Path(str(results)), session.config.stash[SESSION])
