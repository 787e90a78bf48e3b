"""
Imports point one way, and what is heavy or special stays where it belongs.
"""

import ast
from pathlib import Path

import pytest

from tests.meta.sources import calls, imports, modules

TIERS = (
    ("errors",),
    ("wait", "process", "locks"),
    ("folders",),
    ("history",),
    ("verdict", "progress"),
    ("models", "cluster"),
    ("checkers",),
    ("guarantees", "network", "servers"),
    ("judgement",),
    ("providers",),
    ("faults", "workloads"),
    ("systems", "crew", "nemesis", "observer"),
    ("run",),
    ("scripts",),
    ("report",),
    ("verdict_lines",),
    ("pytest_options",),
    ("pytest_terminal", "pytest_results"),
    ("pytest_launch",),
    ("plugin", "cli"),
    ("fixtures",),
    ("experiments",),
)
"""Each part may use those in the lines above its own, and itself. The package ``chaos`` itself is its version."""

TIER = {part: number for number, tier in enumerate(TIERS) for part in tier}

ONLY_IN = {
    "pytest": ("chaos/plugin.py", "chaos/pytest_", "fixtures/", "experiments/"),
    "allure": ("chaos/report/",),
    "redis": ("chaos/systems/redis/", "chaos/workloads/redis_", "experiments/redis/"),
    "kafka": ("chaos/systems/kafka/", "chaos/workloads/kafka_"),
    "aiokafka": ("chaos/workloads/kafka_",),
    "confluent_kafka": ("chaos/workloads/kafka_",),
    "etcd3": ("chaos/workloads/etcd3_",),
    "subprocess": ("chaos/process.py", "chaos/providers/"),
    "multiprocessing": (),
    "toxiproxy": ("chaos/network/toxiproxy.py",),
    "docker": ("chaos/providers/docker/",),
    "testcontainers": ("chaos/providers/docker/",),
    "requests": ("chaos/providers/docker/",),
    "rich": ("chaos/cli/terminal.py",),
}


def part_of(module: str) -> str:
    """The part that a module belongs to: ``chaos.report.page`` to ``report``."""
    first, _, rest = module.partition(".")
    return (rest.partition(".")[0] or "chaos") if first == "chaos" else first


def part_at(path: Path) -> str:
    return part_of(".".join(path.with_suffix("").parts))


def own_imports(path: Path) -> list[str]:
    return [name for name in imports(path) if name.split(".")[0] in ("chaos", "fixtures", "experiments", "tests")]


def test_every_part_has_its_tier() -> None:
    """A new part must say where it stands."""
    parts = {part_at(path) for path in modules()} - {"__init__"}
    assert parts == set(TIER)


def test_imports_point_to_higher_tiers_only() -> None:
    """Nothing uses what builds on it."""
    assert [
        f"{path} imports {name}" for path in modules() for name in own_imports(path) if not _allowed(path, name)
    ] == []


def _allowed(path: Path, name: str) -> bool:
    mine, theirs = part_at(path), part_of(name)
    return theirs in (mine, "chaos") or (theirs in TIER and TIER[theirs] < TIER[mine])


def test_agents_import_nothing_of_the_library() -> None:
    """An agent starts in milliseconds, under any interpreter, in namespaces where the library may not be."""
    for path in modules("chaos/providers/agent"):
        assert not own_imports(path), f"{path} imports {own_imports(path)}"


def test_workers_import_little() -> None:
    """A worker runs under interpreters of other people's virtual environments."""
    allowed = {"chaos.errors", "chaos.history.events", "chaos.history.records", "chaos.workloads.outcomes"}
    assert set(own_imports(Path("chaos/workloads/worker.py"))) <= allowed


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    """Who does not use Redis does not need its client, and processes start in few places."""
    users = [path for path in modules() if library in {name.split(".")[0] for name in imports(path)}]
    strangers = [str(path) for path in users if not str(path).startswith(ONLY_IN[library])]
    assert not strangers, f"{library} is imported by {strangers}"


def test_processes_are_started_in_few_places() -> None:
    """Whoever forks must know what the child inherits."""
    starting = {f"os.{name}" for name in ("fork", "forkpty", "posix_spawn", "system", "popen", "execvpe", "execv")}
    users = [path for path in modules() if starting & {ast.unparse(call.func) for call in calls(path)}]
    assert [str(path) for path in users if not str(path).startswith(("chaos/process.py", "chaos/providers/"))] == []
