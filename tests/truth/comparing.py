"""
One history after the other, judged by a checker and by the oracle.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from random import Random

from chaos.checkers import check, climb, linearized
from chaos.checkers.budget import SpentError
from chaos.checkers.calls import FailedCas
from chaos.checkers.linearizing import ORDERS
from chaos.history import Operation
from chaos.verdict import Status
from tests.truth.brute import explains, states
from tests.truth.histories import some_history
from tests.truth.kinds import Type


@dataclass(slots=True)
class Tally:
    """How many histories were judged, and how."""

    histories: int = 0
    holding: int = 0
    undecided: int = 0
    disagreeing: int = 0
    spent_s: float = 0.0

    def add(self, other: "Tally") -> None:
        """Count what another process judged too."""
        self.histories += other.histories
        self.holding += other.holding
        self.undecided += other.undecided
        self.disagreeing += other.disagreeing
        self.spent_s += other.spent_s


def disagreements(
    kind: Type, numbers: Iterable[int], seed: int, tally: Tally
) -> Iterator[tuple[int, str, list[Operation]]]:
    """Histories that the checker judges otherwise than the oracle, and witnesses that prove nothing, by their numbers."""
    for number in numbers:
        began = time.process_time()
        problem, operations = compared(kind, number, seed, tally)
        tally.spent_s += time.process_time() - began
        if problem:
            tally.disagreeing += 1
            yield number, problem, operations


def compared(kind: Type, number: int, seed: int, tally: Tally) -> tuple[str | None, list[Operation]]:
    """One history, the same whenever it is asked for, and what is wrong with its verdict."""
    rng = Random(f"{kind.name} {seed} {number}")
    operations = some_history(kind, rng)
    mismatch = kind.crashing or rng.random() < 0.5
    with narrow() if kind.crashing and rng.random() < 0.5 else nullcontext():
        problem = _problem(kind, operations, mismatch, tally)
    tally.histories += 1
    return problem and f"{problem} (failed cas {'mismatch' if mismatch else 'dropped'})", operations


@contextmanager
def narrow() -> Iterator[None]:
    """The search for crash-heavy histories with so little room that small histories climb its whole ladder."""
    before = climb.LADDER, climb.STEP, climb.REFUTER_CONFIGURATIONS
    climb.LADDER, climb.STEP = ((1, 1, 0), (3, 2, 0), (climb.ALL, 0, -1)), 1
    climb.REFUTER_CONFIGURATIONS = (50, 50, 100)
    try:
        yield
    finally:
        climb.LADDER, climb.STEP, climb.REFUTER_CONFIGURATIONS = before


def _problem(kind: Type, operations: list[Operation], mismatch: bool, tally: Tally) -> str | None:
    right = explains(kind, operations, mismatch=mismatch)
    tally.holding += right
    verdict = check(operations, kind.model, initial=kind.given, failed_cas="mismatch" if mismatch else "dropped")
    if verdict.status is Status.UNKNOWN:
        tally.undecided += 1
        if kind.model in ORDERS:
            return f"nothing is unknown of so small a history, but the checker says {verdict}"
        return None if right else f"the oracle says no, the checker {verdict}"
    if (verdict.status is Status.HOLDS) is not right:
        return f"the oracle says {right}, the checker {verdict}"
    if (
        right
        and isinstance(kind.model, str)
        and kind.model in ORDERS
        and tally.histories % 5 == 0
        and _in_sequence(kind, operations)
    ):
        return _false_order(kind, kind.model, operations, mismatch)
    wrong = None if kind.misnamed is None else kind.misnamed(operations, verdict)
    if wrong is None and verdict.witness is not None:
        return _false_witness(kind, list(verdict.witness.operations), operations, mismatch)
    return wrong


def _in_sequence(kind: Type, operations: list[Operation]) -> bool:
    """Whether it is known which dequeue of a drain comes when."""
    return kind.ordered or not any(each.f == "drain" for each in operations)


def _false_order(kind: Type, model: str, operations: list[Operation], mismatch: bool) -> str | None:
    """Walk the order as one client alone would."""
    failed_cas: FailedCas = "mismatch" if mismatch else "dropped"
    try:
        orders = linearized(operations, model, initial=kind.given, failed_cas=failed_cas)
    except SpentError as spent:
        return f"no linearization of so small a history was found: {spent}"
    if orders is None:
        return "no linearization was found, though there is one"
    reached, places = [kind.initial], dict[int, int]()
    for operation in orders.get(None, []):
        each = _one_dequeue(operation, places) if operation.f == "drain" else operation
        reached = [after for state in reached for after in states(kind, state, each)]
        if not reached:
            return f"the linearization is wrong at {each}"
    needed = {each.index for each in operations if each.ok}
    missing = needed - {each.index for each in orders.get(None, [])}
    return f"the linearization leaves out {missing}" if missing else None


def _one_dequeue(drain: Operation, places: dict[int, int]) -> Operation:
    """A drain stands in the order once for each of its dequeues, one after the other."""
    place = places.get(drain.index, 0)
    places[drain.index] = place + 1
    return replace(drain, f="dequeue", result=[*drain.result, None][place] if drain.ok else None)


def _false_witness(kind: Type, shown: list[Operation], all_: list[Operation], mismatch: bool) -> str | None:
    if not shown or not {each.index for each in shown} <= {each.index for each in all_}:
        return f"the witness is not of this history: {shown}"
    if len(shown) < 12 and explains(kind, shown, mismatch=mismatch):
        return f"the witness proves nothing: {'; '.join(map(str, shown))}"
    return None
