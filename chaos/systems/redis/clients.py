"""
Client plans for a Redis cluster: pinned to one node, or following the Sentinels.
"""

from typing import Any

from chaos.errors import UsageError
from chaos.systems.redis.cluster import RedisCluster
from chaos.workloads import WORKLOADS
from chaos.workloads.plan import ClientPlan


def pinned(
    cluster: RedisCluster,
    client: str,
    workload: str,
    *,
    node: str | None = None,
    hold: tuple[str, ...] = (),
    store: RedisCluster | None = None,
    **arguments: Any,
) -> ClientPlan:
    """
    A client that talks to one node, whatever happens to it.

    :param workload: a name from ``WORKLOADS`` or a ``module:function`` of your own.
    :param node: by default the first node, which begins as the master.
    :param store: the resource store of the lock workloads.
    :param arguments: further arguments of the workload.
    """
    target = node or cluster.nodes[0].name
    if store is not None:
        arguments["store"] = store.address(client, store.nodes[0])
    return _plan(cluster, client, workload, hold, {"address": cluster.address(client, target), **arguments})


def following(
    cluster: RedisCluster, client: str, workload: str, *, hold: tuple[str, ...] = (), **arguments: Any
) -> ClientPlan:
    """A client that asks the Sentinels for the master, and again after every error."""
    if not cluster.sentinels:
        raise UsageError(f"{cluster.system} has no Sentinels to follow; use pinned()")
    return _plan(cluster, client, workload, hold, {"sentinels": cluster.sentinel_addresses(client), **arguments})


def _plan(
    cluster: RedisCluster, client: str, workload: str, hold: tuple[str, ...], arguments: dict[str, Any]
) -> ClientPlan:
    if cluster.password is not None:
        arguments.setdefault("password", cluster.password)
    return ClientPlan(name=client, workload=WORKLOADS.get(workload, workload), arguments=arguments, hold=hold)
