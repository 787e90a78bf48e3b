"""
A test run that has nothing to do with chaos, on a machine where the plugin is installed.
"""

import subprocess
import sys

import pytest

from tests.plugin.conftest import Stranger

PLAIN = """
import signal, sys, pytest

@pytest.mark.skipif(False, reason="")
def test_plain():
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    ours = {name for name in sys.modules if name.partition(".")[0] == "chaos"}
    assert ours == {"chaos", "chaos.plugin", "chaos.pytest_options"}

@pytest.mark.full
def test_with_a_marker_of_the_same_name():
    pass
"""


def test_it_sees_nothing_of_us(inner: Stranger, pytester: pytest.Pytester) -> None:
    """No line, no signal handler, no module but two, no folder, and its own ``full`` marker means what it wants."""
    pytester.makepyfile(
        "BEFORE = set()\n" + PLAIN.replace('    assert not {"redis"', '    assert True or not {"redis"')
    )
    result = inner("-W", "error")
    result.assert_outcomes(passed=2)
    assert "chaos" not in result.stdout.str().replace("middleware-chaos", "")
    assert not (pytester.path / "reports").exists()


def test_importing_the_plugin_costs_little(pytester: pytest.Pytester) -> None:
    """Measured as the least of several, since the machine has other things to do."""
    code = "import pytest, time; t = time.perf_counter(); import chaos.plugin; print(time.perf_counter() - t)"
    costs = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
    assert min(costs) < 0.030


def test_it_can_be_left_out(inner: Stranger, pytester: pytest.Pytester) -> None:
    """``-p no:chaos.plugin``: then nothing of it is there, and a chaos test says what it misses."""
    pytester.makepyfile("def test_mine(lab): pass\ndef test_other(): pass\n")
    result = inner("-p", "no:chaos.plugin")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture 'lab' not found*"])


@pytest.mark.usefixtures("labs")
def test_it_does_without_allure(inner: Stranger, pytester: pytest.Pytester) -> None:
    """The table is on the terminal all the same."""
    pytester.makepyfile(no_allure="import sys\nsys.modules['allure'] = None\n")
    pytester.makepyfile(
        '''
        pytest_plugins = ["fixtures.redis"]
        import pytest
        from chaos.faults import Pause
        from chaos.guarantees import recovers
        from chaos.systems.redis.clients import pinned

        @pytest.mark.lesson("none")
        def test_mine(redis_standalone, launch):
            """A pause ends."""
            with launch(redis_standalone, pinned(redis_standalone, "c1", "redis-incr")) as run:
                with run.inject(Pause("n1")):
                    pass
                run.wait_oks("incr", 5, within_s=10)
            run.expect(holds=[recovers])
        '''
    )
    result = inner("-p", "no:allure_pytest", "-p", "no_allure")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*what survived*", "test_mine", "    holds     recovers*", "seed *"])
    assert max(len(line) for line in result.outlines) <= 100


def test_the_help_shows_every_option(inner: Stranger) -> None:
    """With its twin."""
    text = inner("--help").stdout.str()
    for name in ("provider", "seed", "repeat", "out", "keep", "full"):
        assert f"--chaos-{name}" in text
        assert f"chaos_{name} (" in text


def test_markers_are_explained(inner: Stranger) -> None:
    """So that strict markers pass."""
    inner("--markers").stdout.fnmatch_lines(
        ["@pytest.mark.lesson(name):*", "@pytest.mark.full:*", "@pytest.mark.direct:*"]
    )
