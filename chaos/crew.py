"""
The clients of a run: placed, started, listened to, stopped.
"""

import signal
import sys
from collections.abc import Sequence

from chaos.errors import OutcomeTableError, UsageError, WorkerDiedError
from chaos.history.live import LiveHistory
from chaos.providers.contract import Lab, PartySpec, PointEvent, ProcessRef, Role, Spawn
from chaos.wait import FAST_S, wait_until
from chaos.workloads.plan import ClientPlan

WORKER = "worker"
EVENTS = "events.jsonl"
CONTROL = "chaos-agent"
ENDED_S = 10.0
UP_S = 10.0


class Crew:
    """Knows each client's process and how far its event file has been read."""

    def __init__(self, lab: Lab, live: LiveHistory, *, seed: int) -> None:
        self._lab, self._live, self._seed = lab, live, seed
        self._read: dict[str, int] = {}
        self._seen_exits = len(lab.exits())
        self._gone: set[str] = set()
        self.stopping = False

    @property
    def names(self) -> tuple[str, ...]:
        """The clients that have been started."""
        return tuple(self._read)

    def ref(self, client: str) -> ProcessRef:
        """A client's worker process."""
        if client not in self._read:
            raise UsageError(f"there is no client named {client!r}; there are: {', '.join(self._read) or 'none'}")
        return ProcessRef(party=client, name=WORKER)

    def start(self, plans: Sequence[ClientPlan]) -> None:
        """Place clients that have no party yet, start their workers, and wait until each has written its first line."""
        fresh = [plan for plan in plans if plan.name not in self._lab.parties]
        if fresh:
            self._lab.place(
                [PartySpec(name=plan.name, role=Role.CLIENT, interpreter=plan.interpreter) for plan in fresh]
            )
        for plan in plans:
            self._spawn(plan)
        names = {plan.name for plan in plans}

        def all_wrote() -> bool:
            self.pump()
            return not names & self._silent()

        wait_until(
            all_wrote,
            within_s=UP_S,
            wanted=f"{', '.join(sorted(names))} to start working",
            seen=lambda: f"silent: {', '.join(sorted(names & self._silent()))}",
            every_s=FAST_S,
            error=WorkerDiedError,
        )

    def _spawn(self, plan: ClientPlan) -> None:
        def reach(party: str, port: int) -> tuple[str, int]:
            return self._lab.reach(plan.name, party, port)

        spec = {
            "callable": plan.workload,
            "arguments": dict(plan.resolved(reach)),
            "client": plan.name,
            "events": f"{self._lab.kept(plan.name)}/{EVENTS}",
            "control": CONTROL,
            "ref": WORKER,
            "hold": list(plan.hold),
            "seed": self._seed,
            "sys_path": [entry for entry in sys.path if entry],
        }
        self._read.setdefault(plan.name, 0)
        self._lab.spawn(plan.name, Spawn(name=WORKER, python="chaos.workloads.worker:main", arguments=spec))

    def _silent(self) -> set[str]:
        return {client for client, read in self._read.items() if not read}

    def pump(self) -> None:
        """Take in what the clients wrote meanwhile; a client that broke or died breaks the run."""
        for client, offset in self._read.items():
            if client in self._gone:
                continue
            chunk = self._lab.get(client, f"{self._lab.kept(client)}/{EVENTS}", offset)
            if chunk:
                self._live.feed(client, chunk)
                self._read[client] = offset + len(chunk)
        for client, problem in self._live.broken:
            raise OutcomeTableError(f"{client}: {problem}")
        self._note_exits()

    def _note_exits(self) -> None:
        exits = self._lab.exits()
        for event in exits[self._seen_exits :]:
            killed_by_a_fault = event.code in (-signal.SIGKILL, -signal.SIGTERM)
            if event.ref.name != WORKER or event.ref.party not in self._read or killed_by_a_fault:
                continue
            if event.code != 0:
                raise WorkerDiedError(
                    f"{event.ref.party}: its worker ended with code {event.code}: {self._last_words(event.ref)}"
                )
        self._seen_exits = len(exits)

    def _last_words(self, ref: ProcessRef) -> str:
        lines = self._lab.log(ref).decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "its log is empty"

    def points(self, client: str, point: str) -> Sequence[PointEvent]:
        """The client's arrivals at a point at which it is held."""
        ref = self.ref(client)
        return [event for event in self._lab.points() if event.ref == ref and event.point == point]

    def release(self, client: str, point: str) -> None:
        """Let a client go on from a point."""
        self._lab.release(self.ref(client), point)

    def stop(self, clients: Sequence[str] | None = None) -> None:
        """Ask workers to end after their current operation, wait, and kill those that hang in one: it stays ``info``."""
        running = [
            self.ref(client) for client in (clients or self._read) if self._lab.state(self.ref(client)) != "ended"
        ]
        for ref in running:
            self._lab.ask_to_stop(ref)
        try:
            wait_until(
                lambda: all(self._lab.state(ref) == "ended" for ref in running) if running else True,
                within_s=ENDED_S,
                wanted="all workers to end",
                every_s=FAST_S,
                error=WorkerDiedError,
            )
        except WorkerDiedError:
            self.kill(running)
        self.pump()

    def kill(self, refs: Sequence[ProcessRef] | None = None) -> None:
        """End workers at once."""
        for ref in refs if refs is not None else [self.ref(client) for client in self._read]:
            if self._lab.state(ref) != "ended":
                self._lab.signal(ref, signal.SIGKILL)
