"""
Harm to the disk, as a process meets it: a call that does not come back, or that comes back with an error.

strace catches the process' own system calls and delays or fails them; timers, network and all other threads go on, which is
what tells a stalled disk from a pause. Every thread that asks meanwhile is caught: a program in Go moves its syncs about.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from chaos.cluster.parties import Target
from chaos.errors import MissingAbilityError, MissingSoftwareError, UsageError, VoidRunError
from chaos.faults.fault import Evidence, Scene
from chaos.providers.contract import Lab, ProcessRef, Spawn
from chaos.providers.signals import Signal
from chaos.wait import FAST_S, monotonic_ns, wait_until

ABILITY = "TraceSyscalls"
ATTACHED_S = 10.0
BITES_S = 30.0
ENDED_S = 10.0
LONGEST_S = 600.0
"""A stall ends when it is healed; this is only how long the tracer is told to wait."""
LETS_GO_S = 2.0

_CALL = re.compile(r"^(?:\[pid +\d+\] )?(?P<at>\d+\.\d+) (?P<call>\w+)\(", re.M)
_LINE = re.compile(r"(?:\[pid +(?P<thread>\d+)\] )?\d+\.\d+ (?:\w+\(|<\.\.\. \w+ (?P<again>resumed)>)(?P<rest>.*)")
_RESULT = re.compile(r"\)\s+= (?!\?)")
_REFUSED = re.compile(r"strace: .*(?:Operation not permitted|Permission denied|Function not implemented).*")


@dataclass(slots=True, kw_only=True)
class Tracer:
    """strace on one process: what it was told to inject, and what it wrote down of it."""

    scene: Scene
    of: ProcessRef
    inject: str

    @property
    def ref(self) -> ProcessRef:
        """The tracer itself."""
        return ProcessRef(party=self.of.party, name=f"strace-{self.of.name}")

    def attach(self) -> None:
        """Attach to all threads; a machine that does not allow that cannot run this experiment."""
        argv = (
            _strace(self.scene.lab),
            "-f",
            "-ttt",
            "-T",
            "-e",
            f"trace={self.call}",
            "-e",
            f"inject={self.inject}",
            "-p",
            "{pid}",
        )
        self._seen_before = len(self._log())
        self.scene.lab.spawn(self.of.party, Spawn(name=self.ref.name, argv=argv, attach=self.of.name))
        wait_until(
            self._is_attached,
            within_s=ATTACHED_S,
            wanted=f"strace to attach to {self.of.name} of {self.of.party}",
            seen=self.text,
            every_s=FAST_S,
            error=VoidRunError,
        )

    @property
    def call(self) -> str:
        """The system call."""
        return self.inject.partition(":")[0]

    def _is_attached(self) -> bool:
        ended = self.scene.lab.state(self.ref) == "ended"  # Before it is read: what it wrote until then is there.
        text = self.text()
        if refused := _REFUSED.search(text):
            raise MissingAbilityError(ABILITY, refused.group())
        if " attached" not in text and ended:
            raise VoidRunError(f"strace ended: {text.strip()}")
        return " attached" in text

    def hits(self) -> int:
        """How many calls were caught so far."""
        return len(_CALL.findall(self.text()))

    def came_back(self) -> int:
        """How many of the calls that were caught have returned."""
        begun: set[str | None] = set()
        back = 0
        for line in filter(None, map(_LINE.match, self.text().splitlines())):
            if line["again"] and line["thread"] not in begun:
                continue  # It was under way when the tracer came.
            begun.add(line["thread"])
            back += _RESULT.search(line["rest"]) is not None
        return back

    def wait_hit(self) -> None:
        """Wait until a call is caught: before that nothing is harmed."""
        wait_until(
            self.hits,
            within_s=BITES_S,
            wanted=f"{self.of.party} to call {self.call}",
            seen=lambda: "no such call; a system without load syncs nothing",
            every_s=FAST_S,
            error=VoidRunError,
        )

    def detach(self) -> None:
        """End the tracer; what it holds goes on at once."""
        lab = self.scene.lab
        if lab.state(self.ref) == "ended":
            return
        lab.signal(self.ref, Signal.SIGTERM)
        try:
            self._wait_end(LETS_GO_S)
        except VoidRunError:  # It hangs when a thread that it held was ended.
            self.scene.taken_down.add(self.of.party)
            lab.signal(self.ref, Signal.SIGKILL)
            self._wait_end(ENDED_S)

    def _wait_end(self, within_s: float) -> None:
        wait_until(
            lambda: self.scene.lab.state(self.ref) == "ended",
            within_s=within_s,
            wanted=f"strace to let go of {self.of.party}",
            every_s=FAST_S,
            error=VoidRunError,
        )

    def text(self) -> str:
        """What it wrote."""
        return self._log()[self._seen_before :].decode(errors="replace")

    def _log(self) -> bytes:
        return self.scene.lab.log(self.ref)

    _seen_before: int = field(default=0, init=False)


@dataclass(slots=True, kw_only=True)
class DiskStallInjection:
    """Processes whose calls do not come back."""

    scene: Scene
    target: str
    mode: str
    tracers: Sequence[Tracer]
    effective_ns: int

    def prove(self) -> Evidence:
        """A call was caught, none came back, and the process lives."""
        states = {tracer.of.party: self.scene.lab.state(tracer.of) for tracer in self.tracers}
        if "ended" in states.values():
            raise VoidRunError(f"a stalled disk does not end a process, and yet: {states}")
        self._none_came_back()
        return {"call": self.mode, "calls": self._hits()}

    def heal(self) -> Evidence:
        """Let the calls go on, and say how many there were and how long the first was held."""
        healed_ns = monotonic_ns()
        try:
            self._none_came_back()
        finally:
            for tracer in self.tracers:
                tracer.detach()
        return {"calls": self._hits(), "stalled_s": round((healed_ns - self.effective_ns) / 1e9, 3)}

    def prove_healed(self) -> Evidence:
        """No tracer holds them any more, and they run or have ended by themselves."""
        return {"after": [self.scene.lab.state(tracer.of) for tracer in self.tracers]}

    def _none_came_back(self) -> None:
        back = sum(tracer.came_back() for tracer in self.tracers)
        if back:
            raise VoidRunError(f"the disk stall did not bite: {back} of {self._hits()} calls of {self.mode} came back")

    def _hits(self) -> int:
        return sum(tracer.hits() for tracer in self.tracers)


@dataclass(frozen=True, slots=True)
class DiskStall:
    """
    Let a system call of these parties' processes hang until the fault is healed: the disk does not answer.

    :param call: by default the one that makes etcd's log durable; others: ``fsync``, ``write``, ``pwrite64``.
    """

    of: Target
    call: str = "fdatasync"
    name: str = field(default="disk stall", init=False)

    def inject(self, scene: Scene) -> DiskStallInjection:
        """Attach, and wait for the first call to be caught."""
        inject = f"{self.call}:delay_enter={int(LONGEST_S * 1e6)}"
        parties, tracers = _attach(scene, self.of, inject)
        return DiskStallInjection(
            scene=scene,
            target=", ".join(parties),
            mode=self.call,
            tracers=tracers,
            effective_ns=monotonic_ns(),
        )


@dataclass(slots=True, kw_only=True)
class DiskErrorInjection:
    """Processes whose calls fail; many a server ends itself over that."""

    scene: Scene
    target: str
    mode: str
    parties: tuple[str, ...]
    tracers: Sequence[Tracer]

    def prove(self) -> Evidence:
        """A call came back with the error."""

        def failed() -> int:
            return sum(tracer.text().count("(INJECTED)") for tracer in self.tracers)

        return {
            "call": self.mode,
            "calls": wait_until(failed, within_s=BITES_S, wanted="a failed call", every_s=FAST_S, error=VoidRunError),
        }

    def heal(self) -> Evidence:
        """Let calls succeed again, and start again what has ended over it."""
        for tracer in self.tracers:
            tracer.detach()
        ended = [tracer.of.party for tracer in self.tracers if self.scene.lab.state(tracer.of) == "ended"]
        codes = {event.ref: event.code for event in self.scene.lab.exits()}
        restarted = [party for party in dict.fromkeys(ended) if party in self.scene.restarts]
        for party in restarted:
            self.scene.restarts[party](party)
        return {"exit_codes": [codes.get(tracer.of) for tracer in self.tracers], "restarted": restarted}

    def prove_healed(self) -> Evidence:
        """They run."""
        return {"after": [self.scene.lab.state(tracer.of) for tracer in self.tracers]}


@dataclass(frozen=True, slots=True)
class DiskError:
    """
    Let a system call of these parties' processes fail: ``EIO`` for a broken disk, ``ENOSPC`` for a full one.

    :param call: ``fdatasync``, ``fsync``, ``write``, ``pwrite64``, ...
    """

    of: Target
    error: str = "EIO"
    call: str = "fdatasync"
    name: str = field(default="disk error", init=False)

    def inject(self, scene: Scene) -> DiskErrorInjection:
        """Attach, and wait for the first call to fail."""
        parties = scene.resolve(self.of)
        scene.taken_down.update(parties)
        parties, tracers = _attach(scene, parties, f"{self.call}:error={self.error}")
        return DiskErrorInjection(
            scene=scene, target=", ".join(parties), mode=f"{self.call} {self.error}", parties=parties, tracers=tracers
        )


def _attach(scene: Scene, target: Target, inject: str) -> tuple[tuple[str, ...], list[Tracer]]:
    parties = scene.resolve(target)
    refs = [ref for party in parties for ref in scene.lab.processes(party)]
    if not refs:
        raise UsageError(f"no process runs in {', '.join(parties)}, so none can meet a bad disk")
    tracers = [Tracer(scene=scene, of=ref, inject=inject) for ref in refs]
    begun: list[Tracer] = []
    try:
        for tracer in tracers:
            begun.append(tracer)
            tracer.attach()
        for tracer in tracers:
            tracer.wait_hit()
    except BaseException:
        for tracer in begun:
            tracer.detach()
        raise
    return parties, tracers


def _strace(lab: Lab) -> str:
    try:
        return str(lab.software("strace").program)
    except MissingSoftwareError as problem:
        raise MissingAbilityError(ABILITY, str(problem)) from problem
