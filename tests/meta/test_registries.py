"""
Every file of a registry's folder is in its dictionary, and every entry works.
"""

import importlib
from pathlib import Path

import pytest

from chaos.faults import FAULTS
from chaos.guarantees import BOUNDED, GUARANTEES
from chaos.providers import PROVIDERS
from chaos.systems import SYSTEMS
from chaos.workloads import WORKLOADS
from chaos.workloads.worker import load
from tests.meta.sources import NOT_GUARANTEES, ROOT

NOT_FAULTS = {"fault", "links", "shapes"}
NOT_WORKLOADS = {
    *("kafka_clients", "kafka_by_kafka_python", "kafka_by_confluent", "kafka_by_aiokafka"),
    *("outcomes", "plan", "worker"),
    *("redis_client", "redis_lock", "redis_store"),
    *("etcd_client", "etcd_lock", "etcd_requests"),
}
NOT_PROVIDERS = {
    "agent",
    "agented",
    "apps",
    "channel",
    "clock",
    "contract",
    "engine",
    "links",
    "placing",
    "roster",
    "signals",
    "wires",
}


def names(folder: str) -> set[str]:
    """The modules of a folder, files and packages."""
    found = (ROOT / "chaos" / folder).iterdir()
    return {path.stem for path in found if path.suffix == ".py" or (path / "__init__.py").exists()} - {"__init__"}


def modules_of(values: object) -> set[str]:
    """The last names of the modules that define these callables."""
    return {value.__module__.rpartition(".")[2] for value in values}  # type: ignore[attr-defined]


def test_every_fault_file_is_registered() -> None:
    """A fault that nobody lists is a fault that nobody tests."""
    assert names("faults") - NOT_FAULTS == modules_of(FAULTS.values())


def test_every_guarantee_file_is_registered() -> None:
    """By its file's name, as a promise or as one that takes a bound."""
    files = names("guarantees") - NOT_GUARANTEES
    assert {file for file in files if file not in GUARANTEES and file not in BOUNDED} == set()
    assert all(guarantee.name == name for name, guarantee in GUARANTEES.items())


def test_every_workload_file_is_registered() -> None:
    """And every entry can be loaded."""
    registered = {target.partition(":")[0].rpartition(".")[2] for target in WORKLOADS.values()}
    assert names("workloads") - NOT_WORKLOADS == registered
    assert all(callable(load(target)) for target in WORKLOADS.values())


def test_every_system_is_registered_and_has_its_fixtures() -> None:
    """One folder, one entry, one fixture file."""
    assert names("systems") == set(SYSTEMS)
    assert {path.stem for path in (ROOT / "fixtures").glob("*.py")} - {"__init__"} == set(SYSTEMS)
    assert all(callable(load(target)) for target in SYSTEMS.values())


def test_every_provider_is_registered() -> None:
    """Whatever makes parties can be asked for by name."""
    folders = {path.name for path in (ROOT / "chaos/providers").iterdir() if (path / "__init__.py").exists()}
    assert names("providers") - NOT_PROVIDERS - folders == set()
    assert set(PROVIDERS) == folders - NOT_PROVIDERS


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_knows_its_own_name(name: str) -> None:
    """As the command line and the header name it."""
    assert PROVIDERS[name]().name == name


def test_every_entry_point_exists() -> None:
    """What pyproject.toml promises to pytest and to the shell."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"chaos.plugin": "chaos.plugin"}
    module, _, function = project["scripts"]["chaos"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_every_test_folder_mirrors_a_part() -> None:
    """So that a reader finds the tests of what he reads."""
    beyond = {"meta", "plugin", "run", "conformance", "truth", "mutation", "docs", "ci"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert {folder for folder in folders - beyond if not Path(ROOT, "chaos", folder).is_dir()} == set()
