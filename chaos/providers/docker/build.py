"""
Build the project's own images: ``python -m chaos.providers.docker.build sidecar redis etcd``.
"""

import sys
from collections.abc import Sequence

from chaos.errors import ChaosError
from chaos.providers.docker.connection import connect
from chaos.providers.docker.images import RECIPES, build


def main(names: Sequence[str]) -> int:
    """Build these images, or all; returns the exit code."""
    try:
        for name in names or RECIPES:
            sys.stdout.write(f"{build(connect(), name)}\n")
    except ChaosError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
