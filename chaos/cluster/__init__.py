"""
Parties and clusters as values, and the abilities that an experiment may ask of a cluster.
"""

from chaos.cluster.abilities import Agrees, FailsOver, HasLeader, HasReplicas, Restartable, require
from chaos.cluster.cluster import Cluster
from chaos.cluster.parties import App, Client, Node, Party, Target, resolve

__all__ = [
    "Agrees",
    "App",
    "Client",
    "Cluster",
    "FailsOver",
    "HasLeader",
    "HasReplicas",
    "Node",
    "Party",
    "Restartable",
    "Target",
    "require",
    "resolve",
]
