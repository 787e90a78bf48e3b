"""
What clients do. A workload is a plain function ``name(worker, *, arguments...)`` that a worker process runs.
"""

from collections.abc import Mapping

WORKLOADS: Mapping[str, str] = {
    # Unique values into a set; an acknowledged one must be there at the end.
    "redis-set": "chaos.workloads.redis_sets:set_writer",
    # The same, acknowledged only when WAIT says that replicas have it.
    "redis-set-wait": "chaos.workloads.redis_sets:wait_writer",
    # A counter; what was asked once must have happened once.
    "redis-incr": "chaos.workloads.redis_sets:incr_writer",
    # Turns inside a lease lock, with writes to a guarded resource.
    "redis-lock": "chaos.workloads.redis_leases:lock_holder",
    # One long lease that is looked after.
    "redis-lock-keeper": "chaos.workloads.redis_leases:lock_keeper",
    # One acquisition whose first reply is lost.
    "redis-lock-lost-reply": "chaos.workloads.redis_leases:lost_reply_acquirer",
    # A cache that fills up until the server evicts.
    "redis-cache-filler": "chaos.workloads.redis_cache:cache_filler",
    # Unique values, a key each; an acknowledged one must be there at the end.
    "etcd-set": "chaos.workloads.etcd_sets:set_writer",
    # Reads, writes and compare-and-sets of versioned registers.
    "etcd-register": "chaos.workloads.etcd_registers:register_client",
    # Reads only, linearizable or serializable, of one member or of several in turn.
    "etcd-reader": "chaos.workloads.etcd_registers:register_reader",
    # Turns inside a lock on a lease, with writes to etcd itself or to an outside store.
    "etcd-lock": "chaos.workloads.etcd_leases:lock_holder",
    # The same by the client library etcd3's own Lock, which has no token.
    "etcd3-lock": "chaos.workloads.etcd3_lock:lock_holder",
    # One lease that is kept alive.
    "etcd-lease-keeper": "chaos.workloads.etcd_leases:lease_keeper",
    # Unique records into a log; an acknowledged one must be there at the end, at its offset, once.
    "kafka-records": "chaos.workloads.kafka_records:record_writer",
    # One log as a consumer is shown it.
    "kafka-reader": "chaos.workloads.kafka_records:record_reader",
}
"""Each workload's short name and its ``module:function``; named, so that listing them loads no client library."""
