"""
Experiments are listed from their source, without importing them.
"""

from pathlib import Path

from chaos.cli.lessons import scan

SOURCE = '''
"""
A lease is not a lock.
"""
import a_module_that_does_not_exist
import pytest

pytestmark = [pytest.mark.lesson("lease expiry"), pytest.mark.slow]


def helper(): ...


@pytest.mark.parametrize("mode", ["drop"])
def test_the_holder_stalls(launch):
    """
    A stalled holder
    still believes.

    More words.
    """


@pytest.mark.full
@pytest.mark.lesson("split brain")
async def test_two_masters(launch): ...
'''


def test_lesson_comes_from_the_test_else_from_its_module(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "test_lease.py").write_text(SOURCE)
    (tmp_path / "redis" / "helpers.py").write_text("def test_nothing(): ...")

    stalls, masters = scan(tmp_path)

    assert (stalls.system, stalls.file, stalls.name) == ("redis", "redis/test_lease.py", "test_the_holder_stalls")
    assert (stalls.lesson, stalls.markers) == ("lease expiry", ("slow",))
    assert stalls.says == "A stalled holder still believes."
    assert (masters.lesson, masters.markers, masters.says) == (
        "split brain",
        ("full", "slow"),
        "A lease is not a lock.",
    )
