"""
The record of a run: what clients did and learnt, what was harmed and when, what was seen from outside.
"""

from chaos.history.records import Fault, Header, History, Observation, Operation, Outcome, Phase, Value

__all__ = ["Fault", "Header", "History", "Observation", "Operation", "Outcome", "Phase", "Value"]
