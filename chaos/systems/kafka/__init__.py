"""
Kafka in KRaft mode: three brokers, five, or any others, with separate controllers or as nodes that are both.
"""

from chaos.systems.kafka.cluster import KafkaCluster
from chaos.systems.kafka.settings import SHORT_LAG, TIGHT, TOPOLOGIES, Setting, Topic, Topology
from chaos.systems.kafka.start import MakeKafka, start_kafka

__all__ = [
    "SHORT_LAG",
    "TIGHT",
    "TOPOLOGIES",
    "KafkaCluster",
    "MakeKafka",
    "Setting",
    "Topic",
    "Topology",
    "start_kafka",
]
