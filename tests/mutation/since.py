"""
Which files changed, against a commit that is found without being told where that can be done.
"""

import subprocess
from collections.abc import Sequence

from tests.mutation.mutmut import ROOT


def changed(base: str, folders: Sequence[str]) -> set[str]:
    """Since the base, with what is not committed; nothing, and a word about it, where no base is known."""
    base = base or _base()
    if not base:
        print("no commit to compare with (a shallow clone?); name one with --base")
        return set()
    print(f"what changed since {base[:12]}:")
    return set(_git("diff", "--name-only", "--diff-filter=d", base, "--", *folders).splitlines())


def _base() -> str:
    """Where this branch left origin/main; on main itself the parent, which of a merge is what main was before it."""
    shared, head = _git("merge-base", "HEAD", "origin/main"), _git("rev-parse", "HEAD")
    return shared if shared and shared != head else _git("rev-parse", "--verify", "--quiet", "HEAD~1")


def _git(*arguments: str) -> str:
    """What git answers; nothing if it fails. CI runs as root in a checkout that is another user's."""
    command = ["git", "-c", f"safe.directory={ROOT}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
