"""
A cluster: the nodes of one system in one lab.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chaos.cluster.parties import Node


class Cluster(Protocol):
    """What every system's cluster offers; abilities (a leader, restarts) are protocols of their own."""

    @property
    def system(self) -> str:
        """System, topology and version in one line, as reports show it: ``Redis 7.0.15, sentinel (3+3)``."""
        ...

    @property
    def nodes(self) -> Sequence[Node]:
        """Its servers that hold data."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was configured, with secrets masked: what a report and a header show."""
        ...

    def node(self, name: str) -> Node:
        """The node of that name."""
        ...
