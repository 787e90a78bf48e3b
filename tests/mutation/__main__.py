"""
Mutation testing of checkers and guarantees: ``python -m tests.mutation [MODULE ...] [--changed] [--within SECONDS]``.

A module is a part of a path: ``guarantees/recovers``, ``checkers/columnar``. What is changed, and why: docs/mutation.md.
"""

import argparse
import sys
from collections.abc import Sequence

from tests.mutation.mutmut import ROOT, Ended, last_words, mutate
from tests.mutation.results import Score, Survivor, score, survivors
from tests.mutation.since import changed

LISTED = ROOT / "docs" / "mutation.md"
FOLDERS = ("chaos/checkers", "chaos/guarantees")
LEAST = 95.0
"""Of a hundred changes, how many the tests must notice."""


def main() -> int:
    """0: enough was noticed or is explained; 1: not so; 2: mutmut failed."""
    options = _options()
    modules = _chosen(options)
    if not modules:
        print("no module to change")
        return 0
    print(*modules, flush=True)
    ended = mutate(modules, options.within)
    scores = [score(module) for module in modules]
    if ended is not Ended.CUT_SHORT and not any(each.mutants for each in scores):
        print("nothing in them can be changed")  # A registry alone, say: mutmut gives up then.
        return 0
    if ended is Ended.FAILED:
        print(last_words(), file=sys.stderr)
        return 2
    return _told(scores, ended is Ended.WHOLE)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--changed", action="store_true", help="only modules that changed since the base")
    parser.add_argument("--base", default="", help="a commit; by default where origin/main was left, or the parent")
    parser.add_argument("--within", type=float, help="seconds; what was not tried by then is left out, and said so")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[str]:
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    found = sorted(str(path.relative_to(ROOT)) for path in paths)
    if options.modules:
        found = [module for module in found if any(part in module for part in options.modules)]
    if options.changed:
        since = changed(options.base, FOLDERS)
        found = [module for module in found if module in since]
    return found


def _told(scores: Sequence[Score], whole: bool) -> int:
    print("\n| module | changes | noticed | of these by time | not tried | score |")
    print("| --- | --- | --- | --- | --- | --- |")
    for one in [*(each for each in scores if each.mutants), *_totals(scores)]:
        print(f"| {one.module} | {one.mutants} | {one.killed} | {one.slow} | {one.untried} | {one.share:.1f} % |")
    unlisted = _unlisted([survivor for each in scores for survivor in survivors(each.module)])
    if unlisted:
        print("\nNot noticed, and without a reason in docs/mutation.md:\n")
        print(*unlisted, sep="\n")
    low = [each.module for each in _totals(scores) if _unexplained(each, unlisted) > 100 - LEAST]
    if low:
        print(f"\nless than {LEAST:g} % noticed or explained: {', '.join(low)}")
    if not whole:
        print("\nThe time allowed was over: of what was not tried nothing is known.")
    return 1 if low else 0


def _unexplained(total: Score, unlisted: Sequence[Survivor]) -> float:
    """Of a hundred changes tried, how many were neither noticed nor explained."""
    own = [survivor for survivor in unlisted if survivor.module.startswith(total.module.removeprefix("all of "))]
    return 100 * len(own) / max(1, total.mutants - total.untried)


def _totals(scores: Sequence[Score]) -> list[Score]:
    found = []
    for folder in FOLDERS:
        own = [each for each in scores if each.module.startswith(folder) and each.mutants]
        if own:
            parts = zip(*((each.mutants, each.killed, each.slow, each.untried) for each in own), strict=True)
            found.append(Score(f"all of {folder}", *map(sum, parts)))
    return found


def _unlisted(alive: Sequence[Survivor]) -> list[Survivor]:
    listed = LISTED.read_text(encoding="utf-8") if LISTED.exists() else ""
    return [survivor for survivor in alive if str(survivor) not in listed]


if __name__ == "__main__":
    sys.exit(main())
