"""
Install server software into a per-user cache, and with a system what every lab needs.
"""

import argparse
import signal
from collections.abc import Sequence

from chaos.cli import exits
from chaos.cli.terminal import complain, progress, say
from chaos.errors import ChaosError, ProviderError, UsageError

HELP = "install server software: redis, redis=6.2, etcd, kafka, client:etcd3, ..., or build images: image:sidecar, image:redis"
IMAGE = "image:"


def options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("names", nargs="+", metavar="NAME[=VERSION]", help="see: chaos list software")
    parser.add_argument(
        "--base",
        metavar="IMAGE",
        help="what images are built on (default: debian:bookworm-slim); for client libraries with compiled parts a sidecar "
        "needs your Python, for example: chaos install image:sidecar --base python:3.13-slim-bookworm",
    )


def main(options: argparse.Namespace) -> int:
    """Install all that can be; one that cannot does not keep the others from being there."""
    images = [name.removeprefix(IMAGE) for name in options.names if name.startswith(IMAGE)]
    programs = [name for name in options.names if not name.startswith(IMAGE)]
    if options.base and programs:
        complain("--base is for images: chaos install image:NAME --base IMAGE")
        return exits.BAD_INPUT
    _refuse_unknown(options.names)
    before = signal.signal(signal.SIGTERM, _interrupt)  # Else a broker that is started once would be left running.
    try:
        code = install_all(_with_lab(programs)) if programs else exits.FINE
        problems = [problem for name in images if (problem := _build(name, options.base)) is not None]
    finally:
        signal.signal(signal.SIGTERM, before)
    for problem in problems:
        complain(problem)
    return exits.UNKNOWN if problems else code


def _refuse_unknown(requests: Sequence[str]) -> None:
    """Before anything is installed: one mistyped name must not be found after minutes of building."""
    from chaos.providers.docker import IMAGES, check_image
    from chaos.servers import SOFTWARE

    known = [*SOFTWARE, *(IMAGE + name for name in IMAGES)]
    for request in requests:
        name, _, version = request.partition("=")
        if name not in known:
            raise UsageError(f"unknown software {name!r}; there is {', '.join(known)}")
        if name.startswith(IMAGE):
            check_image(name.removeprefix(IMAGE), version or None)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _build(name: str, base: str | None) -> ChaosError | None:
    from chaos.providers.docker import NO_LIBRARIES, build_image, has_libraries

    if not has_libraries():
        return ProviderError(f"{IMAGE}{name}: {NO_LIBRARIES}")
    try:
        with progress(f"{IMAGE}{name}"):
            built = build_image(*name.split("=", 1), base=base)
    except ChaosError as problem:
        return problem
    say(f"{built}  (built here)")
    return None


def install_all(requests: Sequence[str]) -> int:
    """Install each NAME or NAME=VERSION and say where it is, or why it is not; a name nobody knows stops it at once."""
    from chaos.servers.golang import workshop

    wanted = [_parted(request) for request in requests]
    with workshop():
        problems = [problem for name, version in wanted if (problem := _install(name, version)) is not None]
    for problem in problems:
        complain(problem)
    return exits.UNKNOWN if problems else exits.FINE


def _parted(request: str) -> tuple[str, str | None]:
    from chaos.servers.locate import offered

    name, _, version = request.partition("=")
    offered(name, version or None)
    return name, version or None


def _install(name: str, version: str | None) -> ChaosError | None:
    from chaos.servers import install

    try:
        with progress(name) as tell:
            there = install(name, version, tell)
    except ChaosError as problem:
        return problem
    say(f"{there.name} {there.version}  {there.program}  ({there.source})")
    return None


def _with_lab(requests: Sequence[str]) -> list[str]:
    """A system brings along what a lab is made of, so that one command is enough to run its experiments."""
    from chaos.servers import SOFTWARE
    from chaos.servers.locate import known

    systems = [request for request in requests if known(request.partition("=")[0]).role == "system"]
    lab = [name for name, software in SOFTWARE.items() if software.role == "lab"] if systems else []
    return [*lab, *(request for request in requests if request not in lab)]
