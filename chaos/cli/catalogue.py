"""
List what there is: systems, software and its versions, container images, faults, guarantees, workloads, experiments.
"""

import argparse
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import Any

from chaos.cli import exits
from chaos.cli.terminal import plain, say, say_json, show_table

HELP = "systems, versions, container images, faults, guarantees, workloads, experiments"
FILLED_IN = frozenset({"worker", "address", "addresses", "sentinels"})
"""What a client's plan gives a workload by itself."""
LIBRARIES = {
    "redis": ("redis", "redis"),
    "kafka": ("kafka-python", "kafka"),
    "aiokafka": ("aiokafka", "kafka-clients"),
    "confluent_kafka": ("confluent-kafka", "kafka-clients"),
}
"""The package and our extra that bring a client library's module."""
Rows = list[dict[str, str]]


def options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("what", nargs="?", choices=LISTS, help="only this (default: everything)")
    parser.add_argument("--json", action="store_true", help="for programs")


def main(options: argparse.Namespace) -> int:
    """Show one list, or all."""
    lists = {name: LISTS[name]() for name in ([options.what] if options.what else LISTS)}
    if options.json:
        say_json(lists)
        return exits.FINE
    for title, rows in lists.items():
        if title == "experiments":
            _show_experiments(rows)
        else:
            show_table(list(rows[0]) if rows else ["(none)"], [list(map(plain, row.values())) for row in rows], title)
    return exits.FINE


def _show_experiments(rows: Rows) -> None:
    """File, test and lesson below each other: side by side, the names would be cut off."""
    for file, tests in groupby(rows, key=itemgetter("file")):
        say(f"\n{file}")
        for test in tests:
            also = f" ({test['markers']})" if test["markers"] else ""
            say(f"  {test['lesson'] or 'no lesson'}: {test['name']}{also}\n      {test['says']}")


def systems() -> Rows:
    """Each system with its topologies."""
    return [
        {"system": name, "topologies": _known(_topologies, name), "started by": str(start)}
        for name, start in _registry("chaos.systems", "SYSTEMS").items()
    ]


def software() -> Rows:
    """Each piece of software: what can be installed, what is."""
    from chaos.servers import SOFTWARE, installed

    there: dict[str, list[str]] = {}
    for each in installed():
        there.setdefault(each.name, []).append(f"{each.version} ({each.source})")
    return [
        {
            "software": name,
            "what": entry.what,
            "offered": ", ".join(f"{offer.version} ({offer.source.label})" for offer in entry.offers),
            "installed": ", ".join(there.get(name, ["no"])),
        }
        for name, entry in SOFTWARE.items()
    ]


def images() -> Rows:
    """Each version with the container image to pull for it, and the one that the engine has and a test would take."""
    from chaos.servers import SOFTWARE

    there, why = _on_engine()
    return [
        {
            "system": name,
            "version": offer.version,
            "image": entry.image.official(offer),
            "on the engine": why or there.get((name, offer.version), "no"),
        }
        for name, entry in SOFTWARE.items()
        if entry.image is not None
        for offer in entry.offers
    ]


def _on_engine() -> tuple[Mapping[tuple[str, str], str], str]:
    """The engine's images by system and version, or why they are not known."""
    from chaos.errors import ChaosError
    from chaos.providers.docker import has_libraries, images_there

    if not has_libraries():
        return {}, "not asked: pip install 'middleware-chaos[docker]'"
    try:
        return images_there(), ""
    except ChaosError:
        return {}, "not asked: no engine answers"


def faults() -> Rows:
    """Each fault with what it does, and what can be chosen about it: such as the ports that it is limited to."""
    return [
        {"fault": name, "what": _sentence(fault), "arguments": _arguments(fault)}
        for name, fault in _registry("chaos.faults", "FAULTS").items()
    ]


def guarantees() -> Rows:
    """Each guarantee with its promise."""
    return [
        {"guarantee": name, "promise": guarantee.promise}
        for name, guarantee in _registry("chaos.guarantees", "GUARANTEES").items()
    ]


def workloads() -> Rows:
    """Each workload with what its clients do, and what can be chosen about it."""
    return [
        {"workload": name, "what": _known(_sentence, workload), "arguments": _known(_arguments, workload)}
        for name, workload in _registry("chaos.workloads", "WORKLOADS").items()
    ]


def experiments() -> Rows:
    """Each experiment with its lesson."""
    from chaos.cli.lessons import scan
    from chaos.cli.places import experiments_folder

    found = (asdict(each) for each in scan(experiments_folder()))
    return [{key: ", ".join(value) if key == "markers" else value for key, value in each.items()} for each in found]


LISTS: dict[str, Callable[[], Rows]] = {
    "systems": systems,
    "software": software,
    "images": images,
    "faults": faults,
    "guarantees": guarantees,
    "workloads": workloads,
    "experiments": experiments,
}


def _registry(module: str, name: str) -> Mapping[str, Any]:
    registry: Mapping[str, Any] = getattr(importlib.import_module(module), name, {})
    return registry


def _known(asked: Callable[[Any], str], of: Any) -> str:
    """The answer, or which client library must be there to know it."""
    try:
        return asked(of)
    except ImportError as problem:
        missing = _missing(problem)
        if missing is None:
            raise
    package, extra = LIBRARIES.get(missing, (missing, ""))
    return f"needs {package}: pip install 'middleware-chaos[{extra}]'" if extra else f"needs {package}"


def _missing(problem: BaseException | None) -> str | None:
    """The module that is not installed, also where an error of ours says it in its own words; never one of ours."""
    while problem is not None:
        if isinstance(problem, ModuleNotFoundError) and problem.name:
            name = problem.name.partition(".")[0]
            return None if name == "chaos" else name
        problem = problem.__cause__
    return None


def _topologies(system: str) -> str:
    return ", ".join(getattr(importlib.import_module(f"chaos.systems.{system}"), "TOPOLOGIES", ()))


def _sentence(thing: object) -> str:
    """What the thing's own docstring says first; a thing that is named as ``module:name`` is looked up."""
    return " ".join((inspect.getdoc(_found(thing)) or "").split("\n\n")[0].split())


def _arguments(thing: object) -> str:
    """Its arguments with their defaults, but for those that its plan fills in."""
    chosen = [one for one in inspect.signature(_found(thing)).parameters.values() if one.name not in FILLED_IN]
    return ", ".join(one.name if one.default is one.empty else f"{one.name}={one.default}" for one in chosen)


def _found(thing: Any) -> Any:
    if not isinstance(thing, str):
        return thing
    module, _, name = thing.partition(":")
    return getattr(importlib.import_module(module), name)
