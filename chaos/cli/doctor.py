"""
What this machine can do, and the exact command for what is missing.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from chaos.cli import exits
from chaos.cli.install import install_all
from chaos.cli.terminal import coloured, plain, progress, say, say_json, show_table

if TYPE_CHECKING:
    from chaos.cli.machine import Ability

HELP = "what this machine can do, and the command for what is missing"
COLOURS = {"ok": "green", "missing": "red", "optional": "yellow"}


def options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--install", action="store_true", help="install what is missing and can be installed")


def main(options: argparse.Namespace) -> int:
    """Try every ability and say; something missing is 2."""
    found = _look()
    wanted = list(dict.fromkeys(each.software for each in found if each.software and each.state == "missing"))
    if options.install and wanted:
        install_all(wanted)
        found = _look()
    if options.json:
        say_json([asdict(each) for each in found])
    else:
        _show(found)
    return exits.UNKNOWN if any(each.state == "missing" for each in found) else exits.FINE


def _look() -> "list[Ability]":
    from chaos.cli.machine import abilities

    found = []
    with progress("trying", lines=False) as tell:
        for each in abilities():
            tell(f"{each.name}: {each.state}")
            found.append(each)
    return found


def _show(found: "Sequence[Ability]") -> None:
    rows = [[each.name, coloured(each.state, COLOURS[each.state]), plain(_advice(each))] for each in found]
    show_table(["ability", "state", "what was seen, and what helps"], rows)
    missing = sum(each.state == "missing" for each in found)
    if missing:
        say(f"{missing} missing. What can be installed: chaos doctor --install")
    else:
        say("This machine can run the experiments: chaos run")


def _advice(ability: "Ability") -> str:
    return f"{ability.detail}; run: {ability.command}" if ability.command else ability.detail
