"""
What a sidecar and the test process know alike, whatever machines they run on.
"""

import os
from contextlib import suppress
from pathlib import Path

OWN, KEPT, HOLD = "/chaos/own", "/chaos/kept", "/chaos/busybox"


def clock_name() -> str:
    """Names the clock that this process reads: a life of a kernel, and the namespace of its time; empty where it has no name."""
    said = []
    with suppress(OSError):
        said.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):  # A kernel before 5.6 has one time for all.
        said.append(os.readlink("/proc/self/ns/time"))  # noqa: PTH115 - a magic link, not a path.
    return " ".join(said)
