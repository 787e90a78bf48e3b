"""
From nothing to an etcd cluster in which every member follows one leader and passes on writes.

One member after the other, each once the one before answers its peers: members that start together ask each other while
they accept connections and do not answer yet, and give up only after a second, so that half of all starts take two more.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from chaos.history.records import empty
from chaos.providers.contract import Lab, PartySpec, Port, ProcessRef, Role, Spawn
from chaos.providers.placing import place_missing, refuse_taken
from chaos.servers import Installed
from chaos.systems.etcd.cluster import EtcdCluster, member_ids
from chaos.systems.etcd.config import flags
from chaos.systems.etcd.console import peer_console
from chaos.systems.etcd.ready import wait_joins, wait_ready
from chaos.systems.etcd.settings import CLIENT_PORT, PEER_PORT, Setting, Topology, find_topology

_PING = b"GET /version HTTP/1.1\r\nHost: etcd\r\n\r\n"
CLIENT = Port(number=CLIENT_PORT, name="client", ping=_PING)
PEER = Port(number=PEER_PORT, name="peer", ping=_PING)


class MakeEtcd(Protocol):
    """The ``make_etcd`` fixture: ``start_etcd`` in the test's own lab."""

    def __call__(
        self,
        *,
        topology: str | Topology = ...,
        settings: Mapping[str, Setting] = ...,
        version: str | None = ...,
        role: Role = ...,
    ) -> EtcdCluster:
        """Start a cluster and return when it is really ready."""
        ...


def start_etcd(
    lab: Lab,
    *,
    topology: str | Topology = "three",
    settings: Mapping[str, Setting] = empty(),
    version: str | None = None,
    role: Role = Role.NODE,
    others: Sequence[PartySpec] = (),
) -> EtcdCluster:
    """
    Start an etcd cluster and return when it is really ready.

    :param topology: ``three``, ``five``, ``single``, or one of your own.
    :param settings: flags without their dashes: ``{"election-timeout": 500, "pre-vote": False}``.
    :param version: ``3.6``, ``3.5``, ``3.4``, ``3.5.1``; None is the etcd that is installed.
    :param role: ``Role.RESOURCE`` makes a store that no fault may touch.
    :param others: parties to be made in the same batch (clients), which is faster than one after the other.
    """
    shape = find_topology(topology)
    refuse_taken(lab, shape.nodes, example='Topology(name="second", nodes=("m1", "m2", "m3"))')
    installed = lab.software("etcd", version)
    _place(lab, shape, installed, role, others)
    cluster = EtcdCluster(
        lab=lab,
        topology=shape,
        version=f"etcd {installed.label}",
        etcd_settings=dict(settings),
        spawns=_spawns(lab, shape, installed, settings),
    )
    _bring_up(cluster)
    return cluster


def _place(lab: Lab, shape: Topology, installed: Installed, role: Role, others: Sequence[PartySpec]) -> None:
    members = [PartySpec(name=name, role=role, ports=(CLIENT, PEER), image=installed.image) for name in shape.nodes]
    place_missing(lab, (*members, *others))


def _spawns(lab: Lab, shape: Topology, installed: Installed, settings: Mapping[str, Setting]) -> dict[str, Spawn]:
    return {name: _spawn(lab, shape, installed, settings, name) for name in shape.nodes}


def _spawn(lab: Lab, shape: Topology, installed: Installed, settings: Mapping[str, Setting], name: str) -> Spawn:
    peer = next((other for other in shape.nodes if other != name), name)
    chosen = flags(
        name=name,
        folder=lab.folder(name),
        peers={one: lab.reach(name if one != name else peer, one, PEER_PORT, "data") for one in shape.nodes},
        client=lab.reach(peer, name, CLIENT_PORT, "data"),
        settings=settings,
        token=shape.name,
    )
    return Spawn(name="etcd", argv=installed.argv(*chosen))


def _bring_up(cluster: EtcdCluster) -> None:
    refs: dict[str, ProcessRef] = {}
    for name in cluster.topology.nodes:
        refs[name] = cluster.lab.spawn(name, cluster.spawns[name])
        peer = peer_console(cluster.lab, name)
        wait_joins(cluster.lab, peer, refs[name])
        peer.close()
    wait_ready(cluster.lab, cluster.consoles, refs)
    cluster.ids.update(member_ids(cluster.consoles[cluster.topology.nodes[0]]))
