"""
The script of a split brain, the same for every system: the leader is cut off together with a client that goes on.
"""

from collections.abc import Callable
from typing import Protocol

from chaos.cluster import Node
from chaos.faults import Mode, isolate
from chaos.run import Run

PATIENCE_S = 30.0  # A bound on every wait; no wait is expected to reach it.
STEADY = 200


class HasReplaceableLeader(Protocol):
    """What the script asks of a cluster: it says who leads, and replaces a leader that is lost."""

    def leader(self) -> Node:
        """Who leads now."""
        ...

    def wait_failover(self, old: Node, *, within_s: float) -> Node:
        """Wait until somebody else leads."""
        ...


def isolate_leader_with(
    run: Run, cluster: HasReplaceableLeader, *, inside: str, outside: str, mode: Mode, until: Callable[[], object]
) -> None:
    """
    Isolate the leader with one client, let the rest fail over, hold the fault until enough was seen, heal, recover.

    :param inside: the client that is cut off with the leader and keeps asking it.
    :param outside: the client that follows the majority.
    :param until: what must have been seen inside the hole before it is healed.
    """
    for client in (inside, outside):
        run.wait_oks("add", STEADY, client=client, within_s=PATIENCE_S)  # Steady state.

    old = cluster.leader()
    with run.inject(isolate(old, inside, mode=mode)):
        cluster.wait_failover(old, within_s=PATIENCE_S)
        run.wait_oks("add", STEADY, client=outside, within_s=PATIENCE_S)
        run.wait_for(until, within_s=PATIENCE_S, wanted=f"{inside} to have seen enough of the hole")

    run.wait_oks("add", STEADY, client=outside, within_s=PATIENCE_S)  # Recovery.
