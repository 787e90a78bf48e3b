"""
Fixtures of all systems, for the experiments and tests of this checkout.
"""

pytest_plugins = ["fixtures.redis", "fixtures.etcd", "fixtures.kafka", "pytester"]
