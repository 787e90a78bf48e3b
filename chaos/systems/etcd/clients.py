"""
Client plans for an etcd cluster: every client has one endpoint, whatever happens to it.
"""

from typing import Any

from chaos.errors import UsageError
from chaos.systems.etcd.cluster import EtcdCluster
from chaos.workloads import WORKLOADS
from chaos.workloads.plan import ClientPlan


def pinned(
    cluster: EtcdCluster,
    client: str,
    workload: str,
    *,
    node: object = None,
    hold: tuple[str, ...] = (),
    interpreter: str | None = None,
    **arguments: Any,
) -> ClientPlan:
    """
    A client that talks to one member, whatever happens to it.

    :param workload: a name from ``WORKLOADS`` or a ``module:function`` of your own.
    :param node: by default the first member.
    :param interpreter: the Python of an environment of its own, for client libraries that exclude each other.
    :param arguments: further arguments of the workload.
    """
    _refuse_short_lease(cluster, arguments.get("ttl_s"))
    target = str(node or cluster.nodes[0].name)
    address = cluster.address(client, target)
    return _plan(client, workload, hold, interpreter, {"address": address, **arguments})


def alternating(
    cluster: EtcdCluster, client: str, workload: str, *, nodes: tuple[object, ...], **arguments: Any
) -> ClientPlan:
    """A client that asks these members in turn, each over a connection of its own."""
    addresses = [cluster.address(client, str(node)) for node in nodes]
    return _plan(client, workload, (), None, {"addresses": addresses, **arguments})


def _refuse_short_lease(cluster: EtcdCluster, ttl_s: object) -> None:
    if ttl_s is None:
        return
    if not isinstance(ttl_s, int) or isinstance(ttl_s, bool):
        raise UsageError(f"a lease lasts a whole number of seconds, not {ttl_s!r}")
    if ttl_s < cluster.least_lease_s:
        raise UsageError(
            f"a lease of {ttl_s} s is below the least of {cluster.system}, {cluster.least_lease_s} s "
            "(one and a half election timeouts, in whole seconds); the server would silently lengthen it"
        )


def _plan(
    client: str, workload: str, hold: tuple[str, ...], interpreter: str | None, arguments: dict[str, Any]
) -> ClientPlan:
    return ClientPlan(
        name=client,
        workload=WORKLOADS.get(workload, workload),
        arguments=arguments,
        hold=hold,
        interpreter=interpreter,
    )
