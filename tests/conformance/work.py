"""
Callables that workers run in conformance tests.
"""

import socket
from typing import Any

from chaos.workloads.worker import Worker


def answers(arguments: dict[str, Any]) -> int:
    """Say the text, end with the code."""
    print(arguments["text"])
    return int(arguments["code"])


def speaks_into_the_void(arguments: dict[str, Any]) -> int:
    """Write to a peer that is gone; 0 when that is an error like any other."""
    ours, theirs = socket.socketpair()
    theirs.close()
    try:
        ours.sendall(b"hello")
    except BrokenPipeError:
        return 0
    return 1


def stands(worker: Worker, *, points: list[str]) -> None:
    """Pass these points, then go on until asked to stop."""
    for point in points:
        worker.point(point)
        worker.observe("passed", point)
    while worker.keep_going(0.01):
        pass
