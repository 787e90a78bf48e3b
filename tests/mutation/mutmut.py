"""
Running mutmut in a copy of the checkout, with nothing wrapped but the modules that are asked for.
"""

import json
import os
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".mutation"
LOG = WORK / "mutmut.log"
COPIED = ("chaos", "fixtures", "experiments", "tests", "docs", "conftest.py", "README.md")
TESTS = {"chaos/guarantees": ["tests/guarantees"], "chaos/checkers": ["tests/checkers", "tests/truth"]}
CONFIGURATION = """
[tool.mutmut]
source_paths = ["chaos"]
only_mutate = {modules}
also_copy = ["fixtures", "experiments", "docs", "conftest.py", "README.md"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "--hypothesis-profile=mutation"]
pytest_add_cli_args_test_selection = {tests}
timeout_multiplier = 6.0
"""
REPEATABLE = {"PYTHONHASHSEED": "0", "FUZZ_HISTORIES": "500"}
GRACE_S = 30
"""For mutmut to write down what it knows after it was told to stop."""


class Ended(Enum):
    """How mutmut came to an end."""

    WHOLE = "all changes were tried"
    CUT_SHORT = "the time allowed was over"
    FAILED = "mutmut gave up"


def mutate(modules: Sequence[str], within_s: float | None) -> Ended:
    """Try all changes of these modules."""
    _copy(modules)
    with LOG.open("w", encoding="utf-8") as output:
        command = [str(Path(sysconfig.get_path("scripts")) / "mutmut"), "run"]
        running = subprocess.Popen(
            command, cwd=WORK, env=os.environ | REPEATABLE, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        if not _ended(running, within_s):
            return Ended.CUT_SHORT
    return Ended.FAILED if running.returncode else Ended.WHOLE


def last_words() -> str:
    """The end of what mutmut said."""
    return LOG.read_text(encoding="utf-8", errors="replace")[-3000:]


def _copy(modules: Sequence[str]) -> None:
    """Afresh: results of earlier tests say nothing about these."""
    shutil.rmtree(WORK, ignore_errors=True)
    for name in COPIED:
        source, target = ROOT / name, WORK / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(source, target)
    tests = [
        test for folder, tests in TESTS.items() for test in tests if any(one.startswith(folder) for one in modules)
    ]
    ours = CONFIGURATION.format(modules=json.dumps(list(modules)), tests=json.dumps(tests))
    (WORK / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8") + ours, encoding="utf-8")


def _ended(running: "subprocess.Popen[bytes]", within_s: float | None) -> bool:
    try:
        running.wait(within_s)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        running.send_signal(signal.SIGINT)
        try:
            running.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        return False
    return True
