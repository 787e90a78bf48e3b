"""
The nemesis injects faults and heals them, proves both, and writes down what it really did.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from chaos.errors import VoidRunError
from chaos.faults.fault import FaultPlan, Injection, Scene
from chaos.history import Fault, Phase
from chaos.history.live import LiveHistory
from chaos.wait import monotonic_ns

Tell = Callable[[str], None]


class Nemesis:
    """
    Injects and heals, in one run.

    :param random: the only source of chance for faults, from the run's seed.
    """

    def __init__(self, scene: Scene, live: LiveHistory, *, seed: int, tell: Tell = lambda text: None) -> None:
        self.scene, self._live, self._tell = scene, live, tell
        self.random = random.Random(f"{seed}:nemesis")
        self.void: list[str] = []

    @contextmanager
    def inject(self, plan: FaultPlan) -> Iterator[Fault]:
        """The fault's extent is the block: in force when it is entered, healed when it is left, however that happens."""
        begun = monotonic_ns()
        self._live.add_phase(Phase(at_ns=begun, name="fault"))
        injection = plan.inject(self.scene)
        effective = monotonic_ns()
        fault = Fault(
            name=plan.name,
            target=injection.target,
            mode=injection.mode,
            begun_ns=begun,
            effective_ns=effective,
        )
        self._live.add_fault(fault)
        self._tell(f"{plan.name} on {injection.target}" + (f", {injection.mode}" if injection.mode else ""))
        healed = _Healing(self, injection, fault)
        try:
            healed.note(injection.prove())
            yield healed.fault
        except BaseException:
            healed.quietly()
            raise
        healed.openly()

    def replace(self, old: Fault, new: Fault) -> None:
        """The record of a fault grows as it is proven and healed."""
        self._live.replace_fault(old, new)

    def heal_begins(self) -> None:
        """Note the phase."""
        self._live.add_phase(Phase(at_ns=monotonic_ns(), name="heal"))

    def tell(self, text: str) -> None:
        """For the person who watches."""
        self._tell(text)


class _Healing:
    """The way out of one fault."""

    def __init__(self, nemesis: Nemesis, injection: Injection, fault: Fault) -> None:
        self._nemesis, self._injection, self.fault = nemesis, injection, fault

    def note(self, evidence: object, **stamps: int) -> None:
        found = dict(self.fault.evidence) | dict(evidence)  # type: ignore[call-overload]
        new = replace(self.fault, evidence=found, **stamps)  # type: ignore[arg-type]
        self._nemesis.replace(self.fault, new)
        self.fault = new

    def openly(self) -> None:
        """Heal and prove it; a failure is the run's failure."""
        self._nemesis.heal_begins()
        self.note({}, healing_ns=monotonic_ns())
        self.note(self._injection.heal())
        self.note(self._injection.prove_healed(), healed_ns=monotonic_ns())
        self._nemesis.tell(f"{self.fault.name} healed")

    def quietly(self) -> None:
        """Heal on the way out of a failure; the failure matters more than what healing says."""
        try:
            self.note({}, healing_ns=monotonic_ns())
            self.note(self._injection.heal())
        except Exception as problem:  # The first failure is being raised; this one is kept beside it.
            self._nemesis.void.append(f"healing {self.fault.name} failed: {problem}")
        else:
            self.note({}, healed_ns=monotonic_ns())


def unproven(faults: tuple[Fault, ...]) -> None:
    """Refuse a history whose faults lack proof of their bite or their healing."""
    for fault in faults:
        if fault.effective_ns is None or not fault.evidence:
            raise VoidRunError(f"{fault.name} on {fault.target} has no proof that it bit")
        if fault.healed_ns is None:
            raise VoidRunError(f"{fault.name} on {fault.target} has no proof that it was healed")
