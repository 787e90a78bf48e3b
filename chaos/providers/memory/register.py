"""
A versioned register with a copy that asks the original before it answers, and what may be wrong with them.

Bugs: ``answers_by_itself`` (the copy reads its own state, however old), ``swaps_blindly`` (compare-and-set without comparing).
"""

from typing import Any

from chaos.providers.memory.recorder import PORT, Recorder, once, told
from chaos.providers.memory.world import Process, Program, Respond

ORIGINAL, COPY, KEY = "n1", "n2", "r"
PATIENCE_S = 0.02


def node(process: Process, *, bug: str | None = None) -> Program:
    """The original, or its copy."""
    process.listen(PORT, Node(process, bug).handle)
    while True:
        yield process.sleep(1)


class Node:
    """One node's state and answers."""

    def __init__(self, process: Process, bug: str | None) -> None:
        self._process, self._bug = process, bug
        self._disk = process.disk.setdefault("register", {"version": 0, "value": None})

    def handle(self, request: dict[str, Any], respond: Respond) -> None:
        """Any request."""
        act = request["do"]
        if act == "copy":
            self._disk.update(request["state"])
        elif act == "read" and self._process.party == COPY and self._bug != "answers_by_itself":
            self._process.send(
                ORIGINAL, PORT, request, lambda answer: respond(_passed_on(told(answer))), within_s=PATIENCE_S
            )
        elif act == "read":
            respond(("ok", [self._disk["version"], self._disk["value"]]))
        else:
            respond(self._write(request))

    def _write(self, request: dict[str, Any]) -> tuple[str, Any]:
        expects = request.get("expected", self._disk["value"])
        if expects != self._disk["value"] and self._bug != "swaps_blindly":
            return "fail", "it has another value"
        self._disk.update(version=self._disk["version"] + 1, value=request["value"])
        self._process.send(COPY, PORT, {"do": "copy", "state": dict(self._disk)}, lambda _: None, within_s=PATIENCE_S)
        made = [expects, request["value"]] if "expected" in request else request["value"]
        return "ok", [self._disk["version"], made]


def _passed_on(seen: Any) -> tuple[str, Any]:
    return ("ok", seen.result) if seen.error is None else ("fail", "the original does not answer")


def client(process: Process, *, recorder: Recorder, read_at: tuple[str, ...], writes: str) -> Program:
    """Reads at these nodes in turn, and writes or swaps at the original what it never wrote before."""
    number, seen = 0, None  # What it read last.
    while not process.stopping:
        at, notes = read_at[number % len(read_at)], {"address": read_at[number % len(read_at)]}
        read = yield from recorder.operation(
            process, "read", [KEY, None], once(process, at, {"do": "read"}, PATIENCE_S), notes
        )
        if read.error is None:
            notes["revision"], seen = read.result[0], read.result[1]
        yield process.sleep(0.01 * process.random.uniform(0.5, 1.5))
        number += 1
        request: dict[str, Any] = {"do": writes, "value": f"{process.party}:{number}"}
        made: dict[str, Any] = {"address": ORIGINAL}
        value: Any = request["value"]
        if writes == "cas":
            request["expected"], value = seen, [seen, request["value"]]
        steps = once(process, ORIGINAL, request, PATIENCE_S)
        wrote = yield from recorder.operation(process, writes, [KEY, [None, value]], steps, made)
        if wrote.error is None:
            made["revision"] = wrote.result[0]
    return 0
