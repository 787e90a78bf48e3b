"""
Build the report from the results of a run.
"""

import argparse
from pathlib import Path

from chaos.cli import exits
from chaos.cli.places import report_folder, results_folder
from chaos.cli.terminal import progress, say
from chaos.errors import UsageError

HELP = "build the report from the results of a run"


def options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--results", type=Path, metavar="DIR", help="Allure results (default: reports/out/results)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to (default: reports/out/report)")
    trend_option(parser)


def trend_option(parser: argparse.ArgumentParser) -> None:
    """The option of the commands that build a report."""
    parser.add_argument(
        "--trend", action="store_true", help="add this run to the report's trends, as a nightly run does"
    )


def main(options: argparse.Namespace) -> int:
    """Build it and say where it is."""
    results = options.results or results_folder()
    if not any(results.glob("*-result.json")):
        raise UsageError(f"{results} has no results of a run; run: chaos run")
    build(results, options.output or report_folder(), trend=options.trend)
    return exits.FINE


def build(results: Path, output: Path, *, trend: bool = False) -> None:
    """Build the report and print where it is; with ``trend`` this run is added to those of the nights before."""
    from chaos.report.build import build_report

    with progress("report") as tell:
        tell(f"building from {results}")
        place = build_report(results, output, append_history=trend)
    say(f"report: {place}")
