"""
The observer's own line to each node, on the management plane: single requests of Kafka's protocol, to just that node.

An admin client would ask whichever node it likes, and so hide what a probe is after: that nodes disagree.
"""

import socket
import threading
from typing import Any

from kafka.protocol.parser import KafkaProtocol

from chaos.errors import ProviderError
from chaos.providers.contract import OBSERVER, Lab

CHUNK = 65536


class NoAnswerError(ProviderError):
    """The node is down, stopped, still starting, or answered with an error."""


class Console:
    """One node's management address, for one question at a time. Connects when it is asked something."""

    def __init__(self, lab: Lab, party: str, port: int, *, timeout_s: float = 1.0) -> None:
        self.party = party
        self._address = lab.reach(OBSERVER, party, port, "management")
        self._timeout_s = timeout_s
        self._turn = threading.Lock()
        self._connection: socket.socket | None = None
        self._protocol: Any = None

    def ask(self, request: Any, *, within_s: float | None = None) -> Any:
        """
        One request; the connection is given up when it is not answered in time.

        :param within_s: for what takes a server longer than a look.
        """
        with self._turn:
            try:
                return self._ask(request, within_s or self._timeout_s)
            except OSError as problem:
                self._hang_up()
                what = type(request).__name__.removesuffix("Request")
                raise NoAnswerError(f"{self.party} to {what}: {type(problem).__name__}: {problem}") from problem

    def close(self) -> None:
        """Hang up."""
        with self._turn:
            self._hang_up()

    def _ask(self, request: Any, within_s: float) -> Any:
        if self._connection is None:
            self._connection = socket.create_connection(self._address, self._timeout_s)
            self._protocol = KafkaProtocol(client_id="chaos-observer", ident=self.party)
        self._connection.settimeout(within_s)
        self._protocol.send_request(request)
        self._connection.sendall(self._protocol.send_bytes())
        while True:
            received = self._connection.recv(CHUNK)
            if not received:
                raise ConnectionError("the node closed the connection")
            for _, answer in self._protocol.receive_bytes(received):
                return answer

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
