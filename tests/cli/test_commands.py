"""
The chaos command: what it says, and its exit codes.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chaos import cli
from chaos.cli import heal, terminal
from chaos.cli.parser import COMMANDS
from chaos.errors import MissingSoftwareError, ProviderError
from chaos.servers import Installed


def test_help_loads_neither_rich_nor_pytest_nor_any_provider() -> None:
    code = "import sys; from chaos.cli.parser import parse; from chaos import cli; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )

    assert loaded.isdisjoint({"rich", "pytest", "chaos.providers", "chaos.guarantees", "chaos.systems", "asyncio"})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_the_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "exit codes:" in said
    assert f"chaos {command}" in said


@pytest.mark.parametrize("argv", [["nonsense"], ["recheck"], ["list", "nonsense"], []])
def test_wrong_options_are_bad_input(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)

    said = capsys.readouterr()
    assert ended.value.code == 3
    assert said.out == ""
    assert "usage: chaos" in said.err


def test_unknown_software_is_bad_input_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["install", "redsi"]) == 3
    assert capsys.readouterr().err.startswith("chaos: unknown software 'redsi'; there is")


@pytest.mark.parametrize(
    ("problem", "code"),
    [(ProviderError("no network namespaces"), 2), (KeyboardInterrupt(), 130), (BrokenPipeError(), 141)],
)
def test_what_ends_a_command_decides_its_exit_code(
    problem: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise problem

    monkeypatch.setattr(heal, "_healers", fails)

    assert cli.main(["heal"]) == code
    assert "Traceback" not in capfd.readouterr().err


def test_heal_says_what_each_provider_did(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(heal, "_healers", lambda: [lambda: ["lab-1: left-over lab removed"], list])

    assert cli.main(["heal"]) == 0
    assert capsys.readouterr().out == "lab-1: left-over lab removed\n"


def test_heal_goes_on_past_a_provider_that_cannot_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nobody knows then whether something is left."""

    def blind() -> list[str]:
        raise ProviderError("no engine answers")

    monkeypatch.setattr(heal, "_healers", lambda: [blind, lambda: ["lab-1: left-over lab removed"]])

    assert cli.main(["heal"]) == 2
    assert capsys.readouterr() == ("lab-1: left-over lab removed\n", "chaos: no engine answers\n")

    monkeypatch.setattr(heal, "_healers", lambda: [blind])

    assert cli.main(["heal"]) == 2
    assert capsys.readouterr().out == ""


def test_heal_of_a_clean_machine_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(heal, "_healers", lambda: [list])

    assert cli.main(["heal"]) == 0
    assert capsys.readouterr().out == "nothing was left behind\n"


@pytest.fixture
def installing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Installs nothing, and keeps a list; nft cannot be had."""
    asked: list[str] = []

    def fake(name: str, version: str | None, progress: object) -> Installed:
        asked.append(f"{name}={version}" if version else name)
        if name == "nft":
            raise MissingSoftwareError("nftables", "sudo apt-get install nftables")
        return Installed(name, version or "1.0", Path("/cache") / name, "test")

    monkeypatch.setattr("chaos.servers.install", fake)
    return asked


def test_installing_a_system_brings_along_what_a_lab_is_made_of(installing: list[str]) -> None:
    cli.main(["install", "redis=6.2", "valkey"])

    assert installing == ["iproute2", "nft", "toxiproxy", "redis=6.2", "valkey"]


def test_installing_a_tool_brings_nothing_along(installing: list[str]) -> None:
    assert cli.main(["install", "node"]) == 0
    assert installing == ["node"]


def test_one_failure_does_not_keep_the_others_from_being_installed(
    installing: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["install", "redis"]) == 2

    said = capsys.readouterr()
    assert installing[-1] == "redis"
    assert "redis 1.0  /cache/redis" in said.out
    assert said.err == "chaos: nftables is not installed; run: sudo apt-get install nftables\n"


def test_nothing_is_installed_when_one_name_is_unknown(installing: list[str]) -> None:
    assert cli.main(["install", "redis", "redsi"]) == 3
    assert installing == []


def test_lists_name_every_entry_of_the_registries(capsys: pytest.CaptureFixture[str]) -> None:
    from chaos.faults import FAULTS
    from chaos.guarantees import GUARANTEES
    from chaos.systems import SYSTEMS

    assert cli.main(["list", "--json"]) == 0

    lists = json.loads(capsys.readouterr().out)
    assert [row["fault"] for row in lists["faults"]] == list(FAULTS)
    assert [row["guarantee"] for row in lists["guarantees"]] == list(GUARANTEES)
    assert [row["system"] for row in lists["systems"]] == list(SYSTEMS)
    assert {"redis:7.0", "apache/kafka:4.4.0"} <= {row["image"] for row in lists["images"]}
    assert not [row for row in lists["images"] if row["image"].endswith(("latest", ":"))]
    assert all(row["what"] for row in [*lists["faults"], *lists["workloads"]])
    arguments = {row["workload"]: row["arguments"] for row in lists["workloads"]}
    assert arguments["etcd-set"] == "key=acked, pace_s=0.002, timeout_s=1.0"
    arguments = {row["fault"]: row["arguments"] for row in lists["faults"]}
    assert arguments["between"] == "one, other, mode=drop, ports=()"
    assert arguments["cut"] == "source, target, ports=()"
    assert all(row["lesson"] and row["says"] for row in lists["experiments"])


def test_list_on_a_pipe_has_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_text_with_brackets_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_table(["a"], [[terminal.plain("recovers[c1] [bold]")]])

    assert "recovers[c1] [bold]" in capsys.readouterr().out


def test_progress_is_lines_on_stderr_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.progress("redis") as tell:
        tell("building")

    assert capsys.readouterr().err == "redis: building\n"
