"""
What each node says of the cluster, and where the views differ. Pure: answers in, values and sentences out.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.systems.kafka.settings import log_name

NO_LEADER = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """
    A log as one broker knows it.

    :param leader: None while it knows of none.
    :param isr: the in-sync replicas, sorted.
    """

    leader: str | None
    epoch: int
    isr: tuple[str, ...]
    replicas: tuple[str, ...]

    def role(self, party: str) -> str:
        """What that party is for this log: ``leader``, ``follower``, ``no leader``, ``no replica``."""
        if party not in self.replicas:
            return "no replica"
        if self.leader is None:
            return "no leader"
        return "leader" if self.leader == party else "follower"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerView:
    """
    A broker's own view.

    :param brokers: those that it takes for alive (registered, not fenced), sorted.
    """

    party: str
    brokers: tuple[str, ...]
    logs: Mapping[str, LogView]


Views = Mapping[str, BrokerView | str]
"""Everybody's view, or in one line why there is none."""


def parse_metadata(party: str, said: Any, names: Mapping[int, str]) -> BrokerView:
    """The answer to a metadata request as a view; ``names`` has each node's name by its id."""

    def named(ids: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted(names.get(one, str(one)) for one in ids))

    logs = {
        log_name(topic.name, partition.partition_index): LogView(
            leader=None if partition.leader_id == NO_LEADER else names.get(partition.leader_id),
            epoch=partition.leader_epoch,
            isr=named(partition.isr_nodes),
            replicas=named(partition.replica_nodes),
        )
        for topic in said.topics
        for partition in topic.partitions
    }
    return BrokerView(party=party, brokers=named(one.node_id for one in said.brokers), logs=logs)


def newest(views: Views, log: str) -> LogView | None:
    """
    The view of a log with the highest leader epoch; None when nobody knows the log.

    Within an epoch the leader's own counts: who is in sync changes without a new epoch, and a broker that is cut off from
    the controllers does not hear of it.
    """
    known = [
        (name, view.logs[log]) for name, view in views.items() if isinstance(view, BrokerView) and log in view.logs
    ]
    ranked = max(
        known, key=lambda one: (one[1].epoch, one[1].leader is not None, one[0] == one[1].leader), default=None
    )
    return ranked[1] if ranked else None


def leader_of(views: Views, log: str) -> str | None:
    """Who leads a log in the newest epoch that anybody knows of."""
    view = newest(views, log)
    return view.leader if view else None


def replaced(views: Views, log: str, old: str) -> str | None:
    """The broker that took over from ``old`` and says so itself; None while there is none."""
    view = newest(views, log)
    if view is None or view.leader in (None, old):
        return None
    own = views.get(str(view.leader))
    said = own.logs.get(log) if isinstance(own, BrokerView) else None
    taken = said is not None and (said.leader, said.epoch) == (view.leader, view.epoch)
    return view.leader if taken else None


def disagreements(views: Views, logs: Iterable[str], brokers: Iterable[str]) -> tuple[str, ...]:
    """
    What is missing until every broker sees every log alike, led, and with all its replicas in sync; empty when all do.

    :param brokers: those that are meant to be there; replicas of others are not asked for.
    """
    there = set(brokers)
    problems = [f"{name}: {view}" for name, view in views.items() if isinstance(view, str)]
    known = {name: view for name, view in views.items() if isinstance(view, BrokerView)}
    for name, view in known.items():
        if missing := sorted(there - set(view.brokers)):
            problems.append(f"{name} does not see {', '.join(missing)}")
    for log in logs:
        problems += _about(log, {name: view.logs.get(log) for name, view in known.items()}, there)
    return tuple(problems)


def _about(log: str, seen: Mapping[str, LogView | None], there: set[str]) -> Iterable[str]:
    for name, view in seen.items():
        if view is None:
            yield f"{name} does not know {log}"
        elif view.leader is None:
            yield f"{name}: nobody leads {log}"
        elif view.leader not in there:
            yield f"{name}: {log} is led by {view.leader}, which is not there"
        elif missing := sorted(set(view.replicas) & there - set(view.isr)):
            yield f"{name}: {', '.join(missing)} not in sync for {log}"
    views = {view for view in seen.values() if view is not None}
    if len({(view.leader, view.epoch) for view in views}) > 1:
        yield "; ".join(
            f"{name}: {view.leader} leads {log} in epoch {view.epoch}" for name, view in seen.items() if view
        )


_UNCLEAN = re.compile(
    r"UNCLEAN partition change for (?P<log>\S+) .*?isr: \[(?P<before>[\d, ]*)\] -> .*?leader: -?\d+ -> (?P<leader>\d+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UncleanElection:
    """
    An election that a controller's own log calls unclean.

    :param in_sync_before: the in-sync replicas that it replaced. Where they are empty the last known leader came back, and
        nothing need be lost: Kafka calls that unclean too.
    """

    log: str
    leader: str
    in_sync_before: tuple[str, ...]

    def observed(self) -> dict[str, Any]:
        """As histories record it."""
        return {"log": self.log, "leader": self.leader, "in_sync_before": list(self.in_sync_before)}


def parse_unclean(said: str, names: Mapping[int, str]) -> tuple[UncleanElection, ...]:
    """The unclean elections that a controller's log tells of, in order."""
    return tuple(
        UncleanElection(
            log=found["log"],
            leader=names.get(int(found["leader"]), found["leader"]),
            in_sync_before=tuple(names.get(int(one), one) for one in re.findall(r"\d+", found["before"])),
        )
        for found in _UNCLEAN.finditer(said)
    )
