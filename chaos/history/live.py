"""
The history while it happens: what waits and targets look at.
"""

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from threading import RLock

from chaos.errors import HarnessError
from chaos.history.index import TimeIndex
from chaos.history.reader import Clock, EventReader
from chaos.history.records import Fault, Header, History, Observation, Operation, Phase

Where = Callable[[Operation], bool]


class LiveHistory:
    """
    All clients' events merged, with faults, observations and phases; safe to use from several threads.

    ``since_ns`` asks for what *began* then or later: an operation counts by its invocation. ``outcome=None`` means any
    outcome; operations still open are in ``open_operations`` only.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._readers: dict[str, EventReader] = {}
        self._operations = TimeIndex[Operation]()
        self._observations = TimeIndex[Observation]()
        self._faults: list[Fault] = []
        self._phases: list[Phase] = []

    def feed(self, client: str, chunk: bytes, clock: Clock | None = None) -> None:
        """Take the next bytes of this client's event file; ``clock`` reads its stamps where its clock is not ours."""
        with self._lock:
            news = self._reader(client).feed(chunk, clock)
            for operation in news.operations:
                key = (operation.f, client, operation.outcome.value)
                self._operations.add(key, operation.invoked_ns, operation)
            for observation in news.observations:
                self.add_observation(observation)

    def count(
        self,
        f: str | None = None,
        client: str | None = None,
        outcome: str | None = "ok",
        since_ns: int = 0,
        where: Where | None = None,
    ) -> int:
        """How many operations ended so; without ``where`` a poll costs the same however long the run is."""
        with self._lock:
            return self._operations.count((f, client, outcome), since_ns, where)

    def last(
        self,
        f: str | None = None,
        client: str | None = None,
        outcome: str | None = "ok",
        since_ns: int = 0,
        where: Where | None = None,
    ) -> Operation | None:
        """The last one invoked of those operations, if there is one."""
        with self._lock:
            return self._operations.last((f, client, outcome), since_ns, where)

    def operations(
        self,
        f: str | None = None,
        client: str | None = None,
        outcome: str | None = "ok",
        since_ns: int = 0,
        where: Where | None = None,
    ) -> tuple[Operation, ...]:
        """Those operations in order of invocation."""
        with self._lock:
            found = [o for o in self._operations.items((f, client, outcome), since_ns) if where is None or where(o)]
        return tuple(sorted(found, key=attrgetter("invoked_ns")))

    def open_operations(self, client: str | None = None) -> tuple[Operation, ...]:
        """What was asked and not answered so far."""
        with self._lock:
            readers = [reader for name, reader in self._readers.items() if client in (None, name)]
            return tuple(operation for reader in readers for operation in reader.open_operations())

    def ended(self, client: str) -> bool:
        """Whether this client said that its workload returned, asked to stop or not."""
        with self._lock:
            return client in self._readers and self._readers[client].ended

    @property
    def broken(self) -> tuple[tuple[str, str], ...]:
        """The harness errors that clients reported: client and message."""
        with self._lock:
            return tuple((name, error) for name, reader in self._readers.items() for error in reader.broken)

    def add_observation(self, observation: Observation) -> None:
        """Add what was seen from outside."""
        with self._lock:
            self._observations.add((observation.kind, observation.party), observation.at_ns, observation)

    def observations(
        self, kind: str | None = None, party: str | None = None, since_ns: int = 0
    ) -> tuple[Observation, ...]:
        """What was seen, of this kind, at this party, since then; in order of time."""
        with self._lock:
            found = list(self._observations.items((kind, party), since_ns))
        return tuple(sorted(found, key=attrgetter("at_ns")))

    def last_observation(
        self,
        kind: str | None = None,
        party: str | None = None,
        since_ns: int = 0,
        where: Callable[[Observation], bool] | None = None,
    ) -> Observation | None:
        """The newest of them: who leads now."""
        with self._lock:
            return self._observations.last((kind, party), since_ns, where)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults so far, in order of injection."""
        with self._lock:
            return tuple(self._faults)

    def add_fault(self, fault: Fault) -> None:
        """Add a fault as it begins."""
        with self._lock:
            self._faults.append(fault)

    def replace_fault(self, old: Fault, new: Fault) -> None:
        """Put a fault's fuller record in place of the one before: it bit, it heals, it is healed."""
        with self._lock:
            if old not in self._faults:
                raise HarnessError(f"there is no such fault to replace: {old.name} on {old.target}")
            self._faults[self._faults.index(old)] = new

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases so far; the last one is the current one."""
        with self._lock:
            return tuple(self._phases)

    def add_phase(self, phase: Phase) -> None:
        """Begin a phase."""
        with self._lock:
            self._phases.append(phase)

    def freeze(self, header: Header | None = None) -> History:
        """The finished record: operations by invocation, from 0; those still open become ``info`` without an end."""
        with self._lock:
            operations = [operation for reader in self._readers.values() for operation in reader.operations()]
            operations.sort(key=attrgetter("invoked_ns", "client", "index"))
            return History(
                header=header or Header(),
                operations=tuple(_renumbered(operation, index) for index, operation in enumerate(operations)),
                faults=tuple(self._faults),
                observations=self.observations(),
                phases=tuple(self._phases),
            )

    def _reader(self, client: str) -> EventReader:
        if client not in self._readers:
            self._readers[client] = EventReader(client)
        return self._readers[client]


_KEPT = tuple(field.name for field in fields(Operation) if field.name != "index")
_kept = attrgetter(*_KEPT)


def _renumbered(operation: Operation, index: int) -> Operation:
    # dataclasses.replace does the same and takes twice as long; a run has 100,000 of these.
    return Operation(index=index, **dict(zip(_KEPT, _kept(operation), strict=True)))
