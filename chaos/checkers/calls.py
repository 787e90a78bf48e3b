"""
Operations as checkers see them: frozen values, closed intervals, those that did not happen left out.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from chaos.errors import UsageError
from chaos.history import Operation, Outcome
from chaos.models import UNKNOWN, Model
from chaos.models.registers import FAILED_CAS

if TYPE_CHECKING:
    from chaos.checkers.checker import Checker

NEVER: Final = 1 << 80
"""The end of an operation that never returned: after every other."""

FailedCas = Literal["dropped", "mismatch"]
FAIL, INFO = Outcome.FAIL, Outcome.INFO


class Call(NamedTuple):
    """
    An operation that happened (or may have: ``end`` is NEVER and ``result`` UNKNOWN).

    Times are doubled and ends odd, so that an operation that ended when another began is concurrent with it: with equal
    stamps nobody knows which came first.
    """

    begin: int
    end: int
    f: str
    value: Any
    result: Any
    operation: Operation


_PLAIN = {int, str, float, type(None)}


def frozen(value: Any) -> Any:
    """A JSON value that can be a key; true is not 1, as it is in Python."""
    if type(value) in _PLAIN:
        return value
    if value is True or value is False:
        return ("bool", value)
    if isinstance(value, list | tuple):
        return tuple(value) if _PLAIN.issuperset(map(type, value)) else tuple(frozen(each) for each in value)
    if isinstance(value, Mapping):
        return frozenset((name, frozen(each)) for name, each in value.items())
    return value


class Says(Enum):
    """Which part of an operation a model looks at; the rest is left out, so that equal operations look equal."""

    VALUE = "value"
    RESULT = "result"
    BOTH = "both"
    NOTHING = "nothing"


_LOOKS = {
    Says.VALUE: (True, False),
    Says.RESULT: (False, True),
    Says.BOTH: (True, True),
    Says.NOTHING: (False, False),
}
Looked = tuple[str, bool, bool]
"""A kind of operation, and whether its value and its result count."""


def calls(
    operations: Iterable[Operation],
    accepting: "Checker",
    *,
    names: Mapping[str, str],
    failed_cas: FailedCas = "dropped",
    by_key: bool = False,
) -> dict[Any, list[Call]]:
    """
    What happened or may have happened, in order of invocation, for each key (None if not split by key).

    ``names`` maps foreign kinds to those of the model.
    """
    parts: dict[Any, list[Call]] = {}
    shape, aborted = accepting.shape, accepting.aborted
    own = {f: (f, *_LOOKS[says]) for f, says in accepting.kinds.items()}
    known = {f: own[names.get(f, f)] for f in (*own, *names) if names.get(f, f) in own}
    failed = (FAILED_CAS, *_LOOKS[Says.VALUE])
    for operation in operations:
        kind = known.get(operation.f)
        if kind is None:
            raise UsageError(
                f"{operation}: the model knows {', '.join(accepting.kinds)}; a foreign name can be mapped to these"
            )
        if operation.outcome is FAIL and not aborted:
            if kind[0] != "cas" or failed_cas == "dropped":
                continue
            kind = failed
        key, value, result = _split(operation) if by_key else (None, operation.value, operation.result)
        call = _call(operation, kind, value, result)
        wrong = shape(call)
        if wrong:
            raise UsageError(f"{operation}: {wrong}")
        part = parts.get(key)
        if part is None:
            parts[key] = part = []
        part.append(call)
    for part in parts.values():
        part.sort(key=_begin)
    return parts


def modelled(operations: Iterable[Operation], model: Model, *, names: Mapping[str, str]) -> dict[Any, list[Call]]:
    """The same for a model of one's own: all that it is told, split by its own keys."""
    parts: dict[Any, list[Call]] = {}
    for operation in operations:
        if operation.outcome is not Outcome.FAIL:
            f = names.get(operation.f, operation.f)
            call = _call(operation, (f, True, True), operation.value, operation.result)
            key = None if model.key is None else model.key(f, call.value, call.result)
            parts.setdefault(key, []).append(call)
    for part in parts.values():
        part.sort(key=_begin)
    return parts or {None: []}


_begin = itemgetter(0)


def _split(operation: Operation) -> tuple[Any, Any, Any]:
    """Key, value and result; a result is a pair again, or bare."""
    value, result = operation.value, operation.result
    if not _paired(value):
        raise UsageError(f"{operation}: split by key, a value must be a pair of key and value")
    key = frozen(value[0])
    return key, value[1], result[1] if _paired(result) and frozen(result[0]) == key else result


def _paired(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2


def _call(operation: Operation, kind: Looked, value: Any, result: Any) -> Call:
    invoked, completed = operation.invoked_ns, operation.completed_ns
    if completed is not None and completed < invoked:
        raise UsageError(f"{operation}: completed at {completed} ns, before its invocation at {invoked} ns")
    f, by_value, by_result = kind
    if not by_value:
        value = None
    elif type(value) not in _PLAIN:
        value = frozen(value)
    if operation.outcome is INFO:
        return Call(2 * invoked, NEVER, f, value, UNKNOWN, operation)
    if completed is None:
        raise UsageError(f"{operation}: {operation.outcome.value} without a completion")
    if not by_result:
        result = None
    elif type(result) not in _PLAIN:
        result = frozen(result)
    return Call(2 * invoked, 2 * completed + 1, f, value, result, operation)
