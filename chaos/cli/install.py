"""
Install server software into a per-user cache, and with a system what every lab needs.
"""

import argparse
from collections.abc import Sequence

from chaos.cli import exits
from chaos.cli.terminal import progress, say
from chaos.errors import ChaosError, ProviderError, UsageError

HELP = "install server software: redis, redis=6.2, valkey, ..."


def options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("names", nargs="+", metavar="NAME[=VERSION]", help="see: chaos list software")


def main(options: argparse.Namespace) -> int:
    """Install all that can be; one that cannot does not keep the others from being there."""
    return install_all(_with_lab(options.names))


def install_all(requests: Sequence[str]) -> int:
    """Install each NAME or NAME=VERSION and say where it is, or why it is not."""
    from chaos.servers import install

    problems: list[ChaosError] = []
    for request in requests:
        name, _, version = request.partition("=")
        try:
            with progress(request) as tell:
                there = install(name, version or None, tell)
            say(f"{there.name} {there.version}  {there.program}  ({there.source})")
        except UsageError:
            raise
        except ChaosError as problem:
            problems.append(problem)
    if problems:
        raise ProviderError("; ".join(map(str, problems)))
    return exits.FINE


def _with_lab(requests: Sequence[str]) -> list[str]:
    """A system brings along what a lab is made of, so that one command is enough to run its experiments."""
    from chaos.servers import SOFTWARE
    from chaos.servers.locate import known

    systems = [request for request in requests if known(request.partition("=")[0]).role == "system"]
    lab = [name for name, software in SOFTWARE.items() if software.role == "lab"] if systems else []
    return [*lab, *(request for request in requests if request not in lab)]
