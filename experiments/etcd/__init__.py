"""
Redis: replication, Sentinel, and locks built on it.
"""
