"""
A lock with leases and fencing tokens, and a resource that it guards.

Bugs of the lock: ``grants_twice``, ``no_expiry``, ``early_expiry``, ``tokens_in_memory`` (a restart begins again),
``one_token_for_all``, ``release_without_compare``. Of the resource: ``ignores_tokens``.
"""

from collections.abc import Generator
from typing import Any

from chaos.providers.memory.recorder import PORT, Recorder, once
from chaos.providers.memory.world import SECOND, Process, Program, Respond, Wait

SERVER, RESOURCE, LOCK = "n1", "r1", "the-lock"
LEASE_S = 0.2
LEASE_NS = int(LEASE_S * SECOND)
CHECKS = 3
PACE_S = 0.03
HOLDING = "about to write"


def server(process: Process, *, bug: str | None = None) -> Program:
    """Gives the lock to one client at a time, until it is released or its lease is over."""
    process.listen(PORT, LockServer(process, bug).handle)
    while True:
        yield process.sleep(1)


class LockServer:
    """The lock's state and answers."""

    def __init__(self, process: Process, bug: str | None) -> None:
        self._process, self._bug = process, bug
        self._disk: dict[str, Any] = process.disk.setdefault("lock", {"owner": None, "until": 0, "token": 0})
        if bug == "tokens_in_memory":
            self._disk["token"] = 0

    def handle(self, request: dict[str, Any], respond: Respond) -> None:
        """Any request."""
        respond(getattr(self, f"_{request['do']}", self._canary)(request))

    def _canary(self, request: dict[str, Any]) -> tuple[str, Any]:
        return "ok", "alive"

    def _owner(self) -> str | None:
        if self._disk["owner"] is not None and self._bug != "no_expiry" and self._process.now_ns >= self._disk["until"]:
            self._disk["owner"] = None
        owner: str | None = self._disk["owner"]
        return owner

    def _acquire(self, request: dict[str, Any]) -> tuple[str, Any]:
        if self._owner() is not None and self._bug != "grants_twice":
            return "fail", "taken"
        lease_ns = LEASE_NS // 4 if self._bug == "early_expiry" else LEASE_NS
        self._disk["owner"], self._disk["until"] = request["owner"], self._process.now_ns + lease_ns
        if self._bug != "one_token_for_all":
            self._disk["token"] += 1
        return "ok", self._disk["token"]

    def _check(self, request: dict[str, Any]) -> tuple[str, Any]:
        return "ok", self._owner() == request["owner"]

    def _release(self, request: dict[str, Any]) -> tuple[str, Any]:
        owner = self._owner()
        if owner is None or (owner != request["owner"] and self._bug != "release_without_compare"):
            return "ok", False
        self._disk["owner"] = None
        return "ok", True


def resource(process: Process, *, bug: str | None = None) -> Program:
    """Takes writes in the order of their tokens, and numbers those it takes."""
    disk = process.disk.setdefault("resource", {"highest": 0, "number": 0})

    def handle(request: dict[str, Any], respond: Respond) -> None:
        if request["do"] != "write":
            respond(("ok", "alive"))
        elif request["token"] < disk["highest"] and bug != "ignores_tokens":
            respond(("fail", f"token {request['token']} is older than {disk['highest']}"))
        else:
            disk["highest"], disk["number"] = max(disk["highest"], request["token"]), disk["number"] + 1
            respond(("ok", disk["number"]))

    process.listen(PORT, handle)
    while True:
        yield process.sleep(1)


def client(process: Process, *, recorder: Recorder) -> Program:
    """Gets the lock, looks after it, writes to the resource, gives it back; again and again."""
    term = 0
    while not process.stopping:
        term += 1
        owner, asked_ns, notes = f"{process.party}-{term}", process.now_ns, {"term": term}
        notes["expires_ns"] = asked_ns + LEASE_NS
        steps = once(process, SERVER, {"do": "acquire", "owner": owner}, within_s=0.05)
        got = yield from recorder.operation(process, "acquire", LOCK, steps, notes)
        if got.error is None:
            notes["token"] = got.result
            if (yield from _stay(process, recorder, owner, notes)):
                steps = once(process, SERVER, {"do": "release", "owner": owner}, within_s=0.05)
                yield from recorder.operation(process, "release", LOCK, steps, {"term": term})
        yield process.sleep(PACE_S * process.random.uniform(0.5, 1.0))
    return 0


def _stay(process: Process, recorder: Recorder, owner: str, notes: dict[str, Any]) -> Generator[Wait, Any, bool]:
    """From the acquisition to the write; False when the lock was lost on the way."""
    expires_ns = notes["expires_ns"]
    for _ in range(CHECKS):
        yield process.sleep(PACE_S)
        if process.now_ns >= expires_ns:
            recorder.known_at_once(process, "check", LOCK, False, {})  # The client's own clock says: no time left.
            return False
        steps = once(process, SERVER, {"do": "check", "owner": owner}, within_s=0.02)
        seen = yield from recorder.operation(process, "check", LOCK, steps, {"expires_ns": expires_ns})
        if seen.result is False:
            return False
    yield process.point(HOLDING)
    write = {"do": "write", "token": notes["token"]}
    said = {"holder": process.party, "term": notes["term"], "token": notes["token"], "resource": RESOURCE}
    wrote = yield from recorder.operation(process, "write", f"{owner} was here", once(process, RESOURCE, write), said)
    if wrote.error is None:
        yield process.sleep(PACE_S)
    return True
