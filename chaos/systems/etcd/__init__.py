"""
etcd: three members, five, or any others, in several versions.
"""

from chaos.systems.etcd.cluster import EtcdCluster
from chaos.systems.etcd.settings import FAST, SLOW, TOPOLOGIES, Setting, Topology
from chaos.systems.etcd.start import MakeEtcd, start_etcd

__all__ = ["FAST", "SLOW", "TOPOLOGIES", "EtcdCluster", "MakeEtcd", "Setting", "Topology", "start_etcd"]
