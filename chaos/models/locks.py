"""
Locks: a mutex without owner, and a semaphore.
"""

from typing import Any

from chaos.models.model import ILLEGAL, Model, State


def _mutex_step(state: State, f: str, value: Any, result: Any) -> State:
    taking = f == "acquire"
    return taking if state is not taking else ILLEGAL


def mutex(initial: State = None) -> Model:
    """Held or free; who holds it is not recorded, so any client may release (knossos' ``mutex``)."""
    return Model(name="mutex", init=bool(initial), step=_mutex_step)


def permits_of(value: Any) -> int:
    """How many permits an acquire or a release is about: 1 if it does not say."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 1


def semaphore(initial: State = None) -> Model:
    """``initial`` permits (1 if None); the state is how many are taken."""
    capacity = permits_of(initial)

    def step(state: Any, f: str, value: Any, result: Any) -> State:
        taken = state + permits_of(value) if f == "acquire" else state - permits_of(value)
        return taken if 0 <= taken <= capacity else ILLEGAL

    return Model(name="semaphore", init=0, step=step)
