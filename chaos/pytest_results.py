"""
What a session adds to the Allure results: on what it ran, who ran it, and the measures for trends over nights.
"""

import os
import platform
from pathlib import Path

from chaos import __version__
from chaos.pytest_options import Session
from chaos.report import results as report
from chaos.report.tidy import tidy


def write_session(results: Path, session: Session) -> None:
    """Write it beside what allure-pytest wrote, and take out of that what tells nothing."""
    tidy(results)
    report.write_environment(results, _environment(session))
    report.write_executor(results, os.environ)
    for run in session.runs:
        report.write_measures(results, run)


def _environment(session: Session) -> dict[str, object]:
    return {
        # Short: Allure cuts the values of its table.
        "passed means": "as the experiment expects",
        "a reproduced failure": "is a pass",
        "middleware-chaos": __version__,
        "provider": session.provider,
        "seed": session.seed,
        "systems": ", ".join(sorted({name for run in session.runs for name in run.settings})),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
