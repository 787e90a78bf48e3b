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
    Setting,
    Topology,
)
from chaos.systems.redis.start import MakeRedis, start_redis

__all__ = [
    "DEFAULT",
    "HARDENED",
    "TOPOLOGIES",
    "TUNED",
    "UNSAFE",
    "MakeRedis",
    "Periods",
    "RedisCluster",
    "SentinelSettings",
    "Setting",
    "Topology",
    "start_redis",
]
