"""
The clients of a run: placed, started, listened to, stopped; and the ends of processes that nobody planned.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from chaos.errors import ChaosError, HarnessError, OutcomeTableError, UsageError, WorkerDiedError, said
from chaos.history import Observation
from chaos.history.live import LiveHistory
from chaos.providers.contract import ExitEvent, Lab, PartySpec, ProcessRef, Role, Spawn
from chaos.providers.signals import Signal, signal_name
from chaos.wait import FAST_S, wait_until
from chaos.workloads import WORKLOADS
from chaos.workloads.plan import ClientPlan

__tracebackhide__ = said

WORKER = "worker"
EVENTS = "events.jsonl"
CONTROL = "chaos-agent"
MESH = "toxiproxy"
"""As which a lab tells the end of a party's mesh."""
ENDED_S = 10.0
ASK_AGAIN_S = 0.5
UP_S = 10.0
EXIT = "exit"
"""The kind of observation that the end of a process becomes."""


class Crew:
    """
    Knows each client's process and how far its event file has been read.

    :param taken_down: the parties whose processes a fault of this run has ended.
    :param hint: a clause that may explain why a worker could not go on.
    """

    def __init__(
        self,
        lab: Lab,
        live: LiveHistory,
        *,
        seed: int,
        taken_down: Collection[str] = (),
        hint: Callable[[], str] = str,
    ) -> None:
        self._lab, self._live, self._seed = lab, live, seed
        self._taken_down, self._hint = taken_down, hint
        self._read: dict[str, int] = {}
        self._known_exits = set(lab.exits())
        self._killed: set[ProcessRef] = set()
        self._let_go: dict[str, Counter[str]] = {}
        """Per client and point: arrivals of earlier lives, and the releases of this one."""
        self._died: list[ExitEvent] = []
        self.unplanned: list[str] = []
        """Ends of servers and of the mesh that no fault of this run explains: such a run is void."""

    @property
    def names(self) -> tuple[str, ...]:
        """The clients that have been started."""
        return tuple(self._read)

    def ref(self, client: str) -> ProcessRef:
        """A client's worker process."""
        if client not in self._read:
            raise UsageError(f"there is no client named {client!r}; there are: {', '.join(self._read) or 'none'}")
        return ProcessRef(party=client, name=WORKER)

    # -- starting ----------------------------------------------------------------------------------------------------

    def start(self, plans: Sequence[ClientPlan]) -> None:
        """Place clients that have no party yet, start their workers, and wait until each has written its first line."""
        self._place(plans)
        self._note_exits()  # Of earlier lives, while it is still known who ended them.
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
            seen=lambda: f"silent: {', '.join(sorted(names & self._silent()))}{self._hint()}",
            every_s=FAST_S,
            error=WorkerDiedError,
        )

    def _place(self, plans: Sequence[ClientPlan]) -> None:
        for plan in plans:
            if ":" not in plan.workload:
                there = ", ".join(WORKLOADS)
                raise UsageError(f"no workload {plan.workload!r}; there are {there}, and any module:function of yours")
        parties = self._lab.parties
        for plan in plans:
            role = parties[plan.name].role if plan.name in parties else Role.CLIENT
            if role is not Role.CLIENT:
                raise UsageError(f"{plan.name} is the name of a party of role {role}; a client needs one of its own")
        fresh = [plan for plan in plans if plan.name not in parties]
        if fresh:
            self._lab.place(
                [PartySpec(name=plan.name, role=Role.CLIENT, interpreter=plan.interpreter) for plan in fresh]
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
        self._killed.discard(self.ref(plan.name))
        self._let_go[plan.name] = self._arrivals(plan.name)
        self._lab.spawn(plan.name, Spawn(name=WORKER, python="chaos.workloads.worker:main", arguments=spec))

    def _silent(self) -> set[str]:
        return {client for client, read in self._read.items() if not read}

    # -- listening ---------------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Take in what the clients wrote meanwhile; a client that broke or died breaks the run."""
        self._note_exits()  # First: what a worker wrote before its end is then sure to be read below.
        for client in self._read:
            self._take(client)
        for client, problem in self._live.broken:
            raise _broken(client, problem)
        for event in self._died:
            raise WorkerDiedError(f"{event.ref.party}: its worker {_end(event)}: {self._last_words(event.ref)}")

    def _take(self, client: str) -> None:
        offset = self._read[client]
        chunk = self._lab.get(client, f"{self._lab.kept(client)}/{EVENTS}", offset)
        if chunk:
            self._live.feed(client, chunk, self._lab.clock(client))
            self._read[client] = offset + len(chunk)

    def _note_exits(self) -> None:
        for event in self._lab.exits():
            if event in self._known_exits:
                continue
            self._known_exits.add(event)
            value = {"process": event.ref.name, "code": event.code}
            self._live.add_observation(Observation(at_ns=event.at_ns, party=event.ref.party, kind=EXIT, value=value))
            self._weigh(event)

    def _weigh(self, event: ExitEvent) -> None:
        party, planned = event.ref.party, event.ref.party in self._taken_down or event.ref in self._killed
        if event.ref.name == MESH:
            self.unplanned.append(f"{party}: its Toxiproxy {_end(event)}, so its links were not what the run says")
        elif event.ref == ProcessRef(party=party, name=WORKER) and party in self._read:
            killed = event.code in (-Signal.SIGKILL, -Signal.SIGTERM)
            if event.code != 0 and not (planned and killed):
                self._died.append(event)
        elif event.code == -Signal.SIGKILL and not planned and self._lab.parties[party].role is not Role.APP:
            self.unplanned.append(f"{party}: {event.ref.name} {_end(event)}, and no fault of this run did that")

    def _last_words(self, ref: ProcessRef) -> str:
        if not (lines := self._lab.log(ref).decode(errors="replace").strip().splitlines()):
            return f"its log is empty{self._hint()}"
        return lines[-1] + self._hint()

    # -- points and ends ---------------------------------------------------------------------------------------------

    def stands_at(self, client: str) -> str | None:
        """The point at which a client is held now: it arrived, was not released since, and lives."""
        ref = self.ref(client)
        held = self._arrivals(client) - self._let_go[client]
        return next(iter(held), None) if self._lab.state(ref) != "ended" else None

    def standing(self) -> dict[str, str]:
        """Every client that is held at a point, with the point."""
        return {client: point for client in self._read if (point := self.stands_at(client)) is not None}

    def release(self, client: str, point: str) -> None:
        """Let a client go on from a point."""
        self._lab.release(self.ref(client), point)
        self._let_go[client][point] += 1

    def _arrivals(self, client: str) -> Counter[str]:
        ref = self.ref(client)
        return Counter(event.point for event in self._lab.points() if event.ref == ref)

    def stop(self, clients: Sequence[str] | None = None) -> None:
        """Ask workers to end after their current operation, wait, and kill those that hang in one: it stays ``info``."""
        refs = [self.ref(client) for client in (clients or self._read)]
        asked_s = 0.0

        def ended() -> bool:
            nonlocal asked_s
            running = self._running(refs)
            if running and time.monotonic() > asked_s + ASK_AGAIN_S:  # Who had not yet said hello did not hear it.
                asked_s = time.monotonic()
                for ref in running:
                    self._lab.ask_to_stop(ref)
            return not running

        try:
            wait_until(ended, within_s=ENDED_S, wanted="all workers to end", every_s=FAST_S, error=WorkerDiedError)
        except WorkerDiedError:
            self.kill(refs)
        self.pump()

    def kill(self, refs: Sequence[ProcessRef] | None = None) -> None:
        """End workers at once."""
        for ref in self._running(refs if refs is not None else [self.ref(client) for client in self._read]):
            self._killed.add(ref)
            self._lab.signal(ref, Signal.SIGKILL)

    def _running(self, refs: Sequence[ProcessRef]) -> list[ProcessRef]:
        return [ref for ref in refs if self._lab.state(ref) != "ended"]


def _end(event: ExitEvent) -> str:
    if event.code >= 0:
        return f"ended with code {event.code}"
    return f"was ended by {signal_name(-event.code)}"


def _broken(client: str, problem: str) -> ChaosError:
    """The error that a client reported, its last line first: that is the sentence, the rest is its traceback."""
    kind, _, text = problem.partition(": ")
    if kind == OutcomeTableError.__name__:
        return OutcomeTableError(f"{client}: {text}")
    *trace, last = problem.strip().splitlines()
    return HarnessError("\n".join([f"{client}: its workload broke: {last}", *trace]))
