"""
The commands and their options.
"""

import argparse
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from chaos import __version__
from chaos.cli import catalogue, doctor, exits, heal, install, recheck, report, run

COMMANDS: dict[str, ModuleType] = {
    "doctor": doctor,
    "install": install,
    "list": catalogue,
    "run": run,
    "recheck": recheck,
    "report": report,
    "heal": heal,
}
"""Each command's module says HELP, adds its ``options(parser)`` and has ``main(options) -> exit code``."""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options, with ``run`` as the function to call; what follows ``--`` is kept in ``rest``."""
    split = list(argv).index("--") if "--" in argv else len(argv)
    options = _parser().parse_args(list(argv[:split]))
    options.rest = list(argv[split + 1 :])
    return options


class _Parser(argparse.ArgumentParser):
    """argparse's own exit code for a usage error, 2, means "nobody knows" here."""

    def __init__(self, **options: Any) -> None:
        # No short forms of long options: a later option may make them mean something else.
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(exits.BAD_INPUT, f"{self.prog}: {message}\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="chaos",
        description="Which promises of distributed middleware survive? Real clusters, real faults, honest verdicts.",
        epilog=exits.MEANINGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"chaos {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=exits.MEANINGS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.options(command)
        command.set_defaults(run=module.main)
    return parser
