"""
The doctor: what it tries, what it says, and when it is content.
"""

import json
import os
from pathlib import Path

import pytest

from chaos import cli
from chaos.cli import doctor, machine
from chaos.cli.machine import MISSING, OK, OPTIONAL, Ability
from chaos.errors import MissingSoftwareError

FINE = Ability(name="labs", state=OK, detail="as root")
NO_REDIS = Ability(name="redis", state=MISSING, detail="not installed", command="chaos install redis", software="redis")
NO_STRACE = Ability(name="strace", state=OPTIONAL, detail="not installed", command="x", software="strace")


def machine_with(monkeypatch: pytest.MonkeyPatch, *found: Ability) -> None:
    monkeypatch.setattr(machine, "abilities", lambda: iter(found))


def test_machine_that_lacks_only_optional_things_is_fine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine_with(monkeypatch, FINE, NO_STRACE)

    assert cli.main(["doctor"]) == 0
    assert "This machine can run the experiments" in capsys.readouterr().out


def test_missing_thing_is_said_with_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine_with(monkeypatch, FINE, NO_REDIS)

    assert cli.main(["doctor"]) == 2
    assert "not installed; run: chaos install redis" in capsys.readouterr().out


def test_findings_for_programs_are_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    machine_with(monkeypatch, NO_REDIS)

    assert cli.main(["doctor", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)[0]["command"] == "chaos install redis"


def test_doctor_installs_what_is_missing_and_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def install(names: list[str]) -> int:
        asked.extend(names)
        machine_with(monkeypatch, FINE)
        return 0

    machine_with(monkeypatch, NO_REDIS, NO_STRACE)
    monkeypatch.setattr(doctor, "install_all", install)

    assert cli.main(["doctor", "--install"]) == 0
    assert asked == ["redis"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of our own."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("chaos.servers.software.ADMIN_FOLDERS", ())
    return tmp_path


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("uid", "sysctls", "advice"),
    [
        (0, {}, "--privileged"),
        (1000, {"kernel/apparmor_restrict_unprivileged_userns": "1"}, "apparmor_restrict_unprivileged_userns=0"),
        (1000, {"kernel/unprivileged_userns_clone": "0"}, "unprivileged_userns_clone=1"),
        (1000, {"user/max_user_namespaces": "0"}, "max_user_namespaces=10000"),
        (1000, {}, "run as root"),
    ],
)
def test_kernel_that_allows_no_labs_is_advised_by_its_settings(
    path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, sysctls: dict[str, str], advice: str
) -> None:
    program(path, "unshare", "echo unshare: Operation not permitted >&2; exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(machine, "_sysctl", lambda name: sysctls.get(name, ""))

    found = machine.labs()

    assert (found.state, found.detail) == (MISSING, "unshare: Operation not permitted")
    assert advice in found.command


@pytest.mark.parametrize(("uid", "asked"), [(0, "--net"), (1000, "--user")])
def test_labs_are_tried_by_making_namespaces(path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, asked: str) -> None:
    program(path, "unshare", f'[ "$1" = {asked} ]')
    monkeypatch.setattr(os, "geteuid", lambda: uid)

    assert machine.labs().state == OK


def test_docker_without_an_engine_is_optional_and_says_why(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    program(path, "docker", "echo Cannot connect to the Docker daemon >&2; exit 1")

    found = machine.docker()

    assert (found.state, found.detail) == (OPTIONAL, "Cannot connect to the Docker daemon")
    assert found.command == "sudo systemctl start docker"


def test_docker_host_that_names_no_engine_is_the_likelier_cause(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting Docker would not help."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}/nowhere.sock")
    program(path, "docker", 'echo "Cannot connect to the Docker daemon at $DOCKER_HOST" >&2; exit 1')

    found = machine.docker()

    assert found.detail == f"Cannot connect to the Docker daemon at unix://{path}/nowhere.sock"
    assert found.command == "unset DOCKER_HOST, or start the engine it names"


def test_docker_without_the_right_to_it_names_the_group(path: Path) -> None:
    program(path, "docker", "echo permission denied while trying to connect >&2; exit 1")

    assert "usermod -aG docker" in machine.docker().command


def test_tool_that_is_missing_names_its_command(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise MissingSoftwareError(name, f"chaos install {name}")

    monkeypatch.setattr(machine, "find", missing)

    assert machine.tool("redis", MISSING).command == "chaos install redis"


def test_provider_that_crashes_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("no such engine")

    monkeypatch.setattr("chaos.providers.PROVIDERS", {"docker": broken})

    (found,) = machine.providers()

    assert (found.name, found.state, found.detail) == ("provider docker", MISSING, "OSError: no such engine")


@pytest.mark.parametrize("refused", [None, "strace: ptrace(PTRACE_TRACEME, ...): Operation not permitted"])
def test_tracing_is_tried_and_missing_only_to_some_faults(monkeypatch: pytest.MonkeyPatch, refused: str | None) -> None:
    monkeypatch.setattr(machine, "which", lambda *names: Path("/usr/bin/strace"))
    monkeypatch.setattr(machine, "_fails", lambda argv: refused)
    found = machine.tracing()
    assert (found.state, "SYS_PTRACE" in found.command) == ((OPTIONAL, True) if refused else (OK, False))


def test_without_strace_the_command_that_gets_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "which", lambda *names: None)
    assert machine.tracing().command == "chaos install strace"
