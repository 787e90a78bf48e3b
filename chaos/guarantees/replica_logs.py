"""
Logs of replicas as their own disks showed them: observations of the kind ``replica-log``.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from chaos.guarantees.evidence import identity, integer
from chaos.history import History, Observation, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    One replica's log at one instant.

    :param values: one for each offset from ``first`` on; None where there is nothing, or no value.
    :param epochs: first offset and leader epoch, ascending.
    """

    at_ns: int
    party: str
    log: str
    first: int
    values: list[Value]
    epochs: list[tuple[int, int]]

    @property
    def end(self) -> int:
        """The log end offset: that of the record which would come next."""
        return self.first + len(self.values)

    def records(self) -> Iterator[tuple[int, Hashable]]:
        """Offset and identity of each value."""
        return ((self.first + n, identity(value)) for n, value in enumerate(self.values) if value is not None)

    def epoch(self, offset: int) -> int | None:
        """The leader epoch in which the record at this offset was appended, if the replica's log says so."""
        return next((epoch for first, epoch in reversed(self.epochs) if first <= offset), None)


def snapshots(history: History) -> list[Snapshot]:
    """All that can be read, in order of time."""
    found = (_snapshot(one) for one in history.observations if one.kind == "replica-log")
    return sorted((one for one in found if one is not None), key=lambda one: one.at_ns)


def last_of_each(taken: Iterable[Snapshot]) -> list[Snapshot]:
    """The last snapshot of each replica of each log."""
    return list({(one.party, one.log): one for one in taken}.values())


def down(history: History, at_ns: int) -> set[str]:
    """Parties that did not answer when they were last asked before that instant (``probe-error``)."""
    asked = [one for one in history.observations if one.kind == "probe-error" and one.at_ns <= at_ns]
    said = {one.party: one.value for one in sorted(asked, key=lambda one: one.at_ns)}
    return {party for party, error in said.items() if error is not None}


def _snapshot(seen: Observation) -> Snapshot | None:
    said = seen.value if isinstance(seen.value, dict) else {}
    log, first, values = said.get("log"), integer(said.get("first")), said.get("values")
    if not isinstance(log, str) or first is None or not isinstance(values, list):
        return None
    return Snapshot(
        at_ns=seen.at_ns, party=seen.party, log=log, first=first, values=values, epochs=_epochs(said.get("epochs"))
    )


def _epochs(said: Value) -> list[tuple[int, int]]:
    pairs = [pair for pair in said if isinstance(pair, list) and len(pair) == 2] if isinstance(said, list) else []
    numbers = [(integer(first), integer(epoch)) for first, epoch in pairs]
    return [(first, epoch) for first, epoch in numbers if first is not None and epoch is not None]
