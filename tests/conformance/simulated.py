"""
What ``peer.py`` is to real parties, for parties in memory: programs in simulated time.
"""

from typing import Any

from chaos.providers.memory.world import Process, Program, Respond


def serve(process: Process, *, port: int) -> Program:
    """Answer everything."""

    def handle(request: dict[str, Any], respond: Respond) -> None:
        process.say("got")
        respond(request)

    process.listen(port, handle)
    while not process.stopping:
        yield process.sleep(0.01)
    return 0


def ends(process: Process, *, code: int, text: str) -> Program:
    """Say the text, end with the code."""
    process.say(text)
    yield process.sleep(0.001)
    return code


def stands(process: Process, *, points: list[str]) -> Program:
    """Pass these points."""
    for point in points:
        yield process.point(point)
        process.say(f"passed {point}")
    return 0
