"""
Redis and Valkey: standalone, replication, Sentinel.
"""

from chaos.systems.redis.cluster import RedisCluster
from chaos.systems.redis.settings import (
    DEFAULT,
    HARDENED,
    TOPOLOGIES,
    TUNED,
    UNSAFE,
    Periods,
    SentinelSettings,
    Topology,
)
from chaos.systems.redis.start import start_redis

__all__ = [
    "DEFAULT",
    "HARDENED",
    "TOPOLOGIES",
    "TUNED",
    "UNSAFE",
    "Periods",
    "RedisCluster",
    "SentinelSettings",
    "Topology",
    "start_redis",
]
