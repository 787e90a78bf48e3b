"""
Sweep what a crashed test run left behind: processes, namespaces, containers, folders.
"""

import argparse
import importlib
from collections.abc import Callable

from chaos.cli import exits
from chaos.cli.terminal import say

HELP = "end what a crashed test run left behind"


def options(parser: argparse.ArgumentParser) -> None:
    """The command has no options."""


def main(options: argparse.Namespace) -> int:
    """Ask every provider to heal, and say what each did."""
    sentences = [sentence for heal in _healers() for sentence in heal()]
    for sentence in sentences:
        say(sentence)
    if not sentences:
        say("nothing was left behind")
    return exits.FINE


def _healers() -> list[Callable[[], list[str]]]:
    from chaos.providers import PROVIDERS

    found = []
    for name in PROVIDERS:
        try:
            module = importlib.import_module(f"chaos.providers.{name}")
        except ImportError:
            continue  # An optional provider whose library is not installed has left nothing.
        if heal := getattr(module, "heal", None):
            found.append(heal)
    return found
