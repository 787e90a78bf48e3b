"""
Chaos testing for distributed middleware: real clusters, real faults, verdicts with their proof.

Import what you need from the parts: ``chaos.faults``, ``chaos.guarantees``, ``chaos.workloads``, ``chaos.systems``.
The pytest fixtures live in ``chaos.fixtures`` (``pytest_plugins = ["chaos.fixtures.redis"]``).
"""

__version__ = "0.1.0"
