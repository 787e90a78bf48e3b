"""
The nemesis injects faults and heals them, proves both, and writes down what it really did.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from chaos.cluster import Cluster, Node
from chaos.errors import VoidRunError, said
from chaos.faults.fault import Evidence, FaultPlan, Injection, Restart, Scene, StampsItself
from chaos.history import Fault, Phase
from chaos.history.live import LiveHistory
from chaos.wait import monotonic_ns

__tracebackhide__ = said


class Nemesis:
    """
    Injects and heals, in one run.

    :param random: the only source of chance for faults, from the run's seed.
    """

    def __init__(self, scene: Scene, live: LiveHistory, *, seed: int) -> None:
        self.scene, self._live = scene, live
        self.random = random.Random(f"{seed}:nemesis")

    @contextmanager
    def inject(self, plan: FaultPlan) -> Iterator[Fault]:
        """The fault's extent is the block: in force when it is entered, healed when it is left, however that happens."""
        begun = monotonic_ns()
        self.phase("fault", begun)
        injection = plan.inject(self.scene)
        record = _Record(self._live, injection, plan.name, begun)
        try:
            record.note(injection.prove())
            yield record.fault
        except BaseException as problem:
            record.heal_beside(problem)
            raise
        self.phase("heal")
        record.heal()
        self.phase("fault" if self.in_force() else "recovery")

    def in_force(self) -> tuple[Fault, ...]:
        """The faults that are not healed."""
        return tuple(fault for fault in self._live.faults if fault.healed_ns is None)

    def phase(self, name: str, at_ns: int | None = None) -> None:
        """Note the stretch that begins now."""
        self._live.add_phase(Phase(at_ns=monotonic_ns() if at_ns is None else at_ns, name=name))


class _Record:
    """A fault's record, which grows as the fault is proven and healed."""

    def __init__(self, live: LiveHistory, injection: Injection, name: str, begun_ns: int) -> None:
        self._live, self._injection = live, injection
        self.fault = Fault(
            name=name,
            target=injection.target,
            mode=injection.mode,
            begun_ns=begun_ns,
            effective_ns=injection.effective_ns if isinstance(injection, StampsItself) else monotonic_ns(),
        )
        live.add_fault(self.fault)

    def note(self, evidence: Evidence, **stamps: int) -> None:
        """Add to the record."""
        found = {**self.fault.evidence, **evidence}
        new = replace(self.fault, evidence=found, **stamps)  # type: ignore[arg-type]
        self._live.replace_fault(self.fault, new)
        self.fault = new

    def heal(self) -> None:
        """Heal and prove it; a failure is the run's failure."""
        self.note({}, healing_ns=monotonic_ns())
        self.note(self._injection.heal())
        self.note(self._injection.prove_healed(), healed_ns=monotonic_ns())

    def heal_beside(self, problem: BaseException) -> None:
        """Heal on the way out of a failure, which matters more than what healing says; so that is told beside it."""
        try:
            self.note({}, healing_ns=monotonic_ns())
            self.note(self._injection.heal(), healed_ns=monotonic_ns())
        except Exception as another:
            self.note({"healing_failed": str(another)})
            problem.add_note(f"and healing {self.fault.name} on {self.fault.target} failed: {another}")


def unproven(faults: tuple[Fault, ...]) -> None:
    """Refuse a history whose faults lack proof of their bite or their healing."""
    for fault in faults:
        if fault.effective_ns is None or not fault.evidence:
            raise VoidRunError(f"{fault.name} on {fault.target} has no proof that it bit")
        if fault.healed_ns is None:
            raise VoidRunError(f"{fault.name} on {fault.target} has no proof that it was healed")


def restarts_of(clusters: Sequence[Cluster]) -> dict[str, Restart]:
    """How to start each server again that a fault has ended, where its cluster knows how."""
    return {
        node.name: cluster.restart for cluster in clusters if hasattr(cluster, "restart") for node in _servers(cluster)
    }


def _servers(cluster: Cluster) -> Sequence[Node]:
    return getattr(cluster, "servers", cluster.nodes)
