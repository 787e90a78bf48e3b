"""
What the command line and the ini file ask of a session, checked before anything starts, and what the session finds.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chaos.judgement import FinishedRun
    from chaos.providers.contract import Provider

OPTIONS = {
    "provider": ("auto", "where labs are made: auto, local, ... (chaos doctor says what works here)"),
    "seed": ("", "the seed of everything random; drawn and printed when not given"),
    "repeat": ("1", "run each experiment so many times, under the seeds that follow; every time must pass"),
    "out": ("reports/out", "folder for histories, server logs and report data, relative to the root folder"),
}
FLAGS = {
    "keep": "leave the lab of a test up and print the command that enters it (chaos heal ends it)",
    "full": "run the rows that are left out of a short run as well",
}


IMAGE_HELP = (
    "NAME=IMAGE: the container image of a system (--chaos-image redis=registry.example/redis:7.2.5); may be repeated"
)


@dataclass(slots=True, kw_only=True)
class Session:
    """One test run: what was asked of it, and what its experiments found."""

    seed: int
    rounds: int = 1
    provider: str = ""
    """The provider in use and why, once a lab was asked for."""
    runs: "list[FinishedRun]" = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """Why experiments did not run, and how many."""
    kept: list[str] = field(default_factory=list)
    """How to enter the labs that were left up."""


SESSION = pytest.StashKey[Session]()


def add_options(parser: pytest.Parser) -> None:
    """Each option has a twin in the ini file: --chaos-seed and chaos_seed."""
    group = parser.getgroup("chaos", "chaos testing of middleware")
    for name, (default, text) in OPTIONS.items():
        group.addoption(f"--chaos-{name}", default=None, help=text)
        parser.addini(f"chaos_{name}", text, type="string", default=default)
    group.addoption("--chaos-image", action="append", default=None, metavar="NAME=IMAGE", help=IMAGE_HELP)
    parser.addini("chaos_image", f"{IMAGE_HELP}, one a line", type="linelist", default=[])
    for name, text in FLAGS.items():
        group.addoption(f"--chaos-{name}", action="store_true", default=None, help=text)
        parser.addini(f"chaos_{name}", text, type="bool", default=False)


def option(config: pytest.Config, name: str) -> Any:
    """An option from the command line, else from the ini file."""
    given = config.getoption(f"--chaos-{name}")
    return config.getini(f"chaos_{name}") if given is None else given


def session_of(config: pytest.Config) -> Session:
    """The session that these options ask for; a wrong value ends the test run with a sentence."""
    _check_provider(str(option(config, "provider")))
    if config.getoption("--chaos-image") and (named := str(option(config, "provider"))) != "auto":
        from chaos.providers import PROVIDERS

        refuse_idle_images(config, PROVIDERS[named]())  # What auto takes is known only once it has chosen.
    chosen_images(config)
    given = getattr(config, "workerinput", {}).get("chaos_seed") or option(config, "seed")
    seed = _whole("seed", given) if given else random.SystemRandom().randrange(1, 2**31)
    return Session(seed=seed, rounds=_whole("repeat", option(config, "repeat"), least=1))


def chosen_images(config: pytest.Config) -> dict[str, str]:
    """Images by the names of their systems: those of the ini file, and over them those of the command line."""
    given = [*config.getini("chaos_image"), *(config.getoption("--chaos-image") or ())]
    if not given:
        return {}
    from chaos.errors import UsageError
    from chaos.servers.images import checked

    try:
        return checked(dict(map(_parted, given)))
    except UsageError as problem:
        raise pytest.UsageError(f"--chaos-image: {problem}") from problem


def _parted(given: str) -> tuple[str, str]:
    name, equals, image = given.partition("=")
    if not (name.strip() and equals and image.strip()):
        raise pytest.UsageError(f"--chaos-image needs NAME=IMAGE, such as redis=redis:7.2.5, not {given!r}")
    return name.strip(), image.strip()


def runs_folder(config: pytest.Config) -> Path:
    """Where each test gets its folder."""
    return config.rootpath / str(option(config, "out")) / "runs"


def _check_provider(name: str) -> None:
    if name == "auto":
        return
    from chaos.providers import PROVIDERS

    if name not in PROVIDERS:
        raise pytest.UsageError(f"--chaos-provider is one of auto, {', '.join(PROVIDERS)}, not {name!r}")


def refuse_idle_images(config: pytest.Config, provider: "Provider") -> None:
    """Refuse images on the command line for a provider that runs none, or somebody would believe that theirs was tested."""
    if config.getoption("--chaos-image") and "Images" not in provider.abilities:
        raise pytest.UsageError(
            f"--chaos-image: the {provider.name} provider runs no images; --chaos-provider docker does"
        )


def _whole(name: str, given: object, least: int = 0) -> int:
    text = str(given)
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise pytest.UsageError(f"--chaos-{name} needs a whole number of at least {least}, not {text!r}")
    return int(text)
