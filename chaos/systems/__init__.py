"""
Middleware that can be started: one folder a system.
"""

from collections.abc import Mapping

SYSTEMS: Mapping[str, str] = {
    "redis": "chaos.systems.redis.start:start_redis",
    "etcd": "chaos.systems.etcd.start:start_etcd",
    "kafka": "chaos.systems.kafka.start:start_kafka",
}
"""Each system and the function that starts it; named, so that listing them loads no client library."""
