"""
The observer of a run: its own operations over the management plane, and the wait for everything to settle before them.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from chaos.cluster import Agrees, Cluster
from chaos.errors import NoProgressError, VoidRunError, said
from chaos.history import Header, Observation, Outcome
from chaos.history.events import EventWriter
from chaos.history.live import LiveHistory
from chaos.history.records import Value
from chaos.providers.contract import OBSERVER, Lab
from chaos.wait import CALM_S, monotonic_ns, wait_until

__tracebackhide__ = said

SETTLE_S = 30.0
AGREE_S = 60.0


class Probe(Protocol):
    """Watches a cluster over the management plane."""

    def start(self) -> None:
        """Begin to watch."""
        ...

    def stop(self) -> None:
        """Stop watching."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A cluster that can be watched."""

    def probe(self, sink: Callable[[Observation], None]) -> Probe:
        """A probe that tells what changes."""
        ...


class Observer:
    """Records what the test process itself asks, as a client of its own."""

    def __init__(self, files: Path, live: LiveHistory) -> None:
        self._file, self._live = files / "observer.jsonl", live
        self._writer: EventWriter | None = None
        self._read = 0

    def record(self, f: str, action: Callable[[], Value], value: Value) -> Value:
        """Do and record one operation; what it raises is the experiment's failure."""
        if self._writer is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._writer = EventWriter(self._file, OBSERVER)
        invocation = self._writer.invoke(f, value)
        result = action()
        self._writer.complete(invocation, Outcome.OK, result=result)
        self._take()
        return result

    def close(self) -> None:
        """Nothing more will be recorded."""
        if self._writer is not None:
            self._writer.done()
            self._writer = None
            self._take()

    def _take(self) -> None:
        with self._file.open("rb") as file:
            file.seek(self._read)
            chunk = file.read()
        self._read += len(chunk)
        self._live.feed(OBSERVER, chunk)


def settings_of(clusters: Sequence[Cluster]) -> dict[str, Any]:
    """
    Each system's settings and nodes, as header and report show them; a second cluster that calls itself the same is numbered.
    """
    settings: dict[str, Any] = {}
    for cluster in clusters:
        alike = sum(name.partition(" #")[0] == cluster.system for name in settings)
        settings[f"{cluster.system} #{alike + 1}" if alike else cluster.system] = {
            **cluster.settings,
            "nodes": [node.name for node in cluster.nodes],
        }
    return settings


def header_of(lab: Lab, clusters: Sequence[Cluster], experiment: str, *, seed: int, started_ns: int) -> Header:
    """What must be known of a run that ends now."""
    return Header(
        experiment=experiment,
        seed=seed,
        started_ns=started_ns,
        ended_ns=monotonic_ns(),
        systems=settings_of(clusters),
        clock_error_ns={party: error for party in lab.parties if (error := lab.clock_error_ns(party))},
        clocks={party: clock.name for party in lab.parties if (clock := lab.clock(party)) is not None},
    )


def settle(lab: Lab, parties: Sequence[str], clusters: Sequence[Cluster]) -> None:
    """
    Wait until nothing of these parties is on its way any more and all nodes agree.

    Requests that a client gave up arrive seconds after a heal; a read before that would call them late or lost.
    """

    def on_their_way() -> Mapping[str, int]:
        left = lab.unsettled()
        return {party: left[party] for party in parties if left.get(party)}

    wait_until(
        lambda: not on_their_way(),
        within_s=SETTLE_S,
        wanted="no abandoned request to be on its way",
        seen=on_their_way,
        every_s=CALM_S,
        error=VoidRunError,
    )
    for cluster in clusters:
        if isinstance(cluster, Agrees):
            _wait_agreed(cluster)


def _wait_agreed(cluster: Agrees) -> None:
    wait_until(
        cluster.agreed,
        within_s=AGREE_S,
        wanted="all nodes to agree again",
        seen=lambda: "; ".join(cluster.disagreement()) or "they agree now",
        error=NoProgressError,
    )
