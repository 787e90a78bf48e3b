"""
Sequential specifications: what one client alone would see. ``chaos.checkers`` judges histories of many clients by them.
"""

from chaos.models.collections import bag, counter, queue, set_of
from chaos.models.keyed import keyed
from chaos.models.locks import mutex, semaphore
from chaos.models.model import ILLEGAL, UNKNOWN, Argument, Foresight, Kind, Model, State
from chaos.models.registers import register, versioned_register
from chaos.models.texts import text

__all__ = [
    "ILLEGAL",
    "UNKNOWN",
    "Argument",
    "Foresight",
    "Kind",
    "Model",
    "State",
    "bag",
    "counter",
    "keyed",
    "mutex",
    "queue",
    "register",
    "semaphore",
    "set_of",
    "text",
    "versioned_register",
]
