"""
When a Kafka cluster is really ready, and what a node that does not get there says itself.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from chaos.errors import ServerError
from chaos.providers.contract import Lab, ProcessRef
from chaos.systems.kafka import requests
from chaos.systems.kafka.console import Console, NoAnswerError
from chaos.systems.kafka.settings import Topic, log_name
from chaos.systems.kafka.views import BrokerView, Views, disagreements, leader_of
from chaos.wait import wait_until

T = TypeVar("T")

READY_WITHIN_S = 60.0
WRITE_WITHIN_MS = 2000
READY_TOPIC = "chaos-ready"
EVERY_S = 0.02

_FAILED = re.compile(r"\b(ERROR|FATAL)\b")
_CAUSE = re.compile(r"^(?:Caused by: |Exception in thread .*? )?([\w.$]+(?:Exception|Error)\b.*)")


def alive(lab: Lab, refs: Sequence[ProcessRef]) -> Callable[[], None]:
    """A look that raises ``ServerError`` with a node's own words once it has ended."""
    lives = {ref: sum(event.ref == ref for event in lab.exits()) for ref in refs}

    def look() -> None:
        for ref in refs:
            if lab.state(ref) == "ended" or sum(event.ref == ref for event in lab.exits()) > lives[ref]:
                raise ServerError(f"{ref.party} ended at its start: {last_words(lab.log(ref))}")

    return look


class Readiness:
    """The steps from started processes to an acknowledged record, each bounded and talkative."""

    def __init__(
        self,
        lab: Lab,
        refs: Sequence[ProcessRef],
        *,
        brokers: Mapping[str, Console],
        controllers: Mapping[str, Console],
        names: Mapping[int, str],
    ) -> None:
        self._lab, self._refs, self._names = lab, tuple(refs), names
        self._brokers, self._controllers = brokers, controllers
        self._look = alive(lab, refs)

    def active_controller(self) -> Console:
        """Wait until a controller says that it is the active one."""
        return self._wait(self._active, "an active controller")

    def all_registered(self) -> None:
        """Wait until every broker sees every broker."""
        self._wait(lambda: not disagreements(self.views(()), (), self._brokers), "every broker to see all brokers")

    def all_in_sync(self, topics: Sequence[Topic]) -> None:
        """Wait until every broker sees all logs of these topics led, and all their replicas in sync."""
        logs = [log_name(topic.name, number) for topic in topics for number in range(topic.partitions)]
        names = [topic.name for topic in topics]
        self._wait(
            lambda: not disagreements(self.views(names), logs, self._brokers), "all replicas to be in sync", names, logs
        )

    def acknowledged(self) -> None:
        """Wait until a record was acknowledged by all replicas, and read again."""
        log = log_name(READY_TOPIC, 0)

        def written() -> bool:
            leader = self._brokers[leader_of(self.views((READY_TOPIC,)), log) or next(iter(self._brokers))]
            offset = requests.produce(leader, log, "ready", within_ms=WRITE_WITHIN_MS)
            return bool(requests.consume(leader, log, offset).records)

        self._wait(written, "an acks=all record to be acknowledged and read")

    def views(self, topics: Sequence[str]) -> Views:
        """What every broker says."""
        return views(self._brokers, topics, self._names)

    def _active(self) -> Console | None:
        return next((console for console in self._controllers.values() if _is_active(console)), None)

    def _wait(
        self, condition: Callable[[], T | None], wanted: str, topics: Sequence[str] = (), logs: Sequence[str] = ()
    ) -> T:
        def look() -> T | None:
            self._look()
            return condition()

        return wait_until(
            look,
            within_s=READY_WITHIN_S,
            wanted=wanted,
            seen=lambda: self._words(topics, logs),
            every_s=EVERY_S,
            error=ServerError,
            forgive=(NoAnswerError,),
        )

    def _words(self, topics: Sequence[str], logs: Sequence[str]) -> str:
        missing = disagreements(self.views(topics), logs, self._brokers)
        said = (f"{ref.party} says: {last_words(self._lab.log(ref))}" for ref in self._refs)
        return "; ".join((*missing, *said))


def views(consoles: Mapping[str, Console], topics: Sequence[str], names: Mapping[int, str]) -> Views:
    """Everybody's view, or in one line why there is none."""
    return {name: _view_or_reason(console, topics, names) for name, console in consoles.items()}


def _view_or_reason(console: Console, topics: Sequence[str], names: Mapping[int, str]) -> BrokerView | str:
    try:
        return requests.view(console, topics, names)
    except NoAnswerError as problem:
        return f"does not answer ({problem})"


def _is_active(console: Console) -> bool:
    try:
        return requests.quorum(console) is not None
    except NoAnswerError:
        return False


def last_words(log: bytes) -> str:
    """The last error that a node wrote into its own log, with the exception below it, else its last line."""
    lines = [line.strip() for line in log.decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        return "it said nothing"
    failed = [number for number, line in enumerate(lines) if _FAILED.search(line)]
    first = failed[-1] if failed else 0
    causes = [found[1] for line in lines[first:] if (found := _CAUSE.match(line))]
    if not failed:
        # A Java machine that refuses an option says which, and then in general that it failed.
        said = [line for line in lines if not line.startswith("Error: ")] or lines
        return causes[-1] if causes else said[-1]
    error = lines[first].partition(" - ")[2] or lines[first]
    return f"{error}: {causes[-1]}" if causes else error
