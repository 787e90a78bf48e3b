"""
A lease that its holder keeps alive, and what may be wrong with who gives it.

Bugs: ``ends_early`` (it lasts a quarter of what is promised), ``forgets_renewals`` (they are confirmed, and change nothing).
"""

from typing import Any

from chaos.providers.memory.recorder import PORT, Recorder, once
from chaos.providers.memory.world import SECOND, Process, Program, Respond

SERVER, LOCK, LEASE = "n1", "the-lock", "1"
TTL_S = 0.2
TTL_NS = int(TTL_S * SECOND)
PERIOD_S = TTL_S / 3
PATIENCE_S = 0.02


def server(process: Process, *, bug: str | None = None) -> Program:
    """Gives one lease."""
    disk = process.disk.setdefault("lease", {"until": 0})
    lasts_ns = TTL_NS // 4 if bug == "ends_early" else TTL_NS

    def handle(request: dict[str, Any], respond: Respond) -> None:
        held = process.now_ns < disk["until"]
        if request["do"] == "acquire" or (request["do"] == "renew" and held and bug != "forgets_renewals"):
            disk["until"] = process.now_ns + lasts_ns
        respond(("ok", 1 if request["do"] == "acquire" else held))

    process.listen(PORT, handle)
    while True:
        yield process.sleep(1)


def keeper(process: Process, *, recorder: Recorder) -> Program:
    """Takes the lease, renews it each third of its time, looks at it in between; ends when it is gone."""
    promised_ns = process.now_ns + TTL_NS
    notes = {"lease": LEASE, "expires_ns": promised_ns}
    yield from recorder.operation(process, "acquire", LOCK, once(process, SERVER, {"do": "acquire"}, PATIENCE_S), notes)
    renewed_ns, held = process.now_ns, True
    while held and not process.stopping:
        yield process.sleep(0.01 * process.random.uniform(0.5, 1.5))
        due = process.now_ns - renewed_ns >= PERIOD_S * SECOND
        f, asked_ns = "renew" if due else "check", process.now_ns
        notes = {"lease": LEASE, "expires_ns": asked_ns + TTL_NS if due else promised_ns}
        seen = yield from recorder.operation(process, f, LOCK, once(process, SERVER, {"do": f}, PATIENCE_S), notes)
        held = seen.error is not None or bool(seen.result)
        if due and seen.error is None and held:
            renewed_ns, promised_ns = asked_ns, asked_ns + TTL_NS
    return 0
