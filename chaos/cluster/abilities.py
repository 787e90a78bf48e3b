"""
What a cluster can do beyond existing, one small protocol an ability.

An experiment that needs a missing one is skipped by name.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from chaos.cluster.parties import Node, Target
from chaos.errors import MissingAbilityError


@runtime_checkable
class HasLeader(Protocol):
    """Says who leads now; the bound method is a target that is asked at injection."""

    def leader(self) -> Node:
        """The node that leads, as those who decide it see it at this moment."""
        ...


@runtime_checkable
class HasReplicas(Protocol):
    """Says who follows now."""

    def replicas(self) -> Sequence[Node]:
        """The nodes that follow the leader at this moment."""
        ...


@runtime_checkable
class Agrees(Protocol):
    """Can prove that it is whole again: every node's own view agrees, which a removed rule alone does not prove."""

    def agreed(self) -> bool:
        """Whether every node's own view is the same and complete."""
        ...

    def disagreement(self) -> Sequence[str]:
        """What is missing for an agreement, one sentence each; empty when all agree."""
        ...


@runtime_checkable
class Restartable(Protocol):
    """Its servers can be killed and started again on the data and configuration they left."""

    def restart(self, target: Target) -> None:
        """Start the servers again and return when they answer."""
        ...


@runtime_checkable
class FailsOver(Protocol):
    """Replaces a lost leader by itself."""

    def wait_failover(self, old: Node, *, within_s: float) -> Node:
        """Wait until those who decide it see another leader than ``old``, and return that."""
        ...


def require(cluster: object, *abilities: type) -> None:
    """Refuse a cluster without one of these abilities with ``MissingAbilityError``, which skips the experiment by name."""
    for ability in abilities:
        if not isinstance(cluster, ability):
            raise MissingAbilityError(ability.__name__, f"{type(cluster).__name__} does not have it")
