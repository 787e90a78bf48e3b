"""
Sequential specifications: what one client alone would see. ``chaos.checkers`` judges histories of many clients by them.
"""

from chaos.models.collections import bag, counter, queue, set_of
from chaos.models.locks import mutex, semaphore
from chaos.models.model import ILLEGAL, UNKNOWN, Kind, Model, State
from chaos.models.registers import register, versioned_register

__all__ = [
    "ILLEGAL",
    "UNKNOWN",
    "Kind",
    "Model",
    "State",
    "bag",
    "counter",
    "mutex",
    "queue",
    "register",
    "semaphore",
    "set_of",
    "versioned_register",
]
