"""
Harm to processes: paused, killed, stopped. Never to the mesh: a stopped proxy would turn a pause into a network hole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chaos.cluster.parties import Target
from chaos.errors import UsageError, VoidRunError
from chaos.faults.fault import Evidence, Scene
from chaos.network.rules import Gate
from chaos.providers.contract import Canary, Port, ProcessRef
from chaos.providers.signals import Signal
from chaos.wait import FAST_S, monotonic_ns, wait_until

ENDED_S = 15.0
LISTENING_S = 15.0


@dataclass(slots=True, kw_only=True)
class PauseInjection:
    """Parties whose processes stand still."""

    scene: Scene
    target: str
    parties: tuple[str, ...]
    mode: str | None = None

    def prove(self) -> Evidence:
        """Every process of every party is in state T."""
        states = {party: [self.scene.lab.state(ref) for ref in self._refs(party)] for party in self.parties}
        awake = {party: seen for party, seen in states.items() if "running" in seen or "stopped" not in seen}
        if awake:
            raise VoidRunError(f"the pause did not bite: {awake} (nothing runs where the list is empty)")
        return {"stopped": sum(len(seen) for seen in states.values())}

    def heal(self) -> Evidence:
        """Let them go on."""
        return {"resumed": sum(self.scene.lab.thaw(party) for party in self.parties)}

    def prove_healed(self) -> Evidence:
        """None stands still any more."""

        def runs() -> bool:
            refs = [ref for party in self.parties for ref in self._refs(party)]
            return all(self.scene.lab.state(ref) != "stopped" for ref in refs)

        wait_until(runs, within_s=5, wanted=f"{self.target} to run again", every_s=FAST_S, error=VoidRunError)
        return {}

    def _refs(self, party: str) -> Sequence[ProcessRef]:
        return self.scene.lab.processes(party)


@dataclass(frozen=True, slots=True)
class Pause:
    """
    Stop every process of the parties with SIGSTOP and let them go on with SIGCONT.

    What a long garbage collection, a suspended virtual machine or a starved host does: sockets stay open, the kernel
    acknowledges what arrives, and the process does not know that it slept.
    """

    of: Target
    name: str = field(default="pause", init=False)

    def inject(self, scene: Scene) -> PauseInjection:
        """Stop them."""
        parties = scene.resolve(self.of)
        stopped: list[str] = []
        try:
            for party in parties:
                stopped.append(party)
                scene.lab.freeze(party)
        except BaseException:
            for party in stopped:
                scene.lab.thaw(party)
            raise
        return PauseInjection(scene=scene, target=", ".join(parties), parties=parties)


@dataclass(slots=True, kw_only=True)
class DownInjection:
    """Parties whose servers have ended; connects to them are refused, as on a host whose process is gone."""

    scene: Scene
    target: str
    mode: str | None
    parties: tuple[str, ...]
    refs: tuple[ProcessRef, ...]
    rules: tuple[Gate, ...]
    returning: tuple[str, ...]
    """Those that the heal starts again."""

    def prove(self) -> Evidence:
        """Every process has ended."""
        wait_until(
            lambda: all(self.scene.lab.state(ref) == "ended" for ref in self.refs),
            within_s=ENDED_S,
            wanted=f"{', '.join(f'{ref.party}/{ref.name}' for ref in self.refs)} to end",
            seen=lambda: {f"{ref.party}/{ref.name}": self.scene.lab.state(ref) for ref in self.refs},
            every_s=FAST_S,
            error=VoidRunError,
        )
        ended = {event.ref: event.code for event in self.scene.lab.exits()}
        return {"exit_codes": [ended.get(ref) for ref in self.refs]}

    def heal(self) -> Evidence:
        """Start the servers again where the system says how, then open the way to them."""
        restarted = list(self.returning)
        try:
            for party in restarted:
                self.scene.restarts[party](party)
        finally:
            self.scene.lab.withdraw(self.rules)
        return {"restarted": restarted}

    def prove_healed(self) -> Evidence:
        """The restarted servers answer on their own ports."""
        ports = [(party, port) for party in self.returning for port in self.scene.ports(party)]
        wait_until(
            lambda: self._listen(ports),
            within_s=LISTENING_S,
            wanted=f"{self.target} to listen again",
            every_s=FAST_S,
            error=VoidRunError,
        )
        return {"listening": len(ports)}

    def _listen(self, ports: Sequence[tuple[str, Port]]) -> bool:
        tried = [Canary(source=party, target=party, port=port.number, ping=port.ping) for party, port in ports]
        return all(result.outcome in ("answered", "connected") for result in self.scene.lab.canaries(tried))


@dataclass(frozen=True, slots=True)
class Kill:
    """
    End every process of the parties with SIGKILL; the heal starts servers again on what they left.

    A crash, not a power cut: the page cache survives, so nothing that was written is lost.

    :param for_good: they stay down: a machine that does not come back.
    """

    of: Target
    for_good: bool = field(default=False, kw_only=True)
    name: str = field(default="kill", init=False)

    def inject(self, scene: Scene) -> DownInjection:
        """Refuse connections, then kill."""
        return _take_down(scene, self.of, Signal.SIGKILL, for_good=self.for_good)


@dataclass(frozen=True, slots=True)
class Stop:
    """End every process of the parties with SIGTERM, as an operator does; the heal starts servers again."""

    of: Target
    name: str = field(default="stop", init=False)

    def inject(self, scene: Scene) -> DownInjection:
        """Ask them to end; connections are refused once they have been asked."""
        return _take_down(scene, self.of, Signal.SIGTERM)


@dataclass(slots=True, kw_only=True)
class RestartInjection:
    """Parties whose servers have ended and been started again; healed once they listen."""

    down: DownInjection
    proof: Evidence
    effective_ns: int
    """When the old processes had ended: the fault bites from here, not from when the new ones are up."""

    @property
    def target(self) -> str:
        """Whom it hit."""
        return self.down.target

    @property
    def mode(self) -> str | None:
        """By which signal."""
        return self.down.mode

    def prove(self) -> Evidence:
        """The old processes have ended."""
        return self.proof

    def heal(self) -> Evidence:
        """There is nothing to take back: the servers have been started already."""
        return {}

    def prove_healed(self) -> Evidence:
        """The new processes answer on their own ports."""
        return self.down.prove_healed()


@dataclass(frozen=True, slots=True)
class Restart:
    """Kill the servers of these parties and start them again at once, on what they left."""

    of: Target
    name: str = field(default="restart", init=False)

    def inject(self, scene: Scene) -> RestartInjection:
        """Kill, see them end, start."""
        strangers = [party for party in scene.resolve(self.of) if party not in scene.restarts]
        if strangers:
            raise UsageError(f"nobody says how to start {', '.join(strangers)} again; Kill() needs no restart")
        down = Kill(self.of).inject(scene)
        try:
            proof, effective_ns = down.prove(), monotonic_ns()
        finally:
            evidence = down.heal()
        return RestartInjection(down=down, proof={**proof, **evidence}, effective_ns=effective_ns)


def _take_down(scene: Scene, target: Target, number: Signal, *, for_good: bool = False) -> DownInjection:
    parties = scene.resolve(target)
    refs = tuple(ref for party in parties for ref in scene.lab.processes(party))
    if not refs:
        raise UsageError(f"no process runs in {', '.join(parties)}, so there is nothing to end")
    rules = tuple(
        Gate(source=source, target=party, action="reject")
        for party in parties
        for source in scene.lab.parties
        if source != party
    )
    scene.taken_down.update(parties)
    for ref in refs:
        scene.lab.signal(ref, number)
    scene.lab.apply(rules)
    return DownInjection(
        scene=scene,
        target=", ".join(parties),
        mode=number.name,
        parties=parties,
        refs=refs,
        rules=rules,
        returning=() if for_good else tuple(party for party in parties if party in scene.restarts),
    )
