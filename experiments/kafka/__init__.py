"""
Failure cases of Kafka.
"""
