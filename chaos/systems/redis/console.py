"""
The observer's own line to each server, on the management plane: no fault ever touches it.
"""

import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from redis import exceptions

from chaos.providers.contract import OBSERVER, Lab
from chaos.systems.redis.settings import REDIS_PORT, SENTINEL_PORT, SERVICE
from chaos.systems.redis.views import NodeView, SentinelView, parse_replication, parse_sentinel
from chaos.workloads.outcomes import Refused
from chaos.workloads.redis_client import Argument, Pinned, Reply

UNREACHABLE = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ResponseError, Refused)
"""A server that is down, stopped, still starting, or that refuses to answer."""


class Console:
    """One server's management address, for one question at a time. Connects when it is asked something."""

    def __init__(self, party: str, address: str, *, password: str | None = None, timeout_s: float = 1.0) -> None:
        self.party = party
        self.address = address
        self.password = password
        self._client = Pinned(self.address, timeout_s=timeout_s, password=password)
        self._turn = threading.Lock()

    def ask(self, *command: Argument) -> Reply:
        """Send one command and return its reply."""
        with self._turn:
            return self._client.execute(*command)

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def node_console(lab: Lab, party: str, *, password: str | None = None, timeout_s: float = 1.0) -> Console:
    """The line to a data node."""
    return Console(party, _address(lab, party, REDIS_PORT), password=password, timeout_s=timeout_s)


def sentinel_console(lab: Lab, party: str, *, timeout_s: float = 1.0) -> Console:
    """The line to a Sentinel."""
    return Console(party, _address(lab, party, SENTINEL_PORT), timeout_s=timeout_s)


def _address(lab: Lab, party: str, port: int) -> str:
    return "{}:{}".format(*lab.reach(OBSERVER, party, port, "management"))


def node_view(console: Console) -> NodeView:
    """What the node says of replication."""
    return parse_replication(console.ask("INFO", "replication"))


def sentinel_view(console: Console) -> SentinelView:
    """What the Sentinel says of everybody."""
    try:
        quorum = str(console.ask("SENTINEL", "CKQUORUM", SERVICE))
    except exceptions.ResponseError as problem:
        quorum = str(problem)
    return parse_sentinel(
        console.ask("SENTINEL", "MASTER", SERVICE),
        console.ask("SENTINEL", "REPLICAS", SERVICE),
        console.ask("SENTINEL", "SENTINELS", SERVICE),
        quorum,
    )


View = TypeVar("View")


def views(consoles: Mapping[str, Console], view: Callable[[Console], View]) -> dict[str, View | str]:
    """Everybody's view, or in one line why there is none."""
    return {name: _view_or_reason(console, view) for name, console in consoles.items()}


def _view_or_reason(console: Console, view: Callable[[Console], View]) -> View | str:
    try:
        return view(console)
    except UNREACHABLE as problem:
        return f"does not answer ({problem})"
