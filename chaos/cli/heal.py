"""
Sweep what a crashed test run left behind: processes, namespaces, containers, folders.
"""

import argparse
import importlib
from collections.abc import Callable

from chaos.cli import exits
from chaos.cli.terminal import complain, say
from chaos.errors import ProviderError

HELP = "end what a crashed test run left behind"


def options(parser: argparse.ArgumentParser) -> None:
    """The command has no options."""


def main(options: argparse.Namespace) -> int:
    """Ask every provider to heal, and say what each did; one that cannot look does not keep the others from it."""
    found, problems = 0, list[ProviderError]()
    for heal in _healers():
        try:
            for sentence in heal():
                say(sentence)
                found += 1
        except ProviderError as problem:
            problems.append(problem)
    for each in problems:
        complain(each)
    if not found and not problems:
        say("nothing was left behind")
    return exits.UNKNOWN if problems else exits.FINE


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
