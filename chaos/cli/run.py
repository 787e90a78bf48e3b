"""
Run the experiments and build their report. What follows ``--`` is handed to pytest as it is.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chaos.cli import exits
from chaos.cli.places import (
    checkout,
    experiments_folder,
    is_shipped,
    meant,
    report_folder,
    results_folder,
    shipped_fixtures,
)
from chaos.cli.report import build, trend_option
from chaos.cli.terminal import complain, say

HELP = "run the experiments and build their report"
PATHS = "your own tests, or experiments as chaos list experiments names them: redis, redis/test_lost_reply.py (default: all)"

FROM_PYTEST = {
    0: exits.FINE,
    1: exits.NOT_KEPT,
    2: exits.INTERRUPTED,
    3: exits.UNKNOWN,
    4: exits.BAD_INPUT,
    5: exits.BAD_INPUT,
}
NOTHING_RAN = 5
"""pytest's exit codes; 5 is "no test collected": nothing matched what was asked for."""


def options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help=PATHS)
    parser.add_argument("-k", metavar="EXPRESSION", help="only experiments whose names match, as pytest's -k")
    parser.add_argument("-m", metavar="MARKERS", help="only experiments with these markers, as pytest's -m")
    parser.add_argument("--full", action="store_true", help="also the long experiments")
    parser.add_argument("--seed", type=int, metavar="N", help="replay everything random of an earlier run")
    parser.add_argument("--provider", metavar="NAME", help="what makes the parties exist (default: what works here)")
    parser.add_argument("--repeat", type=int, metavar="N", help="each experiment N times")
    parser.add_argument("--no-report", action="store_true", help="only run")
    parser.add_argument("--results", type=Path, metavar="DIR", help="Allure results (default: reports/out/results)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="the report (default: reports/out/report)")
    trend_option(parser)


def main(options: argparse.Namespace) -> int:
    """Run pytest in the foreground, then build the report of whatever it found."""
    from chaos import process

    results = options.results or results_folder()
    with _fresh(results) as fresh:
        ended = process.foreground(pytest_argv(options, fresh))
        ran = _has_results(fresh)
    code = FROM_PYTEST.get(ended, exits.UNKNOWN)
    if ended == NOTHING_RAN:
        complain("no experiment matches what was asked for, so nothing ran; see: chaos list experiments")
    if code == exits.NOT_KEPT and not (ran and has_failed(results)):
        code = exits.UNKNOWN
    if code == exits.INTERRUPTED and not ran:  # By a file that could not be collected: Ctrl-C would have ended us, too.
        code = exits.UNKNOWN
    if ran and not options.no_report:  # Else pytest has said last why nothing ran.
        _report(results, options.output or report_folder(), trend=options.trend)
    return code


@contextmanager
def _fresh(results: Path) -> Iterator[Path]:
    """A folder beside the results, which takes their place if anything ran; so a mistyped name costs no results."""
    fresh = results.absolute().with_name(f".{results.absolute().name}-new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        yield fresh
    finally:
        if _has_results(fresh):
            shutil.rmtree(results, ignore_errors=True)
            fresh.rename(results)
        shutil.rmtree(fresh, ignore_errors=True)


def pytest_argv(options: argparse.Namespace, results: Path) -> list[str]:
    """The pytest command that runs what was asked for."""
    given = {
        "-k": options.k,
        "-m": options.m,
        "--chaos-seed": options.seed,
        "--chaos-provider": options.provider,
        "--chaos-repeat": options.repeat,
    }
    named = [part for name, value in given.items() if value is not None for part in (name, str(value))]
    full = ["--chaos-full"] if options.full else []
    paths = [meant(path) for path in options.paths] or [str(experiments_folder())]
    report = ["--alluredir", str(results), "--clean-alluredir"]
    return [sys.executable, "-m", "pytest", *paths, *report, *named, *full, *_installed(paths), *options.rest]


def _installed(paths: Sequence[str]) -> list[str]:
    """What the checkout's conftest and pyproject say, for experiments that run from an installed package."""
    if checkout() is not None:
        return []
    root = ["--rootdir", str(Path.cwd())]
    shipped = [is_shipped(path) for path in paths]
    if not any(shipped):
        return root  # A user's own tests run as under plain pytest: their conftest and their settings say the rest.
    plugins = [part for name in shipped_fixtures() for part in ("-p", name)]
    # With own tests among them pytest's default, or those could not import the modules beside them.
    mode = ["--import-mode=importlib"] if all(shipped) else []
    return [*root, *mode, *plugins]


def has_failed(results: Path) -> bool:
    """Whether a system under test failed; results that are only *broken* are the environment's fault or ours."""
    statuses = {json.loads(file.read_text(encoding="utf-8")).get("status") for file in results.glob("*-result.json")}
    return "failed" in statuses


def _has_results(folder: Path) -> bool:
    return any(folder.glob("*-result.json"))


def _report(results: Path, output: Path, *, trend: bool) -> None:
    from chaos.errors import ChaosError

    try:
        build(results, output, trend=trend)
    except (ChaosError, ImportError) as problem:
        say(f"no report: {problem}")  # The run's own result matters more.
