"""
Callables that workers run in conformance tests.
"""

from typing import Any

from chaos.workloads.worker import Worker


def answers(arguments: dict[str, Any]) -> int:
    """Say the text, end with the code."""
    print(arguments["text"])
    return int(arguments["code"])


def stands(worker: Worker, *, points: list[str]) -> None:
    """Pass these points, then go on until asked to stop."""
    for point in points:
        worker.point(point)
        worker.observe("passed", point)
    while worker.keep_going(0.01):
        pass
