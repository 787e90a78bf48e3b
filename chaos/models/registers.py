"""
Registers: plain, compare-and-set, versioned.
"""

from typing import Any

from chaos.models.model import ILLEGAL, UNKNOWN, Kind, Model, State

FAILED_CAS = "cas, failed"
"""A compare-and-set that is known to have found another value than the one it expected."""


def _step(state: State, f: str, value: Any, result: Any) -> State:
    if f == "read":
        return state if result == state else ILLEGAL
    if f == "write":
        return value  # type: ignore[no-any-return]
    if f == FAILED_CAS:
        return state if state != value[0] else ILLEGAL
    return value[1] if state == value[0] else ILLEGAL


_KINDS = {"read": Kind.OBSERVER, FAILED_CAS: Kind.OBSERVER, "write": Kind.OVERWRITER, "cas": Kind.GENERAL}


def _kind(f: str, value: Any, result: Any) -> Kind:
    return _KINDS[f]


def register(initial: State = None) -> Model:
    """A register with read, write and compare-and-set; the state is the value."""
    return Model(name="cas-register", init=initial, step=_step, kind=_kind)


def _versioned_step(state: Any, f: str, value: Any, result: Any) -> State:
    version, current = state
    if f == "read":
        return state if _agrees(result[0], version) and _agrees(result[1], current) else ILLEGAL
    if f == FAILED_CAS:
        return state if current != value[1][0] else ILLEGAL
    claimed, argument = value if result is UNKNOWN or result is None else result
    if not _agrees(claimed, version + 1) or (value is not None and value[1] != argument):
        return ILLEGAL
    if f == "write":
        return (version + 1, argument)
    return (version + 1, argument[1]) if current == argument[0] else ILLEGAL


def _agrees(claimed: Any, real: Any) -> bool:
    return claimed is None or claimed == real


def _versioned_kind(f: str, value: Any, result: Any) -> Kind:
    return Kind.OBSERVER if f in ("read", FAILED_CAS) else Kind.GENERAL


def versioned_register(initial: State = None) -> Model:
    """
    A register that counts its writes: ``[version, value]``, from version 0; a None in a read or a version says nothing.

    Source: the model of Jepsen's etcd tests.
    """
    return Model(name="versioned-register", init=(0, initial), step=_versioned_step, kind=_versioned_kind)
