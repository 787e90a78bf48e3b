"""
Options and their twins in the ini file, wrong values, seeds, repeats, and what is left out.
"""

import pytest

from tests.plugin.conftest import INI, Stranger

SEES_ITS_SEED = """
import random

def test_a(chaos_seed):
    print("seed of a:", chaos_seed, random.Random(chaos_seed).random())

def test_b(chaos_seed):
    print("seed of b:", chaos_seed)
"""

NEEDS_A_LAB = """
import pytest

@pytest.mark.lesson("none")
def test_lesson(lab):
    "Nothing is promised."

@pytest.mark.full
def test_long(lab):
    pass
"""

WRONG = [
    ("--chaos-seed=three", "--chaos-seed needs a whole number of at least 0, not 'three'"),
    ("--chaos-seed=-1", "--chaos-seed needs a whole number of at least 0, not '-1'"),
    ("--chaos-repeat=0", "--chaos-repeat needs a whole number of at least 1, not '0'"),
    ("--chaos-repeat=2.5", "--chaos-repeat needs a whole number of at least 1, not '2.5'"),
    ("--chaos-image=redis", "--chaos-image needs NAME=IMAGE, such as redis=redis:7.2.5, not 'redis'"),
    ("--chaos-image=rediss=redis:7", "--chaos-image: there is no image to choose for 'rediss'; there is for redis, *"),
    ("--chaos-image=redis=redis:latest", "--chaos-image: the image for redis needs a tag or a digest, and latest is *"),
    ("--chaos-provider=moon", "--chaos-provider is one of auto, local, *, not 'moon'"),
]


@pytest.mark.parametrize(("argument", "message"), WRONG)
def test_a_wrong_value_ends_the_run_with_one_line(inner: Stranger, argument: str, message: str) -> None:
    """Before anything starts, and with pytest's exit code for usage."""
    result = inner(argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert "Traceback" not in result.stderr.str()


def test_images_are_chosen_in_the_ini_file_over_it_on_the_command_line_and_by_a_fixture(
    inner: Stranger, pytester: pytest.Pytester
) -> None:
    """The fixture is what a lab is opened with, so whoever overrides it has the last word."""
    pytester.makeini(INI + "chaos_image =\n    redis=redis:6.2.1\n    etcd=mine/etcd:v3\n")
    pytester.makepyfile(
        "def test_a(chaos_images):\n    assert chaos_images == {'redis': 'redis:7.2.5', 'etcd': 'mine/etcd:v3'}\n"
    )
    inner("--chaos-image=redis=redis:7.2.5").assert_outcomes(passed=1)
    pytester.makeconftest(
        "import pytest\n"
        "@pytest.fixture(scope='session')\n"
        "def chaos_images(chaos_images):\n"
        "    return {**chaos_images, 'kafka': 'mine/kafka:4.0.0'}\n"
    )
    pytester.makepyfile("def test_a(chaos_images):\n    assert set(chaos_images) == {'redis', 'etcd', 'kafka'}\n")
    inner().assert_outcomes(passed=1)


def test_an_image_for_a_provider_that_runs_none_is_refused(inner: Stranger, pytester: pytest.Pytester) -> None:
    """Or somebody would believe that their image was tested."""
    pytester.makepyfile("def test_a(chaos_provider):\n    pass\n")
    result = inner("--chaos-provider=memory", "--chaos-image=redis=redis:7.2.5")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --chaos-image: the memory provider runs no images; --chaos-provider docker does"]
    )


def test_a_wrong_value_in_the_ini_file_is_told_alike(inner: Stranger, pytester: pytest.Pytester) -> None:
    """The twin is checked as the option is."""
    pytester.makeini(INI + "chaos_repeat = often\n")
    result = inner()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --chaos-repeat needs a whole number of at least 1, not 'often'"])


def test_the_ini_file_gives_what_the_command_line_does_not(inner: Stranger, pytester: pytest.Pytester) -> None:
    """And the command line wins."""
    pytester.makeini(INI + "chaos_seed = 11\n")
    pytester.makepyfile(SEES_ITS_SEED)
    inner("-rP").stdout.fnmatch_lines(["seed of a: 11 *"])
    inner("-rP", "--chaos-seed=12").stdout.fnmatch_lines(["seed of a: 12 *"])


