"""
The observer's own line to each member, on the management plane: no fault ever touches it.
"""

import threading
from collections.abc import Callable, Mapping

from chaos.providers.contract import OBSERVER, Lab
from chaos.systems.etcd.settings import CLIENT_PORT, PEER_PORT
from chaos.systems.etcd.views import MemberView, parse_status
from chaos.workloads.etcd_client import Answer, Etcd, EtcdError, NoAnswer
from chaos.workloads.etcd_requests import Json
from chaos.workloads.outcomes import Refused

UNREACHABLE = (EtcdError, NoAnswer, Refused)
"""A member that is down, stopped, still starting, or that refuses to answer."""


class Console:
    """One member's management address, for one question at a time. Connects when it is asked something."""

    def __init__(self, lab: Lab, party: str, *, timeout_s: float = 1.0, port: int = CLIENT_PORT) -> None:
        host, number = lab.reach(OBSERVER, party, port, "management")
        self.party = party
        self._client = Etcd(f"{host}:{number}", timeout_s=timeout_s)
        self._turn = threading.Lock()

    def ask(self, path: str, body: Json | None = None) -> Answer:
        """One request to the gateway."""
        with self._turn:
            return self._client.ask(path, body or {})

    def use(self, action: Callable[[Etcd], Answer]) -> Answer:
        """Whatever a client can do, in one's turn."""
        with self._turn:
            return action(self._client)

    def stream(self, path: str) -> list[Json]:
        """All answers of a stream that ends by itself."""
        with self._turn:
            return self._client.stream(path, {})

    def get(self, path: str) -> str:
        """What it says outside its gateway."""
        with self._turn:
            return self._client.get(path)

    def view(self) -> MemberView:
        """What the member says of the cluster."""
        return parse_status(self.ask("maintenance/status").body)

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def peer_console(lab: Lab, party: str, *, timeout_s: float = 0.5) -> Console:
    """The line to a member's peer port, which answers before there is a leader."""
    return Console(lab, party, timeout_s=timeout_s, port=PEER_PORT)


def views(consoles: Mapping[str, Console]) -> dict[str, MemberView | str]:
    """Everybody's view, or in one line why there is none."""
    return {name: _view_or_reason(console) for name, console in consoles.items()}


def _view_or_reason(console: Console) -> MemberView | str:
    try:
        return console.view()
    except UNREACHABLE as problem:
        return f"does not answer ({problem})"
