"""
The observer's lines to all nodes of a cluster: what each says, and what consumers are shown.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from chaos.errors import HarnessError, NoProgressError, ServerError
from chaos.providers.contract import Lab
from chaos.systems.kafka import requests
from chaos.systems.kafka.console import Console, NoAnswerError
from chaos.systems.kafka.ready import views
from chaos.systems.kafka.settings import MANAGEMENT_PORT, QUORUM_PORT, Topic, Topology, log_name
from chaos.systems.kafka.views import LogView, Views, disagreements, leader_of, newest
from chaos.wait import wait_until

READ_TIMEOUT_S = 10.0
ADMINISTERED_WITHIN_S = 30.0


class Lines:
    """A console to each broker and each controller of a cluster."""

    def __init__(self, lab: Lab, topology: Topology, *, timeout_s: float = 1.0) -> None:
        def consoles(names: Sequence[str], port: int) -> dict[str, Console]:
            return {name: Console(lab, name, port, timeout_s=timeout_s) for name in names}

        self.brokers = consoles(topology.brokers, MANAGEMENT_PORT)
        self.quorum = consoles(topology.voters, QUORUM_PORT)
        self.names = {number: name for name, number in topology.ids.items()}
        """Each node's name by its id."""

    def views(self, topics: Iterable[str]) -> Views:
        """What each broker says of these topics, or why it says nothing."""
        return views(self.brokers, tuple(topics), self.names)

    def newest(self, log: str) -> LogView | None:
        """The view of a log with the highest epoch; None when nobody knows the log."""
        return newest(self.views([requests.parted(log)[0]]), log)

    def leader(self, log: str) -> str:
        """The broker that leads a log in the newest epoch that any broker knows of."""
        seen = self.views([requests.parted(log)[0]])
        name = leader_of(seen, log)
        if name is None:
            said = "; ".join(disagreements(seen, [log], self.brokers))
            raise HarnessError(f"nobody leads {log} at this moment: {said}")
        return name

    def active_or_none(self) -> Console | None:
        """The line to the active controller."""
        newest_epoch, active = -1, None
        for console in self.quorum.values():
            try:
                found = requests.quorum(console)
            except NoAnswerError:
                continue
            if found is not None and found[1] > newest_epoch:  # One that was paused still takes itself for it.
                newest_epoch, active = found[1], console
        return active

    def active(self) -> Console:
        """The line to the active controller, which must be there."""
        console = self.active_or_none()
        if console is None:
            raise HarnessError("no controller is active at this moment")
        return console

    def create_topic(self, topic: Topic, replication: int) -> None:
        """Make a topic. Of an attempt that the active controller did not outlive, nobody knows whether it was made."""
        tried = False

        def act(controller: Console) -> None:
            nonlocal tried
            first, tried = not tried, True
            try:
                requests.create_topic(controller, topic, replication)
            except requests.TopicExistsError:
                if first:
                    raise

        self.administer(act, f"topic {topic.name} to be made")

    def administer(self, act: Callable[[Console], None], wanted: str) -> None:
        """Have the active controller do something; whichever that is by then, for it may change in between."""
        seen = "nobody was asked"

        def done() -> bool:
            nonlocal seen
            controller = self.active_or_none()
            if controller is None:
                seen = "no controller is active"
                return False
            try:
                act(controller)
            except NoAnswerError as problem:
                seen = f"the active controller, {controller.party}, does not answer ({problem})"
                return False
            return True

        wait_until(done, within_s=ADMINISTERED_WITHIN_S, wanted=wanted, seen=lambda: seen, error=ServerError)

    def missing(self, topics: Iterable[Topic], absent: set[str]) -> tuple[str, ...]:
        """What is missing until all brokers but the absent ones agree on these topics, one sentence each."""
        asked = tuple(topics)
        present = {name: console for name, console in self.brokers.items() if name not in absent}
        logs = [log_name(topic.name, number) for topic in asked for number in range(topic.partitions)]
        seen = views(present, [topic.name for topic in asked], self.names)
        idle = () if self.active_or_none() else ("no controller is active",)
        return (*disagreements(seen, logs, present), *idle)

    def consumed(self, log: str) -> list[tuple[int, str | None]]:
        """
        All that consumers can read of a log, as (offset, value), from its leader; waits until the leader shows all it has.

        A value is None where the record has none. Each piece has its own time: a log may be long.
        """
        found: list[tuple[int, str | None]] = []
        position: int | None = None

        def piece() -> str | None:
            nonlocal position
            leader = self.brokers[self.leader(log)]
            asked = requests.log_start(leader, log) if position is None else position
            seen = requests.consume(leader, log, asked)
            found.extend(seen.records)
            position = seen.position
            # What only the leader has yet is shown to nobody; read now, it would be called lost.
            if position >= seen.high_watermark == requests.log_end(leader, log):
                return "all"
            return "more" if position > asked else None

        def next_piece() -> str:
            return wait_until(
                piece,
                within_s=READ_TIMEOUT_S,
                wanted=f"all of {log} to be read",
                seen=lambda: self._ends(log),
                error=NoProgressError,
                forgive=(NoAnswerError,),
            )

        while next_piece() != "all":
            continue
        return found

    def _ends(self, log: str) -> dict[str, Any]:
        ends: dict[str, Any] = {}
        for name, console in self.brokers.items():
            try:
                ends[name] = requests.log_end(console, log)
            except NoAnswerError as problem:
                ends[name] = str(problem)
        return ends

    def close(self) -> None:
        """Hang up."""
        for console in (*self.brokers.values(), *self.quorum.values()):
            console.close()