def test_a_seed_gives_the_same_chances_in_any_order(inner: Stranger, pytester: pytest.Pytester) -> None:
    """A test alone draws what it drew among others."""
    pytester.makepyfile(SEES_ITS_SEED)
    drawn = [
        [line for line in inner("-rP", "--chaos-seed=7", *chosen).outlines if line.startswith("seed of a")]
        for chosen in ((), ("-k", "test_a"))
    ]
    assert drawn[0] == drawn[1] != []


def test_without_a_seed_one_is_drawn_and_printed(inner: Stranger, pytester: pytest.Pytester) -> None:
    """Each time another."""
    pytester.makepyfile(NEEDS_A_LAB)
    found = {line for _ in range(2) for line in inner("--collect-only").outlines if line.startswith("chaos: seed ")}
    assert len(found) == 2


def test_rounds_have_seeds_of_their_own(inner: Stranger, pytester: pytest.Pytester) -> None:
    """Each can be asked for again by itself; a test without a run is not repeated."""
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef launch(): pass\n")
    pytester.makepyfile("def test_mine(launch, chaos_seed): print('seed:', chaos_seed)\ndef test_other(): pass\n")
    result = inner("-rP", "--chaos-repeat=3", "--chaos-seed=40")
    result.assert_outcomes(passed=4)
    assert [line for line in result.outlines if line.startswith("seed:")] == ["seed: 40", "seed: 41", "seed: 42"]
    result.stdout.fnmatch_lines(["*test_mine?round2?*"])


def test_what_a_short_run_leaves_out_is_named_and_counted(inner: Stranger, pytester: pytest.Pytester) -> None:
    """A green run with everything skipped is the usual lie of CI."""
    pytester.makepyfile(NEEDS_A_LAB)
    result = inner("-rs", "-k", "long")
    result.assert_outcomes(skipped=1, deselected=1)
    result.stdout.fnmatch_lines(
        ["left out: 1, part of the full run: --chaos-full", "SKIPPED *part of the full run: --chaos-full"]
    )


@pytest.mark.usefixtures("labs")
def test_a_full_run_leaves_out_nothing(inner: Stranger, pytester: pytest.Pytester) -> None:
    """By option or by its twin."""
    pytester.makepyfile(NEEDS_A_LAB)
    inner("--chaos-full").assert_outcomes(passed=2)


def test_a_missing_ability_skips_by_name_and_is_counted(inner: Stranger, pytester: pytest.Pytester) -> None:
    """Wherever it is found out: in a fixture or in the test."""
    pytester.makepyfile(
        """
        import pytest
        from chaos.errors import MissingAbilityError

        @pytest.fixture
        def early():
            raise MissingAbilityError("PacketRules", "this kernel has no nftables")

        def test_early(early):
            pass

        def test_late():
            raise MissingAbilityError("PacketRules", "this kernel has no nftables")
        """
    )
    result = inner("-rs")
    result.assert_outcomes(skipped=2)
    reason = "PacketRules is not available here: this kernel has no nftables"
    result.stdout.fnmatch_lines(
        [f"left out: 2, {reason}", f"SKIPPED ?1? test_*{reason}", f"SKIPPED ?1? test_*{reason}"]
    )


def test_experiments_refuse_to_be_timed_side_by_side(inner: Stranger, pytester: pytest.Pytester) -> None:
    """With a sentence; tests without a run may go on, all under the seed that the controller drew."""
    pytester.makepyfile(
        from_xdist="""
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_configure(config):
            config.workerinput = {"workerid": "gw0", "workercount": 2, "chaos_seed": 77}
        """
    )
    pytester.makepyfile("def test_mine(launch): pass\ndef test_other(chaos_seed): assert chaos_seed == 77\n")
    result = inner("-p", "from_xdist", "-p", "no:allure_pytest")
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(
        ["*HarnessError: experiments measure time, so they do not run side by side*leave out -n*"]
    )
