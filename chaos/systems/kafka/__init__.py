"""
Kafka in KRaft mode: three brokers, five, or any others, with separate controllers or as nodes that are both.
"""

import warnings

with warnings.catch_warnings():
    # kafka-python reads its schemas in a way that Python 3.11 and 3.12 warn of: in a suite that makes warnings errors, the
    # import would fail.
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    try:
        import kafka  # noqa: F401
    except ImportError as problem:
        raise ImportError("Kafka needs kafka-python; run: pip install 'middleware-chaos[kafka]'") from problem

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
