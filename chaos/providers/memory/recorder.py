"""
A simulation's history: operations as the clients of the simulation see them, faults as they were done.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from chaos.history.records import Fault, Header, History, Observation, Operation, Outcome
from chaos.providers.memory.world import Answer, Process, Wait, World

PORT = 7000
Steps = Generator[Wait, Any, Answer]


@dataclass(slots=True)
class Told:
    """What a server's answer says, as a client records it: ``ok`` with a result, ``fail`` or ``info`` with a reason."""

    outcome: Outcome
    result: Any = None
    error: str | None = None


def once(process: Process, target: str, request: Any, within_s: float = 0.1) -> Steps:
    """Ask once and retry nothing."""
    answer: Answer = yield process.ask(target, PORT, request, within_s=within_s)
    return answer


def told(answer: Answer) -> Told:
    """A refused connection failed for certain; silence may mean anything; a server says itself which it was."""
    if answer.outcome == "refused":
        return Told(Outcome.FAIL, error="refused")
    if answer.outcome != "answered":
        return Told(Outcome.INFO, error="no answer in time")
    kind, value = answer.value
    return Told(Outcome.OK, result=value) if kind == "ok" else Told(Outcome(kind), error=value)


@dataclass(slots=True)
class Recorder:
    """Takes down what happens in a world."""

    world: World
    operations: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    started_ns: int = 0

    def __post_init__(self) -> None:
        self.started_ns = self.world.now_ns

    def operation(
        self, process: Process, f: str, value: Any, steps: Steps, notes: dict[str, Any] | None = None
    ) -> Generator[Wait, Any, Told]:
        """Record one operation around the steps that carry it out; ``notes`` may be filled in on the way."""
        record = {"client": process.party, "f": f, "value": value, "invoked_ns": process.now_ns, "notes": notes or {}}
        self.operations.append(record)
        seen = told((yield from steps))
        record |= {"outcome": seen.outcome, "result": seen.result, "error": seen.error, "completed_ns": process.now_ns}
        return seen

    def known_at_once(self, process: Process, f: str, value: Any, result: Any, notes: dict[str, Any]) -> None:
        """Record an operation that the client answered itself."""
        now_ns = process.now_ns
        record = {"client": process.party, "f": f, "value": value, "invoked_ns": now_ns, "notes": notes}
        self.operations.append(record | {"outcome": Outcome.OK, "result": result, "completed_ns": now_ns})

    def observe(self, process: Process, kind: str, value: Any) -> None:
        """Take down what can be seen of a party from outside."""
        self.observations.append(Observation(at_ns=process.now_ns, party=process.party, kind=kind, value=value))

    def history(self, experiment: str, seed: int) -> History:
        """Everything so far; what nobody saw the end of is ``info``."""
        header = Header(experiment=experiment, seed=seed, started_ns=self.started_ns, ended_ns=self.world.now_ns)
        operations = tuple(
            Operation(index=index, **({"outcome": Outcome.INFO} | record))
            for index, record in enumerate(self.operations)
        )
        seen = tuple(self.observations)
        return History(header=header, operations=operations, faults=tuple(self.faults), observations=seen)
