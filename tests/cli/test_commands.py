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


@pytest.mark.parametrize("wrong", ["image:nope", "image:nope=1", "image:", "image:redis=6.2", "image:etcd=9", "etcd=9"])
def test_nothing_is_installed_when_one_image_or_version_is_unknown(
    installing: list[str], monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """Also where neither an engine nor its libraries are there to be asked."""
    monkeypatch.setattr("chaos.providers.docker.has_libraries", lambda: False)

    assert cli.main(["install", "redis", wrong]) == 3
    assert installing == []


@pytest.mark.parametrize("wrong", ["nope", "image:nope"])
def test_unknown_name_is_answered_with_all_that_there_are(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Software and images, which are one list to who types it."""
    assert cli.main(["install", wrong]) == 3

    said = capsys.readouterr().err
    assert said.startswith(f"chaos: unknown software {wrong!r}; there is iproute2, ")
    assert said.endswith(", image:sidecar, image:redis, image:valkey, image:etcd, image:kafka\n")


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("redis", "kafka", "aiokafka", "confluent_kafka", "docker", "testcontainers")))
from chaos.cli import main
sys.exit(main(["list", "--json"]))
"""


def test_lists_do_without_client_libraries_and_say_which_they_miss() -> None:
    """A row whose library is not installed says how to get it; the others are as always."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    lists = json.loads(done.stdout)
    workloads = {row["workload"]: row for row in lists["workloads"]}
    needs = "needs redis: pip install 'middleware-chaos[redis]'"
    assert (workloads["redis-incr"]["what"], workloads["redis-incr"]["arguments"]) == (needs, needs)
    assert workloads["etcd-set"]["arguments"] == "key=acked, pace_s=0.002, timeout_s=1.0"
    systems = {row["system"]: row["topologies"] for row in lists["systems"]}
    assert systems["kafka"] == "needs kafka-python: pip install 'middleware-chaos[kafka]'"
    assert "three" in systems["etcd"]


def test_unknown_library_is_said_by_its_module_and_a_broken_module_of_ours_is_no_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a workload of one's own needs has no extra here; what we broke must not look like something to install."""
    (tmp_path / "lists_theirs.py").write_text("import no_such_library.client\n")
    (tmp_path / "lists_ours.py").write_text("import chaos.no_such_module\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("chaos.workloads.WORKLOADS", {"theirs": "lists_theirs:main"})

    assert cli.main(["list", "workloads"]) == 0
    assert "needs no_such_library" in capsys.readouterr().out

    monkeypatch.setattr("chaos.workloads.WORKLOADS", {"ours": "lists_ours:main"})
    with pytest.raises(ModuleNotFoundError):
        cli.main(["list", "workloads"])


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
