"""
What mutmut left behind in ``.mutation``: scores, and each survivor as the lines it changed.
"""

import ast
import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

MUTANTS = Path(__file__).parents[2] / ".mutation" / "mutants"
SURVIVED, UNTESTED, KILLED = 0, 33, 1
AROUND = 30
"""Characters shown on both sides of a change."""


@dataclass(frozen=True, slots=True)
class Score:
    """How many mutants of a module were made, killed, and not even tried."""

    module: str
    mutants: int
    killed: int
    slow: int
    untried: int

    @property
    def share(self) -> float:
        """Killed mutants in a hundred tried ones; those that ran out of time count as killed."""
        tried = self.mutants - self.untried
        return 100 * self.killed / tried if tried else 100.0


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test noticed."""

    module: str
    function: str
    change: str

    def __str__(self) -> str:
        return f"| {self.module} | {self.function} | {self.change} |"


def score(module: str) -> Score:
    """Count a module's mutants by what became of them."""
    codes = list(_codes(module).values())
    untried, alive = codes.count(None), codes.count(SURVIVED) + codes.count(UNTESTED)
    killed = len(codes) - untried - alive
    return Score(module, len(codes), killed, killed - codes.count(KILLED), untried)


def survivors(module: str) -> Iterator[Survivor]:
    """Each with the lines that differ."""
    for name, code in _codes(module).items():
        if code in (SURVIVED, UNTESTED):
            mangled, _, number = name.rpartition(".")[2].rpartition("__mutmut_")
            bodies = _functions(module)
            before, after = bodies[f"{mangled}__mutmut_orig"], bodies[f"{mangled}__mutmut_{number}"]
            yield Survivor(module, mangled.replace("ǁ", ".").lstrip("x").lstrip("_."), _change(before, after))


def _codes(module: str) -> dict[str, int | None]:
    path = MUTANTS / f"{module}.meta"
    if not path.exists():
        return {}
    codes: dict[str, int | None] = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return codes


@cache
def _functions(module: str) -> dict[str, list[str]]:
    tree = ast.parse((MUTANTS / module).read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name]
    return {node.name: ast.unparse(node).splitlines()[1:] for node in found}


def _change(before: list[str], after: list[str]) -> str:
    """Where the two differ, with a little around it; a change in the signature shows as no change."""
    lines = [line for line in difflib.ndiff(before, after) if line[0] in "-+"]
    one, other = (" ".join(line[2:].strip() for line in lines if line[0] == sign) for sign in "-+")
    same = _shared(one, other)
    tail = min(_shared(one[::-1], other[::-1]), min(len(one), len(other)) - same)
    return " → ".join(f"`{_cut(text, same, tail)}`" for text in (one, other)).replace("|", "\\|")


def _cut(text: str, same: int, tail: int) -> str:
    begin, end = max(0, same - AROUND), min(len(text), len(text) - tail + AROUND)
    return "…" * (begin > 0) + text[begin:end] + "…" * (end < len(text))


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
