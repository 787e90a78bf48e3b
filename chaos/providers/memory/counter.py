"""
A counter whose clients ask again when no answer comes.

Bugs: ``no_dedup`` (a request that is asked again counts again).
"""

from typing import Any

from chaos.providers.memory.recorder import PORT, Recorder, Steps, once
from chaos.providers.memory.world import Answer, Process, Program, Respond

SERVER = "n1"
TRIES = 6


def server(process: Process, *, bug: str | None = None) -> Program:
    """Counts requests by their id, once each."""
    disk: dict[str, Any] = process.disk.setdefault("counter", {"count": 0, "seen": set()})

    def handle(request: dict[str, Any], respond: Respond) -> None:
        if request["do"] == "incr" and (bug == "no_dedup" or request["id"] not in disk["seen"]):
            disk["seen"].add(request["id"])
            disk["count"] += 1
        respond(("ok", disk["count"]))

    process.listen(PORT, handle)
    while True:
        yield process.sleep(1)


def client(process: Process, *, recorder: Recorder) -> Program:
    """Adds one, again and again; an operation is one request however often it was sent."""
    number = 0
    while not process.stopping:
        number += 1
        request = {"do": "incr", "id": f"{process.party}-{number}"}
        yield from recorder.operation(process, "incr", None, _stubborn(process, request))
        yield process.sleep(0.01 * process.random.uniform(0.5, 1.5))
    return 0


def _stubborn(process: Process, request: dict[str, Any]) -> Steps:
    answer = Answer(outcome="silent")
    for _ in range(TRIES):
        answer = yield from once(process, SERVER, request, within_s=0.03)
        if answer.outcome == "answered":
            break
    # A refusal after a silence proves nothing: the silent one may have counted.
    return answer if answer.outcome == "answered" else Answer(outcome="silent")


def reader(process: Process, *, recorder: Recorder) -> Program:
    """Reads the count."""
    yield from recorder.operation(process, "final-read", None, once(process, SERVER, {"do": "read"}))
    return 0
