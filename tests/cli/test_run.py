"""
Running the experiments: the pytest command that is made, and what its end means.
"""

import json
import shutil
import sys
from pathlib import Path

import pytest

from chaos import cli
from chaos.cli import places, run
from chaos.cli.parser import parse
from chaos.cli.places import experiments_folder, results_folder
from chaos.errors import ProviderError


def argv(*given: str) -> list[str]:
    """The pytest command for a chaos run with these options."""
    return run.pytest_argv(parse(["run", *given]), Path("results"))


def test_without_options_the_whole_catalogue_runs() -> None:
    results = ["--alluredir", "results", "--clean-alluredir"]

    assert argv() == [sys.executable, "-m", "pytest", str(experiments_folder()), *results]


def test_options_reach_pytest_under_its_own_names() -> None:
    made = argv("a.py", "-k", "lock", "-m", "not full", "--full", "--seed", "7", "--provider", "local", "--repeat", "3")

    assert made[3] == "a.py"
    assert " ".join(made[7:]) == (
        "-k lock -m not full --chaos-seed 7 --chaos-provider local --chaos-repeat 3 --chaos-full"
    )


def test_what_follows_two_dashes_goes_to_pytest_as_it_is() -> None:
    assert argv("a.py", "--", "-x", "--chaos-keep")[-2:] == ["-x", "--chaos-keep"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with one experiment, seen from an empty folder of somebody else."""
    made = tmp_path / "site-packages" / "chaos"
    for file in ("fixtures/__init__.py", "fixtures/redis.py", "experiments/redis/test_lost_reply.py"):
        (made / file).parent.mkdir(parents=True, exist_ok=True)
        (made / file).touch()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(places, "PACKAGE", made)
    return made


def test_installed_experiments_bring_their_fixtures_and_leave_the_package_alone(package: Path) -> None:
    """Without a checkout there is neither its conftest nor its settings."""
    made = argv("redis/test_lost_reply.py")

    assert made[7:] == [
        *("--rootdir", str(Path.cwd())),
        "--import-mode=importlib",
        *("-p", "chaos.fixtures.redis"),
    ]
    assert argv()[7:] == made[7:]


def test_own_tests_run_as_under_plain_pytest(package: Path) -> None:
    """Also beside shipped ones, which then only bring their fixtures."""
    assert argv("a.py")[7:] == ["--rootdir", str(Path.cwd())]
    assert argv("a.py", "redis")[8:] == ["--rootdir", str(Path.cwd()), "-p", "chaos.fixtures.redis"]


@pytest.mark.parametrize("prefix", ["", "experiments/", "./experiments/"])
@pytest.mark.parametrize("name", ["redis", "redis/test_lost_reply.py", "redis/test_lost_reply.py::test_it[a::b]"])
def test_shipped_experiments_are_named_as_they_are_listed(package: Path, prefix: str, name: str) -> None:
    """Wherever one stands, with or without the folder's own name."""
    assert argv(prefix + name)[3] == str(package / "experiments" / name)


def test_path_that_exists_here_wins_over_a_shipped_one(package: Path) -> None:
    """A user's own folder may be called redis too."""
    Path("redis").mkdir()

    assert argv("redis")[3] == "redis"
    assert argv("redis/test_lost_reply.py")[3] == str(package / "experiments/redis/test_lost_reply.py")


@pytest.mark.parametrize("path", ["kafka", "../chaos/experiments/redis", "redis/../../fixtures", "test_lost_reply.py"])
def test_path_that_means_nothing_is_left_to_pytest(package: Path, path: str) -> None:
    """It says which one it cannot find."""
    assert argv(path)[3] == path


def test_package_without_experiments_still_runs_own_tests(package: Path) -> None:
    """Only the catalogue itself is then an error."""
    shutil.rmtree(package / "experiments")

    assert argv("redis")[7:] == ["--rootdir", str(Path.cwd())]
    with pytest.raises(ProviderError, match="installed without them"):
        argv()


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """pytest leaves the results that ``result`` has prepared, and ends with the code that the file ``code`` holds."""

    def foreground(argv: list[str]) -> int:
        if (tmp_path / "prepared").exists():
            (tmp_path / "prepared").rename(argv[argv.index("--alluredir") + 1])
        return int((tmp_path / "code").read_text())

    monkeypatch.setattr("chaos.process.foreground", foreground)
    return tmp_path


def result(folder: Path, status: str) -> None:
    (folder / "prepared").mkdir(exist_ok=True)
    (folder / "prepared" / f"{status}-result.json").write_text(json.dumps({"status": status}))


@pytest.mark.parametrize(
    ("pytest_code", "statuses", "code"),
    [
        (0, ["passed"], 0),
        (1, ["passed", "failed", "broken"], 1),
        (1, ["passed", "broken"], 2),
        (1, [], 2),
        (2, ["passed"], 130),
        (2, [], 2),
        (3, [], 2),
        (4, [], 3),
        (5, [], 3),
    ],
)
def test_only_a_failed_system_is_a_broken_promise(
    ended: Path, pytest_code: int, statuses: list[str], code: int
) -> None:
    (ended / "code").write_text(str(pytest_code))
    for status in statuses:
        result(ended, status)

    assert cli.main(["run", "--no-report", "--results", str(ended / "results")]) == code


def test_a_run_of_nothing_says_so_and_keeps_the_results_before(ended: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result(ended, "passed")
    for code in ("0", "5"):
        (ended / "code").write_text(code)
        cli.main(["run", "--no-report", "--results", str(ended / "results")])

    assert capsys.readouterr().err == (
        "chaos: no experiment matches what was asked for, so nothing ran; see: chaos list experiments\n"
    )
    assert [file.name for file in (ended / "results").iterdir()] == ["passed-result.json"]
    assert not (ended / ".results-new").exists()


@pytest.mark.parametrize(("pytest_code", "code"), [(0, 0), (1, 2), (3, 2), (4, 3)])
def test_no_report_is_tried_when_nothing_ran(
    ended: Path, capfd: pytest.CaptureFixture[str], pytest_code: int, code: int
) -> None:
    """The last line is pytest's, which says why; and what an earlier run left is not judged again."""
    (ended / "results").mkdir()
    (ended / "results" / "failed-result.json").write_text(json.dumps({"status": "failed"}))
    (ended / "code").write_text(str(pytest_code))

    assert cli.main(["run", "--results", str(ended / "results"), "--output", str(ended / "report")]) == code
    assert capfd.readouterr() == ("", "")


def test_a_new_runs_results_replace_those_before(ended: Path) -> None:
    (ended / "code").write_text("1")
    for status in ("passed", "failed"):
        result(ended, status)
        cli.main(["run", "--no-report", "--results", str(ended / "results")])

    assert [file.name for file in (ended / "results").iterdir()] == ["failed-result.json"]


def test_report_is_built_of_a_failed_run_too(
    ended: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (ended / "code").write_text("1")
    result(ended, "failed")

    def build(_results: Path, output: Path, *, append_history: bool) -> Path:
        assert append_history
        return output / "index.html"

    monkeypatch.setattr("chaos.report.build.build_report", build)

    assert cli.main(["run", "--trend", "--results", str(ended / "results"), "--output", "out"]) == 1
    assert capsys.readouterr().out == "report: out/index.html\n"


def test_report_that_cannot_be_built_does_not_hide_the_run(
    ended: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from chaos.errors import MissingSoftwareError

    def fails(_results: Path, _output: Path, *, append_history: bool) -> Path:
        raise MissingSoftwareError("node", "chaos install node")

    (ended / "code").write_text("0")
    result(ended, "passed")
    monkeypatch.setattr("chaos.report.build.build_report", fails)

    assert cli.main(["run", "--results", str(ended / "results")]) == 0
    assert capsys.readouterr().out == "no report: node is not installed; run: chaos install node\n"


def test_report_without_results_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--results", str(tmp_path)]) == 3
    assert capsys.readouterr().err == f"chaos: {tmp_path} has no results of a run; run: chaos run\n"


def test_generated_things_lie_below_reports_out() -> None:
    assert results_folder().parts[-3:] == ("reports", "out", "results")


def test_options_have_no_short_forms(capsys: pytest.CaptureFixture[str]) -> None:
    """A later option may make one mean something else."""
    with pytest.raises(SystemExit) as ended:
        parse(["run", "--prov", "local"])
    assert ended.value.code == 3
    assert "unrecognized arguments: --prov" in capsys.readouterr().err
