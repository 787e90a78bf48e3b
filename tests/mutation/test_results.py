"""
What mutmut leaves behind is counted and shown as it is.
"""

import json
from pathlib import Path

import pytest

from tests.mutation import results
from tests.mutation.results import Score, score, survivors

MODULE = "chaos/checkers/x.py"
CODE = '''
def x_f__mutmut_orig(a):
    """Text."""
    return "the beginning of a long line | " + a + " and the end of that very long line"


def x_f__mutmut_1(a):
    """Text."""
    return "the beginning of a long line | " - a + " and the end of that very long line"


def x_f__mutmut_2(a):
    """Text."""
    return None


class C:
    def xǁCǁg__mutmut_orig(self):
        return 1

    def xǁCǁg__mutmut_1(self):
        return 2
'''


@pytest.fixture
def left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MUTANTS", tmp_path)
    file = tmp_path / MODULE
    file.parent.mkdir(parents=True)
    file.write_text(CODE, encoding="utf-8")
    name = "chaos.checkers.x.x_f__mutmut_"
    codes = {f"{name}1": 0, f"{name}2": 1, f"{name}3": -24, f"{name}4": None, "chaos.checkers.x.xǁCǁg__mutmut_1": 33}
    Path(f"{file}.meta").write_text(json.dumps({"exit_code_by_key": codes}), encoding="utf-8")


@pytest.mark.usefixtures("left_behind")
def test_changes_are_counted_by_what_became_of_them() -> None:
    """Too slow is noticed, untested is not, untried says nothing."""
    counted = score(MODULE)
    assert counted == Score(MODULE, mutants=5, killed=2, slow=1, untried=1)
    assert counted.share == 50
    assert Score("nothing", 0, 0, 0, 0).share == 100


@pytest.mark.usefixtures("left_behind")
def test_survivors_are_shown_where_they_differ() -> None:
    """In a row of a table, so that a reason can stand behind it."""
    assert [str(survivor) for survivor in survivors(MODULE)] == [
        f"| {MODULE} | f | `… beginning of a long line \\| ' + a + ' and the end of that ver…` → "
        f"`… beginning of a long line \\| ' - a + ' and the end of that ver…` |",
        f"| {MODULE} | C.g | `return 1` → `return 2` |",
    ]
